//! Unloading is not dropping: user code that runs because a session goes has no effect.

use std::{
    sync::{
        Arc, Mutex,
        atomic::{AtomicUsize, Ordering},
    },
    task::Waker,
};

use durable::{
    model::{EventName, InstanceId, Payload},
    replay::{Handle, Outcome, Task},
};

use crate::script::{at, call, completed, episode, orchestrator, output, replayed, run, session, start};

/// Does everything that drop code can do.
struct Busy {
    handle: Arc<Handle>,
    timer: Option<Task<()>>,
    drops: Arc<AtomicUsize>,
}

impl Drop for Busy {
    fn drop(&mut self) {
        self.drops.fetch_add(1, Ordering::Relaxed);
        self.handle.send_event(InstanceId::new("x").unwrap(), EventName::literal("bye"), Payload::null());
        drop(call::<u32>(&self.handle, "late", 1));
        drop(self.timer.take());
        drop(self.handle.wait::<u32>("go".into()));
    }
}

// replay.md, R12
// R3:DIAG-29, R3:SKIP-1
#[test]
fn drop_code_that_runs_at_unload_has_no_effect_and_the_same_code_run_by_the_user_has() {
    let drops = Arc::new(AtomicUsize::new(0));
    let holds = {
        let drops = drops.clone();
        orchestrator(move |ctx| {
            let (handle, drops) = (Arc::new(ctx), drops.clone());
            async move {
                let timer = Some(handle.timer(at(9)));
                let busy = Busy { handle: handle.clone(), timer, drops };
                call::<u32>(&handle, "a", 1).await?;
                drop(busy);
                Ok(1)
            }
        })
    };
    let (mut live, mut history) = (session(&holds), Vec::new());
    episode(&mut live, &mut history, [start()]);
    drop(live);
    assert_eq!(drops.load(Ordering::Relaxed), 1);

    let mut again = replayed(&holds, &history);
    let end = episode(&mut again, &mut history, [completed(1, 1)]);
    let names: Vec<_> = end.actions.iter().map(|action| action.kind.name()).collect();
    assert_eq!(names, ["EventSent", "TaskScheduled"]);
    assert_eq!(end.cancelled_timers.len(), 1);
    assert_eq!(end.outcome, None, "the activity called by drop code is open");
}

#[test]
fn a_panic_in_drop_code_stays_there() {
    struct Bomb;
    impl Drop for Bomb {
        fn drop(&mut self) {
            std::panic::resume_unwind(Box::new("boom"));
        }
    }
    let holds = orchestrator(|ctx| async move {
        let _bomb = Bomb;
        let seen = call::<u32>(&ctx, "a", 1).await;
        std::future::pending::<()>().await;
        seen
    });
    let (mut live, mut history) = (session(&holds), Vec::new());
    episode(&mut live, &mut history, [start()]);
    drop(replayed(&holds, &history));
    episode(&mut live, &mut history, [completed(0, 1)]);
    assert!(matches!(live.outcome(), Some(Outcome::Failed(_))));
}

// replay.md, R11
#[test]
fn a_waker_that_outlives_its_session_does_nothing() {
    let shelf: Arc<Mutex<Option<Waker>>> = Arc::default();
    let shows = {
        let shelf = shelf.clone();
        orchestrator(move |ctx| {
            let shelf = shelf.clone();
            async move {
                std::future::poll_fn(|cx| {
                    *shelf.lock().unwrap() = Some(cx.waker().clone());
                    std::task::Poll::Ready(())
                })
                .await;
                call::<u32>(&ctx, "a", 1).await
            }
        })
    };
    let (mut live, mut history) = (session(&shows), Vec::new());
    episode(&mut live, &mut history, [start()]);
    let old = shelf.lock().unwrap().take().unwrap();
    drop(live);
    let mut again = replayed(&shows, &history);
    old.wake();
    episode(&mut again, &mut history, [completed(0, 3)]);
    assert_eq!(output(&again), "3");
}

#[test]
fn a_task_that_outlives_its_session_stays_pending_and_is_harmless() {
    let shelf: Arc<Mutex<Option<Task<u32>>>> = Arc::default();
    let gives_away = {
        let shelf = shelf.clone();
        orchestrator(move |ctx| {
            *shelf.lock().unwrap() = Some(call(&ctx, "a", 1));
            async move { call::<u32>(&ctx, "b", 1).await }
        })
    };
    let (live, _) = run(&gives_away, [vec![start()]]);
    drop(live);
    let task = shelf.lock().unwrap().take().unwrap();
    assert!(!task.is_completed(), "nothing came for it");
    assert!(futures::FutureExt::now_or_never(task).is_none());
}

// R1:OVR-24
#[test]
fn an_unloaded_session_leaves_nothing_behind() {
    let held = Arc::new(());
    let forgets = {
        let held = held.clone();
        orchestrator(move |ctx| {
            let held = held.clone();
            async move {
                // A cycle: the task's cell holds the waker, which holds the future, which holds the task.
                let mut all = futures::stream::FuturesUnordered::new();
                let task: Task<u32> = call(&ctx, "a", 1);
                all.push(async move { (task.await, held) });
                futures::StreamExt::next(&mut all).await;
                Ok(())
            }
        })
    };
    let (live, _) = run(&forgets, [vec![start()]]);
    assert!(Arc::strong_count(&held) > 2);
    drop(live);
    drop(forgets);
    assert_eq!(Arc::strong_count(&held), 1);
}
