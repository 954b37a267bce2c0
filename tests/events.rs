//! External events, as the documents' samples wait for them and as whoever sends them sees it.
//!
//! Both embedded stores where a restart matters, a written history where the order of arrival does.
//! Begin with [`one_event_decides`].

use durable::{call::Event, client::Client, prelude::*};
use durable_testkit::{
    TestHub,
    history::{complete, completed, raised, scheduled, started},
    replay_of,
};
use durable_tests::{Folder, places::each_hub};

const APPROVAL: Event<bool> = Event::new("Approval");

/// Whether the budget was approved.
#[orchestrator(name = "BudgetApproval")]
async fn budget_approval(ctx: OrchestrationContext) -> Result<String, Failure> {
    Ok(if ctx.wait_for(APPROVAL).await? { "approved" } else { "denied" }.to_owned())
}

/// Which of three came first, and what it brought.
#[orchestrator(name = "Select")]
async fn selects(ctx: OrchestrationContext) -> Result<String, Failure> {
    let (event1, event2, event3) =
        (ctx.wait_for::<f64>("Event1"), ctx.wait_for::<bool>("Event2"), ctx.wait_for::<i32>("Event3"));
    durable::select! {
        number = event1 => Ok(format!("Event1 {:.1}", number?)),
        flag = event2 => Ok(format!("Event2 {}", flag?)),
        number = event3 => Ok(format!("Event3 {}", number?)),
    }
}

#[activity(name = "IssueBuildingPermit")]
async fn issue_building_permit(application: String) -> String {
    format!("permit for {application}")
}

/// Issues the permit when three departments have agreed, whoever is first. What they say has no content.
#[orchestrator(name = "NewBuildingPermit")]
async fn new_building_permit(ctx: OrchestrationContext, application: String) -> Result<String, Failure> {
    let gates = ["CityPlanningApproval", "FireDeptApproval", "BuildingDeptApproval"];
    futures::future::try_join_all(gates.map(|gate| ctx.wait_for::<()>(gate))).await?;
    ctx.call(issue_building_permit::with(application)).await
}

/// Takes two of one name, one wait after the other.
#[orchestrator]
async fn takes_two(ctx: OrchestrationContext) -> Result<(Payload, Payload), Failure> {
    let first = ctx.wait_for("Item").await?;
    ctx.set_custom_status(&"half")?;
    Ok((first, ctx.wait_for("Item").await?))
}

// R1:EVT-2, R1:EVT-3, R1:SMP-26, R2:MGT-50, R4:MGMT-76, R4:MGMT-77, R1:ORCH-28
#[tokio::test]
async fn one_event_decides() {
    let hub = TestHub::start().await.unwrap();
    for (decision, outcome) in [(true, "approved"), (false, "denied")] {
        let run = hub.client().start(Call::<String>::orchestration("BudgetApproval", ())).await.unwrap();
        hub.client().raise(&run, APPROVAL, decision).await.unwrap();
        assert_eq!(hub.output(&run).await.unwrap(), outcome);
    }
}

// R1:EVT-4, R1:SMP-26: the winner is known by its branch, not by its value.
#[test]
fn the_first_of_several_events_of_different_types_decides() {
    for (name, data, outcome) in
        [("Event1", "1.5", "Event1 1.5"), ("Event2", "true", "Event2 true"), ("Event3", "3", "Event3 3")]
    {
        let data: serde_json::Value = serde_json::from_str(data).unwrap();
        replay_of::<selects>()
            .then([started(())])
            .asks_for([])
            .then([raised(name, data)])
            .asks_for([complete(outcome)]);
    }
    replay_of::<selects>()
        .then([started(())])
        .then([raised("Event3", 7), raised("Event1", 0.5)])
        .asks_for([complete("Event3 7")]);
}

// R1:EVT-2, R1:EVT-5, R1:SMP-26: waits without content, served in any order.
#[test]
fn a_permit_is_issued_when_all_have_agreed_in_whatever_order() {
    let [city, fire, building] = ["CityPlanningApproval", "FireDeptApproval", "BuildingDeptApproval"];
    for order in [[city, fire, building], [building, fire, city], [fire, building, city]] {
        replay_of::<new_building_permit>()
            .then([started("lot 7")])
            .then([raised(order[0], ())])
            .then([raised(order[1], ())])
            .asks_for([])
            .then([raised(order[2], ())])
            .asks_for([scheduled(0, "IssueBuildingPermit").with("lot 7")])
            .then([completed(0, "permit")])
            .asks_for([complete("permit")]);
    }
}

