//! What a check of digests and log files finds.

use jiff::Timestamp;

/// How much a finding weighs.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Grade {
    /// Worth knowing; proves nothing against the log files.
    Note,
    /// Something could not be proved.
    Unproven,
    /// Something was changed, removed or added.
    Tampered,
}

/// What was found.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Kind {
    /// A log file is not what was delivered.
    LogChanged,
    /// A log file that was delivered is gone.
    LogMissing,
    /// A log file that no digest lists.
    LogExtra,
    /// A digest is not what AWS signed.
    DigestChanged,
    /// A digest that a later one refers to is gone.
    DigestMissing,
    /// A digest lies under the name of another.
    DigestMoved,
    /// A log file could not be read.
    LogUnread,
    /// A digest could not be read.
    DigestUnread,
    /// The signature of a digest is not there.
    DigestUnsigned,
    /// The public key that fits a digest is not known.
    KeyUnknown,
    /// A digest, or a hash in it, was made in a way that is not known here.
    Unsupported,
    /// For a stretch of time there are no digests.
    Gap,
    /// There are no digests at all.
    NoDigests,
    /// A place could not be looked into.
    PlaceUnread,
    /// It was time to stop before all was looked at.
    NotVerified,
    /// The next digest, which is yet to come, will tell.
    Pending,
}

impl Kind {
    /// All of them.
    pub const ALL: [Self; 16] = [
        Self::LogChanged,
        Self::LogMissing,
        Self::LogExtra,
        Self::DigestChanged,
        Self::DigestMissing,
        Self::DigestMoved,
        Self::LogUnread,
        Self::DigestUnread,
        Self::DigestUnsigned,
        Self::KeyUnknown,
        Self::Unsupported,
        Self::Gap,
        Self::NoDigests,
        Self::PlaceUnread,
        Self::NotVerified,
        Self::Pending,
    ];

    /// The word used in JSON and prose.
    #[must_use]
    pub fn word(self) -> &'static str {
        match self {
            Self::LogChanged => "log-changed",
            Self::LogMissing => "log-missing",
            Self::LogExtra => "log-extra",
            Self::DigestChanged => "digest-changed",
            Self::DigestMissing => "digest-missing",
            Self::DigestMoved => "digest-moved",
            Self::LogUnread => "log-unread",
            Self::DigestUnread => "digest-unread",
            Self::DigestUnsigned => "digest-unsigned",
            Self::KeyUnknown => "key-unknown",
            Self::Unsupported => "unsupported",
            Self::Gap => "gap",
            Self::NoDigests => "no-digests",
            Self::PlaceUnread => "place-unread",
            Self::NotVerified => "not-verified",
            Self::Pending => "pending",
        }
    }

    /// How much it weighs.
    #[must_use]
    pub fn grade(self) -> Grade {
        match self {
            Self::LogChanged
            | Self::LogMissing
            | Self::LogExtra
            | Self::DigestChanged
            | Self::DigestMissing
            | Self::DigestMoved => Grade::Tampered,
            Self::LogUnread
            | Self::DigestUnread
            | Self::DigestUnsigned
            | Self::KeyUnknown
            | Self::Unsupported
            | Self::Gap
            | Self::NoDigests
            | Self::PlaceUnread
            | Self::NotVerified => Grade::Unproven,
            Self::Pending => Grade::Note,
        }
    }

    /// What to do about it.
    #[must_use]
    pub fn remedy(self) -> &'static str {
        match self {
            Self::LogChanged => {
                "do not trust it; restore the version that was delivered, if the bucket keeps \
                 versions, and look for who wrote to the bucket"
            }
            Self::LogMissing | Self::DigestMissing => {
                "look for who deleted it, or for a lifecycle rule that expires objects; a local \
                 copy may only be incomplete"
            }
            Self::LogExtra => {
                "CloudTrail did not deliver it with these digests: see who wrote it, unless a \
                 second trail without log file validation writes to the same place"
            }
            Self::DigestChanged | Self::DigestMoved => {
                "do not trust it, nor the log files that it lists; look for who wrote to the bucket"
            }
            Self::LogUnread | Self::DigestUnread | Self::PlaceUnread => {
                "allow reading it, then try again"
            }
            Self::DigestUnsigned => {
                "the signature lies in the metadata of the object: check the bucket itself, or put \
                 what `aws s3api head-object` prints beside the copy, as FILE.metadata.json"
            }
            Self::NotVerified => {
                "run it again to its end: allow more time, or choose a shorter window, fewer \
                 accounts or regions"
            }
            Self::KeyUnknown => {
                "allow cloudtrail:ListPublicKeys, or give what `aws cloudtrail list-public-keys \
                 --start-time … --end-time …` prints in the digest's region with --public-keys FILE"
            }
            Self::Unsupported => "check it with `aws cloudtrail validate-logs`",
            Self::Gap | Self::NoDigests => {
                "log file validation was off, or the digests are gone: keep it on with \
                 `enable_log_file_validation = true`"
            }
            Self::Pending => "check again in an hour or two",
        }
    }
}

/// One thing that was found.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Finding {
    /// What it is.
    pub kind: Kind,
    /// Account, twelve digits; none where no account is to be named.
    pub account: Option<String>,
    /// Region.
    pub region: Option<String>,
    /// The file, object or folder; of one that is gone, the name it had.
    pub location: String,
    /// What is wrong, in words.
    pub problem: String,
    /// The stretch of time that it concerns, as far as it does.
    pub since: Option<Timestamp>,
    /// The end of that stretch.
    pub until: Option<Timestamp>,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_kind_has_a_word_of_its_own() {
        let words: std::collections::BTreeSet<_> = Kind::ALL.into_iter().map(Kind::word).collect();
        assert_eq!(words.len(), Kind::ALL.len());
        for word in words {
            assert!(
                word.chars().all(|c| c.is_ascii_lowercase() || c == '-'),
                "{word}"
            );
        }
    }
}
