//! States as Terraform's `http` backend keeps them: whatever answers a GET with a state.

use std::collections::BTreeMap;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use percent_encoding::percent_decode_str;

use super::RemoteStates;
use crate::state::backend::{Object, StoreError};
use crate::state::location::Settings;
use crate::web::origin;

/// Holds headers of requests for states, one a line, as `Name: value`.
const HEADERS: &str = "TFDRIFT_HTTP_HEADERS";

impl RemoteStates {
    pub(super) fn http_state(&self, url: &str, settings: &Settings) -> Result<Object, StoreError> {
        let (url, user) = without_user(url);
        let mut headers = self.own_headers()?;
        headers.extend(backend_headers(settings));
        let says = |setting: &str, variable: &str| {
            let found = settings.get(setting).filter(|value| !value.is_empty());
            found.or_else(|| self.environment.any(&[variable]))
        };
        let user = user.or_else(|| {
            let name = says("username", "TF_HTTP_USERNAME")?;
            let password = says("password", "TF_HTTP_PASSWORD").unwrap_or_default();
            Some(format!("{name}:{password}"))
        });
        if let Some(user) = user {
            let value = format!("Basic {}", STANDARD.encode(user));
            headers.push(("authorization".to_owned(), value));
        }
        let answer = self.ask(&url, &headers)?;
        match answer.status {
            200 => Ok(Object {
                bytes: answer.bytes,
                modified: answer.modified,
            }),
            204 | 404 => Err(StoreError::new(
                format!("there is no state (HTTP {})", answer.status),
                "check the address",
            )),
            401 | 403 => Err(StoreError::new(
                format!("the server does not let you in (HTTP {})", answer.status),
                format!(
                    "set TF_HTTP_USERNAME and TF_HTTP_PASSWORD, or a header: \
                     {HEADERS}='Authorization: Bearer …'"
                ),
            )),
            status => Err(busy_or(status, "check the address")),
        }
    }

    /// The headers that the user wants sent.
    fn own_headers(&self) -> Result<Vec<(String, String)>, StoreError> {
        let lines = self.environment.any(&[HEADERS]).unwrap_or_default().lines();
        let lines = lines.map(str::trim).filter(|line| !line.is_empty());
        let header = |line: &str| {
            let (name, value) = line.split_once(':')?;
            let name = name.trim();
            let plain = |c: char| c.is_ascii_alphanumeric() || matches!(c, '-' | '_');
            (!name.is_empty() && name.chars().all(plain))
                .then(|| (name.to_owned(), value.trim().to_owned()))
        };
        lines
            .map(|line| {
                header(line).ok_or_else(|| {
                    StoreError::new(
                        format!("a line of {HEADERS} is no header"),
                        "write one header a line, as `Name: value`",
                    )
                })
            })
            .collect()
    }

    /// An answer of any status.
    pub(super) fn ask(
        &self,
        url: &str,
        headers: &[(String, String)],
    ) -> Result<crate::web::Answer, StoreError> {
        self.web.get(url, headers).map_err(|problem| {
            StoreError::new(
                format!("{} cannot be reached ({problem})", origin(url)),
                "check the address, the network and HTTPS_PROXY",
            )
        })
    }
}

/// The headers that OpenTofu's `http` backend is configured with.
fn backend_headers(settings: &Settings) -> Vec<(String, String)> {
    let headers: Option<BTreeMap<String, String>> = settings
        .get("headers")
        .and_then(|text| serde_json::from_str(text).ok());
    headers.unwrap_or_default().into_iter().collect()
}

/// A status that no place has a special meaning for.
pub(super) fn busy_or(status: u16, remedy: &str) -> StoreError {
    if status == 429 {
        return StoreError::new(
            "the server has been asked too often (HTTP 429)",
            "try again later, or read fewer states at a time",
        );
    }
    StoreError::new(format!("the server answers with HTTP {status}"), remedy)
}

/// A URL without user and password, and those, decoded, as `user:password`.
fn without_user(url: &str) -> (String, Option<String>) {
    let origin = origin(url);
    let Some((scheme, host)) = origin.split_once("://") else {
        return (url.to_owned(), None);
    };
    let Some((user, host)) = host.rsplit_once('@') else {
        return (url.to_owned(), None);
    };
    let rest = url.get(origin.len()..).unwrap_or_default();
    let user = percent_decode_str(user).decode_utf8_lossy().into_owned();
    (format!("{scheme}://{host}{rest}"), Some(user))
}
