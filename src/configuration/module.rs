//! Follows the calls of modules from folder to folder.

use std::collections::HashMap;
use std::fs;
use std::path::{Component, Path, PathBuf};

use serde::Deserialize;

use super::block::{self, Call, Contents, Resource};
use super::{Block, Configuration, Identity, Ignored, Position, Problem, json};

/// Files larger than this are no code that people wrote.
const LARGEST: u64 = 8 << 20;

/// How many modules may lie within each other. A module that calls itself would have no end.
const DEEPEST: usize = 16;

/// Modules read in all, however they call each other.
const MOST: usize = 10_000;

/// What `terraform init` notes of the modules it has put in place.
#[derive(Deserialize)]
struct Manifest {
    #[serde(rename = "Modules", default)]
    modules: Vec<Installed>,
}

#[derive(Deserialize)]
struct Installed {
    /// The names of the calls that lead there, with dots between.
    #[serde(rename = "Key")]
    key: String,
    /// The folder, seen from the root module.
    #[serde(rename = "Dir")]
    folder: PathBuf,
}

struct Reader {
    root: PathBuf,
    /// The root of the repository, without links.
    repository: Option<PathBuf>,
    installed: HashMap<String, PathBuf>,
    read: usize,
    found: Configuration,
}

/// Reads a root module and what it calls.
pub(super) fn read(folder: &Path) -> Configuration {
    let mut reader = Reader {
        root: folder.to_path_buf(),
        repository: repository(folder),
        installed: HashMap::new(),
        read: 0,
        found: Configuration::default(),
    };
    let manifest = folder.join(".terraform/modules/modules.json");
    if let Ok(text) = fs::read(&manifest) {
        match serde_json::from_slice::<Manifest>(&text) {
            Ok(manifest) => {
                let modules = manifest.modules.into_iter();
                reader.installed = modules.map(|module| (module.key, module.folder)).collect();
            }
            Err(error) => reader.problem(&manifest, None, format!("cannot be read: {error}")),
        }
    }
    reader.module(folder, &mut Vec::new());
    reader.found
}

/// The folder at or above this one that holds `.git`; else the one the program runs in.
fn repository(folder: &Path) -> Option<PathBuf> {
    let folder = folder.canonicalize().ok()?;
    let above = folder.ancestors().find(|above| above.join(".git").exists());
    match above {
        Some(above) => Some(above.to_path_buf()),
        None => std::env::current_dir().ok()?.canonicalize().ok(),
    }
}

impl Reader {
    fn problem(&mut self, file: &Path, line: Option<u64>, problem: String) {
        self.found.problems.push(Problem {
            location: file.display().to_string(),
            line,
            problem,
        });
    }

    fn module(&mut self, folder: &Path, names: &mut Vec<String>) {
        self.read += 1;
        if self.read > MOST || names.len() > DEEPEST {
            if self.read == MOST + 1 || names.len() == DEEPEST + 1 {
                let problem = "modules lie too deep or are too many; the rest is not read";
                self.problem(folder, None, problem.to_owned());
            }
            return;
        }
        let files = match files(folder) {
            Ok(files) => files,
            Err(error) => return self.problem(folder, None, format!("cannot be read: {error}")),
        };
        let mut calls = Vec::new();
        for file in files {
            let contents = match contents(&file) {
                Ok(contents) => contents,
                Err((line, problem)) => {
                    self.problem(&file, line, problem);
                    continue;
                }
            };
            let overrides = is_override(&file);
            for resource in contents.resources {
                self.resource(&file, names, resource, overrides);
            }
            calls.extend(contents.calls);
        }
        for call in calls {
            if let Some(below) = self.folder_of(folder, names, &call) {
                names.push(call.name);
                self.module(&below, names);
                names.pop();
            }
        }
    }

    /// Where a called module lies; none when it is not on this machine.
    fn folder_of(&self, folder: &Path, names: &[String], call: &Call) -> Option<PathBuf> {
        let source = call.source.as_deref()?;
        if source.starts_with("./") || source.starts_with("../") {
            return Some(folder.join(source));
        }
        let mut key = names.join(".");
        if !key.is_empty() {
            key.push('.');
        }
        key.push_str(&call.name);
        Some(self.root.join(self.installed.get(&key)?))
    }

