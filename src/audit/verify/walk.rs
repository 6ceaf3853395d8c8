//! Finds digests and log files: follows CloudTrail's layout down to the days that matter.

use super::archive::{Archive, Asked, File, Folder};
use crate::audit::cloudtrail::digest::name::{DigestName, FOLDER, place, plain_folder};
use crate::audit::cloudtrail::layout::{Level, Name, Place, Selection};
use crate::audit::cloudtrail::span::Minute;
use crate::audit::decode::Problem;
use crate::audit::pipeline::Stop;

/// Folders to look into for `AWSLogs/` before giving up the search.
const MOST_SEARCHED: usize = 1_000;

/// What to look for.
#[derive(Debug, Clone)]
pub struct Wanted {
    /// Log files; none if only digests are wanted.
    pub logs: Option<Selection>,
    /// Digests, by the days they end in.
    pub digests: Selection,
}

/// What was found.
#[derive(Debug, Default)]
pub struct Found {
    /// Log files of CloudTrail's own naming.
    pub logs: Vec<LogEntry>,
    /// Digests.
    pub digests: Vec<DigestEntry>,
    /// What could not be looked into.
    pub problems: Vec<Problem>,
}

/// A log file that lies there.
#[derive(Debug, Clone)]
pub struct LogEntry {
    /// The file.
    pub file: File,
    /// Twelve digits.
    pub account: String,
    /// As `eu-west-1`.
    pub region: String,
    /// The time in its name.
    pub minute: Minute,
}

/// A digest that lies there.
#[derive(Debug, Clone)]
pub struct DigestEntry {
    /// The file.
    pub file: File,
    /// What its name says.
    pub name: DigestName,
}

/// Where to begin for a folder that the user named, and the region that it narrows to: digests lie
/// beside log files, so a folder inside of the one leads to the account above both.
pub fn start(folder: &str) -> (String, Option<String>) {
    let mut place = Place::default();
    let mut account = None;
    let mut end = 0;
    for part in folder.split_inclusive('/') {
        let known = place.account;
        end += part.len();
        let name = part.trim_end_matches('/');
        if !name.is_empty() {
            place = place.into_folder(plain_folder(name));
        }
        if place.account.is_none() {
            account = None;
        } else if place.account != known {
            account = Some(end);
        }
    }
    let inside = !matches!(place.level, Level::Outside | Level::Root);
    match account.and_then(|end| folder.get(..end)).filter(|_| inside) {
        Some(above) => (above.to_owned(), place.region.map(str::to_owned)),
        None => (folder.to_owned(), None),
    }
}

/// A folder still to be looked into.
struct Step {
    folder: String,
    depth: u8,
}

/// Looks into a folder and all that can hold what is wanted below it. What is found when it is time
/// to stop is not all.
pub fn walk(archive: &dyn Archive, folder: &str, wanted: &Wanted, stop: &Stop) -> Found {
    let mut found = Found::default();
    let mut searched = 0;
    let mut level = vec![Step {
        folder: folder.to_owned(),
        depth: 0,
    }];
    while !level.is_empty() && !stop.is_due() {
        let asked: Vec<Asked<'_>> = level.iter().map(|step| step.ask(wanted)).collect();
        let listed = archive.list(&asked);
        let mut next = Vec::new();
        for (step, listed) in level.iter().zip(listed) {
            next.extend(look(archive, step, listed, wanted, &mut found));
        }
        level = next;
        let outside = |step: &Step| place(&step.folder).level == Level::Outside;
        searched += level.iter().filter(|step| outside(step)).count();
        if searched > MOST_SEARCHED {
            level.retain(|step| !outside(step));
            found.problems.push(Problem {
                location: archive.display(folder),
                place: None,
                problem: format!("only {MOST_SEARCHED} of its folders were searched for AWSLogs/"),
                remedy: Some("name the folder that holds AWSLogs/".to_owned()),
            });
            searched = 0;
        }
    }
    found
}

impl Step {
    fn ask<'a>(&'a self, wanted: &'a Wanted) -> Asked<'a> {
        let is_region = place(&self.folder).level == Level::Region;
        Asked {
            folder: &self.folder,
            days: selection(&self.folder, wanted).filter(|_| is_region),
        }
    }
}

/// Sorts what was listed of a folder. Returns the folders to go on with.
fn look(
    archive: &dyn Archive,
    step: &Step,
    listed: Folder,
    wanted: &Wanted,
    found: &mut Found,
) -> Vec<Step> {
    found.problems.extend(listed.problems);
    for file in listed.files {
        sort(file, wanted, found);
    }
    let steps = listed.folders.into_iter().filter_map(|folder| {
        let place = place(&folder);
        let depth = match place.level {
            Level::Foreign => return None,
            Level::Outside | Level::Loose => step.depth + 1,
            _ => 0,
        };
        let admitted = match self::selection(&folder, wanted) {
            Some(selection) => selection.admits_place(&place),
            None => !is_trail(&folder) && wanted.digests.admits_place(&place),
        };
        (admitted && depth <= archive.depth()).then_some(Step { folder, depth })
    });
    steps.collect()
}

fn is_trail(folder: &str) -> bool {
    folder.split('/').any(|part| part == "CloudTrail")
}

/// What selects in a folder of digests or of log files; none in any other, or if it is not wanted.
fn selection<'a>(folder: &str, wanted: &'a Wanted) -> Option<&'a Selection> {
    if folder.split('/').any(|part| part == FOLDER) {
        Some(&wanted.digests)
    } else if is_trail(folder) {
        wanted.logs.as_ref()
    } else {
        None
    }
}

fn sort(file: File, wanted: &Wanted, found: &mut Found) {
    let name = file.key.rsplit('/').next().unwrap_or(&file.key);
    let among = |list: &[String], one: &str| list.is_empty() || list.iter().any(|own| own == one);
    if let Some(digest) = DigestName::of(name) {
        let chain = &digest.chain;
        if among(&wanted.digests.accounts, &chain.account)
            && among(&wanted.digests.regions, &chain.region)
        {
            let name = digest;
            found.digests.push(DigestEntry { file, name });
        }
        return;
    }
    let Some(selection) = &wanted.logs else {
        return;
    };
    if let Name::Log {
        account,
        region,
        minute,
    } = Name::of(name)
        && crate::audit::cloudtrail::layout::looks_like_log(name)
        && selection.admits_name(name)
    {
        let (account, region) = (account.to_owned(), region.to_owned());
        found.logs.push(LogEntry {
            file,
            account,
            region,
            minute,
        });
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_folder_inside_the_layout_leads_to_its_account() {
        for (folder, expected, region) in [
            ("", "", None),
            ("logs/", "logs/", None),
            ("logs/AWSLogs/", "logs/AWSLogs/", None),
            (
                "/srv/AWSLogs/o-abc/111111111111/",
                "/srv/AWSLogs/o-abc/111111111111/",
                None,
            ),
            (
                "AWSLogs/111111111111/CloudTrail/",
                "AWSLogs/111111111111/",
                None,
            ),
            (
                "AWSLogs/111111111111/CloudTrail-Digest/eu-west-1/2026/01/15/",
                "AWSLogs/111111111111/",
                Some("eu-west-1"),
            ),
            (
                "111111111111/CloudTrail/eu-west-1/2026/",
                "111111111111/",
                Some("eu-west-1"),
            ),
        ] {
            let found = start(folder);
            assert_eq!(
                (found.0.as_str(), found.1.as_deref()),
                (expected, region),
                "{folder}"
            );
        }
    }
}
