//! JSON as it stands in a text, keys that stand twice included.

use std::fmt;

use serde::de::{Deserialize, Deserializer, MapAccess, SeqAccess, Visitor};
use serde_json::Value;

/// A value.
#[derive(Debug, Clone)]
pub enum Json {
    /// An object's members in their order.
    Object(Vec<(String, Json)>),
    /// An array's elements.
    Array(Vec<Json>),
    /// Anything else.
    Leaf(Value),
}

impl Json {
    /// The member of a key; of several the last.
    pub fn get(&self, key: &str) -> Option<&Json> {
        self.last(&[key])
    }

    /// The last member that has one of the keys.
    pub fn last(&self, keys: &[&str]) -> Option<&Json> {
        let Self::Object(members) = self else {
            return None;
        };
        let mut members = members.iter().rev();
        let found = members.find(|(key, _)| keys.contains(&key.as_str()));
        found.map(|(_, value)| value)
    }

    /// A member that is a string.
    pub fn text(&self, key: &str) -> Option<&str> {
        self.get(key)?.as_str()
    }

    /// The string that it is.
    pub fn as_str(&self) -> Option<&str> {
        match self {
            Self::Leaf(leaf) => leaf.as_str(),
            _ => None,
        }
    }

    /// A member that is a boolean, or the word for one.
    pub fn flag(&self, key: &str) -> Option<bool> {
        let Self::Leaf(leaf) = self.get(key)? else {
            return None;
        };
        let word = || match leaf.as_str()?.to_ascii_lowercase().as_str() {
            "true" => Some(true),
            "false" => Some(false),
            _ => None,
        };
        leaf.as_bool().or_else(word)
    }

    /// As a parser that knows each key once has it.
    pub fn value(&self) -> Value {
        match self {
            Self::Object(members) => members
                .iter()
                .map(|(key, value)| (key.clone(), value.value()))
                .collect(),
            Self::Array(elements) => elements.iter().map(Self::value).collect(),
            Self::Leaf(leaf) => leaf.clone(),
        }
    }
}

/// All strings and whole numbers in a value, keys left out.
pub fn texts(value: &Value, out: &mut Vec<String>) {
    match value {
        Value::String(text) => out.push(text.clone()),
        Value::Number(number) if number.is_i64() => out.push(number.to_string()),
        Value::Array(elements) => elements.iter().for_each(|element| texts(element, out)),
        Value::Object(members) => members.values().for_each(|member| texts(member, out)),
        _ => {}
    }
}

impl<'de> Deserialize<'de> for Json {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(Any)
    }
}

struct Any;

impl<'de> Visitor<'de> for Any {
    type Value = Json;

    fn expecting(&self, formatter: &mut fmt::Formatter) -> fmt::Result {
        formatter.write_str("any value")
    }

    fn visit_unit<E>(self) -> Result<Json, E> {
        Ok(Json::Leaf(Value::Null))
    }

    fn visit_bool<E>(self, value: bool) -> Result<Json, E> {
        Ok(Json::Leaf(value.into()))
    }

    fn visit_u64<E>(self, value: u64) -> Result<Json, E> {
        Ok(Json::Leaf(value.into()))
    }

    fn visit_i64<E>(self, value: i64) -> Result<Json, E> {
        Ok(Json::Leaf(value.into()))
    }

    fn visit_f64<E>(self, value: f64) -> Result<Json, E> {
        Ok(Json::Leaf(value.into()))
    }

    fn visit_str<E>(self, value: &str) -> Result<Json, E> {
        Ok(Json::Leaf(value.into()))
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut list: A) -> Result<Json, A::Error> {
        let mut elements = Vec::new();
        while let Some(element) = list.next_element()? {
            elements.push(element);
        }
        Ok(Json::Array(elements))
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Json, A::Error> {
        let mut members = Vec::new();
        while let Some(member) = map.next_entry()? {
            members.push(member);
        }
        Ok(Json::Object(members))
    }
}
