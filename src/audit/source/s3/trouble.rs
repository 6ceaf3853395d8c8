//! What can go wrong with a walk, in words.

use super::MOST_SEARCHED;
use crate::audit::decode::Problem;
use crate::s3::{Error, Location};

/// Something that ended a walk or a part of it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Trouble {
    /// The store refused.
    Store(Error),
    /// The place is not what was meant.
    Place(Problem),
}

pub(super) fn foreign(location: &Location, problem: &str) -> Problem {
    Problem {
        location: location.to_string(),
        place: None,
        problem: problem.to_owned(),
        remedy: Some("name the folder `CloudTrail/` beside it, or the one above".to_owned()),
    }
}

pub(super) fn nothing_there(location: &Location) -> Problem {
    Problem {
        location: location.to_string(),
        place: None,
        problem: "nothing lies there".to_owned(),
        remedy: Some(format!(
            "check the prefix: `aws s3 ls s3://{}/` shows what the bucket holds",
            location.bucket
        )),
    }
}

pub(super) fn stopped(bucket: &str) -> Problem {
    Problem {
        location: format!("s3://{bucket}"),
        place: None,
        problem: "a listing stopped unexpectedly".to_owned(),
        remedy: Some("report this as a defect of tfdrift".to_owned()),
    }
}

pub(super) fn too_wide(location: &Location) -> Problem {
    Problem {
        location: location.to_string(),
        place: None,
        problem: format!("only {MOST_SEARCHED} of its folders were searched for AWSLogs/"),
        remedy: Some("name the folder that holds AWSLogs/".to_owned()),
    }
}
