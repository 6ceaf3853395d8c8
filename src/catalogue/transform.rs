//! The few small changes of spelling that rules may ask for.

use serde_json::{Map, Number, Value};

use super::alike::bytes;
/// A change of spelling between call and state.
#[derive(Debug, Clone, PartialEq)]
pub enum Transform {
    /// The opposite truth.
    Not,
    /// The last part of an ARN, a URL or a path.
    Tail,
    /// Base64 decoded to text.
    Base64,
    /// Percent-decoding.
    UrlDecode,
    /// Lower case.
    Lower,
    /// Upper case.
    Upper,
    /// A comma-separated text as a list.
    Csv,
    /// A list as a comma-separated text.
    Join,
    /// Plus a number.
    Plus(f64),
    /// Times a number.
    Times(f64),
    /// Divided by a number.
    Divide(f64),
    /// Wrapped in a list.
    List,
    /// The keys of a map.
    Keys,
    /// A map as a list of its values, each an object with its key under this name.
    Entries(String),
    /// Each member of a list as an object that holds it under this name.
    Under(String),
    /// The values of a map.
    Values,
    /// The first member of a list.
    First,
    /// The sole member of a list; of several, nothing.
    Only,
    /// A list of several members; of one, nothing.
    Several,
    /// A text without the quotes around it.
    Unquote,
    /// Text read as JSON.
    Json,
    /// Written as JSON text.
    Text,
    /// A DNS name in lower case, without the final dot, octal escapes resolved.
    Dns,
    /// A hosted-zone id without its path.
    Zone,
    /// A Lambda function's name, from a name, a partial or a full ARN.
    Function,
    /// A truth, from the words services use for one.
    Enabled,
    /// The part before a separator.
    Before(String),
    /// The part after a separator.
    After(String),
}

