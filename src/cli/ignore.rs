//! Drift that the user has decided to live with, each with a reason and perhaps an end.

use std::sync::Arc;

use jiff::civil::Date;
use serde::Deserialize;
use serde::de::{Deserializer, Error as _};

use crate::drift::model::{Attribute, Drift, Event, Status};
use crate::drift::rule::plain_path;
use crate::drift::wildcard;

/// One decision. All that is stated must fit; all but the reason are
/// [globs](crate::drift::wildcard).
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub struct Ignore {
    /// Address of a managed resource.
    pub address: Option<String>,
    /// Resource type.
    #[serde(rename = "type")]
    pub resource_type: Option<String>,
    /// The id that AWS knows the resource by; the way to name an unmanaged one.
    pub id: Option<String>,
    /// Attribute path, with or without indexes. What lies below it fits as well.
    pub attribute: Option<String>,
    /// Name, role or ARN of the actor. Every call behind the drift must fit.
    pub actor: Option<String>,
    /// Why, for whoever reads the report.
    pub reason: String,
    /// The first day (UTC) on which it no longer counts.
    #[serde(default, deserialize_with = "date")]
    pub expires: Option<Date>,
}

impl Ignore {
    /// What is wrong with it, if anything is.
    #[must_use]
    pub fn problem(&self) -> Option<&'static str> {
        let aims = [
            &self.address,
            &self.resource_type,
            &self.id,
            &self.attribute,
            &self.actor,
        ];
        if self.reason.trim().is_empty() {
            Some("an ignore needs a reason")
        } else if aims.iter().all(|aim| aim.is_none()) {
            Some("an ignore must say what: an address, type, id, attribute or actor")
        } else {
            None
        }
    }

    fn fits_resource(&self, drift: &Drift) -> bool {
        let fits = |glob: &Option<String>, text: Option<&str>| {
            glob.as_ref()
                .is_none_or(|glob| text.is_some_and(|text| wildcard::matches(glob, text)))
        };
        fits(&self.address, drift.address.as_deref())
            && fits(&self.resource_type, Some(&drift.resource_type))
            && fits(&self.id, drift.resource_id.as_deref())
    }

    fn fits_whole(&self, drift: &Drift) -> bool {
        self.attribute.is_none() && self.fits_resource(drift) && self.fits_actors(drift.events())
    }

    fn fits_attribute(&self, drift: &Drift, attribute: &Attribute) -> bool {
        let in_place = self
            .attribute
            .as_ref()
            .is_none_or(|glob| covers(glob, &attribute.path));
        in_place
            && self.fits_resource(drift)
            && self.fits_actors(behind(attribute, drift).into_iter())
    }

    fn fits_actors<'a>(&self, events: impl Iterator<Item = &'a Event>) -> bool {
        let Some(glob) = &self.actor else {
            return true;
        };
        let mut events = events.peekable();
        events.peek().is_some()
            && events.all(|event| {
                let actor = &event.actor;
                let names = [Some(&actor.name), actor.role.as_ref(), actor.arn.as_ref()];
                names
                    .into_iter()
                    .flatten()
                    .any(|name| wildcard::matches(glob, name))
            })
    }
}

/// The calls that set an attribute; all of the drift if it does not say.
fn behind<'a>(attribute: &Attribute, drift: &'a Drift) -> Vec<&'a Event> {
    let own: Vec<&Event> = drift
        .events()
        .filter(|event| attribute.by.contains(&event.event_id))
        .collect();
    if own.is_empty() {
        drift.events().collect()
    } else {
        own
    }
}

/// Whether a glob fits a path, or something that the path lies below.
fn covers(glob: &str, path: &str) -> bool {
    let plain = plain_path(path);
    let above = |path: &str| {
        let ends = path.match_indices(['.', '[']).map(|(end, _)| end);
        ends.chain([path.len()])
            .filter_map(|end| path.get(..end))
            .any(|path| wildcard::matches(glob, path))
    };
    above(path) || above(&plain)
}

/// All decisions that count today, and those that no longer do.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Ignores {
    live: Vec<Ignore>,
    expired: Vec<Ignore>,
}

impl Ignores {
    /// Sorts decisions by whether they still count.
    #[must_use]
    pub fn new(ignores: Vec<Ignore>, today: Date) -> Self {
        let (expired, live) = ignores
            .into_iter()
            .partition(|ignore| ignore.expires.is_some_and(|end| end <= today));
        Self { live, expired }
    }

    /// Those that are past their end, to tell the user of.
    #[must_use]
    pub fn expired(&self) -> &[Ignore] {
        &self.expired
    }

