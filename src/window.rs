//! Time words (`1h30m`, `yesterday`, RFC 3339, …) and the window they make.

use std::fmt;
use std::str::FromStr;

use jiff::civil::DateTime;
use jiff::tz::{Offset, TimeZone};
use jiff::{SignedDuration, Timestamp, Unit};

/// What `--since` and `--until` take, for error messages and help texts.
pub const FORMS: &str = "a time ago (1h30m, 7d, 2w), a UTC date or time (2026-01-15, \
     2026-01-15T10:00, 2026-01-15T10:00:00), RFC 3339 with an offset (2026-01-15T10:00:00+09:00), \
     now, today, yesterday, last, state or all";

/// A span of time: `since` inclusive, `until` exclusive.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Window {
    /// The first instant that belongs to it; none for "from the beginning".
    pub since: Option<Timestamp>,
    /// The first instant that no longer belongs to it.
    pub until: Timestamp,
}

/// One end of a window as it was asked for, before "now" is known.
///
/// Days are UTC days. A date stands for its first instant, also as `until`: `--until 2026-01-15`
/// ends before the first second of that day.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Bound {
    /// An instant.
    At(Timestamp),
    /// This long before now.
    Ago(SignedDuration),
    /// Now.
    Now,
    /// The beginning of the day.
    Today,
    /// The beginning of the day before.
    Yesterday,
    /// No bound at all; makes sense as `since` only.
    All,
    /// Where the last scan ended. The caller knows and puts [`Bound::At`] in its place.
    Checkpoint,
    /// When the state was last written. The caller knows and puts [`Bound::At`] in its place.
    StateWrite,
}

/// Why no window could be made of what was typed.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Error {
    /// The text is in none of the forms.
    #[error("`{text}` is no time; write {FORMS}")]
    Unknown {
        /// What was typed.
        text: String,
    },
    /// The instant lies outside of what can be represented.
    #[error("`{text}` lies too far back; write `all` to begin at the beginning")]
    TooFar {
        /// What was typed, or what it came to.
        text: String,
    },
    /// The window would hold no instant.
    #[error(
        "the window is empty: since ({since}) is not before until ({until}); \
         since is inclusive, until exclusive, a date means its first second in UTC"
    )]
    Empty {
        /// The resolved `since`.
        since: Timestamp,
        /// The resolved `until`.
        until: Timestamp,
    },
    /// `all` was given as the end.
    #[error("`all` begins a window and cannot end one; leave --until away to end it now")]
    AllAsUntil,
    /// The bound depends on something that nobody looked up.
    #[error("`{word}` cannot be used here: {reason}")]
    Unresolved {
        /// The word that was typed.
        word: &'static str,
        /// What is missing.
        reason: &'static str,
    },
}

impl FromStr for Bound {
    type Err = Error;

    fn from_str(text: &str) -> Result<Self, Error> {
        let text = text.trim();
        match text {
            "now" => return Ok(Self::Now),
            "today" => return Ok(Self::Today),
            "yesterday" => return Ok(Self::Yesterday),
            "all" => return Ok(Self::All),
            "last" => return Ok(Self::Checkpoint),
            "state" => return Ok(Self::StateWrite),
            _ => {}
        }
        if let Some(ago) = parse_ago(text)? {
            return Ok(Self::Ago(ago));
        }
        if let Ok(instant) = text.parse::<Timestamp>() {
            return Ok(Self::At(instant));
        }
        text.parse::<DateTime>()
            .ok()
            .and_then(|civil| Offset::UTC.to_timestamp(civil).ok())
            .map(Self::At)
            .ok_or_else(|| Error::Unknown {
                text: text.to_owned(),
            })
    }
}

/// Reads `1h30m`: whole numbers, each with a unit, added up. None if it is of another form.
fn parse_ago(text: &str) -> Result<Option<SignedDuration>, Error> {
    let mut seconds: i64 = 0;
    let mut number: Option<i64> = None;
    let too_far = || Error::TooFar {
        text: text.to_owned(),
    };
    for letter in text.chars() {
        if let Some(digit) = letter.to_digit(10) {
            let so_far = number
                .unwrap_or(0)
                .checked_mul(10)
                .and_then(|n| n.checked_add(i64::from(digit)));
            // A date in digits alone is no duration, however long: let the unit decide.
            number = Some(so_far.unwrap_or(i64::MAX));
            continue;
        }
        let unit = match letter {
            's' => 1,
            'm' => 60,
            'h' => 3_600,
            'd' => 86_400,
            'w' => 604_800,
            _ => return Ok(None),
        };
        let Some(count) = number.take() else {
            return Ok(None);
        };
        seconds = count
            .checked_mul(unit)
            .and_then(|n| seconds.checked_add(n))
            .ok_or_else(too_far)?;
    }
    if number.is_some() || text.is_empty() {
        return Ok(None);
    }
    Ok(Some(SignedDuration::from_secs(seconds)))
}

