//! Critical sections: entities locked together, and no lock ever left behind.
//!
//! Both embedded stores, with what is kept in memory and without. Begin with [`money_moves_as_a_whole`].

#![expect(clippy::unwrap_used, reason = "what a test cannot go on without may panic")]

use durable::{model::FailureKind, prelude::*, worker::Worker};
use durable_tests::{
    Folder,
    places::{Place, each_hub, until},
};

async fn account(ctx: EntityContext) -> Result<(), Failure> {
    match ctx.operation_name().as_str() {
        "add" => {
            let amount: i64 = ctx.input()?;
            ctx.change_state(|balance: &mut i64| *balance += amount)
        }
        "balance" => {
            ctx.return_value(ctx.state::<i64>()?);
            Ok(())
        }
        other => Err(format!("there is no {other}").into()),
    }
}

fn id(key: &str) -> EntityId {
    EntityId::new("account", key).unwrap()
}

async fn worker(place: &Place) -> Worker {
    let functions = Registry::builder().discover().entity("account", account).build().unwrap();
    place.hub.worker().functions(functions).always_replay(place.replays).start().await.unwrap()
}

/// The documents' transfer (R2:ENT-49).
#[orchestrator]
async fn transfer(
    mut ctx: OrchestrationContext,
    from: String,
    to: String,
    amount: i64,
) -> Result<bool, Failure> {
    let (from, to) = (EntityId::new("account", from)?, EntityId::new("account", to)?);
    let section = ctx.lock([&from, &to]).await?;
    let balance: i64 = section.call(from.operation("balance", ()).returning()).await?;
    if balance < amount {
        return Ok(false);
    }
    section.call(from.operation("add", -amount)).await?;
    section.call(to.operation("add", amount)).await?;
    Ok(true)
}

#[orchestrator]
async fn balance(ctx: OrchestrationContext, of: String) -> Result<i64, Failure> {
    ctx.call(EntityId::new("account", of)?.operation("balance", ()).returning()).await
}

/// Locks, and waits to be told how to end.
#[orchestrator]
async fn holds(mut ctx: OrchestrationContext, keys: Vec<String>) -> Result<(), Failure> {
    let ids: Vec<_> = keys.iter().map(|key| EntityId::new("account", key)).collect::<Result<_, _>>()?;
    {
        let section = ctx.lock(&ids).await?;
        section.set_custom_status(&"locked")?;
        let then: String = section.wait_for("end").await?;
        match then.as_str() {
            "fail" => return Err("told so".into()),
            "panic" => panic!("told so"),
            _ => {}
        }
    }
    ctx.set_custom_status(&"released")?;
    ctx.wait_for("return").await
}

/// Goes on as a new execution after its section.
#[orchestrator]
async fn locks_again(mut ctx: OrchestrationContext, left: u32) -> Result<u32, Failure> {
    let section = ctx.lock(EntityId::new("account", "a")?).await?;
    section.call(EntityId::new("account", "a")?.operation("add", 1)).await?;
    if left == 0 {
        return Ok(0);
    }
    drop(section);
    ctx.continue_as_new(locks_again::with(left - 1))
}

#[orchestrator]
async fn breaks_rules(mut ctx: OrchestrationContext) -> Result<Vec<String>, Failure> {
    let (a, b) = (EntityId::new("account", "a")?, EntityId::new("account", "b")?);
    let mut broken = Vec::new();
    broken.extend(ctx.lock(Vec::<EntityId>::new()).await.err());
    let section = ctx.lock([&a, &a]).await?;
    broken.extend(section.call(b.operation("balance", ())).await.err());
    let first = section.call(a.operation("balance", ()));
    broken.extend(section.call(a.operation("balance", ())).await.err());
    first.await?;
    section.call(a.operation("balance", ())).await?;
    broken.extend(section.signal(a.operation("add", 1)).err().map(Failure::from));
    section.signal(b.operation("add", 1)).map_err(Failure::from)?;
    assert!(broken.iter().all(|failure| failure.kind() == FailureKind::LockingRules), "{broken:?}");
    Ok(broken.iter().map(ToString::to_string).collect())
}

// R2:ENT-47 to ENT-49, ENT-52 to ENT-54; R1:ORCH-33, ORCH-35 to ORCH-37, R1:SMP-15
#[tokio::test]
async fn money_moves_as_a_whole() {
    let folder = Folder::new("bank").unwrap();
    for place in each_hub(&folder).await {
        let worker = worker(&place).await;
        let client = place.hub.client();
        let keys = ["a", "b", "c", "d"];
        for key in keys {
            client.signal(id(key).operation("add", 100)).await.unwrap();
        }
        let mut runs = Vec::new();
        for number in 0..40_usize {
            let (from, to) = (keys[number % 4], keys[(number * 7 + 1) % 4]);
            runs.push(client.start(transfer::with(from, to, (number % 30) as i64)).await.unwrap());
        }
        for run in runs {
            run.output().await.unwrap();
        }
        let mut sum = 0;
        for key in keys {
            sum += client.start(balance::with(key)).await.unwrap().output().await.unwrap();
        }
        assert_eq!(sum, 400, "{}", place.address);
        worker.shut_down().await.unwrap();
    }
}

