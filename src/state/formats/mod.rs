//! What a state's text can look like. The format is told by the content, never by a name.

mod v4;

use serde_json::Value;

use super::draft::Draft;
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
}

/// A part of a state that could not be read while the rest could.
pub(crate) struct Flaw {
    pub(crate) place: String,
    pub(crate) problem: String,
}

const PULL: &str =
    "write the state anew with `terraform state pull > terraform.tfstate` and name that file";

/// Reads a state of any format. `location` is where the bytes come from.
///
/// A text that breaks off is refused as a whole: half a state would turn what it manages into
/// unmanaged resources.
///
/// # Errors
///
/// When the bytes are no state that can be read.
pub(crate) fn read(
    bytes: &[u8],
    location: &str,
    naming: &dyn Naming,
) -> Result<Parsed, Box<Problem>> {
    let text = decode(bytes, location)?;
    let (head, mut parsed) = match v4::read(text, naming) {
        Ok(read) => read,
        Err(error) => return Err(Box::new(explain(text, location, &error))),
    };
    let has = |name: &str| head.others.contains_key(name);
    let version = head.version.as_ref().and_then(Value::as_u64);
    let problem = |problem: String, remedy: &str| {
        Err(Box::new(Problem::new(location, problem).remedy(remedy)))
    };
    if has("encrypted_data") || has("encryption_version") {
        return problem(
            "the state is encrypted by OpenTofu".into(),
            "decrypt it where its key is configured: `tofu state pull | tfdrift scan --state -`",
        );
    }
    match (version, &head.version) {
        (Some(4), _) if head.has_resources => {}
        (Some(3), _) if has("backend") => {
            return problem(
                "this file names a backend and holds no state".into(),
                "leave out --state and run in the folder that holds `.terraform`",
            );
        }
        (_, Some(version)) => {
            return problem(
                format!("states of version {version} are not supported"),
                "bring it to version 4 with a current Terraform: `terraform state pull > terraform.tfstate`",
            );
        }
        _ => return problem("this JSON is no Terraform state".into(), PULL),
    }
    parsed.file.terraform_version = head.terraform_version;
    parsed.file.serial = head.serial;
    parsed.file.lineage = head.lineage;
    Ok(parsed)
}

/// The text of a state: UTF-8, with or without a byte order mark.
fn decode<'a>(bytes: &'a [u8], location: &str) -> Result<&'a str, Box<Problem>> {
    if bytes.starts_with(&[0xFF, 0xFE]) || bytes.starts_with(&[0xFE, 0xFF]) {
        let problem = Problem::new(
            location,
            "the text is UTF-16, as PowerShell's `>` writes it",
        );
        return Err(Box::new(problem.remedy(
            "write it with `terraform state pull | Out-File -Encoding utf8 terraform.tfstate`",
        )));
    }
    let bytes = bytes.strip_prefix(b"\xEF\xBB\xBF").unwrap_or(bytes);
    if bytes.iter().all(u8::is_ascii_whitespace) {
        let problem = Problem::new(location, "the state is empty");
        return Err(Box::new(problem.remedy(PULL)));
    }
    std::str::from_utf8(bytes).map_err(|error| {
        let problem = Problem::new(location, "this is no text, so no Terraform state")
            .at(format!("byte {}", error.valid_up_to()));
        Box::new(problem.remedy(PULL))
    })
}

/// Says what a reading error means. Another version may well have another shape, so its version
/// is looked for first.
fn explain(text: &str, location: &str, error: &serde_json::Error) -> Problem {
    #[derive(serde::Deserialize)]
    struct Version {
        version: Value,
    }
    if error.is_data()
        && let Ok(Version { version }) = serde_json::from_str(text)
        && version != 4
    {
        return Problem::new(location, format!("states of version {version} are not supported"))
            .remedy("bring it to version 4 with a current Terraform: `terraform state pull > terraform.tfstate`");
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
    let problem = Problem::new(location, problem).remedy(PULL);
    if error.column() == 0 {
        return problem;
    }
    problem.at(format!("line {}, column {}", error.line(), error.column()))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::state::testing::TestNaming;

    fn refusal(bytes: &[u8]) -> Problem {
        match read(bytes, "x.tfstate", &TestNaming::default()) {
            Ok(_) => panic!("read: {}", String::from_utf8_lossy(bytes)),
            Err(problem) => *problem,
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
        assert!(read(marked, "x", &TestNaming::default()).is_ok());
    }

    #[test]
    fn a_resource_that_cannot_be_read_does_not_cost_the_others() {
        let text = r#"{"version": 4, "resources": [
            {"mode": "managed", "type": "aws_instance", "name": "a", "instances": [{"attributes": [1]}]},
            {"mode": "managed", "type": "aws_instance", "name": "b", "module": "modul.x", "instances": [{"attributes": {}}]},
            {"mode": "managed", "type": "aws_instance", "name": "c", "instances": [{"attributes": {}}]}]}"#;
        let parsed = read(text.as_bytes(), "x", &TestNaming::default()).ok();
        let parsed = parsed.expect("readable");
        let mut places: Vec<_> = parsed.flaws.iter().map(|flaw| &*flaw.place).collect();
        places.sort_unstable();
        assert_eq!(
            places,
            ["resource `aws_instance.a`", "resource `aws_instance.b`"]
        );
        assert_eq!(parsed.drafts.len(), 1);
    }
}