impl Bound {
    /// The instant it stands for; none for [`Bound::All`].
    ///
    /// # Errors
    ///
    /// If the instant cannot be represented, or only the caller could have known it.
    pub fn instant(&self, now: Timestamp) -> Result<Option<Timestamp>, Error> {
        // Logs have whole seconds; a window that begins within one would only look odd.
        let now = now.round((Unit::Second, 1)).map_or(now, |rounded| {
            if rounded > now {
                rounded - SignedDuration::from_secs(1)
            } else {
                rounded
            }
        });
        let day = |back: i64| {
            now.to_zoned(TimeZone::UTC)
                .start_of_day()
                .map(|start| start.timestamp())
                .and_then(|start| start.checked_sub(SignedDuration::from_hours(24 * back)))
                .map_err(|_| Error::TooFar {
                    text: format!("{back} days before {now}"),
                })
        };
        match self {
            Self::At(instant) => Ok(Some(*instant)),
            Self::Ago(ago) => now.checked_sub(*ago).map(Some).map_err(|_| Error::TooFar {
                text: format!("{ago:#} ago"),
            }),
            Self::Now => Ok(Some(now)),
            Self::Today => day(0).map(Some),
            Self::Yesterday => day(1).map(Some),
            Self::All => Ok(None),
            Self::Checkpoint => Err(Error::Unresolved {
                word: "last",
                reason: "no scan has left a checkpoint",
            }),
            Self::StateWrite => Err(Error::Unresolved {
                word: "state",
                reason: "no state says when it was last written",
            }),
        }
    }
}

impl Window {
    /// Makes a window of two bounds. `now` is the one moment that both refer to.
    ///
    /// # Errors
    ///
    /// If a bound has no instant, `until` is [`Bound::All`], or the window would be empty.
    pub fn resolve(since: &Bound, until: &Bound, now: Timestamp) -> Result<Self, Error> {
        let since = since.instant(now)?;
        let until = until.instant(now)?.ok_or(Error::AllAsUntil)?;
        match since {
            Some(since) if since >= until => Err(Error::Empty { since, until }),
            _ => Ok(Self { since, until }),
        }
    }

    /// Whether an instant lies in the window.
    #[must_use]
    pub fn contains(&self, time: Timestamp) -> bool {
        self.since.is_none_or(|since| time >= since) && time < self.until
    }
}

impl fmt::Display for Window {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.since {
            Some(since) => write!(f, "{since} – {}", self.until),
            None => write!(f, "the beginning – {}", self.until),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(text: &str) -> Timestamp {
        text.parse().unwrap()
    }

    fn now() -> Timestamp {
        at("2026-01-15T11:00:00.75Z")
    }

    #[test]
    fn every_form_comes_to_the_instant_it_names() {
        let table = [
            ("30s", "2026-01-15T10:59:30Z"),
            ("1h30m", "2026-01-15T09:30:00Z"),
            ("90m", "2026-01-15T09:30:00Z"),
            ("7d", "2026-01-08T11:00:00Z"),
            ("2w", "2026-01-01T11:00:00Z"),
            ("1w1d", "2026-01-07T11:00:00Z"),
            (" 1h ", "2026-01-15T10:00:00Z"),
            ("2026-01-15T10:00:00Z", "2026-01-15T10:00:00Z"),
            ("2026-01-15T10:00:00.5Z", "2026-01-15T10:00:00.5Z"),
            ("2026-01-15T10:00:00+09:00", "2026-01-15T01:00:00Z"),
            ("2026-01-14T22:00:00-05:30", "2026-01-15T03:30:00Z"),
            ("2026-01-15T10:00+09:00", "2026-01-15T01:00:00Z"),
            ("2026-01-15", "2026-01-15T00:00:00Z"),
            ("2024-02-29", "2024-02-29T00:00:00Z"),
            ("2026-01-15T10:00", "2026-01-15T10:00:00Z"),
            ("2026-01-15T10:00:07", "2026-01-15T10:00:07Z"),
            ("2026-01-15 10:00", "2026-01-15T10:00:00Z"),
            ("yesterday", "2026-01-14T00:00:00Z"),
            ("today", "2026-01-15T00:00:00Z"),
            ("now", "2026-01-15T11:00:00Z"),
        ];
        for (text, expected) in table {
            let bound: Bound = text.parse().unwrap();
            assert_eq!(bound.instant(now()).unwrap(), Some(at(expected)), "{text}");
        }
        assert_eq!("all".parse::<Bound>().unwrap().instant(now()), Ok(None));
    }

