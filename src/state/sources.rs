//! Which files and objects a location means.

use std::collections::HashSet;
use std::fmt;
use std::path::{Path, PathBuf};

use walkdir::{DirEntry, WalkDir};

use super::backend::{ObjectStore, Remote, StoreError};
use super::guess::{Promise, is_kept_beside_states, looks_like_a_state, promise};
use super::keys::Wanted;
use super::location::{RemoteLocation, RemotePlace, S3Location, StateLocation};
use super::problem::Problem;

/// One text that may hold a state.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Source {
    pub(crate) place: Place,
    /// Whether it only might hold a state: it was found in a folder and is not named as one.
    /// If it turns out to hold none, it was not meant.
    pub(crate) is_guess: bool,
}

/// Where a text lies.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub(crate) enum Place {
    Stdin,
    File(PathBuf),
    S3 { bucket: String, key: String },
    Remote(RemoteLocation),
}

impl fmt::Display for Place {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Stdin => f.write_str("-"),
            Self::File(path) => path.display().fmt(f),
            Self::S3 { bucket, key } => write!(f, "s3://{bucket}/{key}"),
            Self::Remote(location) => location.fmt(f),
        }
    }
}

/// The texts that `locations` mean, in their order, each once.
pub(crate) fn expand(
    locations: &[StateLocation],
    store: Option<&dyn ObjectStore>,
    remote: Option<&dyn Remote>,
) -> (Vec<Source>, Vec<Problem>) {
    let mut expansion = Expansion {
        store,
        remote,
        seen: HashSet::new(),
        met: 0,
        sources: Vec::new(),
        problems: Vec::new(),
    };
    for location in locations {
        expansion.add(location);
    }
    (expansion.sources, expansion.problems)
}

struct Expansion<'s> {
    store: Option<&'s dyn ObjectStore>,
    remote: Option<&'s dyn Remote>,
    seen: HashSet<Place>,
    /// How many were met, those seen before too.
    met: usize,
    sources: Vec<Source>,
    problems: Vec<Problem>,
}

