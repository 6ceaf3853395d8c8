//! Which old calls of a drift say nothing any more because later ones speak of the same.
//!
//! An attribute that is changed again every hour and stays open would otherwise be remembered with
//! every call there ever was.

use std::collections::HashMap;

use jiff::Timestamp;

use crate::audit::call::Call;

/// A call that had an effect, and what it spoke of.
#[derive(Debug, Clone)]
pub struct Kept {
    /// The call.
    pub call: Call,
    /// What it spoke of; none when it did more than to change attributes.
    pub touches: Option<Vec<Touch>>,
    /// Who made it, if it looks like Terraform: then it also says what Terraform believes, and only
    /// a call of the same may take its place.
    pub applier: Option<String>,
    /// Whether it gave something another name: then calls of any later time may mean that.
    pub renames: bool,
}

/// What a call speaks of.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Touch {
    /// An attribute of an instance.
    pub slot: String,
    /// What comes or goes; none for all of it.
    pub part: Option<String>,
}

/// Numbers of the calls that are older than `before` and all of whose touches are those of later
/// calls that are as old.
pub(super) fn covered(calls: &[Kept], before: Timestamp) -> Vec<usize> {
    let old = |kept: &Kept| kept.call.time < before;
    // The latest call on each slot or part of one, by everyone and by each that applies.
    let mut latest: HashMap<(&Touch, Option<&str>), Timestamp> = HashMap::new();
    for kept in calls.iter().filter(|kept| old(kept)) {
        for touch in kept.touches.iter().flatten() {
            for by in [None, kept.applier.as_deref()] {
                let time = latest.entry((touch, by)).or_insert(kept.call.time);
                *time = kept.call.time.max(*time);
            }
        }
    }
    let is_covered = |kept: &Kept| {
        let after = |touch: &Touch| {
            let time = latest.get(&(touch, kept.applier.as_deref()));
            time.is_some_and(|time| *time > kept.call.time)
        };
        kept.touches.as_ref().is_some_and(|touches| {
            touches.iter().all(|touch| {
                let whole = Touch {
                    slot: touch.slot.clone(),
                    part: None,
                };
                after(touch) || after(&whole)
            })
        })
    };
    let numbered = calls.iter().enumerate();
    numbered
        .filter(|(_, kept)| old(kept) && is_covered(kept))
        .map(|(number, _)| number)
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn time(hour: i64) -> Timestamp {
        Timestamp::from_second(hour * 3_600).unwrap()
    }

    fn kept(hour: i64, touches: Option<&[(&str, Option<&str>)]>, applier: Option<&str>) -> Kept {
        let touch = |(slot, part): &(&str, Option<&str>)| Touch {
            slot: (*slot).to_owned(),
            part: part.map(str::to_owned),
        };
        Kept {
            call: Call {
                time: time(hour),
                ..Call::default()
            },
            touches: touches.map(|touches| touches.iter().map(touch).collect()),
            applier: applier.map(str::to_owned),
            renames: false,
        }
    }

    #[test]
    fn an_old_call_is_covered_when_later_old_ones_speak_of_all_that_it_spoke_of() {
        let size: &[_] = &[("size", None)];
        let both: &[_] = &[("size", None), ("name", None)];
        let (open, other): (&[_], &[_]) = (&[("rules", Some("a"))], &[("rules", Some("b"))]);
        let rules: &[_] = &[("rules", None)];
        let table: &[(&str, Vec<Kept>, &[usize])] = &[
            ("the last stays", vec![kept(1, Some(size), None)], &[]),
            (
                "set again",
                vec![kept(1, Some(size), None), kept(2, Some(size), None)],
                &[0],
            ),
            (
                "in the same second nobody knows which was last",
                vec![kept(1, Some(size), None), kept(1, Some(size), None)],
                &[],
            ),
            (
                "a late call may still come before the second",
                vec![kept(1, Some(size), None), kept(9, Some(size), None)],
                &[],
            ),
            (
                "one of two attributes",
                vec![kept(1, Some(both), None), kept(2, Some(size), None)],
                &[],
            ),
            (
                "the same member comes and goes",
                vec![
                    kept(1, Some(open), None),
                    kept(2, Some(other), None),
                    kept(3, Some(open), None),
                ],
                &[0],
            ),
            (
                "members, then the whole",
                vec![kept(1, Some(open), None), kept(3, Some(rules), None)],
                &[0],
            ),
            (
                "the whole, then a member",
                vec![kept(1, Some(rules), None), kept(3, Some(open), None)],
                &[],
            ),
            (
                "a birth is nothing that an attribute covers",
                vec![kept(1, None, None), kept(3, Some(size), None)],
                &[],
            ),
            (
                "what Terraform believes outlives what others do",
                vec![kept(1, Some(size), Some("ci")), kept(2, Some(size), None)],
                &[],
            ),
            (
                "but not what Terraform does",
                vec![
                    kept(1, Some(size), Some("ci")),
                    kept(2, Some(size), Some("ci")),
                    kept(3, Some(size), Some("someone")),
                ],
                &[0],
            ),
        ];
        for (name, calls, expected) in table {
            assert_eq!(covered(calls, time(5)), *expected, "{name}");
        }
    }
}
