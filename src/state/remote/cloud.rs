//! States of workspaces in HCP Terraform and Terraform Enterprise (HCP Terraform API, *Workspaces*,
//! *State Versions*).

use jiff::Timestamp;
use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};
use serde_json::Value;

use super::http::busy_or;
use super::token::token_variable;
use super::{RemoteLocation, RemoteStates};
use crate::state::backend::{Object, StoreError};
use crate::state::location::RemotePlace;
use crate::web::{host, origin};

/// Where workspaces are when nothing else is said.
const HCP: &str = "app.terraform.io";

/// The most that one page may hold.
const PAGE: usize = 100;

/// What may stand in a part of a URL's path as it is.
const PLAIN: &AsciiSet = &NON_ALPHANUMERIC.remove(b'-').remove(b'_').remove(b'.');

const READS: &str = "check the names, and that the token's team may read state versions there";

/// A server, and what it asks of its callers.
struct Server {
    base: String,
    headers: Vec<(String, String)>,
}

impl RemoteStates {
    /// The state of a workspace: the current one, or that of a time.
    pub(super) fn workspace_state(
        &self,
        location: &RemoteLocation,
        organization: &str,
        name: &str,
        at: Option<Timestamp>,
    ) -> Result<Object, StoreError> {
        let server = self.server(location)?;
        let version = match at {
            None => self.current_version(&server, organization, name)?,
            Some(at) => self.version_at(&server, organization, name, at)?,
        };
        let attributes = &version["attributes"];
        let Some(url) = attributes["hosted-state-download-url"].as_str() else {
            return Err(StoreError::new(
                "the token may see the workspace, but not its state",
                READS,
            ));
        };
        // Elsewhere the address itself is the key.
        let own = origin(url) == origin(&server.base);
        let answer = self.ask(url, if own { &server.headers } else { &[] })?;
        match answer.status {
            200 => Ok(Object {
                bytes: answer.bytes,
                modified: created(attributes).or(answer.modified),
            }),
            404 | 410 => Err(StoreError::new(
                "the server keeps this state version no longer",
                "give a later time with --state-as-of, or `now`",
            )),
            status => Err(busy_or(status, "try again")),
        }
    }

    /// The names of all workspaces that have a state.
    pub(super) fn workspaces(
        &self,
        location: &RemoteLocation,
        organization: &str,
        prefix: &str,
    ) -> Result<Vec<String>, StoreError> {
        let server = self.server(location)?;
        let url = format!(
            "{}/api/v2/organizations/{}/workspaces?page%5Bsize%5D={PAGE}",
            server.base,
            part(organization)
        );
        let mut names = Vec::new();
        self.pages(
            &server,
            &url,
            "there is no such organization",
            |workspace| {
                let state = &workspace["relationships"]["current-state-version"];
                let has_none = state.get("data").is_some_and(Value::is_null);
                let name = workspace["attributes"]["name"].as_str();
                if let Some(name) = name.filter(|name| !has_none && name.starts_with(prefix)) {
                    names.push(name.to_owned());
                }
                false
            },
        )?;
        names.sort_unstable();
        Ok(names)
    }

    fn current_version(
        &self,
        server: &Server,
        organization: &str,
        name: &str,
    ) -> Result<Value, StoreError> {
        let url = format!(
            "{}/api/v2/organizations/{}/workspaces/{}",
            server.base,
            part(organization),
            part(name)
        );
        let missing = "there is no such workspace, or the token may not see it";
        let workspace = self.api(server, &url, missing)?;
        let id = workspace["data"]["id"].as_str().unwrap_or_default();
        let url = format!(
            "{}/api/v2/workspaces/{}/current-state-version",
            server.base,
            part(id)
        );
        let missing = "the workspace has no state, or the token may not read it";
        let mut version = self.api(server, &url, missing)?;
        Ok(version["data"].take())
    }