impl Expansion<'_> {
    fn add(&mut self, location: &StateLocation) {
        let before = (self.met, self.problems.len());
        let is_selection = match location {
            StateLocation::Stdin => {
                self.take(Place::Stdin, false);
                false
            }
            StateLocation::Path(path) if path.is_dir() => self.walk(path),
            StateLocation::Path(path) => {
                self.take(Place::File(path.clone()), false);
                false
            }
            StateLocation::Glob(pattern) => self.glob(pattern),
            StateLocation::S3(place) => self.s3(place),
            StateLocation::Remote(location) => self.remote(location),
        };
        if is_selection && before == (self.met, self.problems.len()) {
            let problem = Problem::new(location, "no state was found here");
            self.problems.push(problem.remedy(
                "states are files that end in .tfstate, or JSON that `terraform show -json` wrote",
            ));
        }
    }

    /// Takes a text up, unless it is known already under another name.
    fn take(&mut self, place: Place, is_guess: bool) {
        self.met += 1;
        let identity = match &place {
            Place::File(path) => Place::File(path.canonicalize().unwrap_or_else(|_| path.clone())),
            other => other.clone(),
        };
        if self.seen.insert(identity) {
            self.sources.push(Source { place, is_guess });
        }
    }

    fn walk(&mut self, folder: &Path) -> bool {
        let entries = WalkDir::new(folder)
            .follow_links(true)
            .sort_by_file_name()
            .into_iter()
            .filter_entry(is_worth_entering);
        for entry in entries {
            match entry {
                Ok(entry) if entry.file_type().is_file() => self.consider(entry.path()),
                Ok(_) => {}
                // A link to a folder above: all in it is being read anyway.
                Err(error) if error.loop_ancestor().is_some() => {}
                Err(error) => {
                    let path = error.path().unwrap_or(folder).display();
                    let problem = error.io_error().map_or_else(
                        || "cannot be read".to_owned(),
                        |error| format!("cannot be read: {error}"),
                    );
                    self.problems.push(Problem::new(path, problem));
                }
            }
        }
        true
    }

    fn consider(&mut self, path: &Path) {
        let name = path.file_name().unwrap_or_default().to_string_lossy();
        match promise(&name) {
            Promise::State => self.take(Place::File(path.into()), false),
            Promise::Open if looks_like_a_state(path) => self.take(Place::File(path.into()), true),
            _ => {}
        }
    }

    fn glob(&mut self, pattern: &str) -> bool {
        let paths = match glob::glob(pattern) {
            Ok(paths) => paths,
            Err(error) => {
                let problem = Problem::new(pattern, format!("malformed pattern: {}", error.msg));
                self.problems
                    .push(problem.at(format!("byte {}", error.pos)));
                return false;
            }
        };
        for path in paths {
            match path {
                Ok(path) if path.is_dir() => {
                    self.walk(&path);
                }
                Ok(path) => {
                    let name = path.file_name().unwrap_or_default().to_string_lossy();
                    if promise(&name) != Promise::Never || !is_kept_beside_states(&name) {
                        self.take(Place::File(path), false);
                    }
                }
                Err(error) => self.problems.push(Problem::new(
                    error.path().display(),
                    format!("cannot be read: {}", error.error()),
                )),
            }
        }
        true
    }

    /// An object, all states below a prefix, or all that match a pattern.
    fn s3(&mut self, place: &S3Location) -> bool {
        let S3Location { bucket, key, .. } = place;
        let is_pattern = key.contains(['*', '?']);
        if !is_pattern && !key.is_empty() && !key.ends_with('/') {
            let (bucket, key) = (bucket.clone(), key.clone());
            self.take(Place::S3 { bucket, key }, false);
            return false;
        }
        let Some(store) = self.store else {
            self.problems
                .push(Problem::new(StateLocation::S3(place.clone()), NO_STORE));
            return false;
        };
        let wanted = match Wanted::of(key) {
            Ok(wanted) => wanted,
            Err(problem) => {
                let location = StateLocation::S3(place.clone());
                self.problems.push(Problem::new(location, problem));
                return false;
            }
        };
        for prefix in wanted.prefixes() {
            match store.list(bucket, prefix) {
                Ok(keys) => {
                    for key in keys.into_iter().filter(|key| wanted.has(key)) {
                        let name = key.rsplit('/').next().unwrap_or_default();
                        let promise = promise(name);
                        if promise != Promise::Never && !name.is_empty() {
                            let bucket = bucket.clone();
                            self.take(Place::S3 { bucket, key }, promise == Promise::Open);
                        }
                    }
                }
                Err(error) => self.refused(format_args!("s3://{bucket}/{prefix}"), error),
            }
        }
        true
    }

    /// A state, all below a prefix, all workspaces, or all that match a pattern.
    fn remote(&mut self, location: &RemoteLocation) -> bool {
        let is_workspace = matches!(location.place, RemotePlace::Workspace { .. });
        let selection = location.key().filter(|key| {
            key.is_empty() || key.contains(['*', '?']) || (!is_workspace && key.ends_with('/'))
        });
        let Some(key) = selection else {
            self.take(Place::Remote(location.clone()), false);
            return false;
        };
        let Some(remote) = self.remote else {
            self.problems.push(Problem::new(location, NO_REMOTE));
            return false;
        };
        let wanted = match Wanted::of(key) {
            Ok(wanted) => wanted,
            Err(problem) => {
                self.problems.push(Problem::new(location, problem));
                return false;
            }
        };
        match remote.list(location, wanted.prefix()) {
            Ok(found) => {
                for found in found.into_iter().filter(|found| wanted.has(found)) {
                    let name = found.rsplit('/').next().unwrap_or_default();
                    let promise = if is_workspace {
                        Promise::State
                    } else {
                        promise(name)
                    };
                    if promise != Promise::Never && !name.is_empty() {
                        let place = Place::Remote(location.with_key(found));
                        self.take(place, promise == Promise::Open);
                    }
                }
            }
            Err(error) => self.refused(location, error),
        }
        true
    }

    fn refused(&mut self, place: impl fmt::Display, error: StoreError) {
        let mut problem = Problem::new(place, error.problem);
        problem.remedy = error.remedy;
        self.problems.push(problem);
    }
}

pub(crate) const NO_REMOTE: &str = "no access to places behind HTTP is set up";

pub(crate) const NO_STORE: &str = "no access to S3 is set up";

