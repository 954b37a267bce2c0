//! Starts instances that have everything in flight, steers them from outside while their worker is killed
//! again and again, and checks what each came to.
//!
//! Must not know when somebody is killed. Begin with [`Driver::rounds`].

use std::{
    path::PathBuf,
    sync::atomic::{AtomicBool, Ordering},
};

use durable::{Error, call::OrchestrationCall, model::Storable, prelude::*, provider::Reuse};
use durable_tests::{
    functions::{WIDTH, after, after_five, fan_out, five_steps},
    mixed::{
        FROM_FAMILY, LAST_NUMBER, NUMBER, after_breaking, after_family, breaks_at_first, family, hangs_below,
        listens, mend, races, ticks, tries_in_vain,
    },
};

/// How many numbers a listener is sent.
const NUMBERS: u64 = 12;
/// How deep one that is terminated waits.
const LEVELS: u64 = 2;

/// Whoever uses the hub from a process that lives.
pub(crate) struct Driver {
    pub(crate) client: Client,
    /// Where functions find what is mended, and count.
    pub(crate) folder: PathBuf,
    pub(crate) is_over: AtomicBool,
}

impl Driver {
    /// A round of everything after the other, until it is over. Gives how many there were.
    pub(crate) async fn rounds(&self, lane: u64) -> u64 {
        let mut round = 0;
        while round == 0 || !self.is_over.load(Ordering::Acquire) {
            let (name, first) = (format!("{lane}-{round}"), lane * 1000 + round);
            futures::join!(
                self.computes(&name, first),
                self.begets(&name, first),
                self.tells(&name),
                self.ticks(&name),
                self.mends(&name, first),
                self.terminates(&name),
            );
            round += 1;
        }
        round
    }

    async fn start<O: Storable>(&self, id: String, call: OrchestrationCall<O>) -> Run<O> {
        self.client.start(call.instance_id(id).reuse(Reuse::Never)).await.unwrap()
    }

    async fn generation(&self, id: String) -> Option<u32> {
        let state = self.client.state(&InstanceId::new(id).unwrap()).await.unwrap();
        state.map(|state| state.generation)
    }

    async fn computes(&self, name: &str, first: u64) {
        let steps = self.start(format!("steps-{name}"), five_steps::with(first)).await;
        let races = self.start(format!("races-{name}"), races::with(first)).await;
        let fan_out = self.start(format!("fan-out-{name}"), fan_out::with(first)).await;
        assert_eq!(steps.output().await.unwrap(), after_five(first), "{steps:?}");
        assert_eq!(races.output().await.unwrap(), after_five(first), "{races:?}");
        let expected: Vec<u64> = (first..first + WIDTH).map(after).collect();
        assert_eq!(fan_out.output().await.unwrap(), expected, "{fan_out:?}");
    }

    /// Each child begins as often as it is asked for, and each event is heard once.
    async fn begets(&self, name: &str, first: u64) {
        let id = format!("family-{name}");
        let folder = self.folder.display().to_string();
        let run = self.start(id.clone(), family::with(first, folder)).await;
        assert_eq!(run.output().await.unwrap(), after_family(first), "{run:?}");
        let listener = self.client.run(listens::at(format!("{id}-listener"))).unwrap();
        assert_eq!(listener.output().await.unwrap(), FROM_FAMILY, "{run:?}");
        let detached = self.client.run(five_steps::at(format!("{id}-detached"))).unwrap();
        assert_eq!(detached.output().await.unwrap(), after_five(first + 2), "{run:?}");
        for (child, times) in [("listener", 0), ("detached", 0), ("chosen", 0), ("tried", tries_in_vain())] {
            let generation = self.generation(format!("{id}-{child}")).await;
            assert_eq!(generation, Some(times), "{id}-{child} was replaced so often");
        }
    }

    /// Events whose raise was acknowledged are heard once each, in order, also by one that is suspended.
    async fn tells(&self, name: &str) {
        let run = self.start(format!("listens-{name}"), listens::with(Vec::new())).await;
        for number in 1..=NUMBERS {
            self.client.raise(&run, NUMBER, number).await.unwrap();
            match number % 6 {
                2 => run.suspend("a break").await.unwrap(),
                5 => run.resume("on").await.unwrap(),
                _ => {}
            }
        }
        self.client.raise(&run, NUMBER, LAST_NUMBER).await.unwrap();
        assert_eq!(run.output().await.unwrap(), (1..=NUMBERS).collect::<Vec<_>>(), "{run:?}");
    }

    async fn ticks(&self, name: &str) {
        let run = self.start(format!("ticks-{name}"), ticks::with(0)).await;
        while run.state().await.unwrap().unwrap().input.read::<u64>().unwrap() < 5 {
            tokio::task::yield_now().await;
        }
        self.client.raise(&run, NUMBER, LAST_NUMBER).await.unwrap();
        assert!(run.output().await.unwrap() >= 5, "{run:?}");
    }

    /// Lets a failed one try again what failed: in vain, and when it is mended.
    async fn mends(&self, name: &str, first: u64) {
        let id = format!("breaks-{name}");
        let run =
            self.start(id.clone(), breaks_at_first::with(first, self.folder.display().to_string())).await;
        for attempt in ["in vain", "with what it needs"] {
            let error = run.output().await.unwrap_err();
            assert!(
                matches!(&error, Error::Failed { failure, .. } if failure.message().contains("is missing") || failure.to_string().contains("is missing")),
                "{error:?}"
            );
            if attempt != "in vain" {
                mend(&self.folder, &id).unwrap();
            }
            run.rewind(attempt).await.unwrap();
        }
        assert_eq!(run.output().await.unwrap(), after_breaking(first), "{run:?}");
    }

    async fn terminates(&self, name: &str) {
        let id = format!("waits-{name}");
        let run = self.start(id.clone(), hangs_below::with(LEVELS)).await;
        let levels = (0..=LEVELS).map(|level| format!("{id}{}", "-below".repeat(level as usize)));
        let levels: Vec<_> = levels.map(|id| self.client.run(hangs_below::at(id)).unwrap()).collect();
        for run in &levels {
            while run.state().await.unwrap().is_none() {
                tokio::task::yield_now().await;
            }
        }
        run.terminate_recursively("enough").await.unwrap();
        for run in levels {
            let error = run.output().await.unwrap_err();
            assert!(matches!(&error, Error::Terminated { reason, .. } if reason == "enough"), "{error:?}");
        }
    }
}