// R1:EVT-1, R1:EVT-7, R1:EVT-9, R2:MGT-52, R4:MGMT-78, R4:MGMT-170: the sender hears that it is kept and no
// more, although nobody works; the instance goes on once there is a worker.
#[tokio::test]
async fn an_event_is_acknowledged_while_nobody_works_and_wakes_the_instance_later() {
    let folder = Folder::new("events").unwrap();
    for place in each_hub(&folder).await {
        let client = place.hub.client();
        let run = client.start(takes_two::with().instance_id("waiting")).await.unwrap();
        let worker = place.worker().await;
        run.wait_for_start().await.unwrap();
        worker.shut_down().await.unwrap();
        drop((client, run));

        let place = place.reopened().await;
        let client = place.hub.client();
        let run = client.run(takes_two::at("waiting")).unwrap();
        client.raise(&run, "Item", 1).await.unwrap();
        let state = run.state().await.unwrap().unwrap();
        assert_eq!((state.runtime_status, state.custom_status.as_json()), (RuntimeStatus::Running, "null"));
        client.raise(&run, "Item", 2).await.unwrap();
        let worker = place.worker().await;
        let (first, second) = run.output().await.unwrap();
        assert_eq!((first.as_json(), second.as_json()), ("1", "2"));
        worker.shut_down().await.unwrap();
    }
}

// R1:EVT-12, R4:MGMT-81: any JSON will do, and each event serves one wait.
#[tokio::test]
async fn one_event_serves_one_wait_and_may_hold_any_json() {
    let hub = TestHub::start().await.unwrap();
    let run = hub.client().start(takes_two::with()).await.unwrap();
    hub.client().raise(&run, "Item", [1, 2, 3]).await.unwrap();
    while run.state().await.unwrap().unwrap().custom_status.as_json() != r#""half""# {
        tokio::task::yield_now().await;
    }
    assert_eq!(run.state().await.unwrap().unwrap().runtime_status, RuntimeStatus::Running);
    hub.client().raise(&run, "Item", 3).await.unwrap();
    let (first, second) = hub.output(&run).await.unwrap();
    assert_eq!((first.as_json(), second.as_json()), ("[1,2,3]", "3"));
}

// R1:EVT-8; DECISIONS 7: the name must be the same on both sides, but for its case.
#[tokio::test]
async fn an_event_of_another_name_is_kept_and_wakes_nobody() {
    let hub = TestHub::start().await.unwrap();
    let run = hub.client().start(budget_approval::with()).await.unwrap();
    hub.client().raise(&run, "Approval2", false).await.unwrap();
    hub.client().raise(&run, "APPROVAL", true).await.unwrap();
    assert_eq!(hub.output(&run).await.unwrap(), "approved");
    let history = hub.history(&run).await.unwrap();
    assert_eq!(history.names().iter().filter(|name| **name == "EventRaised").count(), 2);
}

/// Approves whatever instance a message of its queue names: it may use a client, as it is no orchestrator.
async fn approval_queue_processor(client: &Client, message: &str) -> Result<(), durable::Error> {
    client.raise(InstanceId::new(message)?, APPROVAL, true).await
}

// R1:EVT-11, R1:EVT-13, R1:SMP-26, R2:MGT-51; DECISIONS 5: nobody to hear it is an error to the sender.
#[tokio::test]
async fn a_message_of_a_queue_names_the_instance_to_be_approved() {
    let hub = TestHub::start().await.unwrap();
    let run = hub.client().start(budget_approval::with().instance_id("budget-17")).await.unwrap();
    approval_queue_processor(hub.client(), "budget-17").await.unwrap();
    assert_eq!(hub.output(&run).await.unwrap(), "approved");
    for nobody in ["budget-18", "budget-17"] {
        let error = approval_queue_processor(hub.client(), nobody).await.unwrap_err();
        assert!(matches!(error, durable::Error::Provider(_)), "{nobody}: {error:?}");
        assert!(error.to_string().contains(nobody), "{error}");
    }
}
