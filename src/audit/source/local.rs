//! Log files on this machine: files, directories and patterns.

use std::io::ErrorKind;
use std::path::{Component, Path, PathBuf};

use walkdir::{DirEntry, WalkDir};

use crate::audit::cloudtrail::layout::{Level, Place, Selection, looks_like_log};
use crate::audit::decode::Problem;

/// A log file that was found. The larger comes behind the smaller.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct LocalFile {
    /// Length in bytes when it was found.
    pub size: u64,
    /// How to open it.
    pub path: PathBuf,
    /// Whether it is a pipe or the like, which has no length and can be read once only.
    pub stream: bool,
}

/// What finds report to.
pub trait Finds {
    /// A log file. False when no more are wanted.
    fn file(&mut self, file: LocalFile) -> bool;
    /// What could not be looked at.
    fn problem(&mut self, problem: Problem);
}

/// Finds the log files of a path. A file is taken whatever it is called; of a directory, what
/// looks like a log file and, where the folders or the name follow CloudTrail's layout, can hold
/// what is selected. False when no more are wanted.
pub fn find(path: &Path, selection: &Selection, finds: &mut dyn Finds) -> bool {
    match std::fs::metadata(path) {
        Err(error) => {
            finds.problem(unreadable(path, &error));
            true
        }
        Ok(found) if found.is_dir() => walk(path, selection, finds),
        Ok(found) => finds.file(LocalFile {
            path: path.to_owned(),
            size: found.len(),
            stream: !found.is_file(),
        }),
    }
}

/// Finds the log files that a pattern matches, and those in directories that it matches. False
/// when no more are wanted.
pub fn find_matches(pattern: &str, selection: &Selection, finds: &mut dyn Finds) -> bool {
    // A real file of that very name was meant, not the pattern.
    if Path::new(pattern).exists() {
        return find(Path::new(pattern), selection, finds);
    }
    let matches = match glob::glob(pattern) {
        Ok(matches) => matches,
        Err(error) => {
            finds.problem(problem(pattern, error.msg, "check the pattern"));
            return true;
        }
    };
    // `*.log` asks for files of that suffix; `*` only for what looks like a log file.
    let any_suffix = pattern
        .rsplit(['/', '\\'])
        .next()
        .and_then(|name| name.rsplit_once('.'))
        .is_some_and(|(_, suffix)| !suffix.is_empty() && !suffix.contains(['*', '?', '[']));
    let mut nothing = true;
    for found in matches {
        nothing = false;
        let path = match found {
            Ok(path) => path,
            Err(error) => {
                finds.problem(unreadable(error.path(), error.error()));
                continue;
            }
        };
        let name = path.file_name().unwrap_or_default().to_string_lossy();
        let go_on = if path.is_dir() {
            walk(&path, selection, finds)
        } else if (any_suffix || looks_like_log(&name)) && selection.admits_name(&name) {
            find(&path, selection, finds)
        } else {
            true
        };
        if !go_on {
            return false;
        }
    }
    if nothing {
        finds.problem(problem(
            pattern,
            "nothing matches the pattern",
            "check the pattern, and quote it so that the shell leaves it alone",
        ));
    }
    true
}

fn walk(root: &Path, selection: &Selection, finds: &mut dyn Finds) -> bool {
    // The folders above the root count too: it may lie deep inside the layout.
    let whole = root.canonicalize().unwrap_or_else(|_| root.to_owned());
    let above: Vec<String> = folders(&whole).collect();
    let start = Place::of(above.iter().map(String::as_str));
    if start.level == Level::Foreign {
        finds.problem(problem(
            &root.display().to_string(),
            "this is not where CloudTrail puts log files of calls",
            "name the folder `CloudTrail` beside it, or the one above",
        ));
        return true;
    }
    let enter = |entry: &DirEntry| {
        let name = entry.file_name().to_string_lossy();
        entry.depth() == 0
            || !entry.file_type().is_dir()
            || (!name.starts_with('.') && admits(selection, start, root, entry.path()))
    };
    let entries = WalkDir::new(root).follow_links(true).into_iter();
    for entry in entries.filter_entry(enter) {
        let entry = match entry {
            Ok(entry) => entry,
            // A link that leads back to where it stands hides nothing.
            Err(error) if error.loop_ancestor().is_some() => continue,
            Err(error) => {
                let path = error.path().unwrap_or(root).to_owned();
                let error = std::io::Error::from(error);
                finds.problem(unreadable(&path, &error));
                continue;
            }
        };
        let name = entry.file_name().to_string_lossy();
        if !entry.file_type().is_file() || !looks_like_log(&name) || !selection.admits_name(&name) {
            continue;
        }
        let size = entry.metadata().map_or(0, |found| found.len());
        let path = entry.into_path();
        let stream = false;
        if !finds.file(LocalFile { path, size, stream }) {
            return false;
        }
    }
    true
}

