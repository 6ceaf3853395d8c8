//! Which states are meant when none is named: those of the root modules in or below a folder, as
//! the backends that `terraform init` recorded name them.

use std::fs;
use std::path::{Path, PathBuf};

use serde::Deserialize;
use serde_json::{Map, Value};
use walkdir::WalkDir;

use super::location::{RemoteLocation, RemotePlace, S3Location, Settings, StateLocation};
use super::problem::Problem;

/// What a search for states came to.
#[derive(Debug, Default, PartialEq, Eq)]
pub struct Discovered {
    /// The states found.
    pub locations: Vec<StateLocation>,
    /// The folders of their root modules, one of each location.
    pub modules: Vec<PathBuf>,
    /// Root modules whose state cannot be reached.
    pub problems: Vec<Problem>,
}

/// Finds the states that a `terraform plan` in `folder` would use: that of the backend recorded in
/// `.terraform`, else `terraform.tfstate`; when the folder is no root module, those of all root
/// modules below it. `environment` answers for `TF_WORKSPACE` and `TF_DATA_DIR`.
#[must_use]
pub fn discover(folder: &Path, environment: &dyn Fn(&str) -> Option<String>) -> Discovered {
    let mut found = Discovered::default();
    found.add(folder, environment);
    if found == Discovered::default() {
        let below = WalkDir::new(folder)
            .min_depth(1)
            .sort_by_file_name()
            .into_iter()
            .filter_entry(|entry| {
                let name = entry.file_name().to_string_lossy();
                entry.file_type().is_dir() && !name.starts_with('.') && name != "node_modules"
            });
        // A folder that cannot be entered holds no root module of this user's.
        for entry in below.filter_map(Result::ok) {
            if entry.path().join(".terraform").is_dir() {
                found.add(entry.path(), environment);
            }
        }
    }
    if found == Discovered::default() {
        found.problems.push(
            Problem::new(folder.display(), "no Terraform state was found here")
                .remedy("run `terraform init` first, or say where it is: --state LOCATION"),
        );
    }
    found
}

impl Discovered {
    /// Adds the state of a root module, if it has one.
    fn add(&mut self, module: &Path, environment: &dyn Fn(&str) -> Option<String>) {
        // `terraform.tfstate`, not `./terraform.tfstate`.
        let module = module.strip_prefix(".").unwrap_or(module);
        match state_of(module, environment) {
            Ok(Some(found)) => {
                self.locations.push(found);
                let here = module.as_os_str().is_empty();
                let folder = if here { Path::new(".") } else { module };
                self.modules.push(folder.to_path_buf());
            }
            Ok(None) => {}
            Err(problem) => self.problems.push(*problem),
        }
    }
}

#[derive(Deserialize)]
struct Recorded {
    backend: Option<Backend>,
}

#[derive(Deserialize)]
struct Backend {
    #[serde(rename = "type")]
    kind: String,
    #[serde(default)]
    config: Map<String, Value>,
}

fn state_of(
    module: &Path,
    environment: &dyn Fn(&str) -> Option<String>,
) -> Result<Option<StateLocation>, Box<Problem>> {
    let data = environment("TF_DATA_DIR").filter(|folder| !folder.is_empty());
    let data = module.join(data.as_deref().unwrap_or(".terraform"));
    let selected = || fs::read_to_string(data.join("environment")).ok();
    let workspace = environment("TF_WORKSPACE")
        .filter(|name| !name.is_empty())
        .or_else(selected)
        .map(|name| name.trim().to_owned())
        .filter(|name| !name.is_empty() && name != "default");

    let record = data.join("terraform.tfstate");
    let backend = match fs::read(&record) {
        Ok(bytes) => {
            let recorded: Recorded = serde_json::from_slice(&bytes).map_err(|error| {
                let problem = Problem::new(
                    record.display(),
                    format!("the recorded backend cannot be read: {error}"),
                );
                Box::new(problem.remedy("run `terraform init` again"))
            })?;
            recorded.backend
        }
        Err(_) => None,
    };
    let Some(backend) = backend else {
        let path = local(module, &Map::new(), workspace.as_deref());
        return Ok(path.is_file().then_some(StateLocation::Path(path)));
    };
    match &*backend.kind {
        "local" => Ok(Some(StateLocation::Path(local(
            module,
            &backend.config,
            workspace.as_deref(),
        )))),
        "s3" => s3(&backend.config, workspace.as_deref())
            .map(|place| Some(StateLocation::S3(place)))
            .ok_or_else(|| {
                let problem = Problem::new(
                    record.display(),
                    "the recorded s3 backend names no bucket or no key",
                );
                Box::new(problem.remedy("say where the state is: --state s3://BUCKET/KEY"))
            }),
        "gcs" | "azurerm" | "http" | "remote" | "cloud" => {
            let place = remote(
                &backend.kind,
                &backend.config,
                workspace.as_deref(),
                environment,
            );
            let place = place.map_err(|missing| {
                let problem = Problem::new(
                    record.display(),
                    format!("the recorded {} backend names no {missing}", backend.kind),
                );
                Box::new(problem.remedy("say where the state is: --state LOCATION"))
            })?;
            Ok(Some(StateLocation::Remote(RemoteLocation {
                place,
                settings: settings(&backend.config),
            })))
        }
        kind => {
            let problem = Problem::new(
                record.display(),
                format!("states in a backend of type `{kind}` are not read yet"),
            );
            Err(Box::new(problem.remedy(
                "pull it: `terraform state pull | tfdrift scan --state -`",
            )))
        }
    }
}

