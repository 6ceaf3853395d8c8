//! Reads states from wherever they lie, in parallel, into one inventory.

use std::fs::{self, File};
use std::io::{self, Read};
use std::path::Path;

use jiff::Timestamp;
use rayon::ThreadPoolBuilder;
use rayon::prelude::*;

use super::backend::{KeyService, Object, ObjectStore, Remote, StoreError};
use super::encryption::{self, Passphrase};
use super::formats::{self, Parsed};
use super::inventory::{Inventory, Naming};
use super::location::{RemotePlace, StateLocation};
use super::problem::Problem;
use super::sources::{NO_REMOTE, NO_STORE, Place, Source, expand};

/// How many objects are fetched at a time: threads that wait need no cores.
const IN_FLIGHT: usize = 16;

/// What loading came to.
#[derive(Debug, Default)]
pub struct Loaded {
    /// All that could be read.
    pub inventory: Inventory,
    /// All that could not.
    pub problems: Vec<Problem>,
    /// What was read otherwise than asked for.
    pub notes: Vec<Problem>,
}

/// How states are got at.
#[derive(Clone, Copy, Default)]
pub struct Access<'a> {
    /// Answers for `s3://`.
    pub store: Option<&'a dyn ObjectStore>,
    /// Answers for the other places that are not on this machine.
    pub remote: Option<&'a dyn Remote>,
    /// When the states are to have been current, where older versions are kept; none for now.
    pub as_of: Option<Timestamp>,
    /// Opens states that OpenTofu encrypted.
    pub passphrase: Option<Passphrase<'a>>,
    /// Opens the keys of such states that AWS KMS sealed.
    pub keys: Option<&'a dyn KeyService>,
}

/// Reads all states at `locations` in the order given; those of one location in the order of
/// their names. A state that cannot be read is a problem and keeps
/// none of the others from being read.
#[must_use]
pub fn load(locations: &[StateLocation], access: Access<'_>, naming: &dyn Naming) -> Loaded {
    let (sources, mut problems) = expand(locations, access.store, access.remote);
    let read_all = || {
        let outcomes = sources
            .par_iter()
            .map(|source| read(source, access, naming));
        outcomes.collect::<Vec<_>>()
    };
    let read = if sources.iter().any(is_remote)
        && let Ok(pool) = ThreadPoolBuilder::new().num_threads(IN_FLIGHT).build()
    {
        pool.install(read_all)
    } else {
        read_all()
    };
    let mut parts = Vec::new();
    for outcome in read {
        match outcome {
            Ok(Some(Parsed {
                file,
                drafts,
                flaws,
                ..
            })) => {
                problems.extend(
                    flaws
                        .into_iter()
                        .map(|flaw| Problem::new(&file.location, flaw.problem).at(flaw.place)),
                );
                parts.push((file, drafts));
            }
            Ok(None) => {}
            Err(problem) => problems.push(*problem),
        }
    }
    let notes = match access.as_of {
        Some(at) => sources
            .iter()
            .filter_map(|source| not_as_of(source, at))
            .collect(),
        None => Vec::new(),
    };
    Loaded {
        inventory: Inventory::build(parts, naming),
        problems,
        notes,
    }
}

/// That older versions of a state cannot be asked for.
fn not_as_of(source: &Source, at: Timestamp) -> Option<Problem> {
    let why = match &source.place {
        Place::S3 { .. } => return None,
        Place::Remote(location) if location.keeps_versions() => return None,
        Place::Remote(location) => match location.place {
            RemotePlace::Azure { .. } => "versions in Azure are not followed",
            _ => "this place keeps no versions",
        },
        Place::File(_) | Place::Stdin => "only buckets with versions and workspaces keep that",
    };
    let note = format!("read as it is now and not as of {at}: {why}");
    Some(Problem::new(&source.place, note))
}

fn is_remote(source: &Source) -> bool {
    matches!(source.place, Place::S3 { .. } | Place::Remote(_))
}