    /// Why a drift is ignored as a whole, if it is: by one decision about the resource, or by
    /// decisions about each of its attributes.
    #[must_use]
    pub fn suppresses(&self, drift: &Drift) -> Option<String> {
        if let Some(ignore) = self.live.iter().find(|ignore| ignore.fits_whole(drift)) {
            return Some(ignore.reason.clone());
        }
        let mut reasons: Vec<&str> = Vec::new();
        for attribute in &drift.attributes {
            let reason = self.reason_for(drift, attribute)?;
            if !reasons.contains(&reason) {
                reasons.push(reason);
            }
        }
        (!reasons.is_empty()).then(|| reasons.join("; "))
    }

    /// Parts a drift into what stays open and what is ignored, so that one ignored attribute hides
    /// no other. To be done before severity is judged: each part is judged by what it holds.
    #[must_use]
    pub fn divide(&self, drift: Drift) -> Vec<Drift> {
        if drift.status != Status::Open {
            return vec![drift];
        }
        if let Some(reason) = self.suppresses(&drift) {
            return vec![suppressed(drift, reason)];
        }
        let ignored = |attribute: &Attribute| self.reason_for(&drift, attribute).is_some();
        if !drift.attributes.iter().any(ignored) {
            return vec![drift];
        }
        let (hidden, open): (Vec<Attribute>, Vec<Attribute>) =
            drift.attributes.iter().cloned().partition(ignored);
        let hidden = with_attributes(&drift, hidden);
        let reason = self.suppresses(&hidden).unwrap_or_default();
        vec![with_attributes(&drift, open), suppressed(hidden, reason)]
    }

    fn reason_for(&self, drift: &Drift, attribute: &Attribute) -> Option<&str> {
        let ignore = self
            .live
            .iter()
            .find(|ignore| ignore.fits_attribute(drift, attribute))?;
        Some(&ignore.reason)
    }
}

/// The same drift, hidden for a reason.
pub(super) fn suppressed(drift: Drift, reason: String) -> Drift {
    Drift {
        status: Status::Suppressed,
        suppressed_by: Some(reason),
        ..drift
    }
}

/// The same drift with some of its attributes, and the calls behind those.
pub(super) fn with_attributes(drift: &Drift, attributes: Vec<Attribute>) -> Drift {
    let concerns = |event: &&Arc<Event>| {
        attributes.iter().any(|attribute| {
            behind(attribute, drift)
                .iter()
                .any(|own| own.event_id == event.event_id)
        })
    };
    let events = drift.events.iter().filter(concerns).cloned().collect();
    Drift {
        attributes,
        events,
        ..drift.clone()
    }
}