    fn version_at(
        &self,
        server: &Server,
        organization: &str,
        name: &str,
        at: Timestamp,
    ) -> Result<Value, StoreError> {
        let url = format!(
            "{}/api/v2/state-versions?filter%5Borganization%5D%5Bname%5D={}\
             &filter%5Bworkspace%5D%5Bname%5D={}&page%5Bsize%5D={PAGE}",
            server.base,
            part(organization),
            part(name)
        );
        let missing = "there is no such workspace, or the token may not read its states";
        let (mut found, mut oldest) = (None, None);
        // They come the latest first.
        self.pages(server, &url, missing, |version| {
            let attributes = &version["attributes"];
            let status = attributes["status"].as_str();
            let Some(created) = created(attributes) else {
                return false;
            };
            if status.is_some_and(|status| status != "finalized") {
                return false;
            }
            oldest = Some(created);
            if created > at {
                return false;
            }
            found = Some(version.clone());
            true
        })?;
        match (found, oldest) {
            (Some(version), _) => Ok(version),
            (None, Some(oldest)) => Err(StoreError::new(
                format!("no version of it is as old as {at}; the oldest is of {oldest}"),
                "give a later time with --state-as-of, or `now`",
            )),
            (None, None) => Err(StoreError::new("the workspace has no state", READS)),
        }
    }

    /// Shows all items of a list, page after page, until `take` has enough.
    fn pages(
        &self,
        server: &Server,
        url: &str,
        missing: &str,
        mut take: impl FnMut(&Value) -> bool,
    ) -> Result<(), StoreError> {
        let mut number = 1;
        loop {
            let page = self.api(server, &format!("{url}&page%5Bnumber%5D={number}"), missing)?;
            if page["data"].as_array().into_iter().flatten().any(&mut take) {
                return Ok(());
            }
            match page["meta"]["pagination"]["next-page"].as_u64() {
                // A server that goes in circles must not hold us forever.
                Some(next) if next > number => number = next,
                _ => return Ok(()),
            }
        }
    }

    fn api(&self, server: &Server, url: &str, missing: &str) -> Result<Value, StoreError> {
        let answer = self.ask(url, &server.headers)?;
        match answer.status {
            200 => serde_json::from_slice(&answer.bytes).map_err(|_| {
                let problem = format!("{} does not speak Terraform's API", server.base);
                StoreError::new(
                    problem,
                    "check the host: tfcloud://HOST/ORGANIZATION/WORKSPACE",
                )
            }),
            401 => Err(StoreError::new(
                format!("{} does not accept the token", host(&server.base)),
                format!("run `terraform login {}` again", host(&server.base)),
            )),
            403 => Err(StoreError::new(
                "the token may not do this (HTTP 403)",
                READS,
            )),
            404 => Err(StoreError::new(missing, READS)),
            status => Err(busy_or(status, "check the host, or try again")),
        }
    }

    /// The server that a place names, else the environment, else HCP Terraform.
    fn server(&self, location: &RemoteLocation) -> Result<Server, StoreError> {
        let named = match &location.place {
            RemotePlace::Workspace { host, .. } => host.as_deref(),
            _ => None,
        };
        let usual = self
            .environment
            .any(&["TFE_ADDRESS", "TF_CLOUD_HOSTNAME", "TFE_HOSTNAME"])
            .unwrap_or(HCP);
        let with_scheme = |text: &str| {
            if text.contains("://") {
                text.trim_end_matches('/').to_owned()
            } else {
                format!("https://{text}")
            }
        };
        let usual = with_scheme(usual);
        let base = named.map_or_else(|| usual.clone(), with_scheme);
        let own = host(&base);
        let set = location.settings.get("token").map(str::to_owned);
        let token = set.or_else(|| self.environment.token(own, own == host(&usual)));
        let Some(token) = token else {
            return Err(StoreError::new(
                format!("there is no token for {own}"),
                format!(
                    "run `terraform login {own}`, or set {}",
                    token_variable(own)
                ),
            ));
        };
        let headers = vec![("authorization".to_owned(), format!("Bearer {token}"))];
        Ok(Server { base, headers })
    }
}

fn part(text: &str) -> String {
    utf8_percent_encode(text, PLAIN).to_string()
}

fn created(attributes: &Value) -> Option<Timestamp> {
    attributes["created-at"].as_str()?.parse().ok()
}
