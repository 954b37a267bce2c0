//! A bank: accounts as entities, transfers that lock two of them, and what must be true of it whatever
//! happens.
//!
//! Must not know who kills or terminates whom. Begin with [`transfer`].

use durable::{model::EntityName, prelude::*};
use futures::{TryFutureExt, future::try_join_all};

use crate::functions::progress;

/// How many accounts there are.
pub const ACCOUNTS: u64 = 100;
/// What is in each at first.
pub const PAID_IN: i64 = 1_000;

const ACCOUNT: EntityName = EntityName::literal("account");

/// Every annotated function, and accounts.
///
/// # Errors
/// When two functions have one name.
pub fn functions() -> Result<Registry, durable::Error> {
    Ok(Registry::builder().discover().entity("account", account).build()?)
}

/// The address of an account.
pub fn id(number: u64) -> EntityId {
    EntityId::of(&ACCOUNT, number)
}

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
        other => Err(format!("an account has no `{other}`").into()),
    }
}

/// Pays into each account once.
///
/// # Errors
/// When an account refuses.
#[orchestrator(name = "bank_open")]
pub async fn open_bank(ctx: OrchestrationContext) -> Result<(), Failure> {
    let calls: Vec<_> = (0..ACCOUNTS).map(|number| ctx.call(id(number).operation("add", PAID_IN))).collect();
    try_join_all(calls).map_ok(drop).await
}

/// Moves money, if there is enough (R2:ENT-49). Both changes are asked for at once, so that whatever ends the
/// transfer ends it before both or after both.
///
/// # Errors
/// When an account refuses.
#[orchestrator(name = "bank_transfer")]
pub async fn transfer(
    mut ctx: OrchestrationContext,
    from: u64,
    to: u64,
    amount: i64,
) -> Result<bool, Failure> {
    let (from, to) = (id(from), id(to));
    let section = ctx.lock([&from, &to]).await?;
    let balance: i64 = section.call(from.operation("balance", ()).returning()).await?;
    if balance < amount || from == to {
        return Ok(false);
    }
    let taken = section.call(from.operation("add", -amount));
    let given = section.call(to.operation("add", amount));
    taken.await?;
    given.await?;
    if !section.is_replaying() {
        progress("moved");
    }
    Ok(true)
}

/// What is in all accounts together.
///
/// # Errors
/// When an account refuses.
#[orchestrator(name = "bank_total")]
pub async fn total(ctx: OrchestrationContext) -> Result<i64, Failure> {
    let calls: Vec<_> = (0..ACCOUNTS)
        .map(|number| ctx.call(id(number).operation("balance", ()).returning::<i64>()))
        .collect();
    Ok(try_join_all(calls).await?.into_iter().sum())
}
