//! What the folder and the file name of a digest say.
//!
//! `ACCOUNT_CloudTrail-Digest_REGION_TRAIL_HOME_YYYYMMDDTHHmmssZ.json.gz`, where REGION is where
//! the log files come from and HOME where the trail was made. A digest that was added later, for
//! files that the first one missed, ends in `_backfill.json.gz`.

use jiff::Timestamp;
use jiff::civil::DateTime;
use jiff::tz::Offset;

use crate::audit::cloudtrail::layout::Place;

/// The folder of digests, beside `CloudTrail/` and of the same form.
pub const FOLDER: &str = "CloudTrail-Digest";

/// The folder of log files that takes the place of a digests' one; any other as it is.
#[must_use]
pub fn plain_folder(folder: &str) -> &str {
    if folder == FOLDER {
        "CloudTrail"
    } else {
        folder
    }
}

/// Where a path of folders leads, among digests as among log files.
#[must_use]
pub fn place(path: &str) -> Place<'_> {
    Place::of(path.split('/').map(plain_folder))
}

/// One chain of digests: each refers to the one before of the same chain.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct ChainName {
    /// Twelve digits.
    pub account: String,
    /// Where the log files come from.
    pub region: String,
    /// Name of the trail.
    pub trail: String,
    /// The region that the trail was made in.
    pub home: String,
    /// Whether it is the chain of digests that were added later.
    pub backfill: bool,
}

/// The file name of a digest, read.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DigestName {
    /// The chain it belongs to.
    pub chain: ChainName,
    /// The last instant of delivery that it covers.
    pub end: Timestamp,
}

impl DigestName {
    /// Reads a file name without its folders; compressed or not.
    #[must_use]
    pub fn of(name: &str) -> Option<Self> {
        let stem = plain(name).strip_suffix(".json")?;
        let (stem, backfill) = match stem.strip_suffix("_backfill") {
            Some(stem) => (stem, true),
            None => (stem, false),
        };
        let (account, rest) = stem.split_once("_CloudTrail-Digest_")?;
        let (region, rest) = rest.split_once('_')?;
        // The name of a trail may hold the mark that separates.
        let (rest, end) = rest.rsplit_once('_')?;
        let (trail, home) = rest.rsplit_once('_')?;
        let end = DateTime::strptime("%Y%m%dT%H%M%SZ", end).ok()?;
        let digits = account.bytes().all(|byte| byte.is_ascii_digit());
        (digits && account.len() == 12).then_some(())?;
        Some(Self {
            chain: ChainName {
                account: account.to_owned(),
                region: region.to_owned(),
                trail: trail.to_owned(),
                home: home.to_owned(),
                backfill,
            },
            end: Offset::UTC.to_timestamp(end).ok()?,
        })
    }
}

/// The last part of a key or path, as it was before anyone decompressed the file: what a digest
/// calls a file by, whatever folder it was copied to.
#[must_use]
pub fn file_name(path: &str) -> &str {
    plain(path.rsplit(['/', '\\']).next().unwrap_or(path))
}

fn plain(name: &str) -> &str {
    name.strip_suffix(".gz").unwrap_or(name)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_tells_chain_and_time() {
        for (name, trail, backfill) in [
            (
                "123456789012_CloudTrail-Digest_eu-west-1_main_us-east-1_20260115T110131Z.json.gz",
                "main",
                false,
            ),
            (
                "123456789012_CloudTrail-Digest_eu-west-1_my_own_trail_us-east-1_20260115T110131Z_backfill.json.gz",
                "my_own_trail",
                true,
            ),
            (
                "123456789012_CloudTrail-Digest_eu-west-1_main_us-east-1_20260115T110131Z.json",
                "main",
                false,
            ),
        ] {
            let read = DigestName::of(name).unwrap();
            let chain = &read.chain;
            assert_eq!(chain.account, "123456789012");
            assert_eq!(
                (chain.region.as_str(), chain.home.as_str()),
                ("eu-west-1", "us-east-1")
            );
            assert_eq!((chain.trail.as_str(), chain.backfill), (trail, backfill));
            assert_eq!(read.end, "2026-01-15T11:01:31Z".parse().unwrap());
        }
    }

    #[test]
    fn other_names_are_none() {
        for name in [
            "",
            "x.json",
            "123456789012_CloudTrail_eu-west-1_20260115T1035Z_AbC.json.gz",
            "12345678901_CloudTrail-Digest_eu-west-1_main_us-east-1_20260115T110131Z.json.gz",
            "123456789012_CloudTrail-Digest_eu-west-1_main_us-east-1_20261315T110131Z.json.gz",
            "123456789012_CloudTrail-Digest_eu-west-1_20260115T110131Z.json.gz",
            "123456789012_CloudTrail-Digest_eu-west-1_main_us-east-1_20260115T110131Z.json.gz.metadata.json",
        ] {
            assert_eq!(DigestName::of(name), None, "{name}");
        }
    }

    #[test]
    fn a_file_is_known_by_its_name_wherever_it_lies() {
        for path in ["a/b/x.json.gz", "x.json", "C:\\logs\\x.json.gz"] {
            assert_eq!(file_name(path), "x.json");
        }
    }
}
