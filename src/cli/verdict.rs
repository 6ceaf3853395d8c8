//! What makes exit codes 2 and 3 (contract: `--fail-on`, `--min-severity`, `--report-only`, `--allow-incomplete`).

use super::args::VerdictArgs;
use crate::drift::model::{Report, Status, Threshold};

impl VerdictArgs {
    /// The threshold that was asked for.
    #[must_use]
    pub fn threshold(&self) -> Threshold {
        let usual = Threshold::default();
        Threshold {
            kinds: match self.fail_on.as_slice() {
                _ if self.report_only => Vec::new(),
                [] => usual.kinds,
                kinds => kinds.to_vec(),
            },
            severity: self.min_severity.unwrap_or(usual.severity),
        }
    }

    /// The exit code, and why it is that one.
    #[must_use]
    pub fn judge(&self, report: &Report) -> (u8, String) {
        let drifted = format!(
            "{} at or over the threshold",
            count(report.failing, "drift")
        );
        let why = match report.evidence.unreadable.len() {
            0 if report.evidence.files == 0 => {
                String::from("the evidence is empty: no log file holds the window")
            }
            0 => String::from("the evidence is incomplete"),
            unreadable => format!(
                "the evidence is incomplete: {} could not be read",
                count(unreadable, "input")
            ),
        };
        let open = report
            .drifts
            .iter()
            .any(|drift| drift.status == Status::Open);
        let none = if open {
            "no drift at or over the threshold"
        } else {
            "no drift"
        };
        match (report.failing > 0, report.evidence.complete) {
            (true, true) => (2, drifted),
            (true, false) => (2, format!("{drifted}; {why}")),
            (false, true) => (0, none.to_owned()),
            (false, false) if self.allow_incomplete => (0, format!("{none}; {why} (allowed)")),
            (false, false) => (3, format!("{none}, but {why}")),
        }
    }
}

fn count(number: usize, thing: &str) -> String {
    if number == 1 {
        format!("1 {thing}")
    } else {
        format!("{number} {thing}s")
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::drift::model::{Evidence, Summary};
    use crate::window::Window;

    fn report(failing: usize, complete: bool) -> Report {
        Report {
            window: Window {
                since: None,
                until: jiff::Timestamp::UNIX_EPOCH,
            },
            states: Vec::new(),
            evidence: Evidence {
                complete,
                ..Evidence::default()
            },
            drifts: Vec::new(),
            summary: Summary::default(),
            failed: Vec::new(),
            failing,
            threshold: Threshold::default(),
            refreshed: Vec::new(),
        }
    }

    #[test]
    fn exit_codes_are_those_of_the_contract() {
        let strict = VerdictArgs::default();
        let lenient = VerdictArgs {
            allow_incomplete: true,
            ..VerdictArgs::default()
        };
        let cases = [
            (0, true, 0, 0),
            (1, true, 2, 2),
            (1, false, 2, 2),
            (0, false, 3, 0),
        ];
        for (failing, complete, code, allowed) in cases {
            assert_eq!(strict.judge(&report(failing, complete)).0, code);
            assert_eq!(lenient.judge(&report(failing, complete)).0, allowed);
        }
    }
}
