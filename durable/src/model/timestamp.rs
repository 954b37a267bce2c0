//! Points in time, always UTC.
//!
//! Must not read the machine's clock: that is `clock.rs`.

use std::{fmt, str::FromStr, time::Duration};

use jiff::{SignedDuration, tz::TimeZone};
use serde::{Deserialize, Deserializer, Serialize, Serializer};

/// A point in time, UTC, kept to the microsecond.
///
/// Reads ISO 8601 with an offset or `Z`, with or without seconds, with up to nine digits of a
/// fraction, and a bare date (DECISIONS 24); a text without an offset is UTC. Writes RFC 3339 with `Z`.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Timestamp(jiff::Timestamp);

impl Timestamp {
    /// 1970-01-01T00:00:00Z.
    pub const UNIX_EPOCH: Self = Self(jiff::Timestamp::UNIX_EPOCH);
    /// The last point in time that can be named, in the year 9999: what is due then is never due.
    pub const MAX: Self = Self(jiff::Timestamp::MAX);

    /// The time `microseconds` after 1970, or before it when negative. Beyond the years -9999 to
    /// 9999 it is the nearest time that can be named.
    pub fn from_microseconds(microseconds: i64) -> Self {
        let nearest = if microseconds < 0 { jiff::Timestamp::MIN } else { jiff::Timestamp::MAX };
        Self(jiff::Timestamp::from_microsecond(microseconds).unwrap_or(nearest))
    }

    /// Microseconds since 1970.
    pub fn as_microseconds(self) -> i64 {
        self.0.as_microsecond()
    }

    /// Reads a date as HTTP headers write it: `Sun, 06 Nov 1994 08:49:37 GMT`.
    pub(crate) fn from_http_date(text: &str) -> Option<Self> {
        let time = jiff::fmt::rfc2822::DateTimeParser::new().parse_timestamp(text).ok()?;
        Some(Self::from_microseconds(time.as_microsecond()))
    }

    /// This time and `duration` more; at the end of time, the end of time.
    #[must_use]
    pub fn saturating_add(self, duration: Duration) -> Self {
        let duration = SignedDuration::try_from(duration).unwrap_or(SignedDuration::MAX);
        let sum = self.0.checked_add(duration).unwrap_or(jiff::Timestamp::MAX);
        Self::from_microseconds(sum.as_microsecond())
    }

    /// How long after `earlier` this is; zero when it is not after it.
    pub fn duration_since(self, earlier: Self) -> Duration {
        Duration::try_from(self.0.duration_since(earlier.0)).unwrap_or(Duration::ZERO)
    }
}

/// A text that names no point in time.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("`{}` is not a time: write it like `2026-01-02T03:04:05Z`", .0.escape_debug())]
pub struct InvalidTimestamp(String);

impl FromStr for Timestamp {
    type Err = InvalidTimestamp;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let with_offset = text.parse::<jiff::Timestamp>();
        let read = with_offset.or_else(|_| {
            text.parse::<jiff::civil::DateTime>()
                .and_then(|civil| civil.to_zoned(TimeZone::UTC))
                .map(|zoned| zoned.timestamp())
        });
        read.map(|time| Self::from_microseconds(time.as_microsecond()))
            .map_err(|_| InvalidTimestamp(text.into()))
    }
}

impl fmt::Display for Timestamp {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(&self.0, f)
    }
}

impl fmt::Debug for Timestamp {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

impl Serialize for Timestamp {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for Timestamp {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = std::borrow::Cow::<'de, str>::deserialize(deserializer)?;
        text.parse().map_err(serde::de::Error::custom)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    // R2:MGT-40, R4:MGMT-143, R4:MGMT-184; DECISIONS 24
    #[test]
    fn reads_what_clients_write() {
        for (text, microseconds) in [
            ("1970-01-01T00:00:01Z", 1_000_000),
            ("1970-01-01T00:01Z", 60_000_000),
            ("1970-01-01T01:00:00+01:00", 0),
            ("1970-01-01T00:00:00.123456789Z", 123_456),
            ("1970-01-01T00:00:02", 2_000_000),
            ("1970-01-02", 86_400_000_000),
        ] {
            assert_eq!(text.parse::<Timestamp>().unwrap().as_microseconds(), microseconds, "{text}");
        }
        assert!("yesterday".parse::<Timestamp>().is_err());
    }

    #[test]
    fn arithmetic_stops_at_the_end_of_time() {
        let end = Timestamp::UNIX_EPOCH.saturating_add(Duration::MAX);
        assert_eq!(end.as_microseconds(), Timestamp::MAX.as_microseconds());
        assert_eq!(Timestamp::UNIX_EPOCH.duration_since(end), Duration::ZERO);
    }
}
