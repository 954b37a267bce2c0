//! Functions that have everything in flight at once: children, timers, events, one execution after the
//! other, and calls that fail until something outside is mended.
//!
//! What each returns follows from its input, whatever is killed meanwhile. Begin with [`family`].

use std::{fs, io, path::Path, time::Duration};

use durable::{call::Event, prelude::*};

use crate::functions::{STEPS, after, after_five, five_steps, progress, step};

/// A number for [`listens`], and the end of [`ticks`].
pub const NUMBER: Event<u64> = Event::new("Number");
/// The number after which [`listens`] returns.
pub const LAST_NUMBER: u64 = 0;
/// The numbers that a [`family`] sends to its listener.
pub const FROM_FAMILY: [u64; 5] = [1, 2, 3, 4, 5];
/// After how many numbers [`listens`] continues as new.
const NUMBERS_AN_EXECUTION: usize = 3;
/// How often [`third_time`] is tried before it succeeds.
const TRIES_IN_VAIN: usize = 2;

/// Says which numbers came, in the order of their coming, over many executions.
///
/// # Errors
/// Never, in these tests.
#[orchestrator]
pub async fn listens(ctx: OrchestrationContext, heard: Vec<u64>) -> Result<Vec<u64>, Failure> {
    let mut heard = heard;
    for _ in 0..NUMBERS_AN_EXECUTION {
        match ctx.wait_for(NUMBER).await? {
            LAST_NUMBER => return Ok(heard),
            number => heard.push(number),
        }
    }
    ctx.continue_as_new(listens::with(heard))
}

/// Works every few milliseconds, each time as a new execution, until a number comes.
///
/// # Errors
/// Never, in these tests.
#[orchestrator]
pub async fn ticks(ctx: OrchestrationContext, count: u64) -> Result<u64, Failure> {
    let stopped = durable::select! {
        number = ctx.wait_for(NUMBER) => Some(number?),
        slept = ctx.sleep(Duration::from_millis(5)) => slept.map(|()| None)?,
    };
    if stopped.is_some() {
        return Ok(count);
    }
    ctx.call(step::with(count)).await?;
    ctx.continue_as_new(ticks::with(count + 1))
}

/// Awaits five activities one after the other, each in a race with a timer that now wins and now loses.
///
/// # Errors
/// Never, in these tests.
#[orchestrator]
pub async fn races(ctx: OrchestrationContext, first: u64) -> Result<u64, Failure> {
    let mut value = first;
    for round in 0..STEPS {
        let mut call = ctx.call(step::with(value));
        let first = durable::select! {
            result = &mut call => Some(result?),
            slept = ctx.sleep(Duration::from_millis(round)) => slept.map(|()| None)?,
        };
        value = match first {
            Some(value) => value,
            None => call.await?,
        };
    }
    Ok(value)
}

/// Calls orchestrations with ids of their own and with chosen ones, two of which fail at first; starts others
/// and sends events to one of them.
///
/// # Errors
/// Never, in these tests.
#[orchestrator]
pub async fn family(ctx: OrchestrationContext, first: u64, folder: String) -> Result<Vec<u64>, Failure> {
    let named = |name: &str| format!("{}-{name}", ctx.instance_id());
    let listener = ctx.start(listens::with(Vec::new()).instance_id(named("listener")));
    let say = |number: u64| ctx.send_event(&listener, NUMBER, number);
    say(FROM_FAMILY[0]);
    let unnamed = ctx.call(five_steps::with(first));
    let chosen = ctx.call(five_steps::with(first + 1).instance_id(named("chosen")));
    ctx.start(five_steps::with(first + 2).instance_id(named("detached")));
    say(FROM_FAMILY[1]);
    let tries = || RetryPolicy::new(5, Duration::from_millis(1));
    let key = |which: &str| format!("{folder}/{}", named(which));
    let tried = third_time::with(first, key("tried")).instance_id(named("tried")).retry(tries());
    let tried = ctx.call(tried);
    let fresh = ctx.call(third_time::with(first, key("fresh")).retry(tries()));
    let (unnamed, chosen) = futures::try_join!(unnamed, chosen)?;
    say(FROM_FAMILY[2]);
    let tried = tried.await?;
    say(FROM_FAMILY[3]);
    let fresh = fresh.await?;
    say(FROM_FAMILY[4]);
    say(LAST_NUMBER);
    Ok(vec![unnamed, chosen, tried, fresh])
}

/// What [`family`] returns.
pub fn after_family(first: u64) -> Vec<u64> {
    vec![after_five(first), after_five(first + 1), after(first), after(first)]
}

