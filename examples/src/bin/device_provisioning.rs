//! Orchestrations made of orchestrations: devices are provisioned side by side, each by an instance of its own
//! that waits for its device (R1:SUB-4, SUB-6).
//!
//! ```console
//! $ cargo run -p durable-examples --bin device_provisioning -- [number of devices]
//! ```

#![expect(clippy::print_stdout, reason = "an example talks to whoever runs it")]

use durable::{call::Event, prelude::*};
use futures::future::try_join_all;

/// What a device says once it has loaded its software.
const DOWNLOAD_COMPLETED: Event<String> = Event::new("DownloadCompletedAck");

/// Provisions one device: by itself, or as a part of [`provision_new_devices`].
#[orchestrator(name = "DeviceProvisioningOrchestration")]
async fn device_provisioning(ctx: OrchestrationContext, device: String) -> Result<String, Failure> {
    let package = ctx.call(create_installation_package::with(&device)).await?;
    ctx.call(send_package_url::with(&device, package)).await?;
    let version = ctx.wait_for(DOWNLOAD_COMPLETED).await?;
    Ok(format!("{device} runs {version}"))
}

/// Provisions all new devices at once.
#[orchestrator(name = "ProvisionNewDevices")]
async fn provision_new_devices(ctx: OrchestrationContext, count: u32) -> Result<Vec<String>, Failure> {
    let devices = ctx.call(get_new_device_ids::with(count)).await?;
    let provision = |device: &String| {
        ctx.call(device_provisioning::with(device).instance_id(format!("provision-{device}")))
    };
    try_join_all(devices.iter().map(provision)).await
}

#[activity(name = "GetNewDeviceIds")]
async fn get_new_device_ids(count: u32) -> Vec<String> {
    (1..=count).map(|number| format!("device-{number}")).collect()
}

#[activity(name = "CreateInstallationPackage")]
async fn create_installation_package(device: String) -> String {
    format!("https://packages.example/{device}")
}

#[activity(name = "SendPackageUrlToDevice")]
async fn send_package_url(device: String, package: String) {
    println!("  ○ {device} loads {package}");
}

#[tokio::main]
async fn main() -> Result<(), Box<dyn std::error::Error>> {
    let count = std::env::args().nth(1).map_or(Ok(3), |count| count.parse::<u32>())?;
    let hub = TaskHub::open("memory:").await?;
    let worker = hub.worker().start().await?;
    let client = hub.client();
    let run = client.start(provision_new_devices::with(count)).await?;
    for number in 1..=count {
        // Events go to the instance of the device. It may not have been begun yet: then we are early.
        let child = client.run(device_provisioning::at(format!("provision-device-{number}")))?;
        while child.state().await?.is_none() {
            tokio::task::yield_now().await;
        }
        client.raise(&child, DOWNLOAD_COMPLETED, format!("2.{number}")).await?;
        println!("  ● {}", child.output().await?);
    }
    println!("  ◉ {:?}", run.output().await?);
    Ok(worker.shut_down().await?)
}
