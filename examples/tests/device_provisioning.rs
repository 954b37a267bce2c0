//! The provisioning of devices: side by side, each by an instance of its own, or one alone.

#![expect(clippy::unwrap_used, reason = "helpers of a test may unwrap as its cases do")]

use durable::{Error, prelude::*};
use durable_testkit::TestHub;

#[expect(dead_code, reason = "the program around the functions is not run here")]
#[path = "../src/bin/device_provisioning.rs"]
mod example;

/// Tells the instance `id`, once there is one, that its device runs `version`.
async fn acknowledge(hub: &TestHub, id: &str, version: &str) {
    let id = InstanceId::new(id).unwrap();
    while hub.client().state(&id).await.unwrap().is_none() {
        tokio::task::yield_now().await;
    }
    hub.client().raise(id, "DownloadCompletedAck", version.to_owned()).await.unwrap();
}

// R1:SUB-1, R1:SUB-2, R1:SUB-4 to R1:SUB-6, R1:SMP-19
#[tokio::test]
async fn devices_answer_in_any_order_and_are_listed_in_the_order_of_the_calls() {
    let hub = TestHub::start().await.unwrap();
    let all = Call::<Vec<String>>::orchestration("ProvisionNewDevices", 3);
    let run = hub.client().start(all).await.unwrap();
    for number in [2, 3, 1] {
        acknowledge(&hub, &format!("provision-device-{number}"), &format!("2.{number}")).await;
    }
    let expected = ["device-1 runs 2.1", "device-2 runs 2.2", "device-3 runs 2.3"];
    assert_eq!(hub.output(&run).await.unwrap(), expected);
}

// R1:SUB-4: the same orchestration, started by a client.
#[tokio::test]
async fn one_device_is_provisioned_by_itself() {
    let hub = TestHub::start().await.unwrap();
    let one = Call::<String>::orchestration("DeviceProvisioningOrchestration", "lamp").instance_id("lamp");
    let run = hub.client().start(one).await.unwrap();
    acknowledge(&hub, "lamp", "7").await;
    assert_eq!(hub.output(&run).await.unwrap(), "lamp runs 7");
}

// R1:SUB-2, R1:SMP-19
#[tokio::test]
async fn a_device_that_cannot_be_reached_fails_all_and_is_named() {
    let send = |device: String, package: String| {
        assert_eq!(package, format!("https://packages.example/{device}"));
        if device == "device-2" { Err("no route") } else { Ok(()) }
    };
    let hub = TestHub::builder().activity("SendPackageUrlToDevice").by_result(send).start().await.unwrap();
    let run = hub.client().start(Call::<Vec<String>>::orchestration("ProvisionNewDevices", 2)).await.unwrap();
    acknowledge(&hub, "provision-device-1", "2").await;
    let Err(Error::Failed { failure, .. }) = hub.output(&run).await else { panic!("device-2 has no route") };
    let named: Vec<_> = failure.chain().filter_map(|failure| Some(failure.function()?.to_string())).collect();
    assert!(named.contains(&"DeviceProvisioningOrchestration".to_owned()), "{named:?}");
    assert!(failure.to_string().contains("no route"), "{failure}");
}
