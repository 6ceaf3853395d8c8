//! What was read, in numbers, and what could not be read, in words.

use std::ops::AddAssign;

/// Running totals of what was read.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Tally {
    /// Log files that were looked into.
    pub files: u64,
    /// Log files that an earlier reading looked into and this one left out.
    pub known: u64,
    /// Whether digests cover all that was delivered, so that no log file means that nothing happened.
    pub vouched: bool,
    /// Their bytes as they lie there, compressed or not.
    pub bytes: u64,
    /// Their bytes once inflated.
    pub inflated: u64,
    /// Records in them, also those that could not be read.
    pub records: u64,
    /// Records whose own time lies in the window.
    pub in_window: u64,
    /// Calls in the window that changed something, whether or not anyone wants them.
    pub writes: u64,
    /// Calls in the window that would have changed something but failed.
    pub failed_calls: u64,
    /// What could not be read.
    pub problems: Vec<Problem>,
}

impl Tally {
    /// Adds the totals of another reading to these.
    pub fn absorb(&mut self, other: Self) {
        self.files += other.files;
        self.known += other.known;
        self.vouched |= other.vouched;
        self.bytes += other.bytes;
        self.inflated += other.inflated;
        self.records += other.records;
        self.in_window += other.in_window;
        self.writes += other.writes;
        self.failed_calls += other.failed_calls;
        self.problems.extend(other.problems);
    }
}

impl AddAssign for Tally {
    fn add_assign(&mut self, other: Self) {
        self.absorb(other);
    }
}

/// Something that could not be read.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Problem {
    /// The log file.
    pub location: String,
    /// Where in it: `byte 5120` of the file as it lies there, or `record 17`, counted from 1.
    pub place: Option<String>,
    /// What is wrong.
    pub problem: String,
    /// What can be done about it.
    pub remedy: Option<String>,
}

/// Most problems that one file lists one by one; the rest of them is a number.
const LISTED: u64 = 20;

/// Collects the problems of one file, so that a file that is all wrong does not flood the report.
#[derive(Debug, Default)]
pub(crate) struct Problems {
    location: String,
    found: u64,
    list: Vec<Problem>,
}

impl Problems {
    /// Collects those of a file.
    pub(crate) fn of(location: &str) -> Self {
        Self {
            location: location.to_owned(),
            ..Self::default()
        }
    }

    /// Notes a problem.
    pub(crate) fn add(
        &mut self,
        place: Option<String>,
        problem: impl Into<String>,
        remedy: Option<&str>,
    ) {
        self.found += 1;
        if self.found <= LISTED {
            self.list.push(Problem {
                location: self.location.clone(),
                place,
                problem: problem.into(),
                remedy: remedy.map(str::to_owned),
            });
        }
    }

    /// The problems, of which the last may say how many more there were.
    pub(crate) fn list(mut self) -> Vec<Problem> {
        if let Some(more) = self.found.checked_sub(LISTED).filter(|more| *more > 0) {
            self.list.push(Problem {
                location: self.location,
                place: None,
                problem: format!("{more} more problems of these kinds"),
                remedy: None,
            });
        }
        self.list
    }
}

#[cfg(test)]
mod tests {
    use super::{Problems, Tally};

    #[test]
    fn a_file_that_is_all_wrong_does_not_flood_the_report() {
        let mut problems = Problems::of("a.json");
        for record in 0..1000 {
            problems.add(Some(format!("record {record}")), "has no time", None);
        }
        let list = problems.list();
        assert_eq!(list.len(), 21);
        assert_eq!(list[19].place.as_deref(), Some("record 19"));
        assert_eq!(list[20].problem, "980 more problems of these kinds");
    }

    #[test]
    fn totals_of_two_readings_add_up() {
        let one = Tally {
            files: 1,
            known: 8,
            vouched: true,
            bytes: 2,
            inflated: 3,
            records: 4,
            in_window: 5,
            writes: 6,
            failed_calls: 7,
            problems: Vec::new(),
        };
        let mut both = one.clone();
        both += one;
        assert_eq!(
            both,
            Tally {
                files: 2,
                known: 16,
                vouched: true,
                bytes: 4,
                inflated: 6,
                records: 8,
                in_window: 10,
                writes: 12,
                failed_calls: 14,
                problems: Vec::new()
            }
        );
    }
}
