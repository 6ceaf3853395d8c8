//! What a state's text can look like. The format is told by the content, never by a name.

mod flat;
mod legacy;
mod show;
mod v4;

use rayon::prelude::*;
use serde_json::Value;
use serde_json::value::RawValue;

use super::draft::{Draft, Found};
use super::inventory::{Naming, StateFile};
use super::problem::Problem;

/// What was read of one state.
#[derive(Default)]
pub(crate) struct Parsed {
    /// Lineage, serial and version; the rest is for others to fill in.
    pub(crate) file: StateFile,
    pub(crate) drafts: Vec<Draft>,
    /// Parts that could not be read.
    pub(crate) flaws: Vec<Flaw>,
    /// Whether it is the state that a plan rests on.
    pub(crate) is_plan: bool,
}

/// A part of a state that could not be read while the rest could.
#[derive(Debug)]
pub(crate) struct Flaw {
    pub(crate) place: String,
    pub(crate) problem: String,
}

/// Why bytes are refused as a whole.
#[derive(Debug)]
pub(crate) struct Refusal {
    place: Option<String>,
    problem: String,
    remedy: String,
    /// Whether it is something else altogether, so that nobody may have meant it as a state.
    pub(crate) is_no_state: bool,
}

impl Refusal {
    fn new(problem: impl Into<String>, remedy: impl Into<String>) -> Self {
        Self {
            place: None,
            problem: problem.into(),
            remedy: remedy.into(),
            is_no_state: false,
        }
    }

    pub(crate) fn into_problem(self, location: &str) -> Problem {
        Problem {
            location: location.to_owned(),
            place: self.place,
            problem: self.problem,
            remedy: Some(self.remedy),
        }
    }
}

const PULL: &str =
    "write the state anew with `terraform state pull > terraform.tfstate` and name that file";
const UPGRADE: &str = "bring it to version 4 with a current Terraform: \
                       `terraform state pull > terraform.tfstate`";

/// Reads a state of any format.
///
/// A text that breaks off is refused as a whole: half a state would turn what it manages into
/// unmanaged resources.
///
/// # Errors
///
/// When the bytes are no state that can be read.
pub(crate) fn read(bytes: &[u8], naming: &dyn Naming) -> Result<Parsed, Refusal> {
    let text = decode(bytes)?;
    let (head, mut parsed) = v4::read(text, naming).map_err(|error| explain(text, &error))?;
    let has = |name: &str| head.others.contains_key(name);
    let version = head.version.as_ref().and_then(Value::as_u64);
    if has("encrypted_data") || has("encryption_version") {
        return Err(Refusal::new(
            "the state is encrypted by OpenTofu",
            "decrypt it where its key is configured: `tofu state pull | tfdrift scan --state -`",
        ));
    }
    let part = |name: &str| head.others.get(name).map(|part| RawValue::get(part));
    let within = |part: &'static str| {
        move |error| {
            let mut refusal = explain("", &error);
            refusal.place = Some(format!("`{part}`"));
            refusal
        }
    };
    match (version, &head.version) {
        (Some(4), _) if head.has_resources => {}
        (Some(1..=3), _) if has("backend") => {
            return Err(Refusal::new(
                "this file names a backend and holds no state",
                "leave out --state and run in the folder that holds `.terraform`",
            ));
        }
        (Some(1..=3), _) if let Some(modules) = part("modules") => {
            parsed = legacy::read(modules, naming).map_err(within("modules"))?;
        }
        (_, Some(version)) => return Err(unknown_version(version)),
        (_, None) if let Some(values) = part("values") => {
            parsed = show::read_state(values, naming).map_err(within("values"))?;
        }
        (_, None) if has("planned_values") => {
            parsed = show::read_plan(part("prior_state"), part("resource_drift"), naming)
                .map_err(within("prior_state"))?;
            if let Some(plan) = &mut parsed.file.plan {
                let made = part("timestamp");
                plan.made = made.and_then(|text| serde_json::from_str(text).ok());
            }
        }
        (_, None) => {
            let mut refusal = Refusal::new("this JSON is no Terraform state", PULL);
            refusal.is_no_state = true;
            return Err(refusal);
        }
    }
    parsed.file.terraform_version = head.terraform_version;
    parsed.file.serial = head.serial;
    parsed.file.lineage = head.lineage;
    Ok(parsed)
}

/// Takes up instances on all cores, in their order.
fn draft_all(found: Vec<Found<'_>>, naming: &dyn Naming) -> Parsed {
    let drafts: Vec<_> = found
        .into_par_iter()
        .map_init(String::new, |buffer, found| draft(found, naming, buffer))
        .collect();
    let mut parsed = Parsed::default();
    for outcome in drafts {
        match outcome {
            Ok(draft) => parsed.drafts.push(draft),
            Err(flaw) => parsed.flaws.push(flaw),
        }
    }
    parsed
}