/// Where a state behind HTTP lies, by the documentation of its backend; else what is missing.
fn remote(
    kind: &str,
    config: &Map<String, Value>,
    workspace: Option<&str>,
    environment: &dyn Fn(&str) -> Option<String>,
) -> Result<RemotePlace, &'static str> {
    let given = |name: &'static str, variable: &str| {
        let own = text(config, name).map(ToOwned::to_owned);
        own.or_else(|| environment(variable).filter(|value| !value.is_empty()))
    };
    let need = |name: &'static str, variable: &str| given(name, variable).ok_or(name);
    match kind {
        "gcs" => {
            let folder = text(config, "prefix").unwrap_or_default();
            let folder = folder.trim_matches('/');
            let name = format!("{}.tfstate", workspace.unwrap_or("default"));
            Ok(RemotePlace::Gcs {
                bucket: need("bucket", "GOOGLE_BUCKET")?,
                key: match folder {
                    "" => name,
                    folder => format!("{folder}/{name}"),
                },
            })
        }
        "azurerm" => {
            let key = need("key", "ARM_KEY")?;
            Ok(RemotePlace::Azure {
                account: need("storage_account_name", "ARM_STORAGE_ACCOUNT_NAME")?,
                container: need("container_name", "ARM_CONTAINER_NAME")?,
                key: match workspace {
                    None => key,
                    Some(workspace) => format!("{key}env:{workspace}"),
                },
            })
        }
        "http" => Ok(RemotePlace::Http {
            url: need("address", "TF_HTTP_ADDRESS")?,
        }),
        _ => {
            let chosen = match config.get("workspaces") {
                Some(Value::Array(blocks)) => blocks.first().and_then(Value::as_object),
                other => other.and_then(Value::as_object),
            };
            let named = |name: &str| chosen.and_then(|chosen| text(chosen, name));
            let name = match (named("name"), named("prefix"), workspace) {
                (Some(name), ..) => name.to_owned(),
                (None, Some(prefix), Some(workspace)) => format!("{prefix}{workspace}"),
                (None, None, Some(workspace)) => workspace.to_owned(),
                (None, _, None) => return Err("workspace, and none is selected"),
            };
            Ok(RemotePlace::Workspace {
                host: given("hostname", "TF_CLOUD_HOSTNAME"),
                organization: need("organization", "TF_CLOUD_ORGANIZATION")?,
                name,
            })
        }
    }
}

/// The settings that say something, those with parts of their own as JSON.
fn settings(config: &Map<String, Value>) -> Settings {
    let said = |(name, value): (&String, &Value)| {
        let text = match value {
            Value::Null => return None,
            Value::String(text) if text.is_empty() => return None,
            Value::String(text) => text.clone(),
            other => other.to_string(),
        };
        Some((name.clone(), text))
    };
    config.iter().filter_map(said).collect()
}

fn text<'c>(config: &'c Map<String, Value>, name: &str) -> Option<&'c str> {
    let text = config.get(name)?.as_str()?;
    (!text.is_empty()).then_some(text)
}

fn local(module: &Path, config: &Map<String, Value>, workspace: Option<&str>) -> PathBuf {
    match workspace {
        None => module.join(text(config, "path").unwrap_or("terraform.tfstate")),
        Some(workspace) => module
            .join(text(config, "workspace_dir").unwrap_or("terraform.tfstate.d"))
            .join(workspace)
            .join("terraform.tfstate"),
    }
}

