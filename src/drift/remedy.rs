//! How a drift is put back, as data for people to use. Nothing is ever run.

use std::fmt::Write as _;

use super::import::{ImportId, import_id};
use super::model::{Drift, Kind, Remedy, Status};

/// What to do about a drift.
///
/// The texts quote names that come from logs: they are escaped for the shell and for HCL, and not
/// for the format that shows them.
#[must_use]
pub fn remedy(drift: &Drift) -> Remedy {
    let remedy = match (drift.status, drift.kind) {
        (Status::Reverted | Status::Reconciled, _) => Remedy {
            summary: if drift.by_terraform() {
                "Nothing to do: Terraform made the change itself.".to_owned()
            } else {
                "Nothing to do: it has been put back.".to_owned()
            },
            ..Remedy::default()
        },
        (_, Kind::Modified) => modified(drift),
        (_, Kind::Deleted) => deleted(drift),
        (_, Kind::Unmanaged) => unmanaged(drift),
    };
    let looks = drift.kind != Kind::Deleted;
    let console_url = looks
        .then(|| drift.arn.as_deref().and_then(console_url))
        .flatten();
    Remedy {
        console_url,
        ..remedy
    }
}

fn modified(drift: &Drift) -> Remedy {
    Remedy {
        summary: "Look at the plan; apply it to put things back, or change the code to keep what \
                  was done."
            .to_owned(),
        command: drift.address.as_deref().map(plan_of),
        ..Remedy::default()
    }
}

fn deleted(drift: &Drift) -> Remedy {
    let address = drift.address.as_deref();
    // A `removed` block takes no instance keys.
    let whole = address.filter(|address| !address.contains('['));
    let otherwise = match (whole, address) {
        (None, Some(address)) => {
            format!(
                "if it is to stay gone, take it out of the code and run `terraform state rm {}`",
                quoted(address)
            )
        }
        _ => "if it is to stay gone, put the `removed` block in the place of its code".to_owned(),
    };
    Remedy {
        summary: format!(
            "Look at the plan; apply it to make the resource anew, without the data it held; {otherwise}."
        ),
        command: address.map(plan_of),
        hcl: whole.map(|address| {
            format!(
                "removed {{\n  from = {address}\n\n  lifecycle {{\n    destroy = false\n  }}\n}}\n"
            )
        }),
        console_url: None,
    }
}

fn unmanaged(drift: &Drift) -> Remedy {
    let keep = |summary: &str, id: &str| Remedy {
        summary: summary.to_owned(),
        command: Some("terraform plan -generate-config-out=imported.tf".to_owned()),
        hcl: Some(import_block(drift, id)),
        console_url: None,
    };
    match import_id(drift) {
        ImportId::Known(id) => keep(
            "Delete it, or take it into Terraform: add the import block and let the plan write the code.",
            &id,
        ),
        ImportId::Partial(id) => keep(
            "Delete it, or take it into Terraform: add the import block, fill in what stands in \
             <angle brackets>, and let the plan write the code.",
            &id,
        ),
        ImportId::Impossible => Remedy {
            summary:
                "Delete it, or write it into the code and apply; Terraform cannot import the type."
                    .to_owned(),
            ..Remedy::default()
        },
    }
}

fn plan_of(address: &str) -> String {
    format!("terraform plan -target={}", quoted(address))
}

fn import_block(drift: &Drift, id: &str) -> String {
    let label = label(drift);
    format!(
        "import {{\n  to = {}.{label}\n  id = {}\n}}\n",
        drift.resource_type,
        hcl_string(id)
    )
}

/// A name for the new block: what people call the resource, else its id, in letters that HCL takes.
fn label(drift: &Drift) -> String {
    let name = drift
        .resource_name
        .as_deref()
        .filter(|name| !name.is_empty());
    let id = drift
        .resource_id
        .as_deref()
        .and_then(|id| id.rsplit(['/', ':']).find(|part| !part.is_empty()));
    let mut label = String::new();
    for letter in name.or(id).unwrap_or_default().chars().take(64) {
        match letter.to_ascii_lowercase() {
            plain if plain.is_ascii_alphanumeric() => label.push(plain),
            _ if label.ends_with('_') => {}
            _ => label.push('_'),
        }
    }
    let label = label.trim_matches('_');
    match label.chars().next() {
        None => "unmanaged".to_owned(),
        Some(first) if first.is_ascii_digit() => format!("_{label}"),
        Some(_) => label.to_owned(),
    }
}

/// One word of a POSIX shell.
fn quoted(text: &str) -> String {
    format!("'{}'", text.replace('\'', r"'\''"))
}

/// A string of HCL that means exactly the text: no template in it is evaluated.
fn hcl_string(text: &str) -> String {
    let mut string = String::from("\"");
    let mut letters = text.chars().peekable();
    while let Some(letter) = letters.next() {
        match letter {
            '"' | '\\' => string.extend(['\\', letter]),
            '\n' => string.push_str("\\n"),
            '\r' => string.push_str("\\r"),
            '\t' => string.push_str("\\t"),
            '$' | '%' if letters.peek() == Some(&'{') => string.extend([letter, letter]),
            // Controls and the marks that turn the direction of text.
            _ if letter.is_control()
                || matches!(letter, '\u{200e}' | '\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}') =>
            {
                let _ = write!(string, "\\u{:04x}", u32::from(letter));
            }
            _ => string.push(letter),
        }
    }
    string.push('"');
    string
}

