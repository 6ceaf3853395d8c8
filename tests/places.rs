//! The program as users run it, on states in Google's and Azure's stores, behind plain HTTP and in
//! workspaces. The servers run in the test's own process and speak the documented protocols.
#![allow(
    clippy::unwrap_used,
    clippy::panic,
    reason = "a test may end where it fails"
)]

mod common;

use base64::Engine as _;
use base64::engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD};
use common::http::{Answer, Asked, Peer};
use common::run::{Run, before, state};
use percent_encoding::{NON_ALPHANUMERIC, percent_decode_str};
use ring::signature::{KeyPair as _, RSA_PKCS1_2048_8192_SHA256, RsaKeyPair, UnparsedPublicKey};
use serde_json::{Value, json};

const LAST_MODIFIED: &str = "Wed, 14 Jan 2026 08:00:00 GMT";

fn found(body: impl Into<Vec<u8>>) -> Answer {
    let headers = vec![
        ("last-modified", LAST_MODIFIED.to_owned()),
        ("etag", "\"1\"".to_owned()),
    ];
    (200, headers, body.into())
}

fn refused(status: u16) -> Answer {
    (status, Vec::new(), b"<Error/>".to_vec())
}

fn moved(to: String) -> Answer {
    (302, vec![("location", to)], Vec::new())
}

/// The types that Terraform believes the drifted instances of a report to have, in order.
fn believed(report: &Value) -> Vec<&str> {
    let mut types: Vec<&str> = report["drifts"]
        .as_array()
        .into_iter()
        .flatten()
        .filter_map(|drift| drift["attributes"][0]["before"].as_str())
        .collect();
    types.sort_unstable();
    types
}

/// The path that was asked for, decoded, without the query.
fn path_of(asked: &Asked) -> String {
    let path = asked.path.split('?').next().unwrap_or_default();
    percent_decode_str(path).decode_utf8_lossy().into_owned()
}

// Plain HTTP.

#[test]
fn a_state_behind_http_is_read_with_the_names_and_headers_of_the_environment() {
    let peer = Peer::start(|asked| {
        let basic = format!("Basic {}", STANDARD.encode("me:hush"));
        let let_in = asked.header("authorization") == Some(&basic)
            && asked.header("x-team") == Some("platform");
        match &*path_of(asked) {
            "/net" if let_in => moved("/kept/net".to_owned()),
            "/kept/net" if let_in => found(state("t3.micro")),
            "/gone" => (204, Vec::new(), Vec::new()),
            _ => refused(401),
        }
    });
    let url = format!("{}/net?token=hush2", peer.url());
    let run = Run::new()
        .with("TF_HTTP_USERNAME", "me")
        .with("TF_HTTP_PASSWORD", "hush")
        .with("TFDRIFT_HTTP_HEADERS", "X-Team: platform\nX-Other: 1\n");
    let (code, report, said) = run.scan(&["--state", &url]);
    assert_eq!(code, 2, "{said}");
    assert_eq!(before(&report, "instance_type"), Some(&json!("t3.micro")));
    let states = &report["states"][0];
    assert_eq!(states["location"], format!("{}/net?token=…", peer.url()));
    assert_eq!(states["as_of"], "2026-01-14T08:00:00Z");
    assert!(!report.to_string().contains("hush"));

    let (code, _, said) = run.scan(&["--state", &url, "--state-as-of", "since"]);
    assert_eq!(code, 2);
    assert!(said.contains("keeps no versions"), "{said}");

    let (code, _, said) = Run::new().scan(&["--state", &url]);
    assert_eq!(code, 1);
    assert!(said.contains("HTTP 401"), "{said}");
    assert!(said.contains("TF_HTTP_USERNAME"), "{said}");
    assert!(!said.contains("hush"), "{said}");

    let gone = format!("{}/gone", peer.url());
    let (code, _, said) = run.scan(&["--state", &gone]);
    assert_eq!(code, 1);
    assert!(said.contains("there is no state"), "{said}");
}