impl Transform {
    /// Reads a transform as rules write it: `tail`, `times:60`.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        let (word, argument) = text.trim().split_once(':').unwrap_or((text.trim(), ""));
        Some(match word {
            "not" => Self::Not,
            "tail" => Self::Tail,
            "base64" => Self::Base64,
            "urldecode" => Self::UrlDecode,
            "lower" => Self::Lower,
            "upper" => Self::Upper,
            "csv" => Self::Csv,
            "join" => Self::Join,
            "plus" => Self::Plus(argument.parse().ok()?),
            "times" => Self::Times(argument.parse().ok()?),
            "divide" => Self::Divide(argument.parse().ok()?),
            "list" => Self::List,
            "keys" => Self::Keys,
            "entries" if !argument.is_empty() => Self::Entries(argument.to_owned()),
            "under" if !argument.is_empty() => Self::Under(argument.to_owned()),
            "values" => Self::Values,
            "first" => Self::First,
            "only" => Self::Only,
            "several" => Self::Several,
            "unquote" => Self::Unquote,
            "json" => Self::Json,
            "text" => Self::Text,
            "dns" => Self::Dns,
            "zone" => Self::Zone,
            "function" => Self::Function,
            "enabled" => Self::Enabled,
            "before" if !argument.is_empty() => Self::Before(argument.to_owned()),
            "after" if !argument.is_empty() => Self::After(argument.to_owned()),
            _ => return None,
        })
    }

    /// Applies it. What it does not fit stays as it is.
    #[must_use]
    pub fn apply(&self, value: Value) -> Value {
        match (self, value) {
            (Self::Keys, Value::Object(map)) => {
                map.into_iter().map(|(key, _)| Value::String(key)).collect()
            }
            (Self::Entries(name), Value::Object(map)) => {
                map.into_iter().map(|entry| named(name, entry)).collect()
            }
            (Self::Under(name), Value::Array(list)) => list
                .into_iter()
                .map(|member| Value::Object(Map::from_iter([(name.clone(), member)])))
                .collect(),
            (Self::Base64, buffer @ Value::Object(_)) => {
                bytes(&buffer).map_or(buffer, Value::String)
            }
            (Self::Values, Value::Object(map)) => map.into_iter().map(|(_, value)| value).collect(),
            (Self::First, Value::Array(list)) => list.into_iter().next().unwrap_or(Value::Null),
            (Self::Only, Value::Array(list)) => match <[Value; 1]>::try_from(list) {
                Ok([only]) => only,
                Err(_) => Value::Null,
            },
            (Self::Several, Value::Array(list)) if list.len() > 1 => Value::Array(list),
            (Self::Several, _) => Value::Null,
            (Self::Join, Value::Object(map)) => map
                .into_iter()
                .map(|(key, value)| (key, self.apply(value)))
                .collect(),
            (Self::Join, Value::Array(list)) => {
                let texts: Vec<&str> = list.iter().filter_map(Value::as_str).collect();
                Value::String(texts.join(","))
            }
            (Self::List, value) if !value.is_array() => Value::Array(vec![value]),
            (Self::Text, value) if !value.is_string() => Value::String(value.to_string()),
            (Self::Not, value) => match super::value::coerce(&value, &super::schema::Type::Bool) {
                Some(Value::Bool(truth)) => Value::Bool(!truth),
                _ => value,
            },
            (Self::Enabled, value) => super::value::coerce(&value, &super::schema::Type::Bool)
                .unwrap_or(Value::Bool(false)),
            (_, Value::Array(list)) => list.into_iter().map(|member| self.apply(member)).collect(),
            (Self::Plus(more), value) => computed(value, |number| number + more),
            (Self::Times(factor), value) => computed(value, |number| number * factor),
            (Self::Divide(factor), value) if *factor != 0.0 => {
                computed(value, |number| number / factor)
            }
            (_, Value::String(text)) => self.spelled(text),
            (_, value) => value,
        }
    }

    fn spelled(&self, text: String) -> Value {
        let text = match self {
            Self::Tail => text
                .rsplit(['/', ':'])
                .next()
                .unwrap_or_default()
                .to_owned(),
            Self::Base64 => decoded(&text).unwrap_or(text),
            Self::UrlDecode => percent_decoded(&text),
            Self::Lower => text.to_lowercase(),
            Self::Upper => text.to_uppercase(),
            Self::Csv => {
                return text
                    .split(',')
                    .map(|part| Value::String(part.trim().to_owned()))
                    .collect();
            }
            Self::Unquote => text
                .strip_prefix('"')
                .and_then(|rest| rest.strip_suffix('"'))
                .map_or(text.clone(), str::to_owned),
            Self::Json => return serde_json::from_str(&text).unwrap_or(Value::String(text)),
            Self::Dns => dns(&text),
            Self::Zone => text.rsplit('/').next().unwrap_or_default().to_owned(),
            Self::Function => function(&text).to_owned(),
            Self::Before(separator) => text
                .split(separator.as_str())
                .next()
                .unwrap_or_default()
                .to_owned(),
            Self::After(separator) => text
                .split_once(separator.as_str())
                .map_or(text.clone(), |(_, after)| after.to_owned()),
            _ => text,
        };
        Value::String(text)
    }
}

/// An entry of a map as an object that holds its key: `severity: {gte: 4}` is `{field: severity, gte: 4}`.
fn named(name: &str, (key, value): (String, Value)) -> Value {
    let mut fields = match value {
        Value::Object(fields) => fields,
        value => Map::from_iter([(String::from("value"), value)]),
    };
    fields.insert(name.to_owned(), Value::String(key));
    Value::Object(fields)
}

fn computed(value: Value, by: impl Fn(f64) -> f64) -> Value {
    let number = match &value {
        Value::Number(number) => number.as_f64(),
        Value::String(text) => text.parse().ok(),
        _ => None,
    };
    let Some(product) = number.map(|number| (by(number) * 1e9).round() / 1e9) else {
        return value;
    };
    #[expect(
        clippy::cast_possible_truncation,
        reason = "checked to be whole and small"
    )]
    if product.fract() == 0.0 && product.abs() < 9e15 {
        return Value::from(product as i64);
    }
    Number::from_f64(product).map_or(value, Value::Number)
}

