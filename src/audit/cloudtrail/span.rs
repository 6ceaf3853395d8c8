//! Which names of log files can hold events of a window: minutes, days and the span of them.
//!
//! The time in a name is the end of a bucket of five minutes, and events come into a file some
//! minutes late. So a window is looked for in names up to a lag behind its end.

use jiff::civil::Date;
use jiff::tz::TimeZone;
use jiff::{SignedDuration, Timestamp};

use crate::window::Window;

/// How late an event may come into a file, if the user says nothing else. Twice the latest that
/// was seen among tens of thousands of real records.
pub const DEFAULT_LAG: SignedDuration = SignedDuration::from_mins(20);

/// Length of the bucket whose end a file name bears.
pub const BUCKET: SignedDuration = SignedDuration::from_mins(5);

/// A minute of UTC as the number `YYYYMMDDHHmm`: ordered like time, cheap to compare, and cut to a
/// day, month or year by division.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct Minute(u64);

impl Minute {
    /// The minute in which an instant lies.
    #[must_use]
    pub fn of(time: Timestamp) -> Self {
        let time = time.to_zoned(TimeZone::UTC).datetime();
        let number = |part: i8| u64::from(part.unsigned_abs());
        // File names have four digits for the year; there was no cloud before the year 0.
        let year = u64::try_from(time.year()).unwrap_or_default();
        let date = (year * 100 + number(time.month())) * 100 + number(time.day());
        Self((date * 100 + number(time.hour())) * 100 + number(time.minute()))
    }

    /// Reads the beginning of a text as `YYYYMMDDTHHmmZ`.
    pub(super) fn parse(text: &str) -> Option<Self> {
        let text = text.as_bytes().first_chunk::<14>()?;
        if text[8] != b'T' || text[13] != b'Z' {
            return None;
        }
        let date = digits(&text[..8])?;
        let clock = digits(&text[9..13])?;
        let (month, day) = (date / 100 % 100, date % 100);
        let sane = (1..=12).contains(&month)
            && (1..=31).contains(&day)
            && clock / 100 < 24
            && clock % 100 < 60;
        sane.then_some(Self(date * 10_000 + clock))
    }

    /// As it stands in file names: `YYYYMMDDTHHmmZ`.
    #[must_use]
    pub fn stamp(self) -> String {
        format!("{:08}T{:04}Z", self.0 / 10_000, self.0 % 10_000)
    }

    /// The day in which it lies.
    #[must_use]
    pub fn day(self) -> FolderDate {
        let number = |part: u64| u32::try_from(part).unwrap_or_default();
        let date = self.0 / 10_000;
        FolderDate::Day(
            number(date / 10_000),
            number(date / 100 % 100),
            number(date % 100),
        )
    }

    /// The instant at which it begins; none for a day that its month does not have.
    #[must_use]
    pub fn time(self) -> Option<Timestamp> {
        let minutes = i64::try_from(self.0 / 100 % 100 * 60 + self.0 % 100).ok()?;
        let midnight = civil(self)?.to_zoned(TimeZone::UTC).ok()?.timestamp();
        midnight
            .checked_add(SignedDuration::from_mins(minutes))
            .ok()
    }
}

pub(super) fn digits(text: &[u8]) -> Option<u64> {
    text.iter().try_fold(0, |number: u64, byte| {
        byte.is_ascii_digit()
            .then(|| number * 10 + u64::from(byte - b'0'))
    })
}

/// The file-name times that can hold events of a window, both ends inclusive.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Span {
    first: Option<Minute>,
    last: Minute,
}

impl Span {
    /// The names to take for a window when events come at most `lag` late.
    #[must_use]
    pub fn of(window: &Window, lag: SignedDuration) -> Self {
        let late = lag.saturating_add(BUCKET);
        let end = window.until.checked_add(late).unwrap_or(Timestamp::MAX);
        Self {
            first: window.since.map(Minute::of),
            last: Minute::of(end),
        }
    }

    /// The first name time; none when all names before the last count.
    #[must_use]
    pub fn first(&self) -> Option<Minute> {
        self.first
    }

    /// The last name time.
    #[must_use]
    pub fn last(&self) -> Minute {
        self.last
    }

    /// Whether a file of that name time can hold events of the window.
    #[must_use]
    pub fn admits(&self, minute: Minute) -> bool {
        self.first.is_none_or(|first| minute >= first) && minute <= self.last
    }

    /// Whether a year, month or day can hold such files.
    #[must_use]
    pub fn admits_date(&self, date: FolderDate) -> bool {
        let (number, scale) = date.scaled();
        self.first.is_none_or(|first| number >= first.0 / scale) && number <= self.last.0 / scale
    }

    /// Whether a name time lies behind the span, and with it all that sort after it.
    #[must_use]
    pub fn is_past(&self, minute: Minute) -> bool {
        minute > self.last
    }