#[test]
fn credentials_stay_with_the_host_that_they_are_for() {
    let elsewhere = Peer::start(|_| found(state("t3.micro")));
    let target = format!("{}/net", elsewhere.url());
    let peer = Peer::start(move |_| moved(target.clone()));
    let run = Run::new()
        .with("TF_HTTP_USERNAME", "me")
        .with("TF_HTTP_PASSWORD", "hush");
    let (code, _, said) = run.scan(&["--state", &format!("{}/net", peer.url())]);
    assert_eq!(code, 2, "{said}");
    assert!(peer.asked()[0].header("authorization").is_some());
    assert_eq!(elsewhere.asked()[0].header("authorization"), None);
}

#[test]
fn a_server_that_is_busy_is_asked_again_and_one_that_stays_so_is_named() {
    let count = std::sync::atomic::AtomicU32::new(0);
    let peer = Peer::start(move |asked| match &*asked.path {
        "/net" if count.fetch_add(1, std::sync::atomic::Ordering::Relaxed) > 0 => {
            found(state("t3.micro"))
        }
        _ => (429, vec![("retry-after", "0".to_owned())], Vec::new()),
    });
    let (code, _, said) = Run::new().scan(&["--state", &format!("{}/net", peer.url())]);
    assert_eq!(code, 2, "{said}");
    let (code, _, said) = Run::new().scan(&["--state", &format!("{}/busy", peer.url())]);
    assert_eq!(code, 1);
    assert!(said.contains("asked too often (HTTP 429)"), "{said}");
}

#[test]
fn a_folder_of_root_modules_is_scanned_by_its_backends_behind_http() {
    let peer = Peer::start(|asked| match &*path_of(asked) {
        "/net" if asked.header("x-team") == Some("own") => found(state("t3.nano")),
        "/states/apps/dev.tfstate" => found(state("t3.micro")),
        _ => refused(404),
    });
    let run = Run::new().with("STORAGE_EMULATOR_HOST", &peer.url());
    let address = format!("{}/net", peer.url());
    let backend = |kind: &str, config: Value| {
        json!({"version": 3, "backend": {"type": kind, "config": config}}).to_string()
    };
    run.put(
        "net/.terraform/terraform.tfstate",
        &backend(
            "http",
            json!({"address": address, "headers": {"X-Team": "own"}}),
        ),
    );
    run.put(
        "apps/.terraform/terraform.tfstate",
        &backend("gcs", json!({"bucket": "states", "prefix": "apps"})),
    );
    run.put("apps/.terraform/environment", "dev");
    let (code, report, said) = run.scan(&[]);
    assert_eq!(code, 2, "{said}");
    assert_eq!(believed(&report), ["t3.micro", "t3.nano"]);
}

// Google Cloud Storage.

/// A bucket `states`: objects by the XML API, versions by the JSON API.
fn bucket(let_in: impl Fn(&Asked) -> bool + Send + Sync + 'static) -> Peer {
    Peer::start(move |asked| {
        if !let_in(asked) {
            return refused(401);
        }
        let page = |items: &[(&str, &str, Option<&str>)], next: Option<&str>| {
            let items: Vec<Value> = items
                .iter()
                .map(|(generation, created, deleted)| {
                    json!({"name": "net/default.tfstate", "generation": generation,
                           "timeCreated": created, "timeDeleted": deleted})
                })
                .collect();
            found(json!({"items": items, "nextPageToken": next}).to_string())
        };
        let generation = asked.path.split("generation=").nth(1);
        match &*path_of(asked) {
            "/states/net/default.tfstate" => match generation {
                Some("1") => found(state("t3.nano")),
                Some("2") => found(state("t3.micro")),
                Some(_) => refused(404),
                None => found(state("m5.large")),
            },
            "/states/net/dev.tfstate" => found(state("t3.small")),
            "/states/locked.tfstate" => refused(403),
            "/states" | "/states/" if asked.path.contains("prefix=net") => found(
                "<ListBucketResult><Name>states</Name><Prefix>net/</Prefix>\
                 <IsTruncated>false</IsTruncated>\
                 <Contents><Key>net/default.tfstate</Key><Size>1</Size><ETag>\"1\"</ETag>\
                 <LastModified>2026-01-15T10:30:00.000Z</LastModified></Contents>\
                 <Contents><Key>net/dev.tfstate</Key><Size>1</Size><ETag>\"1\"</ETag>\
                 <LastModified>2026-01-15T10:30:00.000Z</LastModified></Contents>\
                 <Contents><Key>net/default.tflock</Key><Size>1</Size><ETag>\"1\"</ETag>\
                 <LastModified>2026-01-15T10:30:00.000Z</LastModified></Contents>\
                 </ListBucketResult>",
            ),
            "/storage/v1/b/states/o" if asked.path.contains("pageToken=p2") => page(
                &[("1", "2026-01-13T08:00:00Z", Some("2026-01-14T08:00:00Z"))],
                None,
            ),
            "/storage/v1/b/states/o" => page(
                &[
                    ("3", "2026-01-15T10:30:00Z", None),
                    ("2", "2026-01-14T08:00:00Z", Some("2026-01-15T10:30:00Z")),
                ],
                Some("p2"),
            ),
            _ => refused(404),
        }
    })
}