    fn resource(&mut self, file: &Path, names: &[String], resource: Resource, overrides: bool) {
        let name = self.file_name(file);
        let position = |line| Position {
            file: name.clone(),
            line,
        };
        let ignored = resource.ignored.map(|entries| {
            let entry = |(path, line)| Ignored {
                path,
                position: position(line),
            };
            entries.into_iter().map(entry).collect::<Vec<_>>()
        });
        let downloaded = file
            .components()
            .any(|part| part == Component::Normal(".terraform".as_ref()));
        let known = self.found.blocks.entry(Identity {
            modules: names.to_vec(),
            resource_type: resource.kind,
            name: resource.name,
        });
        let block = known.or_insert_with(|| Block {
            position: (!overrides && !downloaded).then(|| position(resource.line)),
            ignored: Vec::new(),
        });
        if let Some(ignored) = ignored {
            block.ignored = ignored;
        }
    }

    /// The file as seen from the root of the repository, with forward slashes.
    fn file_name(&self, file: &Path) -> String {
        let whole = file.canonicalize().ok();
        let inner = match (&whole, &self.repository) {
            (Some(whole), Some(repository)) => whole.strip_prefix(repository).ok(),
            _ => None,
        };
        let shown = inner.unwrap_or(file);
        let parts = shown.components().filter_map(|part| match part {
            Component::CurDir => None,
            Component::RootDir => Some(String::new()),
            other => Some(other.as_os_str().to_string_lossy().into_owned()),
        });
        parts.collect::<Vec<_>>().join("/")
    }
}

/// How the names of Terraform's and OpenTofu's code end.
const ENDINGS: [&str; 4] = [".tf", ".tofu", ".tf.json", ".tofu.json"];

/// The files of a module, those that override others last.
fn files(folder: &Path) -> std::io::Result<Vec<PathBuf>> {
    let mut files: Vec<PathBuf> = fs::read_dir(folder)?
        .filter_map(Result::ok)
        .map(|entry| entry.path())
        .filter(|path| {
            let name = path.file_name().unwrap_or_default().to_string_lossy();
            let is_code = ENDINGS.iter().any(|ending| name.ends_with(ending));
            is_code && !name.starts_with('.') && path.is_file()
        })
        .collect();
    // OpenTofu reads a `.tofu` file instead of the `.tf` file of the same name.
    let replaced: Vec<PathBuf> = files
        .iter()
        .filter_map(|path| {
            let name = path.file_name()?.to_str()?;
            let twin = match name.strip_suffix(".json") {
                Some(name) => format!("{}.tf.json", name.strip_suffix(".tofu")?),
                None => format!("{}.tf", name.strip_suffix(".tofu")?),
            };
            Some(path.with_file_name(twin))
        })
        .collect();
    files.retain(|path| !replaced.contains(path));
    files.sort_by_key(|path| (is_override(path), path.clone()));
    Ok(files)
}

fn is_override(file: &Path) -> bool {
    let name = file.file_name().unwrap_or_default().to_string_lossy();
    let mut stems = ENDINGS
        .iter()
        .filter_map(|ending| name.strip_suffix(ending));
    let stem = stems.next().unwrap_or_default();
    stem == "override" || stem.ends_with("_override")
}