/// Whether a directory below a root can hold what is selected.
fn admits(selection: &Selection, start: Place, root: &Path, folder: &Path) -> bool {
    let below = folder.strip_prefix(root).unwrap_or(folder);
    let names: Vec<String> = folders(below).collect();
    let place = names
        .iter()
        .fold(start, |place, name| place.into_folder(name));
    selection.admits_place(&place)
}

fn folders(path: &Path) -> impl Iterator<Item = String> {
    path.components().filter_map(|component| match component {
        Component::Normal(name) => Some(name.to_string_lossy().into_owned()),
        _ => None,
    })
}

/// What to say of a path that cannot be read.
#[must_use]
pub fn unreadable(path: &Path, error: &std::io::Error) -> Problem {
    let (what, remedy) = match error.kind() {
        ErrorKind::NotFound => ("there is no such file or directory", "check the path"),
        ErrorKind::PermissionDenied => (
            "reading it is not permitted",
            "give the user that runs tfdrift the right to read it",
        ),
        _ => {
            return problem(
                &path.display().to_string(),
                &format!("it cannot be read: {error}"),
                "check the disk or the mount, then try again",
            );
        }
    };
    problem(&path.display().to_string(), what, remedy)
}

fn problem(location: &str, problem: &str, remedy: &str) -> Problem {
    Problem {
        location: location.to_owned(),
        place: None,
        problem: problem.to_owned(),
        remedy: Some(remedy.to_owned()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::audit::cloudtrail::span::{DEFAULT_LAG, Span};
    use crate::window::Window;

    #[derive(Default)]
    struct Seen {
        files: Vec<String>,
        problems: Vec<Problem>,
    }

    impl Finds for Seen {
        fn file(&mut self, file: LocalFile) -> bool {
            self.files.push(file.path.display().to_string());
            true
        }
        fn problem(&mut self, problem: Problem) {
            self.problems.push(problem);
        }
    }

    impl Seen {
        /// Paths below a directory, sorted.
        fn below(&self, directory: &Path) -> Vec<&str> {
            let prefix = format!("{}/", directory.display());
            let mut names: Vec<_> = self
                .files
                .iter()
                .map(|file| file.strip_prefix(&prefix).unwrap_or(file))
                .collect();
            names.sort_unstable();
            names
        }
    }

    fn selection(accounts: &[&str], regions: &[&str]) -> Selection {
        let window = Window {
            since: Some("2026-01-15T09:00:00Z".parse().unwrap()),
            until: "2026-01-15T11:00:00Z".parse().unwrap(),
        };
        let owned = |list: &[&str]| list.iter().map(ToString::to_string).collect();
        Selection {
            span: Span::of(&window, DEFAULT_LAG),
            accounts: owned(accounts),
            regions: owned(regions),
        }
    }

    fn tree(paths: &[&str]) -> tempfile::TempDir {
        let root = tempfile::tempdir().unwrap();
        for path in paths {
            let path = root.path().join(path);
            std::fs::create_dir_all(path.parent().unwrap()).unwrap();
            std::fs::write(path, "{}").unwrap();
        }
        root
    }

    const DAY: &str = "AWSLogs/111111111111/CloudTrail/eu-west-1/2026/01/15";

    fn log(account: &str, region: &str, day: &str, clock: &str) -> String {
        format!(
            "AWSLogs/{account}/CloudTrail/{region}/2026/01/{day}/\
             {account}_CloudTrail_{region}_202601{day}T{clock}Z_a.json.gz"
        )
    }

    #[test]
    fn a_directory_of_the_layout_yields_only_what_the_window_can_need() {
        let before = log("111111111111", "eu-west-1", "15", "0855");
        let first = log("111111111111", "eu-west-1", "15", "0900");
        let last = log("111111111111", "eu-west-1", "15", "1125");
        let after = log("111111111111", "eu-west-1", "15", "1130");
        let other_day = log("111111111111", "eu-west-1", "14", "1000");
        let other_region = log("111111111111", "us-east-1", "15", "1000");
        let other_account = log("222222222222", "eu-west-1", "15", "1000");
        let by_hand = format!("{DAY}/events.json");
        let root = tree(&[
            &before,
            &first,
            &last,
            &after,
            &other_day,
            &other_region,
            &other_account,
            &by_hand,
            "AWSLogs/111111111111/CloudTrail-Digest/eu-west-1/2026/01/15/x.json.gz",
            "AWSLogs/111111111111/Config/eu-west-1/2026/01/15/x.json.gz",
            "loose/events.jsonl",
            "loose/terraform.tfstate",
            "loose/.git/config.json",
            "README.md",
        ]);
        let mut seen = Seen::default();
        assert!(find(root.path(), &selection(&[], &[]), &mut seen));
        let mut expected = [
            &*first,
            &*last,
            &*other_region,
            &*other_account,
            &*by_hand,
            "loose/events.jsonl",
        ];
        expected.sort_unstable();
        assert_eq!(seen.below(root.path()), expected);
        assert_eq!(seen.problems, []);

        let mut narrowed = Seen::default();
        let narrow = selection(&["111111111111"], &["eu-west-1"]);
        find(&root.path().join("AWSLogs"), &narrow, &mut narrowed);
        assert_eq!(narrowed.below(root.path()), [&*first, &*last, &*by_hand]);
    }

    #[test]
    fn a_root_deep_in_the_layout_is_pruned_as_the_whole_is() {
        let inside = log("111111111111", "eu-west-1", "15", "1000");
        let root = tree(&[
            &inside,
            &log("111111111111", "eu-west-1", "14", "1000"),
            "AWSLogs/111111111111/CloudTrail-Digest/eu-west-1/x.json",
        ]);
        for start in [
            "AWSLogs/111111111111",
            "AWSLogs/111111111111/CloudTrail/eu-west-1/2026",
            DAY,
        ] {
            let mut seen = Seen::default();
            find(&root.path().join(start), &selection(&[], &[]), &mut seen);
            assert_eq!(seen.below(root.path()), [&*inside], "{start}");
        }
        let mut seen = Seen::default();
        let digests = root.path().join("AWSLogs/111111111111/CloudTrail-Digest");
        find(&digests, &selection(&[], &[]), &mut seen);
        assert_eq!((seen.files.len(), seen.problems.len()), (0, 1));
    }

    #[test]
    fn a_file_that_is_named_is_taken_whatever_it_is_called() {
        let old = log("111111111111", "eu-west-1", "01", "0000");
        let root = tree(&["notes.txt", &old]);
        for name in ["notes.txt", &*old] {
            let mut seen = Seen::default();
            find(
                &root.path().join(name),
                &selection(&["9"], &["x"]),
                &mut seen,
            );
            assert_eq!(seen.below(root.path()), [name]);
        }
    }

    #[test]
    fn patterns_match_files_and_directories() {
        let root = tree(&[
            "a/1.json",
            "a/2.log",
            "b/3.json",
            "b/deep/4.json",
            "a/odd[1].json",
        ]);
        for (pattern, expected) in [
            ("a/*", vec!["a/1.json", "a/odd[1].json"]),
            ("a/*.log", vec!["a/2.log"]),
            ("?/*.json", vec!["a/1.json", "a/odd[1].json", "b/3.json"]),
            ("b*", vec!["b/3.json", "b/deep/4.json"]),
            ("a/odd[1].json", vec!["a/odd[1].json"]),
        ] {
            let mut seen = Seen::default();
            let whole = format!("{}/{pattern}", root.path().display());
            find_matches(&whole, &selection(&[], &[]), &mut seen);
            assert_eq!(seen.below(root.path()), expected, "{pattern}");
            assert_eq!(seen.problems, []);
        }
    }

    #[test]
    fn what_is_not_there_is_said_with_a_remedy() {
        let mut seen = Seen::default();
        let none = selection(&[], &[]);
        find(Path::new("/nowhere/logs.json"), &none, &mut seen);
        find_matches("/nowhere/*.json", &none, &mut seen);
        let said: Vec<_> = seen
            .problems
            .iter()
            .map(|p| (&*p.location, p.remedy.is_some()))
            .collect();
        assert_eq!(
            said,
            [("/nowhere/logs.json", true), ("/nowhere/*.json", true)]
        );
    }
}