#[test]
fn a_state_in_google_cloud_storage_is_read_as_it_is_and_as_it_was() {
    let peer = bucket(|asked| asked.header("authorization") == Some("Bearer hush"));
    let run = Run::new().with("GOOGLE_OAUTH_ACCESS_TOKEN", "hush").with(
        "GOOGLE_STORAGE_CUSTOM_ENDPOINT",
        &format!("{}/storage/v1/b", peer.url()),
    );
    let place = "gs://states/net/default.tfstate";
    let (code, report, said) = run.scan(&["--state", place]);
    assert_eq!(
        (code, report["drifts"].as_array().map(Vec::len)),
        (0, Some(0)),
        "{said}"
    );
    assert_eq!(report["states"][0]["location"], place);

    let (code, report, said) = run.scan(&["--state", place, "--state-as-of", "since"]);
    assert_eq!(code, 2, "{said}");
    assert_eq!(believed(&report), ["t3.micro"]);
    assert_eq!(report["states"][0]["as_of"], "2026-01-14T08:00:00Z");

    let at = |time: &'static str| run.scan(&["--state", place, "--state-as-of", time]);
    assert_eq!(believed(&at("2026-01-13T09:00:00Z").1), ["t3.nano"]);
    let (code, _, said) = at("2026-01-12");
    assert_eq!(code, 1);
    assert!(
        said.contains("the oldest is of 2026-01-13T08:00:00Z"),
        "{said}"
    );

    let (_, _, said) = run.scan(&["--state", "gs://states/none.tfstate"]);
    assert!(said.contains("it does not exist"), "{said}");
    let (_, _, said) = run.scan(&["--state", "gs://states/locked.tfstate"]);
    assert!(said.contains("storage.objects.get"), "{said}");
}

#[test]
fn a_prefix_in_google_cloud_storage_gives_every_workspace() {
    let peer = bucket(|asked| asked.header("authorization").is_none());
    let run = Run::new().with(
        "STORAGE_EMULATOR_HOST",
        peer.url().trim_start_matches("http://"),
    );
    for place in ["gs://states/net/", "gs://states/net/d*.tfstate"] {
        let (code, report, said) = run.scan(&["--state", place]);
        assert_eq!(code, 2, "{said}");
        let states = report["states"].as_array().unwrap().iter();
        let places: Vec<_> = states
            .map(|state| state["location"].as_str().unwrap())
            .collect();
        assert_eq!(
            places,
            [
                "gs://states/net/default.tfstate",
                "gs://states/net/dev.tfstate"
            ]
        );
    }
}