/// A TOML date, or the same as a text.
fn date<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<Date>, D::Error> {
    let text = match toml::Value::deserialize(deserializer)? {
        toml::Value::Datetime(date) => date.to_string(),
        toml::Value::String(text) => text,
        other => other.to_string(),
    };
    text.parse()
        .map(Some)
        .map_err(|_| D::Error::custom(format!("`{text}` is no date; write 2026-01-31")))
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::drift::model::{Actor, Certainty, Kind, Origin, OriginClass, Remedy, Severity};

    const TODAY: Date = jiff::civil::date(2026, 1, 15);

    fn event(id: &str, actor: &str) -> Event {
        Event {
            event_id: id.to_owned(),
            time: jiff::Timestamp::UNIX_EPOCH,
            source: "ec2.amazonaws.com".to_owned(),
            name: "ModifyInstanceAttribute".to_owned(),
            actor: Actor {
                name: actor.to_owned(),
                ..Actor::default()
            },
            origin: Origin {
                class: OriginClass::Console,
                evidence: Vec::new(),
            },
            account: "123456789012".to_owned(),
            region: "us-east-1".to_owned(),
            error: None,
        }
    }

    fn attribute(path: &str, by: &str) -> Attribute {
        Attribute {
            path: path.to_owned(),
            before: Some(json!(1)),
            after: Some(json!(2)),
            certainty: Certainty::Exact,
            sensitive: false,
            added: None,
            removed: None,
            by: vec![by.to_owned()],
        }
    }

    /// `module.web.aws_instance.app[0]`: its type by ada, its owner tag by bob.
    fn drift() -> Drift {
        Drift {
            id: "0123456789abcdef".to_owned(),
            kind: Kind::Modified,
            status: Status::Open,
            severity: Severity::High,
            address: Some("module.web.aws_instance.app[0]".to_owned()),
            resource_type: "aws_instance".to_owned(),
            resource_id: Some("i-1".to_owned()),
            resource_name: None,
            arn: None,
            parent: None,
            state: None,
            account: "123456789012".to_owned(),
            region: "us-east-1".to_owned(),
            attributes: vec![
                attribute("instance_type", "e1"),
                attribute("tags.Owner", "e2"),
            ],
            events: vec![Arc::new(event("e1", "ada")), Arc::new(event("e2", "bob"))],
            rules: Vec::new(),
            suppressed_by: None,
            source: None,
            remedy: Remedy::default(),
        }
    }

    fn ignores(texts: &[&str]) -> Ignores {
        let read = |text: &&str| toml::from_str(&format!("reason = 'known'\n{text}")).unwrap();
        Ignores::new(texts.iter().map(read).collect(), TODAY)
    }

    #[test]
    fn all_that_an_ignore_states_must_fit() {
        let table = [
            ("address = 'module.web.aws_instance.app[0]'", true),
            ("address = 'module.web.*'", true),
            ("address = 'aws_instance.*'", false),
            ("type = 'aws_*'", true),
            ("type = 'aws_instance'\nid = 'i-2'", false),
            ("id = 'i-?'", true),
            ("actor = 'ada'", false),
            ("actor = '*'", true),
            ("attribute = 'instance_type'", false),
            ("attribute = '*'", true),
            ("attribute = '*'\nactor = 'bob'", false),
            ("type = 'aws_instance'\nexpires = 2026-01-16", true),
            ("type = 'aws_instance'\nexpires = '2026-01-15'", false),
        ];
        for (text, expected) in table {
            let reason = ignores(&[text]).suppresses(&drift());
            assert_eq!(reason, expected.then(|| "known".to_owned()), "{text}");
        }
    }

    #[test]
    fn one_ignored_attribute_hides_no_other() {
        let parts = ignores(&["attribute = 'tags'"]).divide(drift());
        let shape: Vec<_> = parts
            .iter()
            .map(|part| {
                (
                    part.status,
                    part.attributes[0].path.as_str(),
                    part.events[0].event_id.as_str(),
                )
            })
            .collect();
        let open = (Status::Open, "instance_type", "e1");
        assert_eq!(shape, [open, (Status::Suppressed, "tags.Owner", "e2")]);
        assert!(
            parts
                .iter()
                .all(|part| part.attributes.len() == 1 && part.events.len() == 1)
        );
        assert_eq!(parts[1].suppressed_by.as_deref(), Some("known"));
    }

    #[test]
    fn an_ignore_of_each_attribute_suppresses_the_whole() {
        let both = ignores(&[
            "attribute = 'tags.*'\nactor = 'bob'",
            "attribute = 'instance_*'",
        ]);
        let parts = both.divide(drift());
        assert_eq!(parts.len(), 1);
        assert_eq!(parts[0].status, Status::Suppressed);
        assert_eq!(parts[0].attributes.len(), 2);
    }

    #[test]
    fn what_fits_nothing_or_is_settled_stays_as_it_is() {
        let settled = Drift {
            status: Status::Reverted,
            ..drift()
        };
        assert_eq!(
            ignores(&["type = '*'"]).divide(settled)[0].status,
            Status::Reverted
        );
        let parts = ignores(&["attribute = 'ami'"]).divide(drift());
        assert_eq!((parts.len(), parts[0].status), (1, Status::Open));
    }

    #[test]
    fn a_deleted_resource_is_no_attribute() {
        let deleted = Drift {
            kind: Kind::Deleted,
            attributes: Vec::new(),
            ..drift()
        };
        assert_eq!(ignores(&["attribute = '*'"]).suppresses(&deleted), None);
        assert!(
            ignores(&["type = 'aws_instance'"])
                .suppresses(&deleted)
                .is_some()
        );
    }

    #[test]
    fn an_actor_must_be_behind_every_call_and_there_must_be_one() {
        let silent = Drift {
            events: Vec::new(),
            attributes: Vec::new(),
            ..drift()
        };
        assert_eq!(ignores(&["actor = '*'"]).suppresses(&silent), None);
    }

    #[test]
    fn a_glob_covers_what_lies_below() {
        let table = [
            (
                "root_block_device",
                "root_block_device[0].volume_size",
                true,
            ),
            (
                "root_block_device.volume_size",
                "root_block_device[0].volume_size",
                true,
            ),
            (
                "root_block_device[0].volume_size",
                "root_block_device[0].volume_size",
                true,
            ),
            (
                "tags.kubernetes.io/*",
                r#"tags["kubernetes.io/role"]"#,
                true,
            ),
            ("tag", "tags.Owner", false),
            ("tags.Owner", "tags", false),
        ];
        for (glob, path, expected) in table {
            assert_eq!(covers(glob, path), expected, "{glob} on {path}");
        }
    }

    #[test]
    fn those_past_their_end_are_told_of() {
        let ignores = ignores(&["type = 'a'\nexpires = 2026-01-14", "type = 'b'"]);
        assert_eq!(ignores.expired().len(), 1);
        assert_eq!(ignores.expired()[0].resource_type.as_deref(), Some("a"));
    }
}