    /// The first name time of the span, if that day is the one it lies in.
    #[must_use]
    pub fn first_of(&self, day: FolderDate) -> Option<Minute> {
        let (number, scale) = day.scaled();
        self.first.filter(|first| first.0 / scale == number)
    }

    /// The days of the span, if they are not more than `most`.
    #[must_use]
    pub fn days(&self, most: usize) -> Option<Vec<FolderDate>> {
        let first = civil(self.first?)?;
        let last = civil(self.last)?;
        let mut days = Vec::new();
        let mut day = first;
        while day <= last {
            if days.len() == most {
                return None;
            }
            let number = |part: i8| u32::from(part.unsigned_abs());
            let year = u32::try_from(day.year()).ok()?;
            days.push(FolderDate::Day(
                year,
                number(day.month()),
                number(day.day()),
            ));
            day = day.tomorrow().ok()?;
        }
        Some(days)
    }
}

fn civil(minute: Minute) -> Option<Date> {
    let date = minute.0 / 10_000;
    let part = |number: u64| i8::try_from(number % 100).ok();
    Date::new(
        i16::try_from(date / 10_000).ok()?,
        part(date / 100)?,
        part(date)?,
    )
    .ok()
}

/// A date as deep as folders lead to it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum FolderDate {
    /// `YYYY`.
    Year(u32),
    /// `YYYY/MM`.
    Month(u32, u32),
    /// `YYYY/MM/DD`.
    Day(u32, u32, u32),
}

impl FolderDate {
    /// As a number, and what to divide a [`Minute`] by to compare.
    fn scaled(self) -> (u64, u64) {
        match self {
            Self::Year(year) => (u64::from(year), 100_000_000),
            Self::Month(year, month) => (u64::from(year) * 100 + u64::from(month), 1_000_000),
            Self::Day(year, month, day) => {
                let month = u64::from(year) * 100 + u64::from(month);
                (month * 100 + u64::from(day), 10_000)
            }
        }
    }

    /// The folders from a region down to this date, with a slash at the end.
    #[must_use]
    pub fn folders(self) -> String {
        match self {
            Self::Year(year) => format!("{year:04}/"),
            Self::Month(year, month) => format!("{year:04}/{month:02}/"),
            Self::Day(year, month, day) => format!("{year:04}/{month:02}/{day:02}/"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn time(text: &str) -> Timestamp {
        text.parse().unwrap()
    }

    fn span(since: &str, until: &str) -> Span {
        let window = Window {
            since: (!since.is_empty()).then(|| time(since)),
            until: time(until),
        };
        Span::of(&window, DEFAULT_LAG)
    }

    #[test]
    fn a_span_reaches_from_the_start_to_a_lag_and_a_bucket_behind_the_end() {
        let span = span("2026-01-15T09:00:30Z", "2026-01-15T23:50:00Z");
        for (stamp, expected) in [
            ("20260115T0859Z", false),
            ("20260115T0900Z", true),
            ("20260115T2350Z", true),
            ("20260116T0015Z", true),
            ("20260116T0016Z", false),
        ] {
            assert_eq!(
                span.admits(Minute::parse(stamp).unwrap()),
                expected,
                "{stamp}"
            );
        }
        assert_eq!(
            span.days(31),
            Some(vec![
                FolderDate::Day(2026, 1, 15),
                FolderDate::Day(2026, 1, 16)
            ])
        );
    }

    #[test]
    fn a_span_without_beginning_has_no_list_of_days_but_an_end() {
        let span = span("", "2026-01-15T09:00:00Z");
        assert_eq!(span.days(31), None);
        assert!(span.admits(Minute(2013_0101_0000)));
        assert!(!span.admits_date(FolderDate::Year(2027)));
    }

    #[test]
    fn days_run_over_the_ends_of_months_and_years() {
        let days = span("2023-12-31T00:00:00Z", "2024-01-01T12:00:00Z").days(31);
        assert_eq!(
            days,
            Some(vec![
                FolderDate::Day(2023, 12, 31),
                FolderDate::Day(2024, 1, 1)
            ])
        );
        let long = span("2023-01-01T00:00:00Z", "2024-01-01T12:00:00Z");
        assert_eq!(long.days(31), None);
        assert_eq!(long.days(400).unwrap().len(), 366);
    }

    #[test]
    fn dates_are_admitted_at_every_depth() {
        let span = span("2026-01-31T22:00:00Z", "2026-02-01T01:00:00Z");
        for (date, expected) in [
            (FolderDate::Year(2025), false),
            (FolderDate::Year(2026), true),
            (FolderDate::Month(2026, 1), true),
            (FolderDate::Month(2026, 3), false),
            (FolderDate::Day(2026, 1, 30), false),
            (FolderDate::Day(2026, 1, 31), true),
            (FolderDate::Day(2026, 2, 1), true),
            (FolderDate::Day(2026, 2, 2), false),
        ] {
            assert_eq!(span.admits_date(date), expected, "{date:?}");
        }
    }
}
