//! Money that is moved by many at once is neither lost nor made, whoever is killed, terminated, suspended or
//! purged meanwhile; and no lock stays behind (R2:ENT-49, ENT-57, ENT-69).
//!
//! Begin with [`the_sum_stays_and_no_lock_is_left_whatever_is_killed`].

#![expect(clippy::unwrap_used, reason = "what a test cannot go on without may panic")]

use std::process::Command;

use durable::{prelude::*, provider::InstanceQuery};
use durable_tests::{
    Child, Folder, Seeded,
    bank::{self, ACCOUNTS, PAID_IN, open_bank, total, transfer},
};
use futures::{StreamExt, TryStreamExt, stream};

const KILLS: usize = 20;
const TRANSFERS: u64 = 1_000;

fn child(hub: &str) -> Child {
    let count = TRANSFERS.to_string();
    Child::start(Command::new(env!("CARGO_BIN_EXE_crash_child")).args(["bank", hub, &count])).unwrap()
}

/// Kills a child after so many lines of progress; whether it had not ended before.
fn kill_after(lines: usize, mut child: Child) -> bool {
    for _ in 0..lines {
        if child.line().unwrap().is_none() {
            break;
        }
    }
    let (was_killed, rest) = child.kill().unwrap();
    assert!(!rest.iter().any(|line| line.starts_with("error")), "{rest:?}");
    was_killed
}

async fn assert_whole(client: &Client) {
    // Twice: a request that was given up may still be on its way from one account to the other, with its
    // release behind it. When the first total has its answers, both have been sent on; when the second has, both
    // have come.
    for _ in 0..2 {
        let sum = client.start(total::with()).await.unwrap().output().await.unwrap();
        assert_eq!(sum, PAID_IN * i64::try_from(ACCOUNTS).unwrap(), "money was lost or made");
    }
    let locks = client.locks().await.unwrap();
    assert!(locks.is_empty(), "locks stayed behind: {locks:?}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_sum_stays_and_no_lock_is_left_whatever_is_killed() {
    let folder = Folder::new("bank-kills").unwrap();
    let address = folder.hub("hub.db");
    let mut seeded = Seeded::new(20_261_121);
    for kill in 0..KILLS {
        // Every third of them while the hub is opened, or just after.
        let lines = if seeded.once_in(3) { seeded.within(0..3) } else { seeded.within(5..120) };
        assert!(kill_after(lines, child(&address)), "the child ended before kill {kill}");
    }
    let (status, lines) = child(&address).finish().unwrap();
    assert!(status.success() && lines.last().is_some_and(|line| line == "finished"), "{lines:?}");
    let hub = TaskHub::open(&address).await.unwrap();
    let worker = hub.worker().functions(bank::functions().unwrap()).start().await.unwrap();
    let client = hub.client();
    assert_whole(&client).await;
    let left: Vec<_> = client.instances(InstanceQuery::new()).try_collect().await.unwrap();
    assert!(left.iter().all(|state| state.runtime_status.is_terminal()), "something still runs");
    assert!(
        left.iter().any(|state| state.runtime_status == RuntimeStatus::Terminated),
        "nothing was terminated"
    );
    worker.shut_down().await.unwrap();
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_thousand_transfers_at_once_keep_the_sum() {
    let folder = Folder::new("bank").unwrap();
    for address in ["memory:".to_owned(), folder.hub("bank.db")] {
        let hub = TaskHub::open(&address).await.unwrap();
        let worker = hub.worker().functions(bank::functions().unwrap()).start().await.unwrap();
        let client = hub.client();
        client.start(open_bank::with()).await.unwrap().output().await.unwrap();
        let mut seeded = Seeded::new(7);
        let orders: Vec<_> = (0..TRANSFERS)
            .map(|_| {
                (seeded.within(0..100) as u64, seeded.within(0..100) as u64, seeded.within(0..500) as i64)
            })
            .collect();
        let moved: Vec<bool> = stream::iter(orders)
            .map(|(from, to, amount)| {
                let client = client.clone();
                async move { client.start(transfer::with(from, to, amount)).await?.output().await }
            })
            .buffer_unordered(1_000)
            .try_collect()
            .await
            .unwrap();
        assert!(moved.iter().any(|moved| *moved));
        assert_whole(&client).await;
        worker.shut_down().await.unwrap();
    }
}
