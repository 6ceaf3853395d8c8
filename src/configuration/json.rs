//! Reads one file of Terraform code that is written as JSON (`.tf.json`; Terraform language, *JSON
//! Configuration Syntax*).
//!
//! What is a block in the native syntax is an object here, or a list of such objects wherever
//! several blocks may stand.

use std::fmt;

use serde::Deserialize;
use serde::de::{Deserializer, MapAccess, Visitor};
use serde_json::value::RawValue;

use super::block::{Call, Contents, Resource};

/// The members of an object in their order, unparsed.
struct Members<'a>(Vec<(String, &'a RawValue)>);

impl<'de> Deserialize<'de> for Members<'de> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct InOrder;

        impl<'de> Visitor<'de> for InOrder {
            type Value = Members<'de>;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("an object")
            }

            fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Self::Value, A::Error> {
                let mut members = Vec::new();
                while let Some(member) = map.next_entry()? {
                    members.push(member);
                }
                Ok(Members(members))
            }
        }

        deserializer.deserialize_map(InOrder)
    }
}

/// Reads a file's text.
///
/// # Errors
/// Line and words of what is no JSON.
pub(super) fn read(text: &str) -> Result<Contents, (u64, String)> {
    let text = text.strip_prefix('\u{feff}').unwrap_or(text);
    let whole: &RawValue = serde_json::from_str(text).map_err(|error| {
        let line = u64::try_from(error.line()).unwrap_or_default();
        let words = error.to_string();
        let words = words.split(" at line ").next().unwrap_or(&words);
        (line, format!("this is no JSON: {words}"))
    })?;
    let mut contents = Contents::default();
    for (block, body) in members(whole) {
        match block.as_str() {
            "resource" => {
                for (kind, named) in members(body) {
                    for (name, body) in members(named) {
                        contents.resources.push(Resource {
                            kind: kind.clone(),
                            name,
                            line: line_of(text, body),
                            ignored: ignored(text, body),
                        });
                    }
                }
            }
            "module" => {
                for (name, body) in members(body) {
                    let source = one(body, "source");
                    contents.calls.push(Call {
                        name,
                        source: source.and_then(|source| serde_json::from_str(source.get()).ok()),
                    });
                }
            }
            _ => {}
        }
    }
    Ok(contents)
}

/// The members of an object, or of all objects in a list; none of anything else. Those named `//`
/// are comments.
fn members(value: &RawValue) -> Vec<(String, &RawValue)> {
    let objects: Vec<&RawValue> = if value.get().starts_with('[') {
        serde_json::from_str(value.get()).unwrap_or_default()
    } else {
        vec![value]
    };
    let mut all = Vec::new();
    for object in objects {
        if let Ok(Members(members)) = serde_json::from_str(object.get()) {
            all.extend(members.into_iter().filter(|(name, _)| name != "//"));
        }
    }
    all
}

fn one<'a>(value: &'a RawValue, name: &str) -> Option<&'a RawValue> {
    let mut members = members(value).into_iter();
    members.find_map(|(own, value)| (own == name).then_some(value))
}

/// The line that a part of the text begins in: that of its name, as everyone writes it.
fn line_of(text: &str, part: &RawValue) -> u64 {
    let begin = text.as_ptr().addr();
    let start = part.get().as_ptr().addr().saturating_sub(begin);
    let before = text.as_bytes().get(..start).unwrap_or_default();
    1 + memchr::memchr_iter(b'\n', before).count() as u64
}

fn ignored(text: &str, body: &RawValue) -> Option<Vec<(Option<String>, u64)>> {
    let list = one(one(body, "lifecycle")?, "ignore_changes")?;
    let line = line_of(text, list);
    let path = |path: String| (!matches!(&*path, "all" | "*")).then_some(path);
    if let Ok(word) = serde_json::from_str::<String>(list.get()) {
        return Some(if word == "all" {
            vec![(None, line)]
        } else {
            Vec::new()
        });
    }
    let entries: Vec<&RawValue> = serde_json::from_str(list.get()).unwrap_or_default();
    let entries = entries.into_iter().filter_map(|entry| {
        let words: String = serde_json::from_str(entry.get()).ok()?;
        Some((path(words), line_of(text, entry)))
    });
    Some(entries.collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn blocks_as_objects_and_as_lists_are_read_with_their_lines() {
        let text = r#"{
  "//": "made by a program",
  "resource": {
    "aws_instance": {
      "web": {
        "ami": "x",
        "lifecycle": {
          "ignore_changes": ["ami",
            "tags[\"a.b\"]"]
        }
      },
      "all": [{"lifecycle": [{"ignore_changes": "all"}]}]
    }
  },
  "module": [{"net": {"source": "./net"}}, {"far": {"source": 1}}],
  "variable": {"x": {}}
}"#;
        let contents = read(text).unwrap();
        let resource = |name: &str, line, ignored| Resource {
            kind: "aws_instance".to_owned(),
            name: name.to_owned(),
            line,
            ignored: Some(ignored),
        };
        let some = |path: &str| Some(path.to_owned());
        assert_eq!(
            contents.resources,
            [
                resource("web", 5, vec![(some("ami"), 8), (some("tags[\"a.b\"]"), 9)]),
                resource("all", 12, vec![(None, 12)]),
            ]
        );
        let call = |name: &str, source: Option<&str>| Call {
            name: name.to_owned(),
            source: source.map(str::to_owned),
        };
        assert_eq!(
            contents.calls,
            [call("net", Some("./net")), call("far", None)]
        );
    }

    #[test]
    fn several_lists_of_resources_are_one() {
        let text = r#"{"resource": [{"aws_instance": {"a": {}}}, {"aws_instance": [{"b": {}}]}]}"#;
        let contents = read(text).unwrap();
        let names: Vec<_> = contents.resources.iter().map(|one| &*one.name).collect();
        assert_eq!(names, ["a", "b"]);
        assert!(contents.resources.iter().all(|one| one.ignored.is_none()));
    }

    #[test]
    fn what_is_no_json_is_named_with_its_line() {
        let (line, problem) = read("{\n\"resource\": {,\n").unwrap_err();
        assert_eq!(line, 2);
        assert!(problem.starts_with("this is no JSON: "), "{problem}");
        assert!(read(&"[".repeat(100_000)).is_err());
        for text in [
            "[]",
            "1",
            "{\"resource\": 1}",
            "{\"resource\": {\"a\": [1]}}",
        ] {
            assert_eq!(read(text), Ok(Contents::default()), "{text}");
        }
    }

    proptest::proptest! {
        #[test]
        fn no_text_makes_it_panic(text in "[a-z{}\\[\\]\":, \n0-9é]{0,120}") {
            let _ = read(&text);
        }
    }
}
