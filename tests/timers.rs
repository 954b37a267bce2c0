//! Durable timers, as the documents' samples use them: a day at a time, beside other work, over a restart.
//!
//! In virtual time. Begin with [`a_bill_is_issued_every_day_for_ten_days`].

#![expect(clippy::unwrap_used, reason = "what a test cannot go on without may panic")]

use std::{
    path::Path,
    sync::{Arc, Mutex},
    time::Duration,
};

use durable::{
    clock::Clock,
    embedded::{EmbeddedProvider, Options},
    prelude::*,
    worker::Worker,
};
use durable_testkit::{TestHub, VirtualClock};
use durable_tests::{Folder, functions::WORD, places::until};
use futures::future::join;

const MINUTE: Duration = Duration::from_secs(60);
const DAY: Duration = Duration::from_secs(24 * 3600);

#[activity(name = "SendBillingEvent")]
async fn send_billing_event(_day: u32) {}

/// Bills once a day, ten times.
#[orchestrator(name = "BillingIssuer")]
async fn billing_issuer(ctx: OrchestrationContext) -> Result<(), Failure> {
    for day in 1..=10 {
        let due = ctx.now().saturating_add(DAY);
        ctx.sleep_until(due).await?;
        ctx.call(send_billing_event::with(day)).await?;
    }
    Ok(())
}

/// How a job stands after so many questions.
#[activity(name = "GetJobStatus")]
async fn get_job_status(job: String) -> String {
    job
}

#[activity(name = "SendAlert")]
async fn send_alert(_machine: String) {}

/// Asks every minute until the job is done or five minutes are over. Gives whether somebody was told.
#[orchestrator(name = "MonitorJobStatus")]
async fn monitor_job_status(ctx: OrchestrationContext, job: String) -> Result<bool, Failure> {
    let expires = ctx.now().saturating_add(5 * MINUTE);
    while ctx.now() < expires {
        if ctx.call(get_job_status::with(&job)).await? == "Completed" {
            ctx.call(send_alert::with("machine")).await?;
            return Ok(true);
        }
        ctx.sleep(MINUTE).await?;
    }
    Ok(false)
}

/// Collects words until its hour is over.
#[orchestrator]
async fn collects_for_an_hour(ctx: OrchestrationContext) -> Result<Vec<String>, Failure> {
    let mut over = ctx.sleep(60 * MINUTE);
    let mut words = Vec::new();
    loop {
        let word = durable::select! {
            ended = &mut over => { ended?; None },
            word = ctx.wait_for(WORD) => Some(word?),
        };
        match word {
            Some(word) => words.push(word),
            None => return Ok(words),
        }
        ctx.set_custom_status(&words.len())?;
    }
}

#[orchestrator]
async fn naps(ctx: OrchestrationContext, duration: Duration) -> Result<Timestamp, Failure> {
    ctx.sleep(duration).await?;
    Ok(ctx.now())
}

/// Waits for what is over, and drops a timer that has fired and one that has not.
#[orchestrator]
async fn drops_timers(ctx: OrchestrationContext) -> Result<bool, Failure> {
    ctx.sleep_until(Timestamp::UNIX_EPOCH).await?;
    let (short, long, kept) = (ctx.sleep(MINUTE), ctx.sleep(DAY), ctx.sleep(2 * MINUTE));
    kept.await?;
    let had_fired = short.is_completed() && !long.is_completed();
    drop((short, long));
    ctx.sleep(Duration::ZERO).await?;
    Ok(had_fired)
}

/// Sleeps half an hour after each of two activities; gives the times it reckoned from.
#[orchestrator]
async fn reckons(ctx: OrchestrationContext) -> Result<(Timestamp, Timestamp), Failure> {
    let begun = ctx.now();
    ctx.call(Call::<()>::activity("TakesASecond", ())).await?;
    Ok((begun, ctx.now()))
}

// R1:TMR-2, R1:TMR-6, R1:TMR-7, R1:SMP-24, R1:ORCH-28
#[tokio::test]
async fn a_bill_is_issued_every_day_for_ten_days() {
    let sent = Arc::new(Mutex::new(Vec::new()));
    let log = sent.clone();
    let send = move |day: u32| log.lock().unwrap().push(day);
    let hub = TestHub::builder().replacing::<send_billing_event>().by(send).start().await.unwrap();
    let began = hub.now();
    let run = hub.client().start(billing_issuer::with()).await.unwrap();
    hub.output(&run).await.unwrap();
    assert_eq!(*sent.lock().unwrap(), (1..=10).collect::<Vec<_>>());
    assert_eq!(hub.now().duration_since(began), 10 * DAY);
    let history = hub.history(&run).await.unwrap();
    assert_eq!(history.names().iter().filter(|name| **name == "TimerFired").count(), 10);
}

// R1:SMP-4, R1:OVR-18, R1:OVR-19
#[tokio::test]
async fn a_job_is_watched_until_it_is_done_or_time_is_up() {
    for (done_at, told, minutes) in [(3, true, 2), (9, false, 5)] {
        let asked = Mutex::new(0);
        let status = move |_: String| {
            let mut asked = asked.lock().unwrap();
            *asked += 1;
            if *asked == done_at { "Completed" } else { "Running" }.to_owned()
        };
        let hub = TestHub::builder().replacing::<get_job_status>().by(status).start().await.unwrap();
        let began = hub.now();
        assert_eq!(hub.run(monitor_job_status::with("job")).await.unwrap(), told);
        assert_eq!(hub.now().duration_since(began), minutes * MINUTE);
    }
}