fn contents(file: &Path) -> Result<Contents, (Option<u64>, String)> {
    let unreadable = |error: std::io::Error| (None, format!("cannot be read: {error}"));
    if fs::metadata(file).map_err(unreadable)?.len() > LARGEST {
        return Err((None, "is too large for Terraform code".to_owned()));
    }
    let text = fs::read_to_string(file).map_err(unreadable)?;
    let is_json = file.extension().is_some_and(|ending| ending == "json");
    let read = if is_json { json::read } else { block::read };
    read(&text).map_err(|(line, problem)| (Some(line), problem))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn folder(files: &[(&str, &str)]) -> tempfile::TempDir {
        let folder = tempfile::tempdir().unwrap();
        for (name, text) in files {
            let path = folder.path().join(name);
            fs::create_dir_all(path.parent().unwrap()).unwrap();
            fs::write(path, text).unwrap();
        }
        folder
    }

    fn resource(name: &str, ignored: &str) -> String {
        format!(
            "resource \"aws_instance\" \"{name}\" {{\n  lifecycle {{\n    ignore_changes = {ignored}\n  }}\n}}\n"
        )
    }

    /// What is ignored of an instance, each with its place.
    fn ignored(found: &Configuration, modules: &[&str], name: &str) -> Vec<String> {
        let block = found.block(modules.iter().copied(), "aws_instance", name);
        let entries = block.unwrap().ignored.iter().map(|entry| {
            let path = entry.path.as_deref().unwrap_or("all");
            format!("{path} {}", entry.position)
        });
        entries.collect()
    }

    #[test]
    fn modules_are_followed_by_path_and_where_init_has_put_them() {
        let manifest = r#"{"Modules":[{"Key":"","Source":"","Dir":"."},
            {"Key":"net.vpc","Source":"registry.terraform.io/x/vpc/aws","Dir":".terraform/modules/net.vpc"}]}"#;
        let folder = folder(&[
            (".git/HEAD", ""),
            (
                "live/main.tf",
                &format!(
                    "{}module \"net\" {{ source = \"../modules/net\" }}\nmodule \"gone\" {{ source = \"x/y/aws\" }}\n",
                    resource("web", "[ami]")
                ),
            ),
            ("live/.terraform/modules/modules.json", manifest),
            (
                "live/.terraform/modules/net.vpc/main.tf",
                &resource("nat", "all"),
            ),
            ("modules/net/a.tf", &resource("a", "[tags]")),
            (
                "modules/net/b.tf",
                "module \"vpc\" { source = \"x/vpc/aws\" }\n",
            ),
        ]);
        let found = Configuration::read(&folder.path().join("live"));
        assert_eq!(found.problems(), []);
        assert_eq!(ignored(&found, &[], "web"), ["ami live/main.tf:3"]);
        assert_eq!(ignored(&found, &["net"], "a"), ["tags modules/net/a.tf:3"]);
        let downloaded = ["all live/.terraform/modules/net.vpc/main.tf:3"];
        assert_eq!(ignored(&found, &["net", "vpc"], "nat"), downloaded);
        let position = |modules: &[&str], name| {
            let block = found.block(modules.iter().copied(), "aws_instance", name);
            block.unwrap().position.as_ref().map(ToString::to_string)
        };
        assert_eq!(
            position(&["net"], "a").as_deref(),
            Some("modules/net/a.tf:1")
        );
        assert_eq!(position(&["net", "vpc"], "nat"), None);
        assert_eq!(found.block([], "aws_instance", "a"), None);
    }

    #[test]
    fn overrides_count_last_and_tofu_files_instead_of_their_twins() {
        let folder = folder(&[
            (".git/HEAD", ""),
            ("a_override.tf", &resource("web", "[tags]")),
            ("z.tf", &resource("web", "[ami]")),
            ("db.tf", &resource("db", "[ami]")),
            ("db.tofu", &resource("db", "all")),
        ]);
        let found = Configuration::read(folder.path());
        assert_eq!(ignored(&found, &[], "web"), ["tags a_override.tf:3"]);
        assert_eq!(ignored(&found, &[], "db"), ["all db.tofu:3"]);
        let web = found.block([], "aws_instance", "web").unwrap();
        assert_eq!(web.position.as_ref().unwrap().to_string(), "z.tf:1");
    }

    #[test]
    fn code_as_json_counts_as_code() {
        let json = |ignored: &str| {
            format!(
                r#"{{"resource": {{"aws_instance": {{"web": {{"lifecycle":
                    {{"ignore_changes": {ignored}}}}}}}}}}}"#
            )
        };
        let folder = folder(&[
            (".git/HEAD", ""),
            ("main.tf.json", &json(r#"["ami"]"#)),
            ("x_override.tf.json", &json(r#"["tags"]"#)),
            ("x_override.tofu.json", &json("\"all\"")),
            ("package.json", "{"),
        ]);
        let found = Configuration::read(folder.path());
        assert_eq!(found.problems(), []);
        assert_eq!(ignored(&found, &[], "web"), ["all x_override.tofu.json:2"]);
        let web = found.block([], "aws_instance", "web").unwrap();
        assert_eq!(web.position.as_ref().unwrap().to_string(), "main.tf.json:1");
    }

    #[test]
    fn what_cannot_be_read_costs_nothing_else() {
        let folder = folder(&[
            (".git/HEAD", ""),
            ("bad.tf", "resource {{\n"),
            ("good.tf", &resource("web", "[ami]")),
            (
                "calls.tf",
                "module \"gone\" {\n source = \"./gone\"\n}\nmodule \"self\" {\n source = \"./\"\n}\n",
            ),
        ]);
        let found = Configuration::read(folder.path());
        assert_eq!(ignored(&found, &[], "web"), ["ami good.tf:3"]);
        assert_eq!(ignored(&found, &["self", "self"], "web"), ["ami good.tf:3"]);
        let told: Vec<String> = found.problems().iter().map(ToString::to_string).collect();
        let tells = |part: &str| told.iter().any(|problem| problem.contains(part));
        assert!(tells("bad.tf:1: this is no HCL"), "{told:?}");
        assert!(tells("gone: cannot be read"), "{told:?}");
        assert!(tells("too deep"), "{told:?}");
    }
}
