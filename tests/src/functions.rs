//! The functions that the crash tests run, in a child process that dies and in the test that looks
//! at what is left.

use std::{
    io::Write,
    sync::atomic::{AtomicBool, Ordering},
    time::Duration,
};

use durable::{call::Event, prelude::*};
use futures::future::try_join_all;

/// How many activities [`five_steps`] awaits one after the other.
pub const STEPS: u64 = 5;
/// How many activities [`fan_out`] runs side by side.
pub const WIDTH: u64 = 50;
/// A word for [`collect_words`].
pub const WORD: Event<String> = Event::new("Word");
/// The word after which [`collect_words`] returns.
pub const LAST_WORD: &str = "end";
/// How long a line of progress is. A pipe holds some 60 of them: whoever writes progress is never far
/// ahead of whoever reads it and kills.
const LINE: usize = 1000;

/// Whether somebody reads what is told.
static IS_READ: AtomicBool = AtomicBool::new(false);

/// Lets [`progress`] tell from now on: this process is a child whose parent reads.
pub fn begin_to_tell() {
    IS_READ.store(true, Ordering::Relaxed);
}

/// Tells the parent of something that has happened.
pub fn progress(line: &str) {
    if !IS_READ.load(Ordering::Relaxed) {
        return;
    }
    // The parent may be gone; nobody needs to know.
    let _ = writeln!(std::io::stdout().lock(), "{line:LINE$}");
}

/// Says that it ran, and gives what follows on `value`.
#[activity]
pub async fn step(value: u64) -> u64 {
    progress("step");
    after(value)
}

/// Awaits five activities, each with the result of the one before.
#[orchestrator]
pub async fn five_steps(ctx: OrchestrationContext, first: u64) -> Result<u64, Failure> {
    let mut value = first;
    for _ in 0..STEPS {
        value = ctx.call(step::with(value)).await?;
    }
    Ok(value)
}

/// Awaits fifty activities at once.
#[orchestrator]
pub async fn fan_out(ctx: OrchestrationContext, first: u64) -> Result<Vec<u64>, Failure> {
    try_join_all((first..first + WIDTH).map(|value| ctx.call(step::with(value)))).await
}

/// Collects words until the last one comes.
#[orchestrator]
pub async fn collect_words(ctx: OrchestrationContext) -> Result<Vec<String>, Failure> {
    let mut words = Vec::new();
    loop {
        let word = ctx.wait_for(WORD).await?;
        if word == LAST_WORD {
            return Ok(words);
        }
        words.push(word);
    }
}

/// Waits for a timer of a millisecond, then runs one activity with a large input.
#[orchestrator]
pub async fn large_step(ctx: OrchestrationContext, text: String) -> Result<u64, Failure> {
    ctx.sleep(Duration::from_millis(1)).await?;
    ctx.call(length::with(text)).await
}

/// How long a text is.
#[activity]
pub async fn length(text: String) -> u64 {
    progress("length");
    text.len() as u64
}

/// What [`step`] returns.
pub fn after(value: u64) -> u64 {
    value.wrapping_mul(31).wrapping_add(7) % 1_000_003
}

/// What [`five_steps`] returns.
pub fn after_five(first: u64) -> u64 {
    (0..STEPS).fold(first, |value, _| after(value))
}
