//! What kept a state, or a part of one, from being read.

use std::fmt;

/// One thing that could not be read. It never stops the reading of the others.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Problem {
    /// The file, object or setting.
    pub location: String,
    /// Where in it, in words: "line 3, column 14", "resource `aws_instance.web`".
    pub place: Option<String>,
    /// What is wrong.
    pub problem: String,
    /// What to do about it.
    pub remedy: Option<String>,
}

impl Problem {
    /// A problem with a location as a whole.
    pub fn new(location: impl fmt::Display, problem: impl Into<String>) -> Self {
        Self {
            location: location.to_string(),
            place: None,
            problem: problem.into(),
            remedy: None,
        }
    }

    /// The same, with its place in the location.
    #[must_use]
    pub fn at(mut self, place: impl Into<String>) -> Self {
        self.place = Some(place.into());
        self
    }

    /// The same, with what to do about it.
    #[must_use]
    pub fn remedy(mut self, remedy: impl Into<String>) -> Self {
        self.remedy = Some(remedy.into());
        self
    }
}

impl fmt::Display for Problem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.location)?;
        if let Some(place) = &self.place {
            write!(f, ", {place}")?;
        }
        write!(f, ": {}", self.problem)?;
        if let Some(remedy) = &self.remedy {
            write!(f, "; {remedy}")?;
        }
        Ok(())
    }
}

impl std::error::Error for Problem {}
