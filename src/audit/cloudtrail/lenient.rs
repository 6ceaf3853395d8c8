//! Reads JSON objects field by field and forgives what a log may hold: keys that stand twice (the
//! last counts), values of another type (as if missing), text that is not quite Unicode.

use std::borrow::Cow;
use std::fmt;

use serde::de::{Deserialize, Deserializer, IgnoredAny, MapAccess, SeqAccess, Visitor};

/// Declares a struct that is read from an object by the keys given.
macro_rules! lenient {
    ($(#[$doc:meta])* $visible:vis struct $name:ident<$de:lifetime> {
        $($(#[$field_doc:meta])* $field:ident: $kind:ty = $($key:literal)|+,)*
    }) => {
        $(#[$doc])*
        #[derive(Debug, Default)]
        $visible struct $name<$de> {
            $($(#[$field_doc])* pub $field: $kind,)*
        }

        impl<$de> $crate::audit::cloudtrail::lenient::Members<$de> for $name<$de> {
            fn member<A: serde::de::MapAccess<$de>>(&mut self, key: &str, map: &mut A) -> Result<(), A::Error> {
                match key {
                    $($($key)|+ => self.$field = map.next_value()?,)*
                    _ => {
                        map.next_value::<serde::de::IgnoredAny>()?;
                    }
                }
                Ok(())
            }
        }

        impl<$de> serde::Deserialize<$de> for $name<$de> {
            fn deserialize<D: serde::Deserializer<$de>>(deserializer: D) -> Result<Self, D::Error> {
                $crate::audit::cloudtrail::lenient::members(deserializer)
            }
        }
    };
}
pub(crate) use lenient;

/// What takes in the members of an object one by one.
pub(crate) trait Members<'de>: Default {
    /// Takes in the member of a key.
    fn member<A: MapAccess<'de>>(&mut self, key: &str, map: &mut A) -> Result<(), A::Error>;
}

/// Reads an object; anything else is an empty one.
pub(crate) fn members<'de, T: Members<'de>, D: Deserializer<'de>>(
    deserializer: D,
) -> Result<T, D::Error> {
    deserializer.deserialize_any(Any(Object(T::default())))
}

/// What a value of any type becomes; by default what it is when of the wrong type.
trait Take<'de>: Sized {
    type Taken: Default;

    fn text(self, _text: Cow<'de, str>) -> Self::Taken {
        Self::Taken::default()
    }

    fn flag(self, _flag: bool) -> Self::Taken {
        Self::Taken::default()
    }

    fn map<A: MapAccess<'de>>(self, mut map: A) -> Result<Self::Taken, A::Error> {
        while map.next_entry::<IgnoredAny, IgnoredAny>()?.is_some() {}
        Ok(Self::Taken::default())
    }

    fn list<A: SeqAccess<'de>>(self, mut list: A) -> Result<Self::Taken, A::Error> {
        while list.next_element::<IgnoredAny>()?.is_some() {}
        Ok(Self::Taken::default())
    }
}

struct Any<T>(T);

impl<'de, T: Take<'de>> Visitor<'de> for Any<T> {
    type Value = T::Taken;

    fn expecting(&self, formatter: &mut fmt::Formatter) -> fmt::Result {
        formatter.write_str("any value")
    }

    fn visit_borrowed_str<E>(self, text: &'de str) -> Result<Self::Value, E> {
        Ok(self.0.text(Cow::Borrowed(text)))
    }

    fn visit_str<E>(self, text: &str) -> Result<Self::Value, E> {
        Ok(self.0.text(Cow::Owned(text.to_owned())))
    }

    fn visit_bool<E>(self, flag: bool) -> Result<Self::Value, E> {
        Ok(self.0.flag(flag))
    }

    fn visit_unit<E>(self) -> Result<Self::Value, E> {
        Ok(Self::Value::default())
    }

    fn visit_u64<E>(self, _: u64) -> Result<Self::Value, E> {
        Ok(Self::Value::default())
    }

    fn visit_i64<E>(self, _: i64) -> Result<Self::Value, E> {
        Ok(Self::Value::default())
    }

    fn visit_f64<E>(self, _: f64) -> Result<Self::Value, E> {
        Ok(Self::Value::default())
    }

    fn visit_map<A: MapAccess<'de>>(self, map: A) -> Result<Self::Value, A::Error> {
        self.0.map(map)
    }

    fn visit_seq<A: SeqAccess<'de>>(self, list: A) -> Result<Self::Value, A::Error> {
        self.0.list(list)
    }
}