// R1:TMR-3, R1:SKIP-12
#[tokio::test]
async fn whoever_waits_for_a_timer_goes_on_hearing_events() {
    let hub = TestHub::start().await.unwrap();
    let began = hub.now();
    let run = hub.client().start(collects_for_an_hour::with()).await.unwrap();
    for (heard, word) in ["a", "b", "c"].into_iter().enumerate() {
        hub.client().raise(&run, WORD, word.to_owned()).await.unwrap();
        while run.state().await.unwrap().unwrap().custom_status.as_json() != (heard + 1).to_string() {
            tokio::task::yield_now().await;
        }
        assert_eq!(hub.now(), began, "at once, not when the timer fires");
    }
    assert_eq!(hub.output(&run).await.unwrap(), ["a", "b", "c"]);
    assert_eq!(hub.now().duration_since(began), 60 * MINUTE);
}

// R1:TMR-14, R1:SKIP-41: what is past fires at once, and to drop a timer that has fired is nothing.
#[tokio::test]
async fn a_timer_of_the_past_fires_at_once_and_dropping_one_that_has_fired_does_nothing() {
    let hub = TestHub::start().await.unwrap();
    let began = hub.now();
    let run = hub.client().start(drops_timers::with()).await.unwrap();
    assert!(hub.output(&run).await.unwrap());
    assert_eq!(hub.now().duration_since(began), 2 * MINUTE, "the cancelled day holds nothing back");
    let history = hub.history(&run).await.unwrap();
    let count = |wanted| history.names().iter().filter(|name| **name == wanted).count();
    assert_eq!((count("TimerCreated"), count("TimerFired")), (5, 4));
}

// R1:TMR-5, R1:SKIP-13: however far away, it is one timer.
#[tokio::test]
async fn a_timer_of_a_thousand_years_is_one_timer() {
    let hub = TestHub::start().await.unwrap();
    let began = hub.now();
    let run = hub.client().start(naps::with(365_000 * DAY)).await.unwrap();
    assert_eq!(hub.output(&run).await.unwrap().duration_since(began), 365_000 * DAY);
    let history = hub.history(&run).await.unwrap();
    assert_eq!(history.names().iter().filter(|name| **name == "TimerCreated").count(), 1);
}

/// A file that is worked by the time of `clock`.
async fn worked(path: &Path, clock: &Arc<VirtualClock>) -> (TaskHub, Worker) {
    let options = Options { clock: clock.clone(), ..Options::default() };
    let hub = TaskHub::with_provider(Arc::new(EmbeddedProvider::open(path, options).unwrap()));
    let worker = hub.worker().start().await.unwrap();
    (hub, worker)
}

// R1:TMR-2, R1:TMR-4, R1:SKIP-11
#[tokio::test]
async fn a_timer_that_fell_due_while_nothing_ran_fires_at_the_next_start_and_others_in_time() {
    let folder = Folder::new("timers").unwrap();
    let path = folder.file("hub.db");
    let clock = Arc::new(VirtualClock::new().standing_still());
    let began = clock.now();
    let (hub, worker) = worked(&path, &clock).await;
    for (id, duration) in [("hour", 60 * MINUTE), ("day", DAY)] {
        let run = hub.client().start(naps::with(duration).instance_id(id)).await.unwrap();
        run.wait_for_start().await.unwrap();
    }
    worker.shut_down().await.unwrap();
    drop(hub);
    clock.advance(90 * MINUTE);

    let (hub, worker) = worked(&path, &clock).await;
    let hour = hub.client().run(naps::at("hour")).unwrap();
    assert_eq!(hour.output().await.unwrap().duration_since(began), 90 * MINUTE);
    let day = hub.client().run(naps::at("day")).unwrap();
    until(&day, RuntimeStatus::Running).await;
    let (woke, _) = join(day.output(), async {
        let _passing = clock.pass();
        // Has the store look at the clock again.
        hub.client().start(naps::with(Duration::ZERO)).await.unwrap().output().await.unwrap();
        day.wait_for_end().await.unwrap();
    })
    .await;
    assert_eq!(woke.unwrap().duration_since(began), DAY);
    worker.shut_down().await.unwrap();
}

// R1:MON-8: after an activity that took a second, half an hour is reckoned from that second.
#[tokio::test]
async fn time_moves_on_from_episode_to_episode_and_not_within_one() {
    let clock = Arc::new(VirtualClock::new().standing_still());
    let hands = clock.clone();
    let takes_a_second = move |_: ActivityContext, (): ()| {
        hands.advance(Duration::from_secs(1));
        async { Ok::<_, Failure>(()) }
    };
    let functions = Registry::builder().add::<reckons>().activity("TakesASecond", takes_a_second);
    let functions = functions.build().unwrap();
    let provider = EmbeddedProvider::in_memory(clock.clone()).unwrap();
    let hub = TaskHub::with_provider(Arc::new(provider));
    for always_replay in [false, true] {
        let worker = hub.worker().functions(functions.clone());
        let worker = worker.always_replay(always_replay).start().await.unwrap();
        let (begun, after) = hub.client().start(reckons::with()).await.unwrap().output().await.unwrap();
        assert_eq!(after.duration_since(begun), Duration::from_secs(1));
        worker.shut_down().await.unwrap();
    }
}
