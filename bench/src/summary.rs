//! What a comparison found, and its JSON form. Begin with [`Summary`].

use durable_bench_gauge::{Measured, Spread};
use serde::Serialize;

use crate::{args::Request, error::BenchError};

/// All runs of all contenders, and the disk's own times.
#[derive(Debug)]
pub(crate) struct Summary {
    /// Ours.
    pub(crate) ours: Runs,
    /// The peer's, if there is one.
    pub(crate) peer: Option<Runs>,
    /// fdatasync before the runs.
    pub(crate) disk_before: Spread,
    /// fdatasync after the runs.
    pub(crate) disk_after: Spread,
}

/// All runs of one contender, the slowest first; there is at least one.
#[derive(Debug)]
pub(crate) struct Runs(Vec<Measured>);

impl Runs {
    /// Of these runs; `first` is one of them.
    pub(crate) fn new(first: Measured, others: impl IntoIterator<Item = Measured>) -> Self {
        let mut runs = vec![first];
        runs.extend(others);
        runs.sort_by(|one, other| one.per_second().total_cmp(&other.per_second()));
        Self(runs)
    }

    /// The run in the middle, by operations per second; all its figures belong together. Of two in the
    /// middle, the slower.
    pub(crate) fn median(&self) -> &Measured {
        &self.0[(self.0.len() - 1) / 2]
    }

    /// Operations per second of the slowest and of the fastest run.
    pub(crate) fn range(&self) -> (f64, f64) {
        (self.0[0].per_second(), self.0[self.0.len() - 1].per_second())
    }
}

impl Summary {
    /// How many times ours does per second what the peer does.
    pub(crate) fn ratio(&self) -> Option<f64> {
        let peer = self.peer.as_ref()?.median().per_second();
        (peer > 0.0).then(|| self.ours.median().per_second() / peer)
    }

    /// One object on one line.
    pub(crate) fn to_json(&self, request: &Request) -> Result<String, BenchError> {
        let mut disk = self.disk_before.clone();
        disk.extend(&self.disk_after);
        let object = Object {
            workload: request.workload.as_str(),
            size: request.size,
            ours: Figures::of(self.ours.median()),
            peer: self.peer.as_ref().map(|runs| Figures::of(runs.median())),
            ratio: self.ratio().map(rounded),
            fdatasync_p50_us: rounded(disk.percentile(50).as_secs_f64() * 1e6),
            details: request.details.then(|| Details {
                ours: &self.ours.0,
                peer: self.peer.as_ref().map(|runs| runs.0.as_slice()),
                peer_size: request.peer.map(|_| request.peer_size),
            }),
        };
        serde_json::to_string(&object).map_err(BenchError::Json)
    }
}

#[derive(Serialize)]
struct Object<'a> {
    workload: &'static str,
    size: u64,
    ours: Figures,
    peer: Option<Figures>,
    ratio: Option<f64>,
    fdatasync_p50_us: f64,
    #[serde(skip_serializing_if = "Option::is_none")]
    details: Option<Details<'a>>,
}

#[derive(Serialize)]
struct Figures {
    per_second: f64,
    cpu_us_per_op: f64,
    p50_ms: f64,
    p99_ms: f64,
    peak_mb: f64,
}

/// Every run as it was measured.
#[derive(Serialize)]
struct Details<'a> {
    ours: &'a [Measured],
    peer: Option<&'a [Measured]>,
    peer_size: Option<u64>,
}

impl Figures {
    fn of(run: &Measured) -> Self {
        Self {
            per_second: rounded(run.per_second()),
            cpu_us_per_op: rounded(run.cpu_us_per_op()),
            p50_ms: rounded(run.p50_ms),
            p99_ms: rounded(run.p99_ms),
            peak_mb: rounded(run.peak_mb),
        }
    }
}

/// To three decimals: more would only look exact.
fn rounded(number: f64) -> f64 {
    (number * 1e3).round() / 1e3
}

#[cfg(test)]
mod tests {
    use durable_bench_gauge::Gauge;

    use super::*;
    use crate::args::Command;

    fn run(operations: u64) -> Measured {
        let mut measured = Gauge::start().unwrap().finish(operations).unwrap();
        measured.seconds = 1.0;
        measured
    }

    fn summary(peer: Option<u64>) -> Summary {
        Summary {
            ours: Runs::new(run(300), [run(100), run(200)]),
            peer: peer.map(|operations| Runs::new(run(operations), [])),
            disk_before: Spread::default(),
            disk_after: Spread::default(),
        }
    }

    fn json(line: &str, summary: &Summary) -> serde_json::Value {
        let command = Command::from_arguments(line.split(' ').map(str::to_owned)).unwrap();
        let Command::Compare(request) = command else { panic!("a comparison") };
        serde_json::from_str(&summary.to_json(&request).unwrap()).unwrap()
    }

    fn keys(value: &serde_json::Value) -> Vec<&str> {
        value.as_object().unwrap().keys().map(String::as_str).collect()
    }

    #[test]
    fn the_object_has_the_promised_keys_and_no_others() {
        let object = json("hello --json", &summary(Some(2)));
        assert_eq!(keys(&object), ["fdatasync_p50_us", "ours", "peer", "ratio", "size", "workload"]);
        for contender in ["ours", "peer"] {
            let figures = ["cpu_us_per_op", "p50_ms", "p99_ms", "peak_mb", "per_second"];
            assert_eq!(keys(&object[contender]), figures);
        }
    }

    #[test]
    fn the_run_in_the_middle_is_quoted_and_compared() {
        let object = json("hello --json", &summary(Some(2)));
        assert_eq!(object["ours"]["per_second"], 200.0);
        assert_eq!(object["ratio"], 100.0);
    }

    #[test]
    fn without_a_peer_there_is_no_ratio() {
        let object = json("hello --json", &summary(None));
        assert!(object["peer"].is_null() && object["ratio"].is_null());
    }
}