struct Object<T>(T);

impl<'de, T: Members<'de>> Take<'de> for Object<T> {
    type Taken = T;

    fn map<A: MapAccess<'de>>(mut self, mut map: A) -> Result<T, A::Error> {
        while let Some(Text(key)) = map.next_key()? {
            self.0.member(&key.unwrap_or_default(), &mut map)?;
        }
        Ok(self.0)
    }
}

/// A string, borrowed where it holds no escapes.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Text<'de>(pub Option<Cow<'de, str>>);

impl Text<'_> {
    /// The string, unless it is missing or empty.
    pub(crate) fn owned(self) -> Option<String> {
        self.0.filter(|text| !text.is_empty()).map(Cow::into_owned)
    }
}

struct TakeText;

impl<'de> Take<'de> for TakeText {
    type Taken = Text<'de>;

    fn text(self, text: Cow<'de, str>) -> Text<'de> {
        Text(Some(text))
    }
}

impl<'de> Deserialize<'de> for Text<'de> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(Any(TakeText))
    }
}

/// A boolean, which some records hold as a string.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) struct Flag(pub Option<bool>);

impl Flag {
    /// The boolean that a word stands for.
    pub(crate) fn word(word: &str) -> Option<bool> {
        if word.eq_ignore_ascii_case("true") {
            Some(true)
        } else if word.eq_ignore_ascii_case("false") {
            Some(false)
        } else {
            None
        }
    }
}

struct TakeFlag;

impl<'de> Take<'de> for TakeFlag {
    type Taken = Flag;

    fn text(self, text: Cow<'de, str>) -> Flag {
        Flag(Flag::word(&text))
    }

    fn flag(self, flag: bool) -> Flag {
        Flag(Some(flag))
    }
}

impl<'de> Deserialize<'de> for Flag {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(Any(TakeFlag))
    }
}

/// A list; anything else is an empty one.
#[derive(Debug)]
pub(crate) struct List<T>(pub Vec<T>);

impl<T> Default for List<T> {
    fn default() -> Self {
        Self(Vec::new())
    }
}

struct TakeList<T>(std::marker::PhantomData<T>);

impl<'de, T: Deserialize<'de>> Take<'de> for TakeList<T> {
    type Taken = List<T>;

    fn list<A: SeqAccess<'de>>(self, mut list: A) -> Result<List<T>, A::Error> {
        let mut taken = Vec::new();
        while let Some(element) = list.next_element()? {
            taken.push(element);
        }
        Ok(List(taken))
    }
}

impl<'de, T: Deserialize<'de>> Deserialize<'de> for List<T> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(Any(TakeList(std::marker::PhantomData)))
    }
}

/// JSON text with what no parser takes replaced: bytes that are no UTF-8 and halves of surrogate
/// pairs by U+FFFD, raw control characters by spaces.
///
/// Services cut strings in the middle of a character, and a caller can send any bytes as an
/// agent: neither may hide a call.
pub(crate) fn repaired(json: &[u8]) -> String {
    let text = String::from_utf8_lossy(json);
    let mut repaired = String::with_capacity(text.len());
    let mut rest = text.as_ref();
    while let Some(at) = rest.find(|letter: char| letter == '\\' || letter.is_ascii_control()) {
        let (before, found) = rest.split_at(at);
        repaired.push_str(before);
        let length = match (surrogate(found), found.get(6..).and_then(surrogate)) {
            _ if !found.starts_with('\\') => {
                repaired.push(' ');
                1
            }
            (Some(Half::High), Some(Half::Low)) => {
                repaired.push_str(found.get(..12).unwrap_or_default());
                12
            }
            (Some(_), _) => {
                repaired.push_str("\\ufffd");
                6
            }
            (None, _) => {
                // The backslash and what it escapes, which may be another backslash.
                let length = 1 + found.chars().nth(1).map_or(0, char::len_utf8);
                repaired.push_str(found.get(..length).unwrap_or_default());
                length
            }
        };
        rest = found.get(length..).unwrap_or_default();
    }
    repaired.push_str(rest);
    repaired
}