/// Reads one text; none when it was only a guess that it might hold a state, and it holds none.
fn read(
    source: &Source,
    access: Access<'_>,
    naming: &dyn Naming,
) -> Result<Option<Parsed>, Box<Problem>> {
    let location = source.place.to_string();
    let mut object = fetch(&source.place, access)?;
    match encryption::open(&object.bytes, access.passphrase, access.keys) {
        Ok(None) => {}
        Ok(Some(text)) => object.bytes = text,
        Err(closed) => {
            let problem = Problem::new(&location, closed.problem);
            return Err(Box::new(problem.remedy(closed.remedy)));
        }
    }
    let mut parsed = match formats::read(&object.bytes, naming) {
        Ok(parsed) => parsed,
        Err(refusal) if source.is_guess && refusal.is_no_state => return Ok(None),
        Err(refusal) => return Err(Box::new(refusal.into_problem(&location))),
    };
    if source.is_guess && parsed.is_plan {
        return Ok(None);
    }
    parsed.file.as_of = object.modified;
    parsed.file.location = location;
    Ok(Some(parsed))
}

/// Reads one state that is in memory already.
#[must_use]
pub fn load_text(location: &str, text: &[u8], naming: &dyn Naming) -> Loaded {
    let mut problems = Vec::new();
    let mut parts = Vec::new();
    match formats::read(text, naming) {
        Ok(mut parsed) => {
            location.clone_into(&mut parsed.file.location);
            parts.push((parsed.file, parsed.drafts));
        }
        Err(refusal) => problems.push(refusal.into_problem(location)),
    }
    Loaded {
        inventory: Inventory::build(parts, naming),
        problems,
        notes: Vec::new(),
    }
}

fn fetch(place: &Place, access: Access<'_>) -> Result<Object, Box<Problem>> {
    match place {
        Place::Stdin => {
            let mut bytes = Vec::new();
            match io::stdin().lock().read_to_end(&mut bytes) {
                Ok(_) => Ok(Object {
                    bytes,
                    modified: None,
                }),
                Err(error) => Err(Box::new(Problem::new(
                    place,
                    format!("cannot be read: {error}"),
                ))),
            }
        }
        Place::File(path) => read_file(path).map_err(|error| {
            let problem = Problem::new(place, format!("cannot be read: {error}"));
            Box::new(match error.kind() {
                io::ErrorKind::NotFound => problem.remedy("check the path given with --state"),
                io::ErrorKind::PermissionDenied => problem.remedy("allow this user to read it"),
                _ => problem,
            })
        }),
        Place::S3 { bucket, key } => {
            let Some(store) = access.store else {
                return Err(Box::new(Problem::new(place, NO_STORE)));
            };
            let object = match access.as_of {
                Some(at) => store.get_as_of(bucket, key, at),
                None => store.get(bucket, key),
            };
            object.map_err(|error| Box::new(refused(place, error)))
        }
        Place::Remote(location) => {
            let Some(remote) = access.remote else {
                return Err(Box::new(Problem::new(place, NO_REMOTE)));
            };
            let at = access.as_of.filter(|_| location.keeps_versions());
            remote
                .get(location, at)
                .map_err(|error| Box::new(refused(place, error)))
        }
    }
}

fn refused(place: &Place, error: StoreError) -> Problem {
    let mut problem = Problem::new(place, error.problem);
    problem.remedy = error.remedy;
    problem
}