    #[test]
    fn words_that_the_caller_resolves_are_recognised_and_never_guessed() {
        assert_eq!("last".parse(), Ok(Bound::Checkpoint));
        assert_eq!("state".parse(), Ok(Bound::StateWrite));
        for bound in [Bound::Checkpoint, Bound::StateWrite] {
            let refused = Window::resolve(&bound, &Bound::Now, now()).unwrap_err();
            assert!(matches!(refused, Error::Unresolved { .. }), "{refused}");
        }
    }

    #[test]
    fn what_is_no_time_is_named_and_the_forms_are_listed() {
        let table = [
            "",
            "tomorrow",
            "1",
            "90",
            "h",
            "1h30",
            "1y",
            "-1h",
            "1.5h",
            "1H",
            "1h 30m",
            "2026-13-01",
            "2026-02-30",
            "2026-01-15T25:00",
            "15.01.2026",
            "Yesterday",
            "１h",
            "9999999999999999999999",
        ];
        for text in table {
            let refused = text.parse::<Bound>().unwrap_err();
            assert_eq!(
                refused,
                Error::Unknown {
                    text: text.to_owned()
                }
            );
            let message = refused.to_string();
            assert!(
                message.contains(&format!("`{text}`")) && message.contains("1h30m"),
                "{message}"
            );
        }
    }

    #[test]
    fn a_duration_beyond_all_calendars_is_an_error() {
        for text in ["99999999999999999999w", "9223372036854775807w"] {
            assert!(
                matches!(text.parse::<Bound>(), Err(Error::TooFar { .. })),
                "{text}"
            );
        }
        for text in ["9000000000000s", "99999999w"] {
            let bound: Bound = text.parse().unwrap();
            assert!(
                matches!(bound.instant(now()), Err(Error::TooFar { .. })),
                "{text}"
            );
        }
    }

    #[test]
    fn an_empty_window_is_an_error_that_shows_both_ends() {
        let table = [
            ("1h", "2h"),
            ("now", "now"),
            ("2026-01-15", "2026-01-15"),
            ("today", "yesterday"),
        ];
        for (since, until) in table {
            let (since, until): (Bound, Bound) = (since.parse().unwrap(), until.parse().unwrap());
            let refused = Window::resolve(&since, &until, now()).unwrap_err();
            let (Some(since), Some(until)) =
                (since.instant(now()).unwrap(), until.instant(now()).unwrap())
            else {
                panic!("both ends have instants");
            };
            assert_eq!(refused, Error::Empty { since, until });
            let message = refused.to_string();
            assert!(message.contains(&since.to_string()) && message.contains(&until.to_string()));
        }
        assert_eq!(
            Window::resolve(&Bound::All, &Bound::All, now()),
            Err(Error::AllAsUntil)
        );
    }

    #[test]
    fn a_date_as_until_ends_before_its_first_second() {
        let window = Window::resolve(
            &"2026-01-14".parse().unwrap(),
            &"2026-01-15".parse().unwrap(),
            now(),
        )
        .unwrap();
        assert!(window.contains(at("2026-01-14T00:00:00Z")));
        assert!(window.contains(at("2026-01-14T23:59:59Z")));
        assert!(!window.contains(at("2026-01-15T00:00:00Z")));
    }

    #[test]
    fn a_window_is_echoed_in_utc() {
        let since = "2026-01-15T18:00:00+09:00".parse().unwrap();
        let window = Window::resolve(&since, &Bound::Now, now()).unwrap();
        assert_eq!(
            window.to_string(),
            "2026-01-15T09:00:00Z – 2026-01-15T11:00:00Z"
        );
        let window = Window::resolve(&Bound::All, &Bound::Now, now()).unwrap();
        assert_eq!(window.to_string(), "the beginning – 2026-01-15T11:00:00Z");
    }

    proptest::proptest! {
        #[test]
        fn no_text_makes_it_panic(text in ".{0,40}", digits in "[0-9smhdwT:Z+-]{0,30}") {
            for text in [text, digits] {
                if let Ok(bound) = text.parse::<Bound>() {
                    let _ = Window::resolve(&bound, &Bound::Now, now());
                }
            }
        }
    }
}