/// Hidden folders hold tools' own files; `.terraform` a copy of the backend configuration that is
/// named like a state.
fn is_worth_entering(entry: &DirEntry) -> bool {
    let name = entry.file_name().to_string_lossy();
    entry.depth() == 0
        || !entry.file_type().is_dir()
        || !(name.starts_with('.') || name == "node_modules")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::state::testing::MemoryStore;
    use std::fs;

    const STATE: &str = r#"{"version": 4, "terraform_version": "1.9.5", "resources": []}"#;

    fn folder(files: &[(&str, &str)]) -> tempfile::TempDir {
        let folder = tempfile::tempdir().expect("a folder");
        for (name, content) in files {
            let path = folder.path().join(name);
            fs::create_dir_all(path.parent().expect("a parent")).expect("created");
            fs::write(path, content).expect("written");
        }
        folder
    }

    /// The places found, relative to the folder.
    fn found(folder: &Path, locations: &[&str]) -> (Vec<String>, Vec<Problem>) {
        let locate = |text: &&str| {
            let text = folder.join(text).display().to_string();
            text.parse().expect("a location")
        };
        let locations: Vec<_> = locations.iter().map(locate).collect();
        let (sources, problems) = expand(&locations, None, None);
        let name = |source: Source| {
            let place = source.place.to_string();
            let name = Path::new(&place).strip_prefix(folder).expect("below");
            name.display().to_string()
        };
        (sources.into_iter().map(name).collect(), problems)
    }

    #[test]
    fn a_folder_gives_its_states_and_neither_locks_nor_backups_nor_backend_pointers() {
        let folder = folder(&[
            ("a/terraform.tfstate", STATE),
            ("a/terraform.tfstate.backup", STATE),
            ("a/terraform.tfstate.1700000000.backup", STATE),
            ("a/.terraform.tfstate.lock.info", "{}"),
            ("a/.terraform/terraform.tfstate", r#"{"backend": {}}"#),
            ("b/prod.tfstate", STATE),
            ("b/prod.tfstate.tflock", "{}"),
            ("b/errored.tfstate", STATE),
            ("b/shown.json", STATE),
            ("b/package.json", r#"{"name": "x"}"#),
            ("b/pulled", STATE),
            ("b/notes.txt", STATE),
            ("c/terraform.tfstate.d/dev/terraform.tfstate", STATE),
        ]);
        let (places, problems) = found(folder.path(), &[""]);
        assert_eq!(problems, []);
        assert_eq!(
            places,
            [
                "a/terraform.tfstate",
                "b/prod.tfstate",
                "b/pulled",
                "b/shown.json",
                "c/terraform.tfstate.d/dev/terraform.tfstate"
            ]
        );
    }

    #[test]
    fn what_is_named_is_taken_whatever_it_is_called_and_only_once() {
        let folder = folder(&[("a/errored.tfstate", STATE), ("a/x.tfstate", STATE)]);
        let (places, problems) = found(
            folder.path(),
            &["a/errored.tfstate", "a/x.tfstate", "a", "a/../a/x.tfstate"],
        );
        assert_eq!(places, ["a/errored.tfstate", "a/x.tfstate"]);
        assert_eq!(problems, []);
    }

    #[test]
    fn patterns_match_files_and_folders_but_no_backups() {
        let folder = folder(&[
            ("a/x.tfstate", STATE),
            ("a/x.tfstate.backup", STATE),
            ("a/x.tfstate.tflock", STATE),
            ("b/deep/y.tfstate", STATE),
        ]);
        for (pattern, expected) in [
            ("*/x.tfstate*", vec!["a/x.tfstate"]),
            ("?", vec!["a/x.tfstate", "b/deep/y.tfstate"]),
            ("**/*.tfstate", vec!["a/x.tfstate", "b/deep/y.tfstate"]),
        ] {
            assert_eq!(found(folder.path(), &[pattern]).0, expected, "{pattern}");
        }
    }

    #[test]
    fn a_place_without_states_is_a_problem() {
        let folder = folder(&[("a/notes.txt", "hello")]);
        for location in ["", "*.tfstate"] {
            let (places, problems) = found(folder.path(), &[location]);
            assert!(places.is_empty());
            assert_eq!(problems.len(), 1);
            assert!(problems[0].problem.contains("no state was found"));
        }
        assert!(
            found(folder.path(), &["[a"]).1[0]
                .problem
                .contains("malformed")
        );
    }

    #[test]
    fn s3_gives_an_object_all_below_a_prefix_with_its_workspaces_or_a_pattern() {
        let keys = [
            "env:/dev/net/terraform.tfstate",
            "env:/dev/other/terraform.tfstate",
            "net/app/state",
            "net/terraform.tfstate",
            "net/terraform.tfstate.tflock",
            "net/terraform.tfstate.backup",
            "net/readme.md",
            "network/terraform.tfstate",
        ];
        let store = MemoryStore::with("states", &keys);
        for (location, expected) in [
            (
                "s3://states/net/terraform.tfstate",
                vec!["net/terraform.tfstate"],
            ),
            (
                "s3://states/net/",
                vec![
                    "net/app/state",
                    "net/terraform.tfstate",
                    "env:/dev/net/terraform.tfstate",
                ],
            ),
            ("s3://states/env:/dev/net/", vec![keys[0]]),
            (
                "s3://states/net*/terraform.tfstate",
                vec!["net/terraform.tfstate", "network/terraform.tfstate"],
            ),
            (
                "s3://states",
                vec![keys[0], keys[1], keys[2], keys[3], keys[7]],
            ),
        ] {
            let location = location.parse().expect("a location");
            let (sources, problems) = expand(&[location], Some(&store), None);
            assert_eq!(problems, []);
            let expected: Vec<_> = expected
                .into_iter()
                .map(|key| format!("s3://states/{key}"))
                .collect();
            let places: Vec<_> = sources
                .iter()
                .map(|source| source.place.to_string())
                .collect();
            assert_eq!(places, expected);
        }
        for (location, problem) in [
            ("s3://nowhere/", "no such bucket"),
            ("s3://states/none/", "no state was found"),
        ] {
            let (_, problems) =
                expand(&[location.parse().expect("a location")], Some(&store), None);
            assert!(problems[0].problem.contains(problem), "{problems:?}");
        }
    }
}