fn read_file(path: &Path) -> io::Result<Object> {
    let modified = File::open(path)?.metadata()?.modified().ok();
    Ok(Object {
        bytes: fs::read(path)?,
        modified: modified.and_then(|time| Timestamp::try_from(time).ok()),
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::state::testing::{MemoryStore, TestNaming, state_of};
    use serde_json::json;

    fn of(store: &MemoryStore) -> Access<'_> {
        Access {
            store: Some(store),
            ..Access::default()
        }
    }

    #[test]
    fn an_older_time_is_asked_of_buckets_and_of_other_places_it_is_said() {
        let folder = tempfile::tempdir().expect("a folder");
        let path = folder.path().join("local.tfstate");
        fs::write(&path, state_of(&json!([]))).expect("written");
        let mut store = MemoryStore::default();
        store.put("states", "x.tfstate", &state_of(&json!([])));
        let at: Timestamp = "2026-01-15T09:00:00Z".parse().expect("a time");
        let access = Access {
            as_of: Some(at),
            ..of(&store)
        };
        let locations = [
            "s3://states/x.tfstate".parse().expect("a location"),
            StateLocation::Path(path.clone()),
        ];
        let loaded = load(&locations, access, &TestNaming::default());
        assert_eq!(loaded.problems, []);
        assert_eq!(loaded.inventory.states()[0].as_of, Some(at));
        assert_ne!(loaded.inventory.states()[1].as_of, Some(at));
        let notes: Vec<_> = loaded.notes.iter().map(|note| &*note.location).collect();
        assert_eq!(notes, [&*path.display().to_string()]);
    }

    #[test]
    fn states_of_all_places_become_one_inventory_and_bad_ones_become_problems() {
        let folder = tempfile::tempdir().expect("a folder");
        let write = |name: &str, text: &str| {
            let path = folder.path().join(name);
            fs::write(&path, text).expect("written");
            path
        };
        let queue = |name: &str| {
            state_of(
                &json!([{"mode": "managed", "type": "aws_sqs_queue", "name": name,
                              "instances": [{"attributes": {"name": name}}]}]),
            )
        };
        let good = write("good.tfstate", &queue("a"));
        write(
            "plan.json",
            r#"{"terraform_version": "1.9.5", "planned_values": {}}"#,
        );
        write("other.json", r#"{"terraform_version": "1.9.5"}"#);
        let cut = write("cut.tfstate", r#"{"version": 4, "resources": ["#);
        let mut store = MemoryStore::default();
        store.put("states", "net/terraform.tfstate", &queue("b"));

        let path = |path: &Path| StateLocation::Path(path.into());
        let loaded = load(
            &[
                path(folder.path()),
                "s3://states/net/".parse().expect("a location"),
                "s3://states/missing".parse().expect("a location"),
                path(&folder.path().join("missing.tfstate")),
            ],
            of(&store),
            &TestNaming::default(),
        );
        let files = loaded.inventory.states();
        let locations: Vec<_> = files.iter().map(|file| &*file.location).collect();
        assert_eq!(
            locations,
            [
                &*good.display().to_string(),
                "s3://states/net/terraform.tfstate"
            ]
        );
        let written = fs::metadata(&good).and_then(|file| file.modified());
        let written = Timestamp::try_from(written.expect("a time")).expect("a time");
        assert_eq!(files[0].as_of, Some(written));
        assert_eq!(files[1].as_of, Some(Timestamp::UNIX_EPOCH));
        let addresses: Vec<_> = loaded
            .inventory
            .instances()
            .map(|(_, instance)| instance.address().to_string())
            .collect();
        assert_eq!(addresses, ["aws_sqs_queue.a", "aws_sqs_queue.b"]);
        let places: Vec<_> = loaded
            .problems
            .iter()
            .map(|problem| &*problem.location)
            .collect();
        assert_eq!(
            places,
            [
                &*cut.display().to_string(),
                "s3://states/missing",
                &*folder.path().join("missing.tfstate").display().to_string()
            ]
        );
        assert!(
            loaded
                .problems
                .iter()
                .all(|problem| problem.remedy.is_some())
        );
    }

    #[test]
    fn hundreds_of_states_keep_their_order() {
        let mut store = MemoryStore::default();
        for number in 0..300 {
            let key = format!("{number:03}.tfstate");
            store.put("states", &key, &state_of(&json!([])));
        }
        let everything = ["s3://states".parse().expect("a location")];
        let loaded = load(&everything, of(&store), &TestNaming::default());
        let states = loaded.inventory.states();
        assert_eq!(states.len(), 300);
        assert!(states.is_sorted_by_key(|state| &state.location));
    }
}
