//! States in Azure Blob Storage.

use std::path::Path;

use object_store::azure::{MicrosoftAzure, MicrosoftAzureBuilder, split_sas};

use super::store::{Remedies, fetch, keys, retries};
use super::{RemoteLocation, RemoteStates};
use crate::state::backend::{Object, StoreError};
use crate::state::location::{RemotePlace, Settings};

const REMEDIES: Remedies = Remedies {
    name: "Azure Blob Storage",
    missing: "check the account, the container and the key",
    denied: "grant the role Storage Blob Data Reader on the container, or give a SAS token that \
             allows to read, for a prefix also to list (`sp=rl`)",
    credentials: "set ARM_ACCESS_KEY or ARM_SAS_TOKEN, or ARM_CLIENT_ID, ARM_CLIENT_SECRET and \
                  ARM_TENANT_ID, or run `az login`",
};

/// Azure's clouds: name, the host that blobs are below, the host that gives tokens.
const CLOUDS: [(&str, &str, &str); 3] = [
    (
        "public",
        "blob.core.windows.net",
        "https://login.microsoftonline.com",
    ),
    (
        "usgovernment",
        "blob.core.usgovcloudapi.net",
        "https://login.microsoftonline.us",
    ),
    (
        "china",
        "blob.core.chinacloudapi.cn",
        "https://login.chinacloudapi.cn",
    ),
];

impl RemoteStates {
    pub(super) fn azure_blob(
        &self,
        location: &RemoteLocation,
        key: &str,
    ) -> Result<Object, StoreError> {
        let store = self.container(location)?;
        self.web.wait(fetch(&*store, key, None, &REMEDIES))
    }

    pub(super) fn azure_keys(
        &self,
        location: &RemoteLocation,
        prefix: &str,
    ) -> Result<Vec<String>, StoreError> {
        let store = self.container(location)?;
        self.web.wait(keys(&*store, prefix, &REMEDIES))
    }

    fn container(
        &self,
        location: &RemoteLocation,
    ) -> Result<std::sync::Arc<MicrosoftAzure>, StoreError> {
        let RemotePlace::Azure {
            account, container, ..
        } = &location.place
        else {
            return Err(StoreError::new("this is no container", REMEDIES.missing));
        };
        self.azure.get(location, || {
            let builder = self.azure_builder(account, container, &location.settings)?;
            builder.build().map_err(|_| malformed())
        })
    }

    fn azure_builder(
        &self,
        account: &str,
        container: &str,
        settings: &Settings,
    ) -> Result<MicrosoftAzureBuilder, StoreError> {
        let says = |setting: &str, variables: &[&str]| {
            settings
                .get(setting)
                .filter(|value| !value.is_empty())
                .or_else(|| self.environment.any(variables))
        };
        let cloud = says("environment", &["ARM_ENVIRONMENT"]).unwrap_or("public");
        let (_, below, authority) = CLOUDS
            .iter()
            .find(|(name, ..)| *name == cloud)
            .unwrap_or(&CLOUDS[0]);
        let authority = self
            .environment
            .any(&["AZURE_AUTHORITY_HOST"])
            .unwrap_or(authority);
        let mut builder = MicrosoftAzureBuilder::new()
            .with_account(account)
            .with_container_name(container)
            .with_retry(retries())
            .with_authority_host(authority.trim_end_matches('/'))
            .with_http_connector(self.web.connect());
        // The emulator's addresses hold the account in their path, which is signed along.
        if self
            .environment
            .any(&["AZURITE_BLOB_STORAGE_URL"])
            .is_some()
        {
            builder = builder.with_use_emulator(true);
        } else {
            let endpoint = match self.environment.any(&["AZURE_STORAGE_ENDPOINT"]) {
                Some(endpoint) => endpoint.trim_end_matches('/').to_owned(),
                None => format!("https://{account}.{below}"),
            };
            builder = builder.with_endpoint(endpoint).with_allow_http(true);
        }
        let key = says("access_key", &["ARM_ACCESS_KEY", "AZURE_STORAGE_KEY"]);
        if let Some(key) = key {
            return Ok(builder.with_access_key(key));
        }
        let sas = says("sas_token", &["ARM_SAS_TOKEN", "AZURE_STORAGE_SAS_TOKEN"]);
        if let Some(sas) = sas {
            let pairs = split_sas(sas).map_err(|_| malformed())?;
            return Ok(builder.with_sas_authorization(pairs));
        }
        self.by_identity(builder, &says)
    }

    /// Credentials of a person, a service or a machine.
    fn by_identity<'s>(
        &'s self,
        mut builder: MicrosoftAzureBuilder,
        says: &dyn Fn(&str, &[&str]) -> Option<&'s str>,
    ) -> Result<MicrosoftAzureBuilder, StoreError> {
        let client = says("client_id", &["ARM_CLIENT_ID", "AZURE_CLIENT_ID"]);
        let tenant = says("tenant_id", &["ARM_TENANT_ID", "AZURE_TENANT_ID"]);
        let secret = says(
            "client_secret",
            &["ARM_CLIENT_SECRET", "AZURE_CLIENT_SECRET"],
        );
        let file = says(
            "oidc_token_file_path",
            &["ARM_OIDC_TOKEN_FILE_PATH", "AZURE_FEDERATED_TOKEN_FILE"],
        );
        if let Some(client) = client {
            builder = builder.with_client_id(client);
        }
        if let Some(tenant) = tenant {
            builder = builder.with_tenant_id(tenant);
        }
        let is_service = client.is_some() && tenant.is_some();
        if let Some(secret) = secret.filter(|_| is_service) {
            return Ok(builder.with_client_secret(secret));
        }
        if let Some(file) = file.filter(|_| is_service) {
            return Ok(builder.with_federated_token_file(file));
        }
        let machine = self.environment.is_yes("ARM_USE_MSI")
            || says("use_msi", &[]).is_some_and(|value| value == "true");
        if !machine && self.has_azure_cli() {
            return Ok(builder.with_use_azure_cli(true));
        }
        if let Some(endpoint) = says("msi_endpoint", &["ARM_MSI_ENDPOINT"]) {
            builder = builder.with_msi_endpoint(endpoint);
        }
        Ok(builder)
    }

    /// Whether `az` can be asked for a token.
    fn has_azure_cli(&self) -> bool {
        let folders = self.environment.any(&["PATH"]).unwrap_or_default();
        std::env::split_paths(folders).any(|folder| {
            ["az", "az.cmd"]
                .iter()
                .any(|name| folder.join(Path::new(name)).is_file())
        })
    }
}

/// Credentials that are none. The cause is not told: it may quote a key.
fn malformed() -> StoreError {
    StoreError::new(
        "the credentials for Azure Blob Storage, or the account's name, are malformed",
        REMEDIES.credentials,
    )
}
