//! Where CloudTrail puts log files: what folders and names say, and which are asked for.
//!
//! A key is `[PREFIX/]AWSLogs/[o-ORG/]ACCOUNT/CloudTrail/REGION/YYYY/MM/DD/NAME`, where NAME is
//! `ACCOUNT_CloudTrail_REGION_YYYYMMDDTHHmmZ_UNIQUE.json.gz` (old ones lack the `_` before
//! UNIQUE).

use super::span::{FolderDate, Minute, Span, digits};

/// Suffixes that files in a folder must have to be taken for log files.
const SUFFIXES: [&str; 5] = [".json", ".jsonl", ".ndjson", ".gz", ".gzip"];

/// Where a path of folders leads to.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Place<'a> {
    /// How deep in the layout.
    pub level: Level,
    /// The account, once the path names one.
    pub account: Option<&'a str>,
    /// The region, once the path names one.
    pub region: Option<&'a str>,
    /// The date, as far as the path names one.
    pub date: Option<FolderDate>,
}

/// How deep in the layout a path leads.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Level {
    /// Nothing of the layout yet.
    #[default]
    Outside,
    /// Into `AWSLogs/` or an organisation in it: accounts follow.
    Root,
    /// Into an account.
    Account,
    /// Into `CloudTrail/`: regions follow.
    Trail,
    /// Into a region, a year or a month: dates follow, see [`Place::date`].
    Region,
    /// Into a day: log files follow.
    Day,
    /// Below the layout in a way that CloudTrail does not make.
    Loose,
    /// Into what another service or another kind of trail wrote: never log files.
    Foreign,
}

impl<'a> Place<'a> {
    /// Follows folder names from the outermost on.
    pub fn of(folders: impl IntoIterator<Item = &'a str>) -> Self {
        let mut place = Self::default();
        for folder in folders.into_iter().filter(|folder| !folder.is_empty()) {
            place = place.into_folder(folder);
        }
        place
    }

    /// Where one more folder leads.
    #[must_use]
    pub fn into_folder(self, folder: &'a str) -> Self {
        let outside = |level| Self {
            level,
            ..Self::default()
        };
        if folder == "AWSLogs" {
            return outside(Level::Root);
        }
        if is_sibling(folder) {
            return Self {
                level: Level::Foreign,
                ..self
            };
        }
        match self.level {
            // An account without AWSLogs above it is one if `CloudTrail` follows.
            Level::Outside => match (self.account, folder) {
                (Some(_), "CloudTrail") => Self {
                    level: Level::Trail,
                    ..self
                },
                _ => Self {
                    account: Some(folder).filter(|folder| is_account(folder)),
                    ..Self::default()
                },
            },
            Level::Root if is_account(folder) => Self {
                account: Some(folder),
                ..outside(Level::Account)
            },
            Level::Root if folder.starts_with("o-") => self,
            Level::Account if folder == "CloudTrail" => Self {
                level: Level::Trail,
                ..self
            },
            // Other services write below an account too; what lies elsewhere is somebody's copy.
            Level::Root => outside(Level::Outside),
            Level::Account | Level::Foreign => outside(Level::Foreign),
            Level::Trail => Self {
                level: Level::Region,
                region: Some(folder),
                ..self
            },
            Level::Region => match self.deeper(folder) {
                Some(date) => Self {
                    level: match date {
                        FolderDate::Day(..) => Level::Day,
                        _ => Level::Region,
                    },
                    date: Some(date),
                    ..self
                },
                None => Self {
                    level: Level::Loose,
                    ..self
                },
            },
            Level::Day | Level::Loose => Self {
                level: Level::Loose,
                ..self
            },
        }
    }

    /// The date that one more folder completes, if it is one.
    fn deeper(self, folder: &str) -> Option<FolderDate> {
        let number = u32::try_from(digits(folder.as_bytes())?).ok()?;
        match (self.date, folder.len()) {
            (None, 4) => Some(FolderDate::Year(number)),
            (Some(FolderDate::Year(year)), 2) if (1..=12).contains(&number) => {
                Some(FolderDate::Month(year, number))
            }
            (Some(FolderDate::Month(year, month)), 2) if (1..=31).contains(&number) => {
                Some(FolderDate::Day(year, month, number))
            }
            _ => None,
        }
    }
}

fn is_account(folder: &str) -> bool {
    folder.len() == 12 && folder.bytes().all(|byte| byte.is_ascii_digit())
}

/// `CloudTrail-Digest`, `-Insight`, `-NetworkActivity`, `-Aggregated` and their like.
fn is_sibling(folder: &str) -> bool {
    folder.starts_with("CloudTrail-")
}

/// What a file name says.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Name<'a> {
    /// A log file of CloudTrail's own naming.
    Log {
        /// Twelve digits.
        account: &'a str,
        /// As `eu-west-1`.
        region: &'a str,
        /// End of the bucket of five minutes.
        minute: Minute,
    },
    /// A digest, an insight or another thing that stands beside log files.
    Sibling,
    /// Any other name.
    Other,
}

