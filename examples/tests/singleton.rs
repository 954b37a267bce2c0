//! The singleton: one at a time, whoever starts it and however often.

use durable::{Error, prelude::*, provider::ProviderErrorKind};
use durable_testkit::TestHub;
use futures::future::join_all;

#[expect(dead_code, reason = "the program around the functions is not run here")]
#[path = "../src/bin/singleton.rs"]
mod example;

// R2:SNG-1, R2:SNG-3, R2:SNG-5, R2:SNG-9, R2:SNG-8, R2:SNG-10
#[tokio::test]
async fn of_ten_starts_at_once_one_begins_it_and_the_others_are_told_which_instance_runs() {
    let hub = TestHub::start().await.unwrap();
    let client = hub.client();
    let starts = join_all((0..10).map(|_| example::start_single(client, "nightly", "Monday"))).await;
    let mut begun: Vec<_> = starts.into_iter().filter_map(Result::unwrap).collect();
    let run = begun.pop().unwrap();
    assert!(begun.is_empty(), "one start of ten");

    assert!(example::start_single(client, "nightly", "Monday").await.unwrap().is_none(), "it may be pending");
    hub.passing_time(run.wait_for_start()).await.unwrap();
    assert!(example::start_single(client, "nightly", "Monday").await.unwrap().is_none());
    let start = Call::<String>::orchestration("nightly_job", "Monday").instance_id("nightly");
    match client.start(start).await.unwrap_err() {
        Error::Provider(error) => {
            assert_eq!(error.kind, ProviderErrorKind::AlreadyExists);
            assert!(error.to_string().contains("nightly"), "{error}");
        }
        other => panic!("{other:?}"),
    }
}

// R2:SNG-3, R2:SNG-4
#[tokio::test]
async fn its_id_may_be_used_again_once_it_is_over_and_the_new_one_takes_its_place() {
    let hub = TestHub::start().await.unwrap();
    let client = hub.client();
    let run = example::start_single(client, "nightly", "Monday").await.unwrap().unwrap();
    client.raise(&run, "NightIsOver", ()).await.unwrap();
    assert_eq!(hub.output(&run).await.unwrap(), "the job of Monday is done");

    let run = example::start_single(client, "nightly", "Tuesday").await.unwrap().unwrap();
    run.terminate("no night today").await.unwrap();
    assert!(matches!(hub.output(&run).await, Err(Error::Terminated { .. })));

    let run = example::start_single(client, "nightly", "Wednesday").await.unwrap().unwrap();
    let state = run.state().await.unwrap().unwrap();
    assert_eq!(state.input.read::<String>().unwrap(), "Wednesday");
    assert!(!state.runtime_status.is_terminal() && state.output.as_json() == "null");
    client.raise(&run, "NightIsOver", ()).await.unwrap();
    assert_eq!(hub.output(&run).await.unwrap(), "the job of Wednesday is done");
}
