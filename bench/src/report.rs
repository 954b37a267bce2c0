//! The report for people: a table, the ratio as bars, and what was measured. Begin with [`render`].

use std::fmt::Write;

use durable_bench_gauge::{Durability, Measured, Workload};

use crate::{
    args::Request,
    summary::{Runs, Summary},
};

const LABEL: usize = 24;
const COLUMN: usize = 28;
const BAR: f64 = 48.0;

/// What `summary` says, in lines of text.
pub(crate) fn render(request: &Request, summary: &Summary) -> String {
    let mut text = String::new();
    let peer = request.peer.zip(summary.peer.as_ref()).map(|(peer, runs)| (peer.as_str(), runs));
    // Writing to a `String` cannot fail.
    let _ = write_all(&mut text, request, summary, peer);
    text
}

type Column<'a> = (&'a str, &'a Runs);

fn write_all(
    text: &mut String,
    request: &Request,
    summary: &Summary,
    peer: Option<Column<'_>>,
) -> std::fmt::Result {
    let columns: Vec<Column<'_>> = std::iter::once(("durable", &summary.ours)).chain(peer).collect();
    let cores = std::thread::available_parallelism().map_or(1, std::num::NonZeroUsize::get);
    let (workload, runs) = (request.workload, request.runs);
    writeln!(text, "{workload}: {}", what(request))?;
    writeln!(text, "{cores} cores, median of {runs} run(s) in turn, after a warm-up\n")?;
    table(text, request, &columns)?;
    bars(text, &columns)?;
    if let Some(ratio) = summary.ratio() {
        writeln!(text, "{:<LABEL$}{} times as many per second", "ratio", figure(ratio))?;
    }
    let [before, after] = [&summary.disk_before, &summary.disk_after]
        .map(|disk| figure(disk.percentile(50).as_secs_f64() * 1e6));
    writeln!(text, "\ndisk: append 4 KiB + fdatasync, p50 {before} us before, {after} us after")?;
    notes(text, request, &columns)
}

