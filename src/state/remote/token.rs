//! Tokens for HCP Terraform and Terraform Enterprise, from where Terraform looks for them.

use std::path::PathBuf;

use hcl_edit::expr::Expression;
use hcl_edit::structure::Body;
use serde_json::Value;

use super::Environment;

impl Environment {
    /// The token for a host: its own variable, then what the command line's configuration says,
    /// then what `terraform login` left.
    pub(super) fn token(&self, host: &str, is_default: bool) -> Option<String> {
        let bare = host.split(':').next().unwrap_or(host);
        let own = token_variables(host)
            .into_iter()
            .chain(token_variables(bare));
        for variable in own {
            if let Some(token) = self.any(&[&variable]) {
                return Some(token.to_owned());
            }
        }
        // Made for one host: it must not go to any that an address names.
        if is_default && let Some(token) = self.any(&["TFE_TOKEN"]) {
            return Some(token.to_owned());
        }
        let configured = self.configurations().into_iter().find_map(|path| {
            let text = std::fs::read_to_string(path).ok()?;
            of_configuration(&text, host)
        });
        configured.or_else(|| {
            self.logins().into_iter().find_map(|path| {
                let kept: Value = serde_json::from_slice(&std::fs::read(path).ok()?).ok()?;
                let token = kept["credentials"][host]["token"].as_str()?;
                Some(token.to_owned())
            })
        })
    }

    /// Files that configure Terraform's and OpenTofu's command line.
    fn configurations(&self) -> Vec<PathBuf> {
        if let Some(path) = self.any(&["TF_CLI_CONFIG_FILE", "TERRAFORM_CONFIG"]) {
            return vec![PathBuf::from(path)];
        }
        let homes = [
            ("HOME", ".terraformrc"),
            ("HOME", ".tofurc"),
            ("APPDATA", "terraform.rc"),
            ("APPDATA", "tofu.rc"),
        ];
        self.below(&homes)
    }

    /// Files that `terraform login` and `tofu login` write.
    fn logins(&self) -> Vec<PathBuf> {
        self.below(&[
            ("HOME", ".terraform.d/credentials.tfrc.json"),
            ("APPDATA", "terraform.d/credentials.tfrc.json"),
            ("XDG_CONFIG_HOME", "opentofu/credentials.tfrc.json"),
        ])
    }

    fn below(&self, places: &[(&str, &str)]) -> Vec<PathBuf> {
        places
            .iter()
            .filter_map(|(variable, file)| Some(PathBuf::from(self.any(&[variable])?).join(file)))
            .collect()
    }
}

/// The variables that Terraform takes a host's token from: hyphens may be doubled underscores.
fn token_variables(host: &str) -> [String; 2] {
    let name = host.replace(['.', ':'], "_");
    [
        format!("TF_TOKEN_{}", name.replace('-', "__")),
        format!("TF_TOKEN_{name}"),
    ]
}

/// The variable to name in messages.
pub(super) fn token_variable(host: &str) -> String {
    let [name, _] = token_variables(host);
    name
}

/// The token in `credentials "HOST" { token = "…" }`, or in the same as JSON.
fn of_configuration(text: &str, host: &str) -> Option<String> {
    if let Ok(json) = serde_json::from_str::<Value>(text) {
        let token = json["credentials"][host]["token"].as_str()?;
        return Some(token.to_owned());
    }
    let body: Body = text.parse().ok()?;
    let mut blocks = body.get_blocks("credentials");
    let block = blocks.find(|block| {
        let mut labels = block.labels.iter();
        labels.next().is_some_and(|label| label.as_str() == host)
    })?;
    match &block.body.get_attribute("token")?.value {
        Expression::String(token) => Some(token.value().clone()),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn environment(variables: &[(&str, &str)]) -> Environment {
        let owned = |(name, value): &(&str, &str)| ((*name).to_owned(), (*value).to_owned());
        variables.iter().map(owned).collect()
    }

    #[test]
    fn a_token_is_found_where_terraform_finds_it() {
        let home = tempfile::tempdir().unwrap();
        let write = |name: &str, text: &str| {
            let path = home.path().join(name);
            std::fs::create_dir_all(path.parent().unwrap()).unwrap();
            std::fs::write(path, text).unwrap();
        };
        let login =
            |host: &str| format!(r#"{{"credentials": {{"{host}": {{"token": "login"}}}}}}"#);
        write(
            ".terraform.d/credentials.tfrc.json",
            &login("app.terraform.io"),
        );
        write(
            ".terraformrc",
            "plugin_cache_dir = \"x\"\ncredentials \"tfe.a-b.test\" {\n  token = \"rc\"\n}\n",
        );
        write("other.tfrc.json", &login("tfe.a-b.test"));
        let home_path = home.path().display().to_string();
        let other = home.path().join("other.tfrc.json").display().to_string();
        let app = "app.terraform.io";
        let own = "tfe.a-b.test";
        for (variables, host, is_default, expected) in [
            (vec![], app, true, Some("login")),
            (vec![], own, false, Some("rc")),
            (
                vec![("TF_CLI_CONFIG_FILE", &*other)],
                own,
                false,
                Some("login"),
            ),
            (
                vec![("TF_TOKEN_app_terraform_io", "own")],
                app,
                true,
                Some("own"),
            ),
            (
                vec![("TF_TOKEN_tfe_a__b_test", "own")],
                own,
                false,
                Some("own"),
            ),
            (
                vec![("TF_TOKEN_tfe_a-b_test", "own")],
                own,
                false,
                Some("own"),
            ),
            (vec![("TFE_TOKEN", "one")], app, true, Some("one")),
            (vec![("TFE_TOKEN", "one")], "else.test", false, None),
        ] {
            let mut all = vec![("HOME", &*home_path)];
            all.extend(variables.clone());
            let found = environment(&all).token(host, is_default);
            assert_eq!(found.as_deref(), expected, "{host} {variables:?}");
        }
    }
}