/// A domain name as Terraform keeps it (Route 53, *DNS domain name format*).
#[must_use]
pub fn dns(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    let mut rest = text.strip_suffix('.').unwrap_or(text);
    while let Some(at) = rest.find('\\') {
        out.push_str(&rest[..at]);
        let code = rest
            .get(at + 1..at + 4)
            .and_then(|octal| u8::from_str_radix(octal, 8).ok());
        match code {
            Some(code) if code.is_ascii() => {
                out.push(char::from(code));
                rest = &rest[at + 4..];
            }
            _ => {
                out.push('\\');
                rest = &rest[at + 1..];
            }
        }
    }
    out.push_str(rest);
    out.to_ascii_lowercase()
}

/// A function's name from `name`, `name:alias`, `account:function:name` or a full ARN.
#[must_use]
pub fn function(text: &str) -> &str {
    let name = text.split_once(":function:").map_or(text, |(_, name)| name);
    name.split(':').next().unwrap_or(name)
}

fn decoded(text: &str) -> Option<String> {
    use base64::Engine as _;
    use base64::engine::{DecodePaddingMode, GeneralPurpose, GeneralPurposeConfig};
    const LENIENT: GeneralPurposeConfig =
        GeneralPurposeConfig::new().with_decode_padding_mode(DecodePaddingMode::Indifferent);
    let bytes = GeneralPurpose::new(&base64::alphabet::STANDARD, LENIENT)
        .decode(text.trim())
        .ok()?;
    String::from_utf8(bytes).ok()
}

fn percent_decoded(text: &str) -> String {
    percent_encoding::percent_decode_str(text)
        .decode_utf8_lossy()
        .into_owned()
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn transforms_spell_as_the_state_does() {
        let cases = [
            ("not", json!("true"), json!(false)),
            ("tail", json!("arn:aws:iam::1:role/path/app"), json!("app")),
            ("base64", json!("aGVsbG8="), json!("hello")),
            ("base64", json!("no base64!"), json!("no base64!")),
            (
                "base64",
                json!({"hb": [104, 105], "offset": 0}),
                json!("hi"),
            ),
            ("base64", json!({"offset": 0}), json!({"offset": 0})),
            ("urldecode", json!("%7B%22a%22%7D"), json!("{\"a\"}")),
            ("csv", json!("a, b"), json!(["a", "b"])),
            ("join", json!(["a", "b"]), json!("a,b")),
            ("times:60", json!("5"), json!(300)),
            ("plus:1", json!("5"), json!(6)),
            ("plus:-1", json!(5), json!(4)),
            ("divide:60", json!(90), json!(1.5)),
            (
                "dns",
                json!("\\052.Apps.example.com."),
                json!("*.apps.example.com"),
            ),
            ("zone", json!("/hostedzone/Z1"), json!("Z1")),
            (
                "function",
                json!("arn:aws:lambda:us-east-1:1:function:f:live"),
                json!("f"),
            ),
            ("function", json!("f:live"), json!("f")),
            ("lower", json!(["A", "B"]), json!(["a", "b"])),
            (
                "entries:field",
                json!({"severity": {"gte": 4}, "region": "eu"}),
                json!([{"value": "eu", "field": "region"}, {"gte": 4, "field": "severity"}]),
            ),
            (
                "under:filter",
                json!([[{"type": "EVENT"}]]),
                json!([{"filter": [{"type": "EVENT"}]}]),
            ),
            ("values", json!({"EDGE": "REGIONAL"}), json!(["REGIONAL"])),
            ("enabled", json!("Suspended"), json!(false)),
            ("after::", json!("a:b:c"), json!("b:c")),
        ];
        for (transform, value, want) in cases {
            let transform = Transform::parse(transform).expect("a transform");
            assert_eq!(transform.apply(value), want, "{transform:?}");
        }
    }

    #[test]
    fn an_unknown_transform_is_refused() {
        assert_eq!(Transform::parse("rot13"), None);
        assert_eq!(Transform::parse("times:x"), None);
    }
}