/// Takes up one instance. `buffer` is scratch space.
fn draft(found: Found<'_>, naming: &dyn Naming, buffer: &mut String) -> Result<Draft, Flaw> {
    let address = found.address();
    Draft::new(found, naming, buffer).map_err(|error| Flaw {
        place: format!("resource `{address}`"),
        problem: format!("its attributes cannot be read: {error}"),
    })
}

fn unknown_version(version: &Value) -> Refusal {
    Refusal::new(
        format!("states of version {version} are not supported"),
        UPGRADE,
    )
}

/// The text of a state: UTF-8, with or without a byte order mark.
fn decode(bytes: &[u8]) -> Result<&str, Refusal> {
    if bytes.starts_with(&[0xFF, 0xFE]) || bytes.starts_with(&[0xFE, 0xFF]) {
        return Err(Refusal::new(
            "the text is UTF-16, as PowerShell's `>` writes it",
            "write it with `terraform state pull | Out-File -Encoding utf8 terraform.tfstate`",
        ));
    }
    let bytes = bytes.strip_prefix(b"\xEF\xBB\xBF").unwrap_or(bytes);
    if bytes.iter().all(u8::is_ascii_whitespace) {
        return Err(Refusal::new("the state is empty", PULL));
    }
    std::str::from_utf8(bytes).map_err(|error| {
        let mut refusal = Refusal::new("this is no text, so no Terraform state", PULL);
        refusal.place = Some(format!("byte {}", error.valid_up_to()));
        refusal
    })
}