#[test]
fn a_service_account_signs_for_itself() {
    const DER: &[u8] = include_bytes!("../testdata/digest/signing-key.der");
    let public = RsaKeyPair::from_der(DER)
        .unwrap()
        .public_key()
        .as_ref()
        .to_vec();
    let peer = bucket(move |asked| {
        let token = asked
            .header("authorization")
            .and_then(|text| text.strip_prefix("Bearer "));
        let Some((claims, signature)) = token.and_then(|token| token.rsplit_once('.')) else {
            return false;
        };
        let signature = URL_SAFE_NO_PAD.decode(signature).unwrap();
        let public = UnparsedPublicKey::new(&RSA_PKCS1_2048_8192_SHA256, &public);
        let said = URL_SAFE_NO_PAD
            .decode(claims.split('.').nth(1).unwrap())
            .unwrap();
        let said: Value = serde_json::from_slice(&said).unwrap();
        public.verify(claims.as_bytes(), &signature).is_ok()
            && said["iss"] == "reader@acme.iam.gserviceaccount.com"
    });
    let run = Run::new().with("GOOGLE_STORAGE_CUSTOM_ENDPOINT", &peer.url());
    let pem = format!(
        "-----BEGIN RSA PRIVATE KEY-----\n{}\n-----END RSA PRIVATE KEY-----\n",
        STANDARD.encode(DER)
    );
    let account = json!({"type": "service_account", "private_key": pem, "private_key_id": "k",
        "client_email": "reader@acme.iam.gserviceaccount.com"});
    run.put("account.json", &account.to_string());
    let path = run.folder.path().join("account.json").display().to_string();
    let run = run.with("GOOGLE_APPLICATION_CREDENTIALS", &path);
    let (code, _, said) = run.scan(&["--state", "gs://states/net/dev.tfstate"]);
    assert_eq!(code, 2, "{said}");

    let run = run.with("GOOGLE_CREDENTIALS", &account.to_string());
    let (code, _, said) = run.scan(&["--state", "gs://states/net/dev.tfstate"]);
    assert_eq!(code, 2, "{said}");

    let run = run.with("GOOGLE_OAUTH_ACCESS_TOKEN", "wrong");
    let (code, _, said) = run.scan(&["--state", "gs://states/net/dev.tfstate"]);
    assert_eq!(code, 1);
    assert!(said.contains("HTTP 401"), "{said}");
    assert!(said.contains("GOOGLE_APPLICATION_CREDENTIALS"), "{said}");
}

// Azure Blob Storage.

fn container(let_in: impl Fn(&Asked) -> bool + Send + Sync + 'static) -> Peer {
    Peer::start(move |asked| {
        if !let_in(asked) {
            return refused(403);
        }
        match &*path_of(asked) {
            "/states/net.tfstate" => found(state("t3.micro")),
            "/states/net.tfstateenv:dev" => found(state("t3.nano")),
            "/states" if asked.path.contains("comp=list") => {
                let blob = |name: &str| {
                    format!(
                        "<Blob><Name>{name}</Name><Properties>\
                         <Last-Modified>{LAST_MODIFIED}</Last-Modified>\
                         <Content-Length>1</Content-Length>\
                         <Content-Type>application/json</Content-Type><Etag>0x1</Etag>\
                         </Properties></Blob>"
                    )
                };
                found(format!(
                    "<?xml version=\"1.0\" encoding=\"utf-8\"?><EnumerationResults>\
                     <Blobs>{}{}{}</Blobs><NextMarker/></EnumerationResults>",
                    blob("net.tfstate"),
                    blob("net.tfstateenv:dev"),
                    blob("readme.md")
                ))
            }
            _ => refused(404),
        }
    })
}

#[test]
fn a_state_in_azure_is_read_with_a_signature_and_all_workspaces_with_it() {
    let peer = container(|asked| asked.path.contains("sig=a%2Fb"));
    let run = Run::new()
        .with("AZURE_STORAGE_ENDPOINT", &peer.url())
        .with("ARM_SAS_TOKEN", "?sv=2024-11-04&sp=rl&sig=a%2Fb");
    let (code, report, said) = run.scan(&["--state", "azurerm://acct/states/net.tfstate"]);
    assert_eq!(code, 2, "{said}");
    assert_eq!(believed(&report), ["t3.micro"]);
    let (code, report, said) = run.scan(&["--state", "az://acct/states/"]);
    assert_eq!(code, 2, "{said}");
    assert_eq!(believed(&report), ["t3.micro", "t3.nano"]);
    let as_of = [
        "--state",
        "az://acct/states/net.tfstate",
        "--state-as-of",
        "since",
    ];
    let (_, _, said) = run.scan(&as_of);
    assert!(
        said.contains("versions in Azure are not followed"),
        "{said}"
    );

    let run = run.with("ARM_SAS_TOKEN", "sig=hush");
    let (code, _, said) = run.scan(&["--state", "azurerm://acct/states/net.tfstate"]);
    assert_eq!(code, 1);
    assert!(said.contains("Storage Blob Data Reader"), "{said}");
    assert!(!said.contains("hush"), "{said}");
}