impl<'a> Name<'a> {
    /// Reads a file name without its folders.
    #[must_use]
    pub fn of(name: &'a str) -> Self {
        let mut parts = name.splitn(4, '_');
        let (Some(account), Some(kind)) = (parts.next(), parts.next()) else {
            return Self::Other;
        };
        if !is_account(account) {
            return Self::Other;
        }
        if is_sibling(kind) {
            return Self::Sibling;
        }
        match (kind, parts.next(), parts.next().and_then(Minute::parse)) {
            ("CloudTrail", Some(region), Some(minute)) => Self::Log {
                account,
                region,
                minute,
            },
            _ => Self::Other,
        }
    }
}

/// Which log files a scan asks for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Selection {
    /// By the time in names and folders.
    pub span: Span,
    /// By account; empty for all.
    pub accounts: Vec<String>,
    /// By region; empty for all.
    pub regions: Vec<String>,
}

impl Selection {
    /// Whether a folder can hold log files that are asked for.
    #[must_use]
    pub fn admits_place(&self, place: &Place) -> bool {
        place.level != Level::Foreign
            && (place.level == Level::Outside || among(&self.accounts, place.account))
            && among(&self.regions, place.region)
            && place.date.is_none_or(|date| self.span.admits_date(date))
    }

    /// Whether a file can be of an account and region that are asked for, whenever it is from.
    #[must_use]
    pub fn admits_owner(&self, name: &str) -> bool {
        match Name::of(name) {
            Name::Log {
                account, region, ..
            } => among(&self.accounts, Some(account)) && among(&self.regions, Some(region)),
            Name::Sibling => false,
            Name::Other => true,
        }
    }

    /// Whether a file can be one that is asked for, by its name alone. A name that is not
    /// CloudTrail's tells nothing and is admitted.
    #[must_use]
    pub fn admits_name(&self, name: &str) -> bool {
        match Name::of(name) {
            Name::Log { minute, .. } => self.span.admits(minute) && self.admits_owner(name),
            _ => self.admits_owner(name),
        }
    }
}

fn among(wanted: &[String], found: Option<&str>) -> bool {
    wanted.is_empty() || found.is_none_or(|found| wanted.iter().any(|one| one == found))
}

/// Whether a file found in a folder, not named by the user, is taken for a log file.
#[must_use]
pub fn looks_like_log(name: &str) -> bool {
    let lower = name.to_ascii_lowercase();
    !lower.starts_with('.')
        && SUFFIXES.iter().any(|suffix| lower.ends_with(suffix))
        && !lower.contains(".tfstate")
        && !lower.ends_with(".tar.gz")
        && Name::of(name) != Name::Sibling
}

