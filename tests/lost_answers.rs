//! Families of instances come to the same end whichever write of their worker fails, or is made and not
//! acknowledged.
//!
//! In one process and in virtual time. Begin with [`whichever_write_fails_everything_fits`].

#![expect(clippy::unwrap_used, reason = "what a test cannot go on without may panic")]

use std::sync::Arc;

use durable::{
    embedded::EmbeddedProvider, model::RuntimeStatus, prelude::*, provider::InstanceQuery,
    worker::WorkerBuilder,
};
use durable_testkit::{Fault, FaultyProvider, VirtualClock};
use durable_tests::{
    Folder, Instances,
    mixed::{FROM_FAMILY, after_breaking, after_family, breaks_at_first, family, listens, mend},
    related, well_formed,
};
use futures::TryStreamExt;

/// Lets a family and one that fails until it is mended come to their ends, while the worker's writes meet
/// the faults of `plan`. Gives how many writes there were.
async fn run_with(
    folder: &Folder,
    name: &str,
    plan: impl Fn(u64) -> Option<Fault> + Send + Sync + 'static,
    always_replay: bool,
) -> u64 {
    let memory = Arc::new(EmbeddedProvider::in_memory(Arc::new(VirtualClock::new())).unwrap());
    let faulty = Arc::new(FaultyProvider::new(memory.clone(), plan));
    let worker = WorkerBuilder::new(faulty.clone()).always_replay(always_replay).start().await.unwrap();
    let client = Client::new(memory, 1024);
    let place = folder.path().display().to_string();
    let (family_id, breaks_id) = (format!("family-{name}"), format!("breaks-{name}"));
    let begets = client.start(family::with(7, &place).instance_id(&family_id)).await.unwrap();
    let fails = client.start(breaks_at_first::with(7, &place).instance_id(&breaks_id)).await.unwrap();
    assert_eq!(fails.wait_for_end().await.unwrap().runtime_status, RuntimeStatus::Failed, "{name}");
    mend(folder.path(), &breaks_id).unwrap();
    fails.rewind("it is there").await.unwrap();
    assert_eq!(begets.output().await.unwrap(), after_family(7), "{name}");
    assert_eq!(fails.output().await.unwrap(), after_breaking(7), "{name}");
    let listener = client.run(listens::at(format!("{family_id}-listener"))).unwrap();
    assert_eq!(listener.output().await.unwrap(), FROM_FAMILY, "{name}");

    let mut instances = Instances::new();
    let all: Vec<_> = client.instances(InstanceQuery::default()).try_collect().await.unwrap();
    for state in all {
        let run = client.run::<Payload>(state.instance_id).unwrap();
        let state = run.wait_for_end().await.unwrap();
        let history = run.history().await.unwrap();
        let flaw = well_formed(&history).err();
        assert!(flaw.is_none(), "{name}, {}: {}", run.id(), flaw.unwrap());
        instances.insert(run.id().clone(), (state, history));
    }
    related(&instances).unwrap_or_else(|flaw| panic!("{name}: {flaw}"));
    assert_eq!(client.counts().await.unwrap().total(), instances.len() as u64, "{name}");
    worker.shut_down().await.unwrap();
    faulty.writes()
}

// R1:OVR-12, R1:SUB-3, R2:ETE-3, R2:MGT-62; DECISIONS 9, 19
#[tokio::test]
async fn whichever_write_fails_everything_fits() {
    let folder = Folder::new("lost-answers").unwrap();
    let writes = run_with(&folder, "unharmed", |_| None, false).await;
    for fault in [Fault::Fails, Fault::LosesTheAnswer] {
        for harmed in 1..=writes {
            let name = format!("{fault:?}-{harmed}");
            let plan = move |write| (write == harmed).then_some(fault);
            run_with(&folder, &name, plan, harmed % 2 == 0).await;
        }
        let plan = move |write| (write % 3 == 2).then_some(fault);
        run_with(&folder, &format!("{fault:?}-thirds"), plan, true).await;
    }
    eprintln!("{writes} writes in a run");
}
