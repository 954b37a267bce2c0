//! Waits that no history can end, and wakes that no history sent: an error at once, never a hang.

use std::{
    sync::{
        Arc, Mutex,
        atomic::{AtomicUsize, Ordering},
    },
    thread,
};

use durable::{
    model::{Failure, FailureKind},
    replay::{Orchestrator, Session, SessionOptions, Task},
};
use futures::{channel::oneshot, future};

use crate::script::{
    at, call, completed, episode, failure, orchestrator, output, raised, run, session, start, started,
};

fn first_failure(orchestrator: &Orchestrator) -> Failure {
    let (mut live, mut history) = (session(orchestrator), Vec::new());
    episode(&mut live, &mut history, [start()]);
    failure(&live)
}

// R1:CC-15, R1:CC-16, R1:SKIP-31, R3:BIND-6
#[test]
fn pending_for_ever_is_an_error_although_a_task_is_open() {
    let waits = orchestrator(|ctx| async move {
        let _open = call::<u32>(&ctx, "a", 1);
        future::pending::<()>().await;
        Ok(())
    });
    let failure = first_failure(&waits);
    assert_eq!(failure.kind(), FailureKind::NothingToWaitFor);
    assert!(failure.message().contains("DF1005"), "{failure}");
}

#[test]
fn two_branches_that_wait_for_each_other_are_an_error() {
    let locks = orchestrator(|ctx| async move {
        let (one, two) = (tokio::sync::Mutex::new(()), tokio::sync::Mutex::new(()));
        let left = async {
            let _held = one.lock().await;
            call::<u32>(&ctx, "a", 1).await?;
            let _both = two.lock().await;
            Ok::<_, Failure>(())
        };
        let right = async {
            let _held = two.lock().await;
            call::<u32>(&ctx, "b", 2).await?;
            let _both = one.lock().await;
            Ok(())
        };
        future::try_join(left, right).await.map(|_| ())
    });
    let (live, _) = run(&locks, [vec![start()], vec![completed(0, 1)], vec![completed(1, 1)]]);
    assert_eq!(failure(&live).kind(), FailureKind::NothingToWaitFor);
}

#[test]
fn an_orchestrator_that_wakes_itself_for_ever_is_an_error() {
    let spins = orchestrator(|_ctx| async move {
        loop {
            futures_lite::future::yield_now().await;
        }
        #[expect(unreachable_code, reason = "gives the block its type")]
        Ok(())
    });
    assert!(first_failure(&spins).message().contains("DF1008"));
}

/// Hands a value from user code to the test.
type Shelf<T> = Arc<Mutex<Option<T>>>;

// replay.md, R9: at rest nothing is wrong.
#[test]
fn a_wake_by_another_thread_is_an_error_and_calls_the_hook_once() {
    let shelf: Shelf<oneshot::Sender<()>> = Shelf::default();
    let waits = {
        let shelf = shelf.clone();
        orchestrator(move |ctx| {
            let (sender, receiver) = oneshot::channel();
            *shelf.lock().unwrap() = Some(sender);
            async move {
                let event: Task<u32> = ctx.wait("go".into());
                future::select(event, receiver).await;
                Ok(())
            }
        })
    };
    let calls = Arc::new(AtomicUsize::new(0));
    let hook = {
        let calls = calls.clone();
        Arc::new(move |_: &durable::model::InstanceId| {
            calls.fetch_add(1, Ordering::Relaxed);
        })
    };
    let options = SessionOptions { on_foreign_wake: Some(hook), ..SessionOptions::default() };
    let (mut live, mut history) = (Session::new(started(), waits, options), Vec::new());
    episode(&mut live, &mut history, [start()]);
    assert_eq!(live.outcome(), None);
    let sender = shelf.lock().unwrap().take().unwrap();
    thread::spawn(move || sender.send(())).join().unwrap().unwrap();
    assert_eq!(calls.load(Ordering::Relaxed), 1);
    let end = episode(&mut live, &mut history, [raised("go", "1")]);
    assert!(failure(&live).message().contains("DF1006"), "{end:?}");
}