/// Says what a reading error means. Another version may well have another shape, so its version
/// is looked for first.
fn explain(text: &str, error: &serde_json::Error) -> Refusal {
    #[derive(serde::Deserialize)]
    struct Version {
        version: Value,
    }
    if error.is_data()
        && let Ok(Version { version }) = serde_json::from_str(text)
        && version.as_u64().is_none_or(|version| version > 4)
    {
        return unknown_version(&version);
    }
    let message = error.to_string();
    let message = message
        .rsplit_once(" at line ")
        .map_or(&*message, |(message, _)| message);
    let problem = if error.is_eof() {
        format!("the state breaks off: {message}")
    } else if error.is_syntax() {
        format!("this is no JSON: {message}")
    } else {
        format!("this is not the shape of a Terraform state: {message}")
    };
    let mut refusal = Refusal::new(problem, PULL);
    refusal.place =
        (error.column() > 0).then(|| format!("line {}, column {}", error.line(), error.column()));
    refusal
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::state::inventory::Inventory;
    use crate::state::testing::TestNaming;
    use proptest::prelude::*;

    fn refusal(bytes: &[u8]) -> Problem {
        match read(bytes, &TestNaming::default()) {
            Ok(_) => panic!("read: {}", String::from_utf8_lossy(bytes)),
            Err(refusal) => refusal.into_problem("x.tfstate"),
        }
    }

    #[test]
    fn what_is_no_readable_state_says_what_and_where_and_what_to_do() {
        for (text, problem, place) in [
            ("", "the state is empty", None),
            (
                r#"{"version": 4, "resources": [{"mode""#,
                "the state breaks off",
                Some("line 1, column 36"),
            ),
            ("hello", "this is no JSON", Some("line 1, column 1")),
            (
                "{\"version\": 4,\n \"resources\": [}",
                "this is no JSON",
                Some("line 2, column 16"),
            ),
            ("[]", "this is not the shape of a Terraform state", None),
            (
                r#"{"version": 4, "resources": 7}"#,
                "this is not the shape",
                Some("line 1, column 29"),
            ),
            (
                r#"{"version": 5, "resources": []}"#,
                "states of version 5 are not supported",
                None,
            ),
            (
                r#"{"resources": {"a": 1}, "version": 9}"#,
                "states of version 9 are not supported",
                None,
            ),
            (
                r#"{"version": 3, "modules": [{"path": 7}]}"#,
                "not the shape",
                Some("`modules`"),
            ),
            (
                r#"{"values": {"root_module": 7}, "format_version": "1.0"}"#,
                "not the shape",
                Some("`values`"),
            ),
            (
                r#"{"format_version": "1.0"}"#,
                "this JSON is no Terraform state",
                None,
            ),
            (r#"{"hello": 1}"#, "this JSON is no Terraform state", None),
            (
                r#"{"serial":1,"lineage":"x","meta":{},"encrypted_data":"aa","encryption_version":"v0"}"#,
                "the state is encrypted by OpenTofu",
                None,
            ),
            (
                r#"{"version": 3, "backend": {"type": "s3"}}"#,
                "names a backend",
                None,
            ),
        ] {
            let found = refusal(text.as_bytes());
            assert_eq!(found.location, "x.tfstate");
            assert!(found.problem.contains(problem), "{text}: {found}");
            assert_eq!(found.place.as_deref(), place, "{text}");
            assert!(found.remedy.is_some(), "{text}");
        }
    }

    #[test]
    fn bytes_that_are_no_text_say_so() {
        assert_eq!(
            refusal(b"{\"a\": \"\xFF\"}").place.as_deref(),
            Some("byte 7")
        );
        assert!(refusal(b"\xFF\xFE{\0}\0").problem.contains("UTF-16"));
        let marked = b"\xEF\xBB\xBF{\"version\": 4, \"resources\": []}";
        assert!(read(marked, &TestNaming::default()).is_ok());
    }

    #[test]
    fn a_resource_that_cannot_be_read_does_not_cost_the_others() {
        let text = r#"{"version": 4, "resources": [
            {"mode": "managed", "type": "aws_instance", "name": "a", "instances": [{"attributes": [1]}]},
            {"mode": "managed", "type": "aws_instance", "name": "b", "module": "modul.x", "instances": [{"attributes": {}}]},
            {"mode": "managed", "type": "aws_instance", "name": "c", "instances": [{"attributes": {}}]}]}"#;
        let parsed = read(text.as_bytes(), &TestNaming::default()).ok();
        let parsed = parsed.expect("readable");
        let mut places: Vec<_> = parsed.flaws.iter().map(|flaw| &*flaw.place).collect();
        places.sort_unstable();
        assert_eq!(
            places,
            ["resource `aws_instance.a`", "resource `aws_instance.b`"]
        );
        assert_eq!(parsed.drafts.len(), 1);
    }

    /// A state of each format, with everything in it.
    const SAMPLES: [&str; 3] = [
        r#"{"version": 4, "serial": 1, "lineage": "l", "resources": [{"module": "module.a[\"b\"]", "mode": "managed",
            "type": "aws_instance", "name": "x", "provider": "p", "instances": [{"index_key": "é", "status": "tainted",
            "attributes": {"id": "i-1", "root_block_device": [{"volume_id": "v"}], "tags": {"a": null}},
            "sensitive_attributes": [[{"type": "get_attr", "value": "tags"}]]}, {"attributes_flat": {"a.#": "1", "a.0": "b"}}]}]}"#,
        r#"{"version": 3, "modules": [{"path": ["root", "m"], "resources": {"aws_instance.x.0": {"type": "aws_instance",
            "primary": {"id": "i", "attributes": {"tags.%": "1", "tags.a": "b"}}}}}]}"#,
        r#"{"planned_values": {}, "resource_drift": [{"address": "aws_instance.x", "mode": "managed", "change":
            {"before": {"id": "i"}, "before_sensitive": {}}}], "prior_state": {"values": {"root_module": {"resources":
            [{"address": "aws_instance.y", "mode": "managed", "values": {"id": "j"}, "sensitive_values": {"id": true}}],
            "child_modules": []}}}}"#,
    ];

    #[test]
    fn a_state_that_breaks_off_anywhere_is_refused_with_a_remedy() {
        for sample in SAMPLES {
            let whole = read(sample.as_bytes(), &TestNaming::default()).expect("readable");
            assert!(!whole.drafts.is_empty());
            for end in 0..sample.len() {
                refusal(&sample.as_bytes()[..end]);
            }
        }
    }

    proptest! {
        #[test]
        fn damage_of_any_kind_is_refused_or_survived(
            sample in 0..SAMPLES.len(),
            damage in proptest::collection::vec(
                (any::<proptest::sample::Index>(), "[\"\\\\{}\\[\\]:,a0-]|null|\\PC", 0..9_usize),
                1..4,
            ),
        ) {
            let mut bytes = SAMPLES[sample].as_bytes().to_vec();
            for (at, new, removed) in damage {
                let at = at.index(bytes.len());
                let end = (at + removed).min(bytes.len());
                bytes.splice(at..end, new.into_bytes());
            }
            if let Ok(parsed) = read(&bytes, &TestNaming::default()) {
                let inventory = Inventory::build([(parsed.file, parsed.drafts)], &TestNaming::default());
                for (id, instance) in inventory.instances() {
                    let address = instance.address().to_string();
                    let found = inventory.find_address(&address);
                    prop_assert!(found.is_empty() || found.contains(&id));
                    prop_assert!(instance.attributes().len() < 9);
                }
            }
        }
    }
}
