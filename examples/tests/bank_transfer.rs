//! The bank: what is moved is neither lost nor made.

use durable::prelude::*;
use durable_testkit::TestHub;

#[expect(dead_code, reason = "the program around the functions is not run here")]
#[path = "../src/bin/bank_transfer.rs"]
mod example;

use example::{Account, open_accounts, total, transfer};

// R2:ENT-48, R2:ENT-49, R2:ENT-54, R2:ENT-58
#[tokio::test]
async fn a_transfer_moves_money_or_leaves_it() {
    let hub = TestHub::start().await.unwrap();
    hub.run(open_accounts::with()).await.unwrap();
    assert!(hub.run(transfer::with(1, 2, 400)).await.unwrap());
    assert!(!hub.run(transfer::with(1, 2, 601)).await.unwrap(), "there are 600");
    assert!(!hub.run(transfer::with(3, 3, 1)).await.unwrap(), "the same account twice is locked once");
    assert_eq!(hub.client().read(&Account::at(1)).await.unwrap(), Some(Account { balance: 600 }));
    assert_eq!(hub.client().read(&Account::at(2)).await.unwrap(), Some(Account { balance: 1_400 }));
    assert_eq!(hub.run(total::with()).await.unwrap(), 100_000);
    assert!(hub.client().locks().await.unwrap().is_empty());
}