// R1:CC-15
#[test]
fn a_context_used_on_another_thread_is_an_error_that_names_the_line() {
    let shares = orchestrator(|ctx| async move {
        let ctx = Arc::new(ctx);
        let other = ctx.clone();
        thread::spawn(move || drop(call::<u32>(&other, "a", 1))).join().unwrap();
        call::<u32>(&ctx, "b", 1).await
    });
    let failure = first_failure(&shares);
    for part in ["DF1007", "`script`", "script.rs"] {
        assert!(failure.message().contains(part), "{part}: {failure}");
    }
}

#[test]
fn a_task_polled_on_another_thread_is_an_error() {
    let shelf: Shelf<Task<u32>> = Shelf::default();
    let gives_away = {
        let shelf = shelf.clone();
        orchestrator(move |ctx| {
            let shelf = shelf.clone();
            async move {
                *shelf.lock().unwrap() = Some(call(&ctx, "a", 1));
                call::<u32>(&ctx, "b", 1).await
            }
        })
    };
    let (mut live, mut history) = (session(&gives_away), Vec::new());
    episode(&mut live, &mut history, [start()]);
    let task = shelf.lock().unwrap().take().unwrap();
    assert!(futures::FutureExt::now_or_never(task).is_none());
    episode(&mut live, &mut history, [completed(1, 1)]);
    assert!(failure(&live).message().contains("DF1007"), "{}", failure(&live));
}

// replay.md, R9
// R1:CC-13, R1:CC-14
#[test]
fn timers_and_tasks_of_a_runtime_are_refused_in_our_words() {
    let sleeps = orchestrator(|_ctx| async move {
        tokio::time::sleep(std::time::Duration::from_secs(1)).await;
        Ok(())
    });
    let spawns = orchestrator(|_ctx| async move {
        tokio::spawn(async {}).await.map_err(|error| Failure::from_error(&error))
    });
    for orchestrator in [sleeps, spawns] {
        let failure = first_failure(&orchestrator);
        assert_eq!(failure.error_type(), "ForeignRuntime", "{failure}");
        assert!(failure.message().contains("DF1009"), "{failure}");
    }
}

// replay.md, R10
// R1:CC-12
#[test]
fn blocking_on_a_future_is_refused_instead_of_hanging_the_thread() {
    let blocks = orchestrator(|ctx| async move { futures::executor::block_on(ctx.wait::<u32>("go".into())) });
    assert!(first_failure(&blocks).message().contains("DF1009"));
    let blocks_at_once = orchestrator(|ctx| {
        let seen = futures::executor::block_on(ctx.wait::<u32>("go".into()));
        async move { seen }
    });
    assert!(first_failure(&blocks_at_once).message().contains("DF1009"));
}

// R1:ORCH-31
#[test]
fn a_panic_becomes_a_failure_with_its_message() {
    let panics = orchestrator(|ctx| async move {
        call::<u32>(&ctx, "a", 1).await?;
        std::panic::resume_unwind(Box::new("out of luck"));
        #[expect(unreachable_code, reason = "gives the block its type")]
        Ok(())
    });
    let (live, _) = run(&panics, [vec![start()], vec![completed(0, 1)]]);
    assert_eq!(failure(&live).kind(), FailureKind::Panicked);
    assert!(failure(&live).message().contains("out of luck"));
}

// replay.md, R7, R8, R15: on a thread of our own there is no budget, and a yield is a wake.
#[test]
fn much_work_in_one_resume_is_neither_cut_short_nor_lost() {
    let works = orchestrator(|ctx| async move {
        let (sender, mut receiver) = tokio::sync::mpsc::unbounded_channel();
        (0..500).for_each(|number| sender.send(number).unwrap());
        let mut sum = 0;
        for _ in 0..500 {
            sum += receiver.recv().await.unwrap();
            tokio::task::yield_now().await;
        }
        let ready = future::join_all((0..10_000).map(future::ready)).await.len();
        ctx.timer(at(1)).await?;
        Ok(sum + ready)
    });
    let (live, _) = run(&works, [vec![start()], vec![crate::script::fired(0)]]);
    assert_eq!(output(&live), "134750");
}
