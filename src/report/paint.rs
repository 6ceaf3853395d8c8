//! Colour in terminals, with restraint: severity, what is gone, what is new, what is beside the
//! point. Without colour every function returns its text as it is.

use crate::drift::model::Severity;

/// Paints text, or leaves it as it is.
#[derive(Debug, Clone, Copy)]
pub struct Paint {
    /// Whether to paint at all.
    pub colour: bool,
}

impl Paint {
    fn with(self, code: &str, text: &str) -> String {
        if self.colour && !text.is_empty() {
            format!("\x1b[{code}m{text}\x1b[0m")
        } else {
            text.to_owned()
        }
    }

    /// What is gone.
    pub fn gone(self, text: &str) -> String {
        self.with("31", text)
    }

    /// What is new.
    pub fn fresh(self, text: &str) -> String {
        self.with("32", text)
    }

    /// What a heading says.
    pub fn strong(self, text: &str) -> String {
        self.with("1", text)
    }

    /// What is beside the point.
    pub fn faint(self, text: &str) -> String {
        self.with("2", text)
    }

    /// Where in a diff a hunk stands.
    pub fn place(self, text: &str) -> String {
        self.with("36", text)
    }

    /// What must not be overlooked.
    pub fn alarm(self, text: &str) -> String {
        self.with("1;31", text)
    }

    /// What is well.
    pub fn calm(self, text: &str) -> String {
        self.with("32", text)
    }

    /// A text in the colour of a severity.
    pub fn severity(self, severity: Severity, text: &str) -> String {
        let code = match severity {
            Severity::Critical => "1;31",
            Severity::High => "31",
            Severity::Medium => "33",
            Severity::Low => "36",
        };
        self.with(code, text)
    }
}