fn s3(config: &Map<String, Value>, workspace: Option<&str>) -> Option<S3Location> {
    let key = text(config, "key")?;
    let folder = match config.get("workspace_key_prefix") {
        Some(Value::String(folder)) => folder,
        _ => "env:",
    };
    let key = match workspace {
        None => key.to_owned(),
        Some(workspace) if folder.is_empty() => format!("{workspace}/{key}"),
        Some(workspace) => format!("{folder}/{workspace}/{key}"),
    };
    let owned = |name: &str| text(config, name).map(ToOwned::to_owned);
    let endpoints = config.get("endpoints").and_then(Value::as_object);
    let switched_on = |name: &str| config.get(name) == Some(&Value::Bool(true));
    Some(S3Location {
        bucket: owned("bucket")?,
        key,
        region: owned("region"),
        profile: owned("profile"),
        endpoint: endpoints
            .and_then(|endpoints| text(endpoints, "s3"))
            .map(ToOwned::to_owned)
            .or_else(|| owned("endpoint")),
        path_style: switched_on("use_path_style") || switched_on("force_path_style"),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    const S3: &str = r#"{"version": 3, "backend": {"type": "s3", "config": {"bucket": "states",
        "key": "net/terraform.tfstate", "region": "eu-west-1", "profile": null}}}"#;

    fn folder(files: &[(&str, &str)]) -> tempfile::TempDir {
        let folder = tempfile::tempdir().expect("a folder");
        for (name, content) in files {
            let path = folder.path().join(name);
            fs::create_dir_all(path.parent().expect("a parent")).expect("created");
            fs::write(path, content).expect("written");
        }
        folder
    }

    /// What is found, with paths relative to the folder.
    fn found(files: &[(&str, &str)], workspace: Option<&str>) -> (Vec<String>, Vec<String>) {
        let folder = folder(files);
        let environment = |name: &str| {
            (name == "TF_WORKSPACE")
                .then_some(workspace)?
                .map(str::to_owned)
        };
        let found = discover(folder.path(), &environment);
        let top = format!("{}/", folder.path().display());
        let name = |location: &StateLocation| location.to_string().replace(&top, "");
        let problems = found.problems.into_iter().map(|problem| problem.problem);
        (
            found.locations.iter().map(name).collect(),
            problems.collect(),
        )
    }

    #[test]
    fn a_root_module_gives_the_state_of_its_backend_and_workspace() {
        let prefixed = S3.replace(
            "\"profile\": null",
            "\"workspace_key_prefix\": \"ws\", \"profile\": \"ops\"",
        );
        let local = r#"{"backend": {"type": "local", "config": {"path": "states/x.tfstate", "workspace_dir": null}}}"#;
        let record = ".terraform/terraform.tfstate";
        let dev = (".terraform/environment", "dev\n");
        for (files, workspace, expected) in [
            (
                vec![(record, S3), ("terraform.tfstate", "{}")],
                None,
                "s3://states/net/terraform.tfstate",
            ),
            (
                vec![(record, S3), dev],
                None,
                "s3://states/env:/dev/net/terraform.tfstate",
            ),
            (
                vec![(record, S3), dev],
                Some("prod"),
                "s3://states/env:/prod/net/terraform.tfstate",
            ),
            (
                vec![(record, S3), dev],
                Some("default"),
                "s3://states/net/terraform.tfstate",
            ),
            (
                vec![(record, &prefixed), dev],
                None,
                "s3://states/ws/dev/net/terraform.tfstate",
            ),
            (vec![(record, local)], None, "states/x.tfstate"),
            (
                vec![(record, local), dev],
                None,
                "terraform.tfstate.d/dev/terraform.tfstate",
            ),
            (vec![("terraform.tfstate", "{}")], None, "terraform.tfstate"),
            (
                vec![dev, ("terraform.tfstate.d/dev/terraform.tfstate", "{}")],
                None,
                "terraform.tfstate.d/dev/terraform.tfstate",
            ),
            (
                vec![
                    (record, r#"{"version": 3, "backend": null}"#),
                    ("terraform.tfstate", "{}"),
                ],
                None,
                "terraform.tfstate",
            ),
        ] {
            let (locations, problems) = found(&files, workspace);
            assert_eq!(locations, [expected]);
            assert!(problems.is_empty(), "{problems:?}");
        }
    }

    #[test]
    fn a_folder_of_root_modules_gives_all_their_states_and_names_those_out_of_reach() {
        let oss = r#"{"backend": {"type": "oss", "config": {"bucket": "b"}}}"#;
        let (locations, problems) = found(
            &[
                ("net/.terraform/terraform.tfstate", S3),
                ("apps/web/.terraform/providers/x", ""),
                ("apps/web/terraform.tfstate", "{}"),
                ("apps/api/.terraform/terraform.tfstate", oss),
                ("apps/bad/.terraform/terraform.tfstate", "{"),
                (
                    "net/.terraform/modules/vpc/.terraform/terraform.tfstate",
                    S3,
                ),
                ("modules/vpc/main.tf", ""),
            ],
            None,
        );
        assert_eq!(
            locations,
            [
                "apps/web/terraform.tfstate",
                "s3://states/net/terraform.tfstate"
            ]
        );
        assert_eq!(problems.len(), 2);
        assert!(problems[0].contains("`oss`"));
        assert!(problems[1].contains("cannot be read"));
    }

    #[test]
    fn a_backend_behind_http_gives_its_place_by_workspace() {
        let gcs = r#"{"bucket": "b", "prefix": "net/"}"#;
        let bare = r#"{"bucket": "b", "prefix": null}"#;
        let azure = r#"{"storage_account_name": "acct", "container_name": "states",
            "key": "net.tfstate", "access_key": null}"#;
        let http = r#"{"address": "https://states.test/net", "username": "me"}"#;
        let one = r#"{"hostname": "tfe.test", "organization": "acme",
            "workspaces": {"name": "net", "prefix": null}}"#;
        let many = r#"{"hostname": null, "organization": "acme",
            "workspaces": [{"name": null, "prefix": "net-"}]}"#;
        let tagged = r#"{"organization": "acme", "workspaces": {"tags": ["net"]}}"#;
        for (kind, config, workspace, expected) in [
            ("gcs", gcs, None, "gs://b/net/default.tfstate"),
            ("gcs", gcs, Some("dev"), "gs://b/net/dev.tfstate"),
            ("gcs", bare, Some("dev"), "gs://b/dev.tfstate"),
            ("azurerm", azure, None, "azurerm://acct/states/net.tfstate"),
            (
                "azurerm",
                azure,
                Some("dev"),
                "azurerm://acct/states/net.tfstateenv:dev",
            ),
            ("http", http, Some("dev"), "https://states.test/net"),
            ("remote", one, None, "tfcloud://tfe.test/acme/net"),
            ("remote", many, Some("dev"), "tfcloud://acme/net-dev"),
            ("cloud", one, Some("other"), "tfcloud://tfe.test/acme/net"),
            ("cloud", tagged, Some("net-dev"), "tfcloud://acme/net-dev"),
        ] {
            let record = format!(r#"{{"backend": {{"type": "{kind}", "config": {config}}}}}"#);
            let files = [(".terraform/terraform.tfstate", &*record)];
            let (locations, problems) = found(&files, workspace);
            assert_eq!(problems, [] as [&str; 0], "{kind}");
            assert_eq!(locations, [expected], "{kind}");
        }
        for (kind, config, missing) in [
            ("gcs", "{}", "names no bucket"),
            ("http", "{}", "names no address"),
            ("cloud", tagged, "none is selected"),
        ] {
            let record = format!(r#"{{"backend": {{"type": "{kind}", "config": {config}}}}}"#);
            let (_, problems) = found(&[(".terraform/terraform.tfstate", &*record)], None);
            assert!(problems[0].contains(missing), "{problems:?}");
        }
    }

    #[test]
    fn the_settings_of_an_s3_backend_are_kept() {
        let config = serde_json::json!({"bucket": "b", "key": "k", "region": "eu-west-1", "profile": "ops",
            "endpoints": [], "endpoint": "http://127.0.0.1:9000", "force_path_style": true});
        let place = s3(config.as_object().expect("an object"), None);
        assert_eq!(
            place,
            Some(S3Location {
                bucket: "b".into(),
                key: "k".into(),
                region: Some("eu-west-1".into()),
                profile: Some("ops".into()),
                endpoint: Some("http://127.0.0.1:9000".into()),
                path_style: true,
            })
        );
    }

    #[test]
    fn an_empty_folder_says_what_to_do() {
        let (locations, problems) = found(&[("main.tf", "")], None);
        assert!(locations.is_empty());
        assert_eq!(problems, ["no Terraform state was found here"]);
    }
}