/// The page of the web console that an ARN leads to, in the partition of the ARN.
fn console_url(arn: &str) -> Option<String> {
    let mut parts = arn.split(':');
    let host = match (parts.next(), parts.next()) {
        (Some("arn"), Some("aws")) => "console.aws.amazon.com",
        (Some("arn"), Some("aws-us-gov")) => "console.amazonaws-us-gov.com",
        (Some("arn"), Some("aws-cn")) => "console.amazonaws.cn",
        _ => return None,
    };
    Some(format!("https://{host}/go/view?arn={}", url_encoded(arn)))
}

fn url_encoded(text: &str) -> String {
    let mut encoded = String::with_capacity(text.len() * 2);
    for byte in text.bytes() {
        if byte.is_ascii_alphanumeric() || b"-._~".contains(&byte) {
            encoded.push(char::from(byte));
        } else {
            let _ = write!(encoded, "%{byte:02X}");
        }
    }
    encoded
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::super::import::tests::unmanaged as new;
    use super::*;

    fn managed(kind: Kind, address: &str) -> Drift {
        let arn = "arn:aws:ec2:us-east-1:123456789012:instance/i-1";
        Drift {
            kind,
            address: Some(address.to_owned()),
            arn: Some(arn.to_owned()),
            ..new("aws_instance", Some("i-1"), &[])
        }
    }

    #[test]
    fn a_change_is_put_back_by_a_plan_of_its_address() {
        let remedy = remedy(&managed(
            Kind::Modified,
            r#"module.web["it's"].aws_instance.app[0]"#,
        ));
        let command = r#"terraform plan -target='module.web["it'\''s"].aws_instance.app[0]'"#;
        assert_eq!(remedy.command.as_deref(), Some(command));
        assert_eq!(remedy.hcl, None);
        assert_eq!(
            remedy.console_url.as_deref(),
            Some(
                "https://console.aws.amazon.com/go/view?arn=arn%3Aaws%3Aec2%3Aus-east-1%3A123456789012%3Ainstance%2Fi-1"
            )
        );
    }

    #[test]
    fn a_deleted_resource_is_made_anew_or_given_up() {
        let plain = remedy(&managed(Kind::Deleted, "aws_instance.web"));
        assert_eq!(
            plain.command.as_deref(),
            Some("terraform plan -target='aws_instance.web'")
        );
        let block =
            "removed {\n  from = aws_instance.web\n\n  lifecycle {\n    destroy = false\n  }\n}\n";
        assert_eq!(plain.hcl.as_deref(), Some(block));
        assert_eq!(plain.console_url, None);
        let one_of_many = remedy(&managed(Kind::Deleted, "aws_instance.web[1]"));
        assert_eq!(one_of_many.hcl, None);
        assert!(
            one_of_many
                .summary
                .contains("terraform state rm 'aws_instance.web[1]'")
        );
    }

    #[test]
    fn an_unmanaged_resource_is_imported_under_a_name_that_people_know() {
        let table = [
            (Some("Web Server / blue"), Some("i-1"), "web_server_blue"),
            (None, Some("AKIAEXAMPLE"), "akiaexample"),
            (None, Some("arn:aws:sns:us-east-1:1:my-topic"), "my_topic"),
            (Some("1st"), None, "_1st"),
            (Some("名前"), None, "unmanaged"),
            (None, None, "unmanaged"),
        ];
        for (name, id, label) in table {
            let drift = Drift {
                resource_name: name.map(str::to_owned),
                ..new("aws_thing", id, &[])
            };
            let hcl = remedy(&drift).hcl.unwrap();
            assert!(hcl.contains(&format!("to = aws_thing.{label}\n")), "{hcl}");
        }
        let known = remedy(&new("aws_iam_access_key", Some("AKIAEXAMPLE"), &[]));
        assert_eq!(
            known.hcl.as_deref(),
            Some("import {\n  to = aws_iam_access_key.akiaexample\n  id = \"AKIAEXAMPLE\"\n}\n")
        );
        let partial = remedy(&new(
            "aws_route",
            Some("r-1"),
            &[("route_table_id", json!("rtb-1"))],
        ));
        assert!(
            partial
                .hcl
                .unwrap()
                .contains(r#"id = "rtb-1_<destination_cidr_block>""#)
        );
        assert!(partial.summary.contains("angle brackets"));
        assert_eq!(
            remedy(&new("aws_iam_group_membership", Some("x"), &[])).hcl,
            None
        );
    }

    #[test]
    fn what_was_put_back_needs_nothing() {
        for status in [Status::Reverted, Status::Reconciled] {
            let drift = Drift {
                status,
                ..managed(Kind::Modified, "aws_instance.web")
            };
            assert_eq!(remedy(&drift).command, None);
        }
    }

    #[test]
    fn hostile_names_stay_text_in_hcl_and_in_links() {
        let table = [
            ("plain", r#""plain""#),
            ("a\"b\\c", r#""a\"b\\c""#),
            ("${file(\"/etc/passwd\")}", r#""$${file(\"/etc/passwd\")}""#),
            ("%{if true}$", r#""%%{if true}$""#),
            ("a\nb\u{1b}[31m\u{202e}", r#""a\nb\u001b[31m\u202e""#),
        ];
        for (text, expected) in table {
            assert_eq!(hcl_string(text), expected);
        }
        let link = console_url("arn:aws:s3:::a b&c=\"<é>").unwrap();
        assert!(
            link.ends_with("arn%3Aaws%3As3%3A%3A%3Aa%20b%26c%3D%22%3C%C3%A9%3E"),
            "{link}"
        );
        assert_eq!(console_url("javascript:alert(1)"), None);
        assert_eq!(console_url("arn:evil:x"), None);
    }
}
