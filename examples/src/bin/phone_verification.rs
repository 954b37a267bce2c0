//! Verifies a phone number: a code by SMS, 90 seconds and four tries to type it (R1:SMS).
//!
//! ```console
//! $ cargo run -p durable-examples --bin phone_verification
//! ```
//!
//! The SMS gateway is simulated: what it sends appears below. Type the code. Without a terminal the
//! program types by itself, in virtual time.

#![expect(clippy::print_stdout, reason = "an example talks to whoever runs it")]

use std::{
    hash::{BuildHasher, Hasher, RandomState},
    io::{BufRead, IsTerminal},
    sync::OnceLock,
    time::Duration,
};

use durable::{call::Event, prelude::*};
use durable_testkit::TestHub;
use tokio::sync::mpsc::{UnboundedReceiver, UnboundedSender, unbounded_channel};

/// What the person types.
const CHALLENGE_RESPONSE: Event<u16> = Event::new("SmsChallengeResponse");

/// The simulated gateway: tells `main` which code it sent. A real one is an HTTP service.
static GATEWAY: OnceLock<UnboundedSender<u16>> = OnceLock::new();

/// Whether the right code comes in time: the first try and three more, all within 90 seconds.
#[orchestrator(name = "E4_SmsPhoneVerification")]
async fn phone_verification(ctx: OrchestrationContext, phone: Option<String>) -> Result<bool, Failure> {
    let phone = phone.filter(|phone| !phone.trim().is_empty()).ok_or("A phone number input is required.")?;
    let code = ctx.call(send_sms_challenge::with(phone)).await?;
    let mut time_is_up = ctx.sleep(Duration::from_secs(90)); // one for all tries
    for _try in 0..=3 {
        select! {
            response = ctx.wait_for(CHALLENGE_RESPONSE) => if response? == code { return Ok(true) },
            _ = &mut time_is_up => break,
        }
    }
    Ok(false) // on every way out the timer is dropped, and thereby cancelled
}

/// Sends a code and gives it back: chance belongs into an activity, whose result is kept.
#[activity(name = "E4_SendSmsChallenge")]
async fn send_sms_challenge(phone: String) -> u16 {
    let drawn = RandomState::new().build_hasher().finish() % 10_000;
    let code = u16::try_from(drawn).unwrap_or_default();
    println!("  ┌─ SMS to {phone} ─\n  │ Your verification code is {code:04}\n  └─");
    if let Some(gateway) = GATEWAY.get() {
        gateway.send(code).ok(); // nobody listens when the program is about to end
    }
    code
}

#[tokio::main]
async fn main() -> Result<(), Box<dyn std::error::Error>> {
    let (gateway, sent) = unbounded_channel();
    GATEWAY.get_or_init(|| gateway);
    if std::io::stdin().is_terminal() {
        ask().await?
    } else {
        play(sent).await?
    }
    Ok(())
}

/// A person at the terminal, real time.
async fn ask() -> Result<(), durable::Error> {
    let hub = TaskHub::open("memory:").await?;
    let (worker, client) = (hub.worker().start().await?, hub.client());
    let run = client.start(phone_verification::with(Some("+1 555 0100".to_owned()))).await?;
    let (typed, mut lines) = unbounded_channel();
    // A thread of its own: it may hang in a read until the program ends.
    std::thread::spawn(move || {
        std::io::stdin().lock().lines().map_while(Result::ok).try_for_each(|line| typed.send(line))
    });
    let output = run.output();
    tokio::pin!(output);
    let verified = loop {
        tokio::select! {
            biased;
            verified = &mut output => break verified?,
            Some(line) = lines.recv() => match line.trim().parse() {
                Ok(code) => client.raise(&run, CHALLENGE_RESPONSE, code).await?,
                Err(_) => println!("  four digits, please"),
            },
        }
    };
    println!("  ◉ verified: {verified}");
    worker.shut_down().await
}

/// Three people who play themselves, in virtual time.
async fn play(mut sent: UnboundedReceiver<u16>) -> Result<(), Box<dyn std::error::Error>> {
    let hub = TestHub::start().await?;
    for (person, wrong, right) in [("hasty", 1, true), ("guessing", 4, false), ("asleep", 0, false)] {
        let began = hub.now();
        let run = hub.client().start(phone_verification::with(Some(person.to_owned()))).await?;
        let code = sent.recv().await.ok_or("the gateway is closed")?;
        let guesses = (1..=wrong).map(|step| (code + step) % 10_000);
        for typed in guesses.chain(right.then_some(code)) {
            println!("  > {typed:04}");
            hub.client().raise(&run, CHALLENGE_RESPONSE, typed).await?;
        }
        let verified = hub.output(&run).await?;
        println!("  ◉ verified: {verified}, after {} s\n", hub.now().duration_since(began).as_secs());
    }
    Ok(hub.shut_down().await?)
}
