//! Terraform's name for one resource instance.

use std::fmt;
use std::str::FromStr;
use std::sync::Arc;

use super::syntax::{Bracket, Cursor, SyntaxError, write_quoted};

/// Address of a managed resource instance:
/// `module.bus["eu.west"].module.queues.aws_sqs_queue.this["orders"]`.
///
/// Parsing and display are each other's inverse for every address that Terraform writes.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Address {
    /// The modules it lies in, the outermost first; empty in the root module.
    pub module: Arc<[ModuleStep]>,
    /// Resource type: `aws_sqs_queue`.
    pub resource_type: Arc<str>,
    /// Name of the resource block.
    pub name: Arc<str>,
    /// Which of several instances; none for a block without `count` and `for_each`.
    pub key: Option<Key>,
}

/// One module call on the way to a resource.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct ModuleStep {
    /// Name of the module block.
    pub name: Box<str>,
    /// Which of several instances of the module.
    pub key: Option<Key>,
}

/// Which of several instances of one block.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Key {
    /// The position, with `count`.
    Number(u64),
    /// The key, with `for_each`.
    Text(Box<str>),
}

impl From<Bracket> for Key {
    fn from(bracket: Bracket) -> Self {
        match bracket {
            Bracket::Number(number) => Self::Number(number),
            Bracket::Text(text) => Self::Text(text.into()),
        }
    }
}

impl fmt::Display for Key {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("[")?;
        match self {
            Self::Number(number) => write!(f, "{number}")?,
            Self::Text(text) => write_quoted(f, text)?,
        }
        f.write_str("]")
    }
}

impl fmt::Display for ModuleStep {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "module.{}", self.name)?;
        self.key.as_ref().map_or(Ok(()), |key| key.fmt(f))
    }
}

impl fmt::Display for Address {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for step in self.module.iter() {
            write!(f, "{step}.")?;
        }
        write!(f, "{}.{}", self.resource_type, self.name)?;
        self.key.as_ref().map_or(Ok(()), |key| key.fmt(f))
    }
}

impl FromStr for Address {
    type Err = SyntaxError;

    fn from_str(text: &str) -> Result<Self, SyntaxError> {
        let mut cursor = Cursor::new(text);
        let address = Self::read(&mut cursor)?;
        if !cursor.is_at_end() {
            return Err(cursor.error("nothing is expected after the resource"));
        }
        Ok(address)
    }
}

impl Address {
    /// Reads the address at the start of a text, and gives what stands behind it: of
    /// `aws_instance.web[0].tags.Owner` the address `aws_instance.web[0]` and `.tags.Owner`.
    ///
    /// # Errors
    ///
    /// When the text does not begin with an address.
    pub fn split(text: &str) -> Result<(Self, &str), SyntaxError> {
        let mut cursor = Cursor::new(text);
        let address = Self::read(&mut cursor)?;
        Ok((address, cursor.rest()))
    }

    fn read(cursor: &mut Cursor<'_>) -> Result<Self, SyntaxError> {
        let mut module = Vec::new();
        let resource_type = loop {
            match cursor.name()? {
                "module" => module.push(module_step(cursor)?),
                "data" => return Err(cursor.error("data sources are not managed")),
                name => break name,
            }
            if !cursor.take(".") {
                return Err(cursor.error("a resource is expected after the module"));
            }
        };
        if !cursor.take(".") {
            return Err(cursor.error("a resource name is expected after the type"));
        }
        let name = cursor.name()?;
        let key = cursor.bracket()?.map(Key::from);
        Ok(Self {
            module: module.into(),
            resource_type: resource_type.into(),
            name: name.into(),
            key,
        })
    }
}

/// Reads what stands in a state's `module`: `module.a["x"].module.b`, or nothing.
pub(crate) fn parse_module(text: &str) -> Result<Arc<[ModuleStep]>, SyntaxError> {
    let mut cursor = Cursor::new(text);
    let mut steps = Vec::new();
    while !cursor.is_at_end() {
        if !steps.is_empty() && !cursor.take(".") {
            return Err(cursor.error("`.` is expected here"));
        }
        if cursor.name()? != "module" {
            return Err(cursor.error("`module` is expected here"));
        }
        steps.push(module_step(&mut cursor)?);
    }
    Ok(steps.into())
}

fn module_step(cursor: &mut Cursor<'_>) -> Result<ModuleStep, SyntaxError> {
    if !cursor.take(".") {
        return Err(cursor.error("a module name is expected here"));
    }
    Ok(ModuleStep {
        name: cursor.name()?.into(),
        key: cursor.bracket()?.map(Key::from),
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn addresses_are_read_and_written_as_terraform_does() {
        for text in [
            "aws_instance.web",
            "aws_instance.web[0]",
            "aws_instance.web[\"a.b\"]",
            "module.bus[\"eu.west\"].module.queues.aws_sqs_queue.this[\"orders.\\\"vip\\\"\"]",
            "module.a[3].aws_s3_bucket.b",
            "aws_s3_bucket.b[\"$${x} %%{y} $5 100%\"]",
            "aws_s3_bucket.b[\"line\\nbreak\\\\ \\u001b\"]",
            "aws_s3_bucket.b[\"\"]",
            "module.module.aws_s3_bucket.data",
        ] {
            let address: Address = text.parse().expect(text);
            assert_eq!(address.to_string(), text);
        }
    }

    #[test]
    fn what_is_no_address_is_refused_with_its_place() {
        for (text, at) in [
            ("", 0),
            ("aws_instance", 12),
            ("aws_instance.", 13),
            ("aws_instance.web[", 17),
            ("aws_instance.web[\"a", 19),
            ("aws_instance.web[0].x", 19),
            ("aws_instance.web[99999999999999999999]", 17),
            ("module.a", 8),
            ("module.a[\"\\q\"].aws_x.y", 11),
            ("data.aws_ami.x", 4),
        ] {
            let problem = text.parse::<Address>().expect_err(text);
            assert_eq!(problem.at, at, "{text}: {problem}");
        }
    }

    fn keys() -> impl Strategy<Value = Option<Key>> {
        proptest::option::of(prop_oneof![
            any::<u64>().prop_map(Key::Number),
            any::<String>().prop_map(|text| Key::Text(text.into())),
            "[$%{}\"\\\\.\\[\\]a]{0,9}".prop_map(|text| Key::Text(text.into())),
        ])
    }

    proptest! {
        #[test]
        fn every_address_survives_being_written_and_read(
            module in proptest::collection::vec(("[a-z_][a-z0-9_-]{0,8}", keys()), 0..3),
            resource_type in "aws_[a-z0-9_]{1,12}",
            name in "[A-Za-z_][A-Za-z0-9_-]{0,12}",
            key in keys(),
        ) {
            let address = Address {
                module: module
                    .into_iter()
                    .map(|(name, key)| ModuleStep { name: name.into(), key })
                    .collect(),
                resource_type: resource_type.into(),
                name: name.into(),
                key,
            };
            prop_assert_eq!(address.to_string().parse::<Address>(), Ok(address));
        }

        #[test]
        fn no_text_makes_the_reader_fail_otherwise_than_with_an_error(text in "\\PC*") {
            if let Ok(address) = text.parse::<Address>() {
                prop_assert_eq!(address.to_string().parse::<Address>(), Ok(address));
            }
        }
    }
}
