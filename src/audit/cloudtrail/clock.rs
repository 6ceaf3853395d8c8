//! Reads the times of records, nearly all of which are of the same few days.

use jiff::Timestamp;

/// Reads times, and remembers the day of the last.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Clock {
    /// A day and the `T` behind it, as text.
    day: [u8; 11],
    /// Seconds from 1970-01-01 to its start.
    start: i64,
}

impl Default for Clock {
    fn default() -> Self {
        Self {
            day: *b"1970-01-01T",
            start: 0,
        }
    }
}

impl Clock {
    /// Reads `2026-01-15T10:35:10Z`, the one form that CloudTrail writes. None for any other, and
    /// for what the calendar has to judge: days at a month's end, and leap seconds.
    #[inline]
    pub(crate) fn read(&mut self, text: &[u8; 20]) -> Option<Timestamp> {
        let [day @ .., h0, h1, b':', m0, m1, b':', s0, s1, b'Z'] = text else {
            return None;
        };
        if *day != self.day {
            self.start = start_of(day)?;
            self.day = *day;
        }
        let (hour, minute, second) = (pair([*h0, *h1])?, pair([*m0, *m1])?, pair([*s0, *s1])?);
        if hour > 23 || minute > 59 || second > 59 {
            return None;
        }
        Timestamp::from_second(self.start + (hour * 60 + minute) * 60 + second).ok()
    }
}

/// Two digits as a number.
#[inline]
fn pair([tens, ones]: [u8; 2]) -> Option<i64> {
    let [tens, ones] = [tens.wrapping_sub(b'0'), ones.wrapping_sub(b'0')];
    (tens < 10 && ones < 10).then(|| i64::from(tens) * 10 + i64::from(ones))
}

/// Seconds from 1970-01-01 to a day up to the 28th.
#[cold]
fn start_of(day: &[u8; 11]) -> Option<i64> {
    let [y0, y1, y2, y3, b'-', m0, m1, b'-', d0, d1, b'T'] = day else {
        return None;
    };
    let year = pair([*y0, *y1])? * 100 + pair([*y2, *y3])?;
    let (month, day) = (pair([*m0, *m1])?, pair([*d0, *d1])?);
    if !(1..=12).contains(&month) || !(1..=28).contains(&day) {
        return None;
    }
    // Days of a year that starts in March, so that its leap day comes last.
    let (year, month) = if month > 2 {
        (year, month - 3)
    } else {
        (year - 1, month + 9)
    };
    let (era, year) = (year.div_euclid(400), year.rem_euclid(400));
    let day_of_year = (153 * month + 2) / 5 + day - 1;
    let days = era * 146_097 + year * 365 + year / 4 - year / 100 + day_of_year - 719_468;
    Some(days * 86_400)
}

#[cfg(test)]
mod tests {
    use super::Clock;
    use jiff::Timestamp;
    use proptest::prelude::*;

    /// Times of days, many of them the same or not there at all.
    fn time() -> impl Strategy<Value = String> {
        let day = prop_oneof![
            3 => Just((2026_i16, 1_u8, 15_u8)),
            2 => (0_i16..10_000, 0_u8..14, 0_u8..33),
        ];
        (day, 0_u8..26, 0_u8..62, 0_u8..62, "[TZ: 9/]?").prop_map(
            |((year, month, day), hour, minute, second, odd)| {
                let text =
                    format!("{year:04}-{month:02}-{day:02}T{hour:02}:{minute:02}:{second:02}Z");
                match odd.chars().next() {
                    Some(odd) if odd != 'Z' => text.replacen(['0', ':', '-'], &odd.to_string(), 1),
                    _ => text,
                }
            },
        )
    }

    proptest! {
        #[test]
        fn a_time_is_the_calendars(times in prop::collection::vec(time(), 1..6)) {
            let mut clock = Clock::default();
            for text in times {
                let calendar = text.parse::<Timestamp>().ok();
                let read = clock.read(text.as_bytes().try_into().unwrap());
                prop_assert!(read.is_none() || read == calendar, "{text}: {read:?}");
                let plain = &text[4..5] == "-" && &text[8..10] <= "28" && &text[17..19] <= "59";
                let plain = plain && text.bytes().all(|byte| b"0123456789-T:Z".contains(&byte));
                prop_assert!(read.is_some() || calendar.is_none() || !plain, "{text}");
            }
        }
    }
}
