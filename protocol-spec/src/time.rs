//! Wire time: whole seconds of UTC, in one spelling.

use std::str::FromStr;

use serde::{Deserialize, Deserializer, Serialize, Serializer};

/// A moment in whole seconds since 1970-01-01T00:00:00Z.
///
/// On the wire it is exactly `YYYY-MM-DDTHH:MM:SSZ` (`PRF-TIME-001`): RFC 3339 with no fraction and
/// no offset, so that one moment has one spelling.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Timestamp(i64);

/// A time outside the years 0000 to 9999, or not in the wire form.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("expected a UTC time like 2026-02-21T09:30:00Z")]
pub struct NotATimestamp;

impl Timestamp {
    /// The moment `second` seconds after the epoch, or `None` outside the years 0000 to 9999.
    pub fn from_second(second: i64) -> Option<Self> {
        // 0000-01-01T00:00:00Z and 9999-12-31T23:59:59Z
        (-62_167_219_200..=253_402_300_799)
            .contains(&second)
            .then_some(Self(second))
    }

    /// Seconds since the epoch.
    pub const fn second(self) -> i64 {
        self.0
    }

    /// Year and month in UTC.
    pub(crate) fn year_and_month(self) -> (i64, i64) {
        let (year, month, _) = civil_from_days(self.0.div_euclid(86_400));
        (year, month)
    }

    /// Seconds from `earlier` to `self`; negative when `self` is the earlier one.
    pub const fn seconds_since(self, earlier: Self) -> i64 {
        self.0 - earlier.0
    }

    /// This moment moved by `seconds`, held inside the years 0000 to 9999.
    #[must_use]
    pub fn saturating_add(self, seconds: i64) -> Self {
        Self(
            self.0
                .saturating_add(seconds)
                .clamp(-62_167_219_200, 253_402_300_799),
        )
    }
}

impl std::fmt::Display for Timestamp {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let days = self.0.div_euclid(86_400);
        let second = self.0.rem_euclid(86_400);
        let (year, month, day) = civil_from_days(days);
        write!(
            f,
            "{year:04}-{month:02}-{day:02}T{:02}:{:02}:{:02}Z",
            second / 3600,
            second / 60 % 60,
            second % 60
        )
    }
}

impl FromStr for Timestamp {
    type Err = NotATimestamp;

    fn from_str(text: &str) -> Result<Self, NotATimestamp> {
        let parsed = text
            .parse::<jiff::Timestamp>()
            .ok()
            .and_then(|t| Self::from_second(t.as_second()))
            .ok_or(NotATimestamp)?;
        // One moment, one spelling: whatever else the parser takes, only our own form is kept.
        if parsed.to_string() == text {
            Ok(parsed)
        } else {
            Err(NotATimestamp)
        }
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

/// Year, month and day of the proleptic Gregorian calendar for a count of days since 1970-01-01.
///
/// Eras of 400 years starting on 1 March, after Howard Hinnant, "chrono-Compatible Low-Level Date
/// Algorithms". Written out because formatting stands on the hot path of every proof check.
fn civil_from_days(days: i64) -> (i64, i64, i64) {
    let shifted = days + 719_468;
    let era = shifted.div_euclid(146_097);
    let day_of_era = shifted.rem_euclid(146_097);
    let year_of_era =
        (day_of_era - day_of_era / 1460 + day_of_era / 36_524 - day_of_era / 146_096) / 365;
    let day_of_year = day_of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    let month_from_march = (5 * day_of_year + 2) / 153;
    let day = day_of_year - (153 * month_from_march + 2) / 5 + 1;
    let month = if month_from_march < 10 {
        month_from_march + 3
    } else {
        month_from_march - 9
    };
    let year = year_of_era + era * 400 + i64::from(month <= 2);
    (year, month, day)
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn prints_what_the_calendar_library_prints(second in -62_167_219_200_i64..=253_402_300_799) {
            let ours = Timestamp::from_second(second).unwrap().to_string();
            prop_assert_eq!(&ours, &jiff::Timestamp::from_second(second).unwrap().to_string());
            prop_assert_eq!(ours.parse::<Timestamp>().unwrap().second(), second);
        }
    }

    #[test]
    fn other_spellings_of_a_moment_are_refused() {
        for text in [
            "2026-02-21T09:30:00.0Z",
            "2026-02-21T09:30:00+00:00",
            "2026-02-21 09:30:00Z",
            "2026-02-21t09:30:00z",
            "2026-02-30T00:00:00Z",
            "1771666200",
            "",
        ] {
            assert!(text.parse::<Timestamp>().is_err(), "{text}");
        }
    }
}