/// The key that every log file of a day folder at or after a minute follows.
#[must_use]
pub fn key_before(folder: &str, account: &str, region: &str, minute: Minute) -> String {
    format!("{folder}{account}_CloudTrail_{region}_{}", minute.stamp())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::audit::cloudtrail::span::DEFAULT_LAG;
    use crate::window::Window;

    fn span(since: &str, until: &str) -> Span {
        let window = Window {
            since: Some(since.parse().unwrap()),
            until: until.parse().unwrap(),
        };
        Span::of(&window, DEFAULT_LAG)
    }

    fn place(path: &str) -> Place<'_> {
        Place::of(path.split('/'))
    }

    #[test]
    fn names_are_read_in_both_spellings_and_siblings_are_told_apart() {
        let log = Name::Log {
            account: "123456789012",
            region: "us-gov-west-1",
            minute: Minute::parse("20260115T1035Z").unwrap(),
        };
        for (name, expected) in [
            (
                "123456789012_CloudTrail_us-gov-west-1_20260115T1035Z_AbC.json.gz",
                log,
            ),
            (
                "123456789012_CloudTrail_us-gov-west-1_20260115T1035ZAbC.json.gz",
                log,
            ),
            (
                "123456789012_CloudTrail-Digest_us-east-1_t_us-east-1_20260115T103500Z.json.gz",
                Name::Sibling,
            ),
            (
                "123456789012_CloudTrail-Insight_us-east-1_20260115T1035Z_A.json.gz",
                Name::Sibling,
            ),
            ("events.json", Name::Other),
            (
                "123456789012_CloudTrail_us-east-1_2026-01-15.json",
                Name::Other,
            ),
            (
                "123456789012_CloudTrail_us-east-1_20261315T1035Z_A.json",
                Name::Other,
            ),
            (
                "123456789012_CloudTrail_us-east-1_20260115T2460Z_A.json",
                Name::Other,
            ),
            (
                "12345678901_CloudTrail_us-east-1_20260115T1035Z_A.json",
                Name::Other,
            ),
            (
                "123456789012_Config_us-east-1_20260115T1035Z_A.json",
                Name::Other,
            ),
            ("", Name::Other),
        ] {
            assert_eq!(Name::of(name), expected, "{name}");
        }
    }

    #[test]
    fn paths_lead_to_places() {
        for (path, level, account, region) in [
            ("", Level::Outside, None, None),
            ("logs/prod", Level::Outside, None, None),
            ("logs/AWSLogs", Level::Root, None, None),
            ("AWSLogs/o-abc123defg", Level::Root, None, None),
            (
                "AWSLogs/123456789012",
                Level::Account,
                Some("123456789012"),
                None,
            ),
            (
                "AWSLogs/o-abc123defg/123456789012/CloudTrail",
                Level::Trail,
                Some("123456789012"),
                None,
            ),
            (
                "AWSLogs/123456789012/CloudTrail/eu-west-1",
                Level::Region,
                Some("123456789012"),
                Some("eu-west-1"),
            ),
            (
                "123456789012/CloudTrail/eu-west-1/2026/01",
                Level::Region,
                Some("123456789012"),
                Some("eu-west-1"),
            ),
            (
                "AWSLogs/123456789012/CloudTrail/eu-west-1/2026/01/15",
                Level::Day,
                Some("123456789012"),
                Some("eu-west-1"),
            ),
            (
                "AWSLogs/123456789012/CloudTrail/eu-west-1/2026/13",
                Level::Loose,
                Some("123456789012"),
                Some("eu-west-1"),
            ),
            (
                "AWSLogs/123456789012/Config/eu-west-1",
                Level::Foreign,
                None,
                None,
            ),
            (
                "AWSLogs/123456789012/CloudTrail-Digest",
                Level::Foreign,
                Some("123456789012"),
                None,
            ),
            (
                "copies/CloudTrail-Insight/eu-west-1",
                Level::Foreign,
                None,
                None,
            ),
            ("123456789012/other", Level::Outside, None, None),
            ("AWSLogs/incident", Level::Outside, None, None),
        ] {
            let found = place(path);
            assert_eq!(
                (found.level, found.account, found.region),
                (level, account, region),
                "{path}"
            );
        }
    }

    #[test]
    fn a_selection_prunes_by_account_region_date_and_name() {
        let selection = Selection {
            span: span("2026-01-15T09:00:00Z", "2026-01-15T11:00:00Z"),
            accounts: vec!["123456789012".to_owned()],
            regions: vec!["eu-west-1".to_owned()],
        };
        for (path, expected) in [
            ("AWSLogs", true),
            ("AWSLogs/123456789012", true),
            ("AWSLogs/210987654321", false),
            ("AWSLogs/123456789012/CloudTrail/us-east-1", false),
            ("AWSLogs/123456789012/CloudTrail/eu-west-1/2026/01", true),
            (
                "AWSLogs/123456789012/CloudTrail/eu-west-1/2026/01/14",
                false,
            ),
            ("AWSLogs/123456789012/CloudTrail-Digest/eu-west-1", false),
            ("210987654321/anything", true),
        ] {
            assert_eq!(selection.admits_place(&place(path)), expected, "{path}");
        }
        for (name, expected) in [
            (
                "123456789012_CloudTrail_eu-west-1_20260115T1000Z_A.json.gz",
                true,
            ),
            (
                "123456789012_CloudTrail_eu-west-1_20260115T0800Z_A.json.gz",
                false,
            ),
            (
                "123456789012_CloudTrail_us-east-1_20260115T1000Z_A.json.gz",
                false,
            ),
            (
                "210987654321_CloudTrail_eu-west-1_20260115T1000Z_A.json.gz",
                false,
            ),
            ("events.json", true),
        ] {
            assert_eq!(selection.admits_name(name), expected, "{name}");
        }
    }

    #[test]
    fn only_names_with_a_log_suffix_are_taken_from_folders() {
        for (name, expected) in [
            ("events.json", true),
            ("events.JSON.GZ", true),
            ("events.jsonl.gz", true),
            ("events.ndjson", true),
            ("terraform.tfstate", false),
            ("terraform.tfstate.json", false),
            ("README.md", false),
            ("backup.tar.gz", false),
            (".hidden.json", false),
            (
                "123456789012_CloudTrail-Digest_us-east-1_t_us-east-1_20260115T103500Z.json.gz",
                false,
            ),
        ] {
            assert_eq!(looks_like_log(name), expected, "{name}");
        }
    }

    #[test]
    fn the_key_before_a_minute_sorts_before_its_files_and_after_older_ones() {
        let before = key_before(
            "d/",
            "123456789012",
            "eu-west-1",
            Minute::parse("20260115T0900Z").unwrap(),
        );
        assert!(before.as_str() < "d/123456789012_CloudTrail_eu-west-1_20260115T0900Z_A.json.gz");
        assert!(before.as_str() < "d/123456789012_CloudTrail_eu-west-1_20260115T0900ZA.json.gz");
        assert!(before.as_str() > "d/123456789012_CloudTrail_eu-west-1_20260115T0855Z_A.json.gz");
    }
}
