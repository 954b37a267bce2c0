//! Watches the weather: asks every 30 minutes for 6 hours, and sends one message when it clears up
//! (R1:MON).
//!
//! ```console
//! $ cargo run -p durable-examples --bin weather_monitor -- [hours of rain]
//! ```
//!
//! The hours pass at once (virtual time), and the weather service is a closure. A program of yours gives
//! its worker an HTTP client and the key: `hub.worker().http_client(..).token_source("weather", ..)`.

#![expect(clippy::print_stdout, reason = "an example talks to whoever runs it")]

use std::{
    sync::atomic::{AtomicU32, Ordering},
    time::Duration,
};

use durable::{
    http::{Token, TokenReference, Trouble},
    prelude::*,
};
use durable_testkit::TestHub;
use serde::{Deserialize, Serialize};
use tracing_subscriber::{filter::Targets, layer::SubscriberExt, util::SubscriberInitExt};

/// Whom to tell about the weather of which place.
#[derive(Debug, Clone, Serialize, Deserialize)]
struct MonitorRequest {
    location: Option<Location>,
    phone: Option<String>,
}

#[derive(Debug, Clone, Serialize, Deserialize)]
struct Location {
    city: String,
    state: String,
}

/// What the weather service answers, as far as it matters here.
#[derive(Debug, Deserialize)]
struct Observation {
    weather: String,
}

#[derive(Debug, PartialEq, Eq)]
enum Sky {
    Clear,
    Precipitation,
    Other,
}

const MINUTE: Duration = Duration::from_secs(60);

/// Asks until the sky is clear or the time is up.
#[orchestrator(name = "E3_Monitor")]
async fn monitor(ctx: OrchestrationContext, request: Option<MonitorRequest>) -> Result<(), Failure> {
    let MonitorRequest { location, phone } = request.ok_or("An input object is required.")?;
    let location = location.ok_or("A location input is required.")?;
    let phone = phone.filter(|phone| !phone.is_empty()).ok_or("A phone number input is required.")?;

    let place = format!("{}, {}", location.city, location.state);
    let end = ctx.now().saturating_add(6 * 60 * MINUTE);
    tracing::info!("Monitoring the weather of {place} until {end}"); // logs are silent while replaying
    while ctx.now() < end {
        if is_clear(&ctx, &location).await? {
            tracing::info!("Clear skies over {place} at {}", ctx.now());
            ctx.call(send_good_weather_alert::with(phone)).await?;
            break;
        }
        let next = ctx.now().saturating_add(30 * MINUTE);
        tracing::info!("Not clear; next check at {next}");
        ctx.sleep_until(next).await?;
    }
    tracing::info!("Monitor expiring");
    Ok(())
}

/// Asks the weather service. Its key comes from a token source, and is never stored.
async fn is_clear(ctx: &OrchestrationContext, location: &Location) -> Result<bool, Failure> {
    let url = format!("https://weather.example/conditions/{}/{}.json", location.state, location.city);
    let answer = ctx.call_http(HttpRequest::get(url).token("weather", "conditions")).await?;
    match answer.status() {
        200 => Ok(classify(&answer.json::<Observation>()?.weather) == Sky::Clear),
        404 => Err("Could not find weather for this location. Try being more specific.".into()),
        status => Err(format!("API returned an error: {status}").into()),
    }
}

/// The first word of the table that occurs in the text decides; as documented, clouds count as clear.
fn classify(weather: &str) -> Sky {
    const CLEAR: [&str; 6] =
        ["Overcast", "Clear", "Partly Cloudy", "Mostly Cloudy", "Scattered Clouds", "Cloud"];
    const PRECIPITATION: [&str; 7] = ["Drizzle", "Rain", "Snow", "Ice", "Hail", "Mist", "Thunderstorm"];
    let names_one_of = |words: &[&str]| words.iter().any(|word| weather.contains(word));
    match weather {
        _ if names_one_of(&CLEAR) => Sky::Clear,
        _ if names_one_of(&PRECIPITATION) => Sky::Precipitation,
        _ => Sky::Other,
    }
}

#[activity(name = "E3_SendGoodWeatherAlert")]
async fn send_good_weather_alert(phone: String) {
    println!("  ┌─ SMS to {phone} ─\n  │ The weather's clear outside! Go take a walk!\n  └─");
}

#[tokio::main]
async fn main() -> Result<(), Box<dyn std::error::Error>> {
    let lines = tracing_subscriber::fmt::layer().without_time().with_level(false).with_target(false);
    let own = Targets::new().with_target("weather_monitor", tracing::Level::INFO);
    tracing_subscriber::registry().with(lines).with(own).init();

    let rain = 2 * std::env::args().nth(1).map_or(Ok(2), |hours| hours.parse::<u32>())?;
    let asked = AtomicU32::new(0);
    let service = move |_request: HttpRequest| {
        let weather = if asked.fetch_add(1, Ordering::Relaxed) < rain { "Light Rain" } else { "Clear" };
        async move {
            Ok::<_, Trouble>(HttpResponse::new(200).with_json(&serde_json::json!({ "weather": weather }))?)
        }
    };
    let key = |_: TokenReference| async { Ok(Token::new("the key of the weather service")) };
    let hub = TestHub::builder().http_client(service).token_source("weather", key).start().await?;

    let location = Location { city: "Redmond".into(), state: "WA".into() };
    let request = MonitorRequest { location: Some(location), phone: Some("+1 555 0100".into()) };
    hub.run(monitor::with(Some(request))).await?;
    Ok(hub.shut_down().await?)
}