// R2:ENT-51, ENT-69; R1:ORCH-34; DECISIONS 13
#[tokio::test]
async fn however_a_section_ends_its_locks_are_free() {
    let folder = Folder::new("ends").unwrap();
    for place in each_hub(&folder).await {
        let worker = worker(&place).await;
        let client = place.hub.client();
        for end in ["leave", "fail", "panic", "terminate", "terminate a waiting one"] {
            let holder = client.start(holds::with(vec!["a".to_owned(), "b".to_owned()])).await.unwrap();
            while holder.state().await.unwrap().unwrap().custom_status.as_json() != r#""locked""# {
                tokio::task::yield_now().await;
            }
            let waiting = client.start(holds::with(vec!["b".to_owned()])).await.unwrap();
            let asking = client.start(balance::with("a")).await.unwrap();
            match end {
                "terminate" => client.terminate(&holder, "enough").await.unwrap(),
                "terminate a waiting one" => {
                    until(&waiting, RuntimeStatus::Running).await;
                    client.terminate(&waiting, "enough").await.unwrap();
                    waiting.wait_for_end().await.unwrap();
                    client.raise(&holder, "end", "leave".to_owned()).await.unwrap();
                }
                end => client.raise(&holder, "end", end.to_owned()).await.unwrap(),
            }
            assert_eq!(asking.output().await.unwrap(), 0, "{end}: the lock is free");
            if end != "terminate a waiting one" {
                client.raise(&waiting, "end", "fail".to_owned()).await.unwrap();
                waiting.wait_for_end().await.unwrap();
            }
            let last = client.start(transfer::with("a", "b", 0)).await.unwrap();
            assert!(last.output().await.unwrap(), "{end}");
            if end == "leave" || end == "terminate a waiting one" {
                client.raise(&holder, "return", ()).await.unwrap();
            }
            holder.wait_for_end().await.unwrap();
        }
        worker.shut_down().await.unwrap();
    }
}

// An operator sees who holds what, who waits, and may end it.
#[tokio::test]
async fn locks_are_listed_and_can_be_broken() {
    let folder = Folder::new("breaking").unwrap();
    for place in each_hub(&folder).await {
        let worker = worker(&place).await;
        let client = place.hub.client();
        assert_eq!(client.locks().await.unwrap(), []);
        let holder = client.start(holds::with(vec!["a".to_owned(), "b".to_owned()])).await.unwrap();
        while holder.state().await.unwrap().unwrap().custom_status.as_json() != r#""locked""# {
            tokio::task::yield_now().await;
        }
        let waiting = client.start(holds::with(vec!["b".to_owned()])).await.unwrap();
        let locks = loop {
            let locks = client.locks().await.unwrap();
            if locks.iter().any(|lock| !lock.awaited.is_empty()) {
                break locks;
            }
            tokio::task::yield_now().await;
        };
        let told: Vec<_> =
            locks.iter().map(|lock| (lock.entity.key(), &lock.owner, lock.set.len())).collect();
        assert_eq!(told, [("a", holder.id(), 2), ("b", holder.id(), 2)]);
        assert_eq!(locks[1].awaited[0].owner, *waiting.id());
        assert_eq!(client.clean_entities().await.unwrap().orphaned_locks, [], "its owner lives");
        client.break_lock(id("b")).await.unwrap();
        client.raise(&waiting, "end", "fail".to_owned()).await.unwrap();
        waiting.wait_for_end().await.unwrap();
        client.raise(&holder, "end", "leave".to_owned()).await.unwrap();
        client.raise(&holder, "return", ()).await.unwrap();
        holder.output().await.unwrap();
        assert!(client.start(transfer::with("a", "b", 0)).await.unwrap().output().await.unwrap());
        worker.shut_down().await.unwrap();
    }
}

// R2:ENT-51: each execution locks for itself.
#[tokio::test]
async fn executions_that_follow_each_other_lock_for_themselves() {
    let folder = Folder::new("eternal-locks").unwrap();
    for place in each_hub(&folder).await {
        let worker = worker(&place).await;
        let client = place.hub.client();
        let run = client.start(locks_again::with(5)).await.unwrap();
        run.output().await.unwrap();
        assert_eq!(client.start(balance::with("a")).await.unwrap().output().await.unwrap(), 6);
        worker.shut_down().await.unwrap();
    }
}

// R2:ENT-60 to ENT-66, ENT-68
#[tokio::test]
async fn what_a_section_forbids_fails_naming_the_rule() {
    let folder = Folder::new("rules").unwrap();
    for place in each_hub(&folder).await {
        let worker = worker(&place).await;
        let client = place.hub.client();
        let broken = client.start(breaks_rules::with()).await.unwrap().output().await.unwrap();
        let words = ["at least one", "not among the locked", "in parallel", "cannot be signalled"];
        assert_eq!(broken.len(), words.len(), "{broken:?}");
        for (told, word) in broken.iter().zip(words) {
            assert!(told.contains(word), "{told}");
        }
        worker.shut_down().await.unwrap();
    }
}