#[test]
fn a_service_of_azures_trades_its_secret_for_a_token() {
    let peer = Peer::start(|asked| match (&*asked.method, &*path_of(asked)) {
        ("POST", "/tenant/oauth2/v2.0/token") if asked.body.contains("client_secret=hush") => {
            let token = json!({"access_token": "granted", "expires_in": 3600});
            found(token.to_string())
        }
        ("POST", _) => (401, Vec::new(), br#"{"error":"invalid_client"}"#.to_vec()),
        ("GET", "/states/net.tfstate")
            if asked.header("authorization") == Some("Bearer granted") =>
        {
            found(state("t3.micro"))
        }
        _ => refused(404),
    });
    let run = Run::new()
        .with("AZURE_STORAGE_ENDPOINT", &peer.url())
        .with("AZURE_AUTHORITY_HOST", &peer.url())
        .with("ARM_CLIENT_ID", "client")
        .with("ARM_TENANT_ID", "tenant")
        .with("ARM_CLIENT_SECRET", "hush");
    let (code, _, said) = run.scan(&["--state", "azurerm://acct/states/net.tfstate"]);
    assert_eq!(code, 2, "{said}");
    let run = run.with("ARM_CLIENT_SECRET", "wrong-secret");
    let (code, _, said) = run.scan(&["--state", "azurerm://acct/states/net.tfstate"]);
    assert_eq!(code, 1);
    assert!(
        said.contains("no access to Azure Blob Storage could be got"),
        "{said}"
    );
    assert!(!said.contains("wrong-secret"), "{said}");
    let run = run.with("ARM_ACCESS_KEY", "no base64!");
    let (code, _, said) = run.scan(&["--state", "azurerm://acct/states/net.tfstate"]);
    assert_eq!(code, 1);
    assert!(said.contains("malformed"), "{said}");
    assert!(!said.contains("no base64"), "{said}");
}

// Workspaces.

/// An organization `acme` of the workspaces `net` (three state versions), `new` (none).
fn organization() -> Peer {
    let own = std::sync::OnceLock::<String>::new();
    Peer::start(move |asked| {
        let base = own.get_or_init(|| format!("http://{}", asked.header("host").unwrap()));
        if path_of(asked).starts_with("/download/") {
            return match &*path_of(asked) {
                "/download/sv-1" => found(state("t3.nano")),
                "/download/sv-2" => found(state("t3.micro")),
                "/download/sv-3" => found(state("m5.large")),
                _ => refused(404),
            };
        }
        if asked.header("authorization") != Some("Bearer hush") {
            return refused(401);
        }
        let version = |id: &str, created: &str| {
            json!({"id": id, "type": "state-versions", "attributes": {"created-at": created,
                "status": "finalized",
                "hosted-state-download-url": format!("{base}/download/{id}")}})
        };
        let current = version("sv-3", "2026-01-15T10:30:00.000Z");
        match &*path_of(asked) {
            "/api/v2/organizations/acme/workspaces" => {
                let second = asked.path.contains("number%5D=2");
                let workspace = |name: &str, state: Value| {
                    json!({"attributes": {"name": name},
                           "relationships": {"current-state-version": {"data": state}}})
                };
                let data = if second {
                    json!([workspace("net", json!({"id": "sv-3"}))])
                } else {
                    json!([workspace("new", Value::Null)])
                };
                let next = (!second).then_some(2);
                found(
                    json!({"data": data, "meta": {"pagination": {"next-page": next}}}).to_string(),
                )
            }
            "/api/v2/organizations/acme/workspaces/net" => {
                found(json!({"data": {"id": "ws-1"}}).to_string())
            }
            "/api/v2/workspaces/ws-1/current-state-version" => {
                found(json!({"data": current}).to_string())
            }
            "/api/v2/state-versions" => {
                let second = asked.path.contains("number%5D=2");
                let data = if second {
                    json!([version("sv-1", "2026-01-13T08:00:00.000Z")])
                } else {
                    json!([current, version("sv-2", "2026-01-14T08:00:00.000Z")])
                };
                let next = (!second).then_some(2);
                found(
                    json!({"data": data, "meta": {"pagination": {"next-page": next}}}).to_string(),
                )
            }
            _ => refused(404),
        }
    })
}

#[test]
fn a_workspace_gives_its_state_as_it_is_and_as_it_was() {
    let peer = organization();
    let run = Run::new()
        .with("TFE_ADDRESS", &peer.url())
        .with("TFE_TOKEN", "hush");
    let (code, report, said) = run.scan(&["--state", "tfcloud://acme/net"]);
    assert_eq!(code, 0, "{said}");
    assert_eq!(report["states"][0]["as_of"], "2026-01-15T10:30:00Z");
    for (time, expected) in [("since", "t3.micro"), ("2026-01-13T09:00:00Z", "t3.nano")] {
        let words = ["--state", "tfcloud://acme/net", "--state-as-of", time];
        let (code, report, said) = run.scan(&words);
        assert_eq!(code, 2, "{said}");
        assert_eq!(believed(&report), [expected]);
    }
    let words = [
        "--state",
        "tfcloud://acme/net",
        "--state-as-of",
        "2026-01-12",
    ];
    assert!(run.scan(&words).2.contains("no version of it is as old"));
    for place in ["tfcloud://acme/", "tfcloud://acme/n*"] {
        let (code, report, said) = run.scan(&["--state", place]);
        assert_eq!(code, 0, "{said}");
        assert_eq!(report["states"][0]["location"], "tfcloud://acme/net");
        assert_eq!(report["states"].as_array().map(Vec::len), Some(1));
    }
}

#[test]
fn what_keeps_a_workspace_closed_is_said_without_its_token() {
    let peer = organization();
    let run = Run::new().with("TFE_ADDRESS", &peer.url());
    let (code, _, said) = run.scan(&["--state", "tfcloud://acme/net"]);
    assert_eq!(code, 1);
    assert!(said.contains("there is no token for 127.0.0.1"), "{said}");
    let run = run.with("TFE_TOKEN", "wrong-token");
    let (_, _, said) = run.scan(&["--state", "tfcloud://acme/net"]);
    assert!(said.contains("does not accept the token"), "{said}");
    assert!(said.contains("terraform login"), "{said}");
    assert!(!said.contains("wrong-token"), "{said}");
    let run = run.with("TFE_TOKEN", "hush");
    let (_, _, said) = run.scan(&["--state", "tfcloud://acme/gone"]);
    assert!(said.contains("there is no such workspace"), "{said}");
    // The token is for the host of TFE_ADDRESS, not for any that an address names.
    let (_, _, said) = run.scan(&["--state", "tfcloud://else.test/acme/net"]);
    assert!(said.contains("there is no token for else.test"), "{said}");
}

/// Azurite's one account, which its documentation names.
const EMULATED: (&str, &str) = (
    "devstoreaccount1",
    "Eby8vdM02xNOcqFlqUwJPLlmEtlCDXJ1OUzFT50uSRZ6IFsuFq2UVErCz4I6tq/K1SZFPTOtr/KBHBeksoGMGw==",
);

/// A signature that allows everything for an hour (Azure Storage, *Create an account SAS*).
fn account_signature() -> String {
    let (account, key) = EMULATED;
    let until = jiff::Timestamp::now() + jiff::SignedDuration::from_hours(1);
    let until = until.strftime("%Y-%m-%dT%H:%M:%SZ").to_string();
    let (version, allowed, services, kinds) = ("2021-06-08", "rwlac", "b", "sco");
    let text = format!("{account}\n{allowed}\n{services}\n{kinds}\n\n{until}\n\n\n{version}\n\n");
    let key = ring::hmac::Key::new(ring::hmac::HMAC_SHA256, &STANDARD.decode(key).unwrap());
    let signature = STANDARD.encode(ring::hmac::sign(&key, text.as_bytes()));
    let signature = percent_encoding::utf8_percent_encode(&signature, NON_ALPHANUMERIC);
    let until = percent_encoding::utf8_percent_encode(&until, NON_ALPHANUMERIC);
    format!("sv={version}&ss={services}&srt={kinds}&sp={allowed}&se={until}&sig={signature}")
}

/// Needs a running Azurite (`azurite-blob`, of npm); the gate starts one where it can.
#[test]
fn azurite_accepts_the_access_key_and_the_signature() {
    let Ok(emulator) = std::env::var("AZURITE_BLOB_STORAGE_URL") else {
        eprintln!("skipped: AZURITE_BLOB_STORAGE_URL names no running Azurite");
        return;
    };
    let (account, key) = EMULATED;
    let signature = account_signature();
    let web = tfdrift::web::Web::new().unwrap();
    let put = |path: &str, headers: &[(&str, &str)], body: &str| {
        let owned = |(name, value): &(&str, &str)| ((*name).to_owned(), (*value).to_owned());
        let headers: Vec<_> = headers.iter().map(owned).collect();
        let answer = web.send(tfdrift::web::Request {
            method: "PUT",
            url: &format!("{emulator}/{account}/{path}{signature}"),
            headers: &headers,
            body: body.as_bytes(),
        });
        answer.unwrap().status
    };
    let container = put("states?restype=container&", &[("content-length", "0")], "");
    assert!([201, 409].contains(&container), "{container}");
    for (name, kind) in [
        ("net.tfstate", "t3.micro"),
        ("net.tfstateenv:dev", "t3.nano"),
    ] {
        let path = format!("states/apps/{name}?");
        let written = put(&path, &[("x-ms-blob-type", "BlockBlob")], &state(kind));
        assert_eq!(written, 201, "{name}");
    }
    let place = format!("azurerm://{account}/states/apps/");
    for (variable, secret) in [("ARM_ACCESS_KEY", key), ("ARM_SAS_TOKEN", &*signature)] {
        let run = Run::new()
            .with("AZURITE_BLOB_STORAGE_URL", &emulator)
            .with(variable, secret);
        let (code, report, said) = run.scan(&["--state", &place]);
        assert_eq!(code, 2, "{variable}: {said}");
        assert_eq!(believed(&report), ["t3.micro", "t3.nano"], "{variable}");
    }
    let run = Run::new()
        .with("AZURITE_BLOB_STORAGE_URL", &emulator)
        .with("ARM_ACCESS_KEY", "d3Jvbmc=");
    let (code, _, said) = run.scan(&["--state", &format!("{place}net.tfstate")]);
    assert_eq!(code, 1);
    assert!(said.contains("HTTP 403"), "{said}");
    assert!(!said.contains("d3Jvbmc"), "{said}");
}

// Plans.

/// `terraform show -json` of a plan that found these attributes of the instance changed, and the
/// queue gone.
fn plan(after: &Value) -> String {
    let state: Value = serde_json::from_str(&state("t3.micro")).unwrap();
    let before = state["resources"][0]["instances"][0]["attributes"].clone();
    let mut now = before.clone();
    for (name, value) in after.as_object().unwrap() {
        now[name] = value.clone();
    }
    let drift = |address: &str, kind: &str, before: &Value, after: &Value| {
        json!({"address": address, "mode": "managed", "type": kind,
            "provider_name": "registry.terraform.io/hashicorp/aws",
            "change": {"actions": ["update"], "before": before, "after": after}})
    };
    let queue = json!({"id": "https://sqs.eu-west-1.amazonaws.com/111111111111/q", "name": "q"});
    json!({"format_version": "1.2", "terraform_version": "1.9.5", "planned_values": {},
        "timestamp": "2026-01-15T10:30:00Z",
        "resource_drift": [
            drift("aws_instance.web", "aws_instance", &before, &now),
            drift("aws_sqs_queue.q", "aws_sqs_queue", &queue, &Value::Null)],
        "prior_state": {"values": {"root_module": {"resources": [
            {"address": "aws_instance.web", "mode": "managed", "type": "aws_instance", "name": "web",
             "provider_name": "registry.terraform.io/hashicorp/aws", "values": now}]}}}})
    .to_string()
}

#[test]
fn what_a_plans_refresh_found_is_held_against_the_logs() {
    let run = Run::new();
    run.put(
        "plan.json",
        &plan(&json!({"instance_type": "m5.large", "public_ip": "192.0.2.9"})),
    );
    let (code, report, said) = run.scan(&["--state", "plan.json"]);
    assert_eq!(code, 2, "{said}");
    let drift = &report["drifts"][0];
    assert_eq!(drift["address"], "aws_instance.web");
    assert_eq!(drift["seen_by_plan"], true);
    let web = json!({"state": "plan.json", "address": "aws_instance.web", "kind": "modified",
        "explained": ["instance_type"], "unexplained": ["public_ip"],
        "drifts": [drift["id"]], "actors": ["ann"]});
    let queue = json!({"state": "plan.json", "address": "aws_sqs_queue.q", "kind": "deleted",
        "explained": [], "unexplained": [], "drifts": [], "actors": []});
    assert_eq!(report["refreshed"], json!([web, queue]));

    let words = [
        "scan",
        "--state",
        "plan.json",
        "--trail",
        "trail.json",
        "--since",
        "all",
    ];
    let output = run.run(&words);
    let table = String::from_utf8(output.stdout).unwrap();
    assert!(table.contains("instance_type changed by ann"), "{table}");
    assert!(
        table.contains("aws_sqs_queue.q: gone not in the evidence"),
        "{table}"
    );

    run.put("plan.json", &plan(&json!({"public_ip": "192.0.2.9"})));
    let (_, report, _) = run.scan(&["--state", "plan.json"]);
    assert_eq!(report["drifts"][0]["seen_by_plan"], false);
    assert_eq!(report["refreshed"][0]["drifts"], json!([]));
    let (_, report, _) = run.scan(&["--state", "plan.json", "--address", "aws_sqs_queue.*"]);
    assert_eq!(report["refreshed"], json!([queue]));

    // A state that is no plan says nothing of it.
    run.put("terraform.tfstate", &state("t3.micro"));
    let (_, report, _) = run.scan(&["--state", "terraform.tfstate"]);
    assert_eq!(report["drifts"][0]["seen_by_plan"], Value::Null);
}

// Keys of AWS KMS.

#[test]
fn a_state_that_opentofu_encrypted_with_a_key_of_kms_is_opened_through_it() {
    let peer = Peer::start(|asked| {
        let body: Value = serde_json::from_str(&asked.body).unwrap();
        let signed = asked.header("authorization").is_some_and(|signature| {
            signature.starts_with("AWS4-HMAC-SHA256 Credential=AKID/")
                && signature.contains("/eu-west-1/kms/aws4_request")
        });
        assert_eq!(asked.header("x-amz-target"), Some("TrentService.Decrypt"));
        if !signed || body["CiphertextBlob"] != STANDARD.encode("sealed") {
            let refusal = br#"{"__type":"AccessDeniedException","Message":"hush"}"#;
            return (400, Vec::new(), refusal.to_vec());
        }
        found(json!({"KeyId": "k", "Plaintext": STANDARD.encode([3; 32])}).to_string())
    });
    let encrypted = |blob: &str| {
        use ring::aead::{AES_256_GCM, Aad, LessSafeKey, Nonce, UnboundKey};
        let key = LessSafeKey::new(UnboundKey::new(&AES_256_GCM, &[3; 32]).unwrap());
        let mut text = state("t3.micro").into_bytes();
        let nonce = Nonce::assume_unique_for_key([7; 12]);
        key.seal_in_place_append_tag(nonce, Aad::empty(), &mut text)
            .unwrap();
        let meta = json!({"ciphertext_blob": STANDARD.encode(blob)}).to_string();
        json!({"serial": 1, "lineage": "l", "encryption_version": "v0",
            "meta": {"key_provider.aws_kms.main": STANDARD.encode(meta)},
            "encrypted_data": STANDARD.encode([vec![7; 12], text].concat())})
        .to_string()
    };
    let run = Run::new()
        .with("AWS_ENDPOINT_URL_KMS", &peer.url())
        .with("AWS_ACCESS_KEY_ID", "AKID")
        .with("AWS_SECRET_ACCESS_KEY", "hush")
        .with("AWS_REGION", "eu-west-1");
    run.put("a.tfstate", &encrypted("sealed"));
    let (code, report, said) = run.scan(&["--state", "a.tfstate"]);
    assert_eq!(code, 2, "{said}");
    assert_eq!(believed(&report), ["t3.micro"]);
    run.put("b.tfstate", &encrypted("another"));
    let (code, _, said) = run.scan(&["--state", "b.tfstate"]);
    assert_eq!(code, 1);
    assert!(said.contains("kms:Decrypt"), "{said}");
    assert!(!said.contains("hush"), "{said}");
}