fn table(text: &mut String, request: &Request, columns: &[Column<'_>]) -> std::fmt::Result {
    let (operation, operations) = request.workload.operation();
    let names: String = columns.iter().map(|(name, _)| format!("{name:>COLUMN$}")).collect();
    writeln!(text, "{:<LABEL$}{names}", "")?;
    let mut row = |label: &str, cell: &dyn Fn(&Measured) -> Option<String>| {
        let cells: Vec<_> = columns.iter().map(|(_, runs)| cell(runs.median())).collect();
        if cells.iter().all(Option::is_none) {
            return Ok(());
        }
        let cells =
            cells.into_iter().map(|cell| format!("{:>COLUMN$}", cell.unwrap_or_else(|| "-".to_owned())));
        writeln!(text, "{label:<LABEL$}{}", cells.collect::<String>())
    };
    row(operations, &|run| Some(grouped(run.operations)))?;
    row("seconds", &|run| Some(figure(run.seconds)))?;
    row("per second", &|run| Some(figure(run.per_second())))?;
    row(&format!("CPU us per {operation}"), &|run| Some(figure(run.cpu_us_per_op())))?;
    row("p50 ms", &|run| Some(figure(run.p50_ms)))?;
    row("p99 ms", &|run| Some(figure(run.p99_ms)))?;
    row("peak memory MB", &|run| Some(figure(run.peak_mb)))?;
    row("durability", &|run| Some(run.durability.clone()))?;
    row("checkpoints per fsync", &|run| {
        Some(run.checkpoints_per_sync.map_or_else(|| "not told".to_owned(), figure))
    })?;
    row("quarters s", &|run| run.quarters.map(|quarters| quarters.map(figure).join(" / ")))?;
    row("last / first quarter", &|run| run.quarters.map(|[first, _, _, last]| figure(last / first)))?;
    row("memory added MB", &|run| run.added_mb.map(figure))?;
    row("restart ready after s", &|run| run.ready_seconds.map(figure))?;
    row("last fired late by s", &|run| run.late_seconds.map(figure))?;
    row("hello meanwhile", &|run| {
        run.meanwhile.map(|(runs, p50, p99)| format!("{runs}: p50 {}, p99 {}", figure(p50), figure(p99)))
    })
}

fn bars(text: &mut String, columns: &[Column<'_>]) -> std::fmt::Result {
    let most = columns.iter().map(|(_, runs)| runs.median().per_second()).fold(0.0, f64::max);
    writeln!(text)?;
    for (name, runs) in columns {
        let per_second = runs.median().per_second();
        let (slowest, fastest) = runs.range();
        let bar = bar(if most > 0.0 { per_second / most } else { 0.0 });
        let range = format!("{} to {}", figure(slowest), figure(fastest));
        writeln!(text, "{name:<LABEL$}{bar} {} /s ({range})", figure(per_second))?;
    }
    Ok(())
}

/// A bar of up to 48 characters, to an eighth of one.
#[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "a share is between 0 and 1")]
fn bar(share: f64) -> String {
    const PARTS: [&str; 8] = ["", "▏", "▎", "▍", "▌", "▋", "▊", "▉"];
    let eighths = (share.clamp(0.0, 1.0) * BAR * 8.0).round().max(1.0) as usize;
    "█".repeat(eighths / 8) + PARTS[eighths % 8]
}

fn what(request: &Request) -> String {
    let size = grouped(request.size);
    match request.workload {
        Workload::Hello => format!("{size} orchestrations at once, each of 5 activities one after the other"),
        Workload::FanOut => format!("one orchestration that calls {size} activities at once"),
        Workload::Sequence => format!("one orchestration that calls {size} activities one after the other"),
        Workload::Latency => format!("{size} orchestrations of 5 activities, one at a time while idle"),
        Workload::Parked | Workload::ParkedRunning => {
            format!("{size} orchestrations, each waiting for an activity that never ends")
        }
        Workload::Events => format!("{size} events raised by a client to one orchestration"),
        Workload::Timers => format!("{size} orchestrations, each with a timer, due within one second"),
        Workload::TimersOfOne => format!("{size} timers of one orchestration, due within one second"),
        Workload::EntityOne => format!("{size} signals to one counter"),
        Workload::EntityMany => format!("{size} signals to 10,000 counters"),
        Workload::Bank => format!("{size} transfers between 100 accounts, each of which locks two"),
    }
}

fn notes(text: &mut String, request: &Request, columns: &[Column<'_>]) -> std::fmt::Result {
    writeln!(text, "p50 and p99: {}", request.workload.latency_of())?;
    let kept = match request.durability {
        Durability::Full => "acknowledged is safe against a power cut",
        Durability::Relaxed => "acknowledged is safe against a crash of the process, not against a power cut",
    };
    writeln!(text, "durable, {}: {kept}", request.durability.as_str())?;
    for (name, runs) in columns {
        let run = runs.median();
        if run.cut_off {
            let limit = request.limit.as_secs();
            let unit = match request.workload {
                Workload::Hello => ", five activities as one orchestration, and durations are at least these",
                Workload::FanOut
                | Workload::Sequence
                | Workload::Latency
                | Workload::Parked
                | Workload::ParkedRunning
                | Workload::Events
                | Workload::Timers
                | Workload::TimersOfOne
                | Workload::EntityOne
                | Workload::EntityMany
                | Workload::Bank => "",
            };
            writeln!(text, "{name}: cut off after {limit} s; what was done by then is counted{unit}")?;
        }
        if run.failed > 0 {
            writeln!(text, "{name}: {} failed and are not counted", grouped(run.failed))?;
        }
    }
    if request.peer.is_some() && request.peer_size != request.size {
        writeln!(
            text,
            "the peer was given {} instead of {}",
            grouped(request.peer_size),
            grouped(request.size)
        )?;
    }
    Ok(())
}

/// Three significant digits; thousands grouped.
#[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "figures are not negative")]
fn figure(number: f64) -> String {
    match number {
        n if n >= 1000.0 => grouped(n.round() as u64),
        n if n >= 100.0 => format!("{n:.0}"),
        n if n >= 10.0 => format!("{n:.1}"),
        n => format!("{n:.2}"),
    }
}

fn grouped(number: u64) -> String {
    let digits = number.to_string();
    let groups: Vec<_> = digits.as_bytes().rchunks(3).rev().map(String::from_utf8_lossy).collect();
    groups.join(",")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn figures_have_three_digits_that_count() {
        let texts = [0.0, 0.163, 9.87, 54.32, 432.1, 1234.5, 19_800.4].map(figure);
        assert_eq!(texts, ["0.00", "0.16", "9.87", "54.3", "432", "1,235", "19,800"]);
    }

    #[test]
    fn a_bar_is_as_long_as_its_share_and_never_nothing() {
        assert_eq!(bar(1.0).chars().count(), 48);
        assert_eq!(bar(0.5).chars().count(), 24);
        assert_eq!(bar(0.0), "▏");
    }
}
