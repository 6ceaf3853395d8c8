//! Stretches of time, and what of a window they leave open.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use super::call::instant;

/// From an instant, up to before another.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct Stretch {
    /// The first instant of it.
    #[serde(with = "instant")]
    pub since: Timestamp,
    /// The first instant behind it.
    #[serde(with = "instant")]
    pub until: Timestamp,
}

/// The same time in as few stretches as it takes, the earliest first. Empty ones are dropped.
#[must_use]
pub fn merged(stretches: impl IntoIterator<Item = Stretch>) -> Vec<Stretch> {
    let mut sorted: Vec<Stretch> = stretches
        .into_iter()
        .filter(|one| one.since < one.until)
        .collect();
    sorted.sort_unstable();
    let mut merged: Vec<Stretch> = Vec::new();
    for one in sorted {
        match merged.last_mut() {
            Some(last) if one.since <= last.until => last.until = last.until.max(one.until),
            _ => merged.push(one),
        }
    }
    merged
}

/// What others leave open of a stretch, the earliest first.
#[must_use]
pub fn left_open(whole: Stretch, others: &[Stretch]) -> Vec<Stretch> {
    let mut open = Vec::new();
    let mut since = whole.since;
    for one in merged(others.iter().copied()) {
        let until = one.since.min(whole.until);
        if since < until {
            open.push(Stretch { since, until });
        }
        since = since.max(one.until);
    }
    if since < whole.until {
        let until = whole.until;
        open.push(Stretch { since, until });
    }
    open
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn time(second: i64) -> Timestamp {
        Timestamp::from_second(second).unwrap()
    }

    fn stretches(pairs: &[(i64, i64)]) -> Vec<Stretch> {
        let stretch = |(since, until): &(i64, i64)| Stretch {
            since: time(*since),
            until: time(*until),
        };
        pairs.iter().map(stretch).collect()
    }

    #[test]
    fn stretches_that_meet_become_one() {
        for (given, expected) in [
            (&[(3, 5), (1, 3)][..], &[(1, 5)][..]),
            (&[(1, 9), (2, 3)], &[(1, 9)]),
            (&[(1, 2), (3, 4), (5, 5), (7, 6)], &[(1, 2), (3, 4)]),
            (&[], &[]),
        ] {
            assert_eq!(merged(stretches(given)), stretches(expected));
        }
    }

    #[test]
    fn what_is_open_lies_between() {
        for (others, expected) in [
            (&[][..], &[(10, 20)][..]),
            (&[(0, 30)], &[]),
            (&[(0, 12), (18, 40)], &[(12, 18)]),
            (&[(12, 14), (15, 16)], &[(10, 12), (14, 15), (16, 20)]),
            (&[(0, 5), (25, 30)], &[(10, 20)]),
        ] {
            let whole = stretches(&[(10, 20)])[0];
            assert_eq!(left_open(whole, &stretches(others)), stretches(expected));
        }
    }

    proptest! {
        #[test]
        fn each_instant_is_either_known_or_open(
            pairs in prop::collection::vec((0_i64..40, 0_i64..40), 0..8),
            at in 10_i64..20,
        ) {
            let holds = |list: &[Stretch]| list.iter().any(|one| one.since <= time(at) && time(at) < one.until);
            let others = stretches(&pairs);
            let open = left_open(stretches(&[(10, 20)])[0], &others);
            prop_assert_eq!(holds(&others), !holds(&open));
            prop_assert_eq!(holds(&others), holds(&merged(others.clone())));
        }
    }
}
