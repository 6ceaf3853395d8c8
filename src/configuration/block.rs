//! Reads one file of Terraform code: its resource blocks and its calls of modules.

use hcl_edit::Span;
use hcl_edit::expr::{Expression, TraversalOperator};
use hcl_edit::structure::{Attribute, Block, Body};

/// What a file holds.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct Contents {
    pub(super) resources: Vec<Resource>,
    pub(super) calls: Vec<Call>,
}

/// A `resource` block.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Resource {
    /// The type of resource, as `aws_instance`.
    pub(super) kind: String,
    pub(super) name: String,
    /// Line of its head, from 1.
    pub(super) line: u64,
    /// The entries of `ignore_changes` with their lines; a path of none stands for `all`. None
    /// when the block has no `ignore_changes`.
    pub(super) ignored: Option<Vec<(Option<String>, u64)>>,
}

/// A `module` block.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Call {
    pub(super) name: String,
    /// Its `source`, where that is a plain text.
    pub(super) source: Option<String>,
}

/// Reads a file's text.
///
/// # Errors
/// Line and words of what is no HCL.
pub(super) fn read(text: &str) -> Result<Contents, (u64, String)> {
    let text = text.strip_prefix('\u{feff}').unwrap_or(text);
    let body = hcl_edit::parser::parse_body(text).map_err(|error| {
        let line = u64::try_from(error.location().line()).unwrap_or_default();
        (line, format!("this is no HCL: {}", error.message()))
    })?;
    let mut contents = Contents::default();
    for block in body.blocks() {
        let labels: Vec<&str> = block
            .labels
            .iter()
            .map(hcl_edit::structure::BlockLabel::as_str)
            .collect();
        match (block.ident.as_str(), labels.as_slice()) {
            ("resource", [kind, name]) => contents.resources.push(Resource {
                kind: (*kind).to_owned(),
                name: (*name).to_owned(),
                line: line_of(text, &block.ident),
                ignored: ignored(text, block),
            }),
            ("module", [name]) => contents.calls.push(Call {
                name: (*name).to_owned(),
                source: text_of(&block.body, "source"),
            }),
            _ => {}
        }
    }
    Ok(contents)
}

fn text_of(body: &Body, key: &str) -> Option<String> {
    let value = &body.get_attribute(key)?.value;
    value.as_str().map(str::to_owned)
}

fn line_of(text: &str, place: &impl Span) -> u64 {
    let start = place.span().map_or(0, |span| span.start);
    let before = text.as_bytes().get(..start).unwrap_or_default();
    1 + memchr::memchr_iter(b'\n', before).count() as u64
}

fn ignored(text: &str, block: &Block) -> Option<Vec<(Option<String>, u64)>> {
    let lists: Vec<&Attribute> = block
        .body
        .get_blocks("lifecycle")
        .filter_map(|lifecycle| lifecycle.body.get_attribute("ignore_changes"))
        .collect();
    let mut found = Vec::new();
    for list in &lists {
        let line = line_of(text, &list.key);
        match &list.value {
            Expression::Array(entries) => {
                for entry in entries {
                    let line = match entry.span() {
                        Some(_) => line_of(text, entry),
                        None => line,
                    };
                    match path(entry).as_deref() {
                        // As Terraform before 0.12 wrote `all`.
                        Some("*") => found.push((None, line)),
                        Some(path) => found.push((Some(path.to_owned()), line)),
                        None => {}
                    }
                }
            }
            other if path(other).as_deref() == Some("all") => found.push((None, line)),
            _ => {}
        }
    }
    (!lists.is_empty()).then_some(found)
}

/// The path of an attribute; none when it is no such path. Terraform before 0.12 wrote it as text.
fn path(entry: &Expression) -> Option<String> {
    match entry {
        Expression::Variable(name) => Some(name.as_str().to_owned()),
        Expression::String(text) => Some(text.as_str().to_owned()),
        Expression::Traversal(traversal) => {
            let mut path = path(&traversal.expr)?;
            for operator in &traversal.operators {
                match operator.value() {
                    TraversalOperator::GetAttr(name) => {
                        path.push('.');
                        path.push_str(name.as_str());
                    }
                    TraversalOperator::LegacyIndex(index) => {
                        path.push_str(&format!("[{}]", index.value()));
                    }
                    TraversalOperator::Index(Expression::Number(index)) => {
                        path.push_str(&format!("[{}]", index.value()));
                    }
                    TraversalOperator::Index(Expression::String(key)) => {
                        path.push_str(&format!("[{}]", serde_json::Value::from(key.as_str())));
                    }
                    _ => return None,
                }
            }
            Some(path)
        }
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn only(text: &str) -> Resource {
        let mut contents = read(text).unwrap();
        assert_eq!(contents.resources.len(), 1);
        contents.resources.remove(0)
    }

    #[test]
    fn a_block_gives_its_name_and_the_line_of_its_head() {
        let resource =
            only("# a comment\n\n  resource \"aws_instance\" \"web\" {\n  ami = var.ami\n}\n");
        assert_eq!(
            resource,
            Resource {
                kind: "aws_instance".to_owned(),
                name: "web".to_owned(),
                line: 3,
                ignored: None,
            }
        );
        let windows = only("\u{feff}# é\r\n\r\nresource aws_instance web {}\r\n");
        assert_eq!(windows.line, 3);
    }

    #[test]
    fn every_form_of_ignore_changes_is_read() {
        let one = |path: &str| vec![(Some(path.to_owned()), 3)];
        for (value, expected) in [
            ("[ami]", one("ami")),
            ("[tags[\"Owner\"]]", one("tags[\"Owner\"]")),
            ("[tags.Owner]", one("tags.Owner")),
            ("[\"tags\"]", one("tags")),
            (
                "[root_block_device[0].volume_size]",
                one("root_block_device[0].volume_size"),
            ),
            (
                "[root_block_device.0.volume_size]",
                one("root_block_device[0].volume_size"),
            ),
            ("all", vec![(None, 3)]),
            ("[\"*\"]", vec![(None, 3)]),
            ("[]", vec![]),
            ("[tags[var.key]]", vec![]),
            ("var.ignored", vec![]),
            (
                "[\n  ami,\n  tags,\n]",
                vec![(Some("ami".to_owned()), 4), (Some("tags".to_owned()), 5)],
            ),
        ] {
            let text = format!(
                "resource \"aws_instance\" \"web\" {{\n  lifecycle {{\n    ignore_changes = {value}\n  }}\n}}\n"
            );
            assert_eq!(only(&text).ignored, Some(expected), "{value}");
        }
    }

    #[test]
    fn calls_of_modules_are_read_with_their_source() {
        let contents =
            read("module \"a\" {\n source = \"./a\"\n}\nmodule \"b\" {\n source = var.b\n}\n")
                .unwrap();
        let call = |name: &str, source: Option<&str>| Call {
            name: name.to_owned(),
            source: source.map(str::to_owned),
        };
        assert_eq!(contents.calls, [call("a", Some("./a")), call("b", None)]);
    }

    #[test]
    fn what_is_no_hcl_is_named_with_its_line() {
        let (line, problem) = read("a = 1\nresource \"x\" {\n").unwrap_err();
        assert!(line >= 2 && problem.contains("no HCL"), "{line}: {problem}");
        assert!(read(&"a = ".repeat(10_000)).is_err());
        assert!(read(&format!("a = {}", "[".repeat(100_000))).is_err());
    }

    proptest::proptest! {
        #[test]
        fn no_text_makes_it_panic(text in "[a-z{}\\[\\]\"$= \n.#0-9%<~-]{0,120}") {
            let _ = read(&text);
        }
    }
}
