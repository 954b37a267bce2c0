//! What this process has used so far: processor time and memory.
//!
//! Processor time comes from `getrusage`, memory from `/proc/self/status`. Peak memory does not come
//! from `getrusage`: Linux starts a child's `ru_maxrss` with what its parent had.

use std::time::Duration;

use nix::{
    sys::resource::{UsageWho, getrusage},
    sys::time::TimeVal,
};

use crate::GaugeError;

/// User and system time of all threads of this process so far.
///
/// # Errors
/// When the system does not tell.
pub fn cpu_time() -> Result<Duration, GaugeError> {
    let usage = getrusage(UsageWho::RUSAGE_SELF)
        .map_err(|error| GaugeError::Usage { what: "processor time", source: error.into() })?;
    Ok(duration(usage.user_time()) + duration(usage.system_time()))
}

fn duration(time: TimeVal) -> Duration {
    let seconds = u64::try_from(time.tv_sec()).unwrap_or(0);
    let microseconds = u64::try_from(time.tv_usec()).unwrap_or(0);
    Duration::from_secs(seconds) + Duration::from_micros(microseconds)
}

/// The most memory this process has had resident, in megabytes (10^6 bytes).
///
/// # Errors
/// When `/proc/self/status` does not tell.
pub fn peak_memory() -> Result<f64, GaugeError> {
    status("VmHWM:")
}

/// The memory this process has resident now, in megabytes (10^6 bytes).
///
/// # Errors
/// When `/proc/self/status` does not tell.
pub fn resident_memory() -> Result<f64, GaugeError> {
    status("VmRSS:")
}

fn status(field: &'static str) -> Result<f64, GaugeError> {
    let status = std::fs::read_to_string("/proc/self/status")
        .map_err(|source| GaugeError::Usage { what: "memory", source })?;
    let kibibytes = kibibytes(&status, field).ok_or(GaugeError::NoField { field })?;
    Ok(kibibytes * 1024.0 / 1e6)
}

fn kibibytes(status: &str, field: &str) -> Option<f64> {
    let value = status.lines().find_map(|line| line.strip_prefix(field))?;
    value.trim().strip_suffix("kB")?.trim().parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_field_of_the_status_is_read_in_kibibytes() {
        let status = "Name:\tbench\nVmHWM:\t   12345 kB\nVmRSS:\t   99 kB\n";
        assert_eq!(kibibytes(status, "VmHWM:"), Some(12345.0));
        assert_eq!(kibibytes(status, "VmSwap:"), None);
    }
}