/// How often the id of the child that is tried again was given away before.
pub fn tries_in_vain() -> u32 {
    u32::try_from(TRIES_IN_VAIN).unwrap_or(u32::MAX)
}

/// Fails the first two times that it is called, as far as `key` can tell.
///
/// # Errors
/// Of its activity, twice.
#[orchestrator]
pub async fn third_time(ctx: OrchestrationContext, first: u64, key: String) -> Result<u64, Failure> {
    let value = ctx.call(step::with(first)).await?;
    ctx.call(counts_callers::with(key)).await?;
    Ok(value)
}

/// Fails for the first two executions that ask. An execution gets the same answer however often it asks.
#[activity]
async fn counts_callers(ctx: ActivityContext, key: String) -> Result<(), String> {
    let place = Path::new(&key);
    if !place.parent().is_some_and(Path::is_dir) {
        // What the power cut left is looked at elsewhere, where nothing needs to be tried.
        return Ok(());
    }
    let order = order_of(place, ctx.execution_id().as_str()).map_err(|error| error.to_string())?;
    progress("asked");
    if order < TRIES_IN_VAIN { Err(format!("call {order} is one of the first")) } else { Ok(()) }
}

/// As which one `caller` has asked: a file for each, made whole or not at all.
fn order_of(place: &Path, caller: &str) -> io::Result<usize> {
    fs::create_dir_all(place)?;
    // Of this process alone: one that was killed may have left its own behind.
    let draft = place.join(format!("draft-{}-{caller}", std::process::id()));
    fs::write(&draft, caller)?;
    let order = (0..).map(|order| (order, place.join(order.to_string()))).find_map(|(order, asked)| {
        match fs::hard_link(&draft, &asked) {
            Ok(()) => Some(Ok(order)),
            Err(error) if error.kind() != io::ErrorKind::AlreadyExists => Some(Err(error)),
            Err(_) => match fs::read_to_string(&asked) {
                Ok(before) => (before == caller).then_some(Ok(order)),
                Err(error) => Some(Err(error)),
            },
        }
    });
    fs::remove_file(draft)?;
    order.unwrap_or(Ok(usize::MAX))
}

/// Fails, and so does what it calls, until [`mend`] mends it.
///
/// # Errors
/// Of what it calls.
#[orchestrator]
pub async fn breaks_at_first(ctx: OrchestrationContext, first: u64, folder: String) -> Result<u64, Failure> {
    let value = ctx.call(step::with(first)).await?;
    let name = format!("{folder}/{}", ctx.instance_id());
    let below = breaks_below::with(value, name).instance_id(format!("{}-below", ctx.instance_id()));
    let value = ctx.call(below).await?;
    ctx.call(step::with(value)).await
}

/// The part of [`breaks_at_first`] that fails.
///
/// # Errors
/// Of its activity.
#[orchestrator]
pub async fn breaks_below(ctx: OrchestrationContext, first: u64, name: String) -> Result<u64, Failure> {
    let value = ctx.call(step::with(first)).await?;
    ctx.sleep(Duration::from_millis(1)).await?;
    let beside = ctx.call(step::with(value));
    ctx.call(needs::with(name)).await?;
    let value = beside.await?;
    ctx.call(step::with(value)).await
}

/// What [`breaks_at_first`] returns.
pub fn after_breaking(first: u64) -> u64 {
    (0..5).fold(first, |value, _| after(value))
}

#[activity]
async fn needs(name: String) -> Result<(), String> {
    progress("needed");
    let place = Path::new(&name);
    let is_there = place.exists() || !place.parent().is_some_and(Path::is_dir);
    if is_there { Ok(()) } else { Err(format!("{name} is missing")) }
}

/// Mends what the instance `id` of [`breaks_at_first`] needs.
///
/// # Errors
/// When the folder cannot be written.
pub fn mend(folder: &Path, id: &str) -> io::Result<()> {
    fs::write(folder.join(id), "")
}

/// Waits below itself, so many levels deep, for something that never comes.
///
/// # Errors
/// When somebody ends what it waits for.
#[orchestrator]
pub async fn hangs_below(ctx: OrchestrationContext, levels: u64) -> Result<u64, Failure> {
    if levels == 0 {
        ctx.call(step::with(levels)).await?;
        return ctx.wait_for(NUMBER).await;
    }
    let id = format!("{}-below", ctx.instance_id());
    ctx.call(hangs_below::with(levels - 1).instance_id(id)).await
}