enum Half {
    High,
    Low,
}

/// Which half of a surrogate pair the escape at the start of a text is.
fn surrogate(text: &str) -> Option<Half> {
    let digits = text.strip_prefix("\\u")?.get(..4)?;
    match u16::from_str_radix(digits, 16).ok()? {
        0xd800..=0xdbff => Some(Half::High),
        0xdc00..=0xdfff => Some(Half::Low),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::{Flag, List, Text, repaired};
    use proptest::prelude::*;
    use serde_json::Value;

    lenient! {
        /// An object of every kind of field.
        struct Sample<'de> {
            text: Text<'de> = "text" | "Text",
            flag: Flag = "flag",
            list: List<Text<'de>> = "list",
            value: Value = "value",
        }
    }

    #[test]
    fn the_last_of_a_key_counts_and_other_types_count_as_missing() {
        for (json, text, flag) in [
            (r#"{"text":"a","flag":true}"#, Some("a"), Some(true)),
            (
                r#"{"text":"a","text":"b","flag":"TRUE","flag":"false"}"#,
                Some("b"),
                Some(false),
            ),
            (r#"{"Text":"a","text":["b"],"flag":{"a":1}}"#, None, None),
            (r#"{"t\u0065xt":"\u0061","flag":null}"#, Some("a"), None),
            (r#"{"text":1,"flag":"yes","list":{}}"#, None, None),
            (r#"["text"]"#, None, None),
            ("-1.5", None, None),
        ] {
            let sample: Sample = serde_json::from_str(json).unwrap();
            assert_eq!(
                (sample.text.0.as_deref(), sample.flag.0),
                (text, flag),
                "{json}"
            );
            assert!(sample.list.0.is_empty());
            assert_eq!(sample.value, Value::Null);
        }
        let sample: Sample =
            serde_json::from_str(r#"{"list":["a",1,"b"],"value":{"a":1,"a":2}}"#).unwrap();
        assert_eq!(
            sample
                .list
                .0
                .into_iter()
                .map(Text::owned)
                .collect::<Vec<_>>(),
            [Some("a".to_owned()), None, Some("b".to_owned())]
        );
        assert_eq!(sample.value, serde_json::json!({"a": 2}));
    }

    #[test]
    fn what_no_parser_takes_is_replaced() {
        for (json, expected) in [
            (&b"\"a\\ud83d\""[..], "a\u{fffd}"),
            (b"\"\\ude00\\ud83d\\ude00\"", "\u{fffd}\u{1f600}"),
            (b"\"\\ud83d\\n\"", "\u{fffd}\n"),
            (b"\"\\\\ud83d\"", "\\ud83d"),
            (b"\"a\xffb\"", "a\u{fffd}b"),
            (b"\"a\x00b\nc\"", "a b c"),
        ] {
            assert!(serde_json::from_slice::<String>(json).is_err() || json.contains(&b'\\'));
            assert_eq!(
                serde_json::from_str::<String>(&repaired(json)).unwrap(),
                expected,
                "{json:?}"
            );
        }
    }

    proptest! {
        #[test]
        fn sound_text_stays_as_it_is(text: String) {
            let json = serde_json::to_string(&text).unwrap();
            prop_assert_eq!(serde_json::from_str::<String>(&repaired(json.as_bytes())).unwrap(), text.clone());
            let escaped: String = text.encode_utf16().map(|unit| format!("\\u{unit:04x}")).collect();
            prop_assert_eq!(serde_json::from_str::<String>(&repaired(format!("\"{escaped}\"").as_bytes())).unwrap(), text);
        }

        #[test]
        fn no_bytes_make_it_panic(bytes in prop::collection::vec(prop_oneof![Just(b'\\'), Just(b'u'), Just(b'd'), Just(b'8'), any::<u8>()], 0..60)) {
            repaired(&bytes);
        }
    }
}
