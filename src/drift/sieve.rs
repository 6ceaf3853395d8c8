//! Tells, before a call is parsed, whether it can have any effect.
//!
//! Nearly all changes in a log are about nothing that a state holds. A rule finds what it changes
//! by names that the call gives, and nearly always those stand in the call as they stand in the
//! state. So a call whose texts hold no identifier of the inventory has no effect, unless its rule
//! makes names of something else, or the call makes something new. Whatever is in doubt is parsed:
//! the sieve lets through all that [`Resolver::resolve`] finds an effect of.

use std::sync::OnceLock;

use super::effect::Resolver;
use super::names;
use crate::audit::decode::{Prospect, Text};
use crate::catalogue::Service;
use crate::catalogue::aws::{expand, identifier};
use crate::catalogue::evaluate::is_escaped_arn;
use crate::catalogue::path::{Path, Root, Step};
use crate::catalogue::rule::{CallRule, Each, EffectKind, Pair, ResourceType, Source, Target};
use crate::catalogue::transform::Transform;
use crate::state::inventory::{Naming, Scope};

/// Sifts calls for a resolver. Shared by all workers.
pub struct Sieve<'a> {
    resolver: &'a Resolver<'a>,
    identifiers: Marks,
    kinds: Box<[OnceLock<Kind>]>,
}

/// What a call must be for an effect, by its service and name alone.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
struct Need {
    /// It may always have one.
    always: bool,
    /// It has one if a state covers its account.
    covered: bool,
    /// It may have one if a state covers its account and names are taught.
    taught: bool,
    /// Keys by which it gives something another name, and whether they may stand beyond what was
    /// asked.
    renames: Vec<(String, bool)>,
    /// It has one if it gives a name of something managed.
    named: Named,
    /// Whether such a name may stand beyond what was asked and the resources that the log lists.
    beyond: bool,
    /// Types and attributes that such a name is of.
    keys: Vec<(String, String)>,
    /// Whether it may be of any other, too.
    any: bool,
}

/// Whether a call may have an effect.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Wanted {
    /// It may.
    Yes,
    /// It may if other calls teach names that it gives.
    IfTaught,
    /// It has none.
    No,
}

/// How a call's names stand in it.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord)]
enum Named {
    /// It gives none.
    #[default]
    Not,
    /// As texts, or behind the last slash or colon of one.
    Whole,
    /// Between the slashes and colons of a text, maybe in other letters.
    Part,
}

struct Kind {
    service: Box<str>,
    name: Box<str>,
    need: Need,
}

/// Places for what is known of calls by service and name; more are judged anew each time.
const KINDS: usize = 4096;

impl<'a> Sieve<'a> {
    /// A sieve for the effects that a resolver finds.
    #[must_use]
    pub fn new(resolver: &'a Resolver<'a>) -> Self {
        Self {
            resolver,
            identifiers: Marks::of(resolver.inventory.identifiers()),
            kinds: (0..KINDS).map(|_| OnceLock::new()).collect(),
        }
    }

    /// Whether a call may have an effect, whatever names are taught.
    #[must_use]
    pub fn wants(&self, call: &Prospect<'_>) -> bool {
        self.judge(call) != Wanted::No
    }

    /// Whether a call may have an effect.
    #[must_use]
    pub fn judge(&self, call: &Prospect<'_>) -> Wanted {
        let (service, name) = (call.service(), call.name());
        let hash = hash(service) ^ hash(name).rotate_left(32);
        let at = usize::try_from(hash).unwrap_or_default() % KINDS;
        let kind = self.kinds.get(at).map(|slot| {
            slot.get_or_init(|| Kind {
                service: service.into(),
                name: name.into(),
                need: self.need(service, name),
            })
        });
        match kind {
            Some(kind) if *kind.name == *name && *kind.service == *service => {
                self.is_met(&kind.need, call)
            }
            _ => self.is_met(&self.need(service, name), call),
        }
    }

    fn is_met(&self, need: &Need, call: &Prospect<'_>) -> Wanted {
        // An account that only parsing tells may be covered.
        let covered = || {
            call.account()
                .is_none_or(|account| self.resolver.covers(&account))
        };
        let may_be_taught = need.taught && covered();
        if need.always
            || (need.covered && covered())
            || (need.named != Named::Not && call.says(need.beyond, |text| self.is_name(text, need)))
            || (may_be_taught
                && need
                    .renames
                    .iter()
                    .any(|(key, beyond)| call.mentions(key, *beyond)))
        {
            Wanted::Yes
        } else if may_be_taught {
            Wanted::IfTaught
        } else {
            Wanted::No
        }
    }

    /// Whether a text may be, or hold, a name that is needed.
    fn is_name(&self, text: &Text<'_>, need: &Need) -> bool {
        // Most texts have no parts, and are their own short form.
        let whole = need.named != Named::Part && !text.has_parts();
        if whole && !self.identifiers.may_hold(text.hash()) {
            return false;
        }
        let text = text.as_str();
        if self.is_identifier(identifier::short(text), need) {
            return true;
        }
        if is_escaped_arn(text) {
            return true;
        }
        let mut parts = text.rsplit(['/', ':']);
        if need.named == Named::Part {
            // The ARN of a secret ends with more than its name, whatever is cut from it.
            return text.contains("secretsmanager")
                || text.contains('%')
                || self.is_identifier(identifier::short(&text.to_lowercase()), need)
                || parts.any(|part| self.is_identifier(identifier::short(part), need));
        }
        parts.next().is_some_and(|last| {
            last.len() < text.len() && self.is_identifier(identifier::short(last), need)
        })
    }

    fn is_identifier(&self, short: &str, need: &Need) -> bool {
        let inventory = self.resolver.inventory;
        let candidates = |(resource_type, key): &(String, String)| {
            let found = inventory.candidates(resource_type, key, short, &AsIs);
            !found.is_empty()
        };
        self.identifiers.may_hold(hash(short))
            && inventory.has_identifier(short)
            && (need.any || need.keys.iter().any(candidates))
    }

    fn need(&self, service: &str, name: &str) -> Need {
        match self.resolver.catalogue.rule(service, name) {
            Some(rule) if rule.operates.is_some() => Need::default(),
            Some(rule) => {
                let mut need = self.of_rule(rule);
                need.taught = self.is_taught(service, rule);
                need.renames = renaming(rule);
                need
            }
            None if self.resolver.services().contains(service) => Need::any(Named::Whole, false),
            None => Need::default(),
        }
    }

    fn of_rule(&self, rule: &CallRule) -> Need {
        let mut need = Need::default();
        for target in &rule.targets {
            need.add(self.of_matches(rule, target));
            need.add(self.of_makings(rule, target));
        }
        need
    }

    /// Whether a call teaches another name of something, or may give one that is learnt: nobody knows
    /// yet what that is.
    fn is_taught(&self, service: &str, rule: &CallRule) -> bool {
        let keys = self.resolver.catalogue.service(service);
        let Some(keys) = keys.map(Service::learnt).filter(|keys| !keys.is_empty()) else {
            return false;
        };
        let is_learnt = |path: &Path| match path.steps.last() {
            Some(Step::Name(name)) => keys.contains(&name.to_ascii_lowercase()),
            _ => false,
        };
        let is_held = |name: &str| !self.resolver.inventory.of_type(name).is_empty();
        let names = |pairs: &[Pair]| {
            let mut paths = pairs.iter().flat_map(|pair| &pair.source.from);
            paths.any(is_learnt)
        };
        let renames = rule.learns.iter().any(|lesson| lesson.was.is_some());
        (renames && self.resolver.services().contains(service))
            || rule.targets.iter().any(|target| {
                let own = match &target.resource_type {
                    ResourceType::Named(name) => is_held(name),
                    ResourceType::AnyTagged => self.resolver.services().contains(service),
                };
                let hangs = target
                    .parent
                    .as_ref()
                    .is_some_and(|parent| is_held(&parent.resource_type) && names(&parent.find));
                hangs || (own && target.find.iter().any(|pairs| names(pairs)))
            })
    }

    /// What a call must be to touch something managed.
    fn of_matches(&self, rule: &CallRule, target: &Target) -> Need {
        let spelt = Spelt { rule, target };
        let alternatives = target.find.iter();
        match &target.resource_type {
            ResourceType::Named(name) if self.resolver.inventory.of_type(name).is_empty() => {
                Need::default()
            }
            ResourceType::Named(_) if target.find.is_empty() && target.only => Need::always(),
            ResourceType::Named(name) => alternatives.fold(Need::default(), |mut need, pairs| {
                need.add(spelt.all_of(name, pairs));
                need
            }),
            ResourceType::AnyTagged => {
                alternatives
                    .flatten()
                    .fold(Need::default(), |mut need, pair| {
                        let beyond = spelt.is_beyond(&pair.source);
                        let named = spelt.source(&pair.source);
                        need.add(named.map_or_else(Need::always, |named| Need::any(named, beyond)));
                        need
                    })
            }
        }
    }

    /// What a call must be to make something that no state has, or to remove that again.
    fn of_makings(&self, rule: &CallRule, target: &Target) -> Need {
        let ResourceType::Named(resource_type) = &target.resource_type else {
            return Need::default();
        };
        match (target.effect, &target.parent) {
            (EffectKind::Update, _) if !target.ends => Need::default(),
            (EffectKind::Update | EffectKind::Delete, _)
                if self.resolver.may_hang(resource_type) =>
            {
                Need::always()
            }
            (EffectKind::Create | EffectKind::Put, Some(parent)) => {
                if self
                    .resolver
                    .inventory
                    .of_type(&parent.resource_type)
                    .is_empty()
                {
                    return Need::default();
                }
                Spelt { rule, target }.all_of(&parent.resource_type, &parent.find)
            }
            _ => Need {
                covered: true,
                ..Need::default()
            },
        }
    }
}

impl Need {
    fn always() -> Self {
        Self {
            always: true,
            ..Self::default()
        }
    }

    fn any(named: Named, beyond: bool) -> Self {
        Self {
            named,
            beyond,
            any: true,
            ..Self::default()
        }
    }

    fn key(resource_type: &str, pair: &Pair, named: Named, beyond: bool) -> Self {
        Self {
            named,
            beyond,
            keys: vec![(resource_type.to_owned(), pair.attribute.to_string())],
            ..Self::default()
        }
    }

    fn add(&mut self, other: Self) {
        self.always |= other.always;
        self.covered |= other.covered;
        self.named = self.named.max(other.named);
        self.beyond |= other.beyond;
        self.any |= other.any;
        self.keys.extend(other.keys);
        self.keys.sort_unstable();
        self.keys.dedup();
    }
}

/// The keys by which a call gives something another name, and whether they may stand beyond what was
/// asked.
fn renaming(rule: &CallRule) -> Vec<(String, bool)> {
    let lessons = rule.learns.iter().filter(|lesson| lesson.was.is_some());
    lessons
        .flat_map(|lesson| &lesson.is.from)
        .filter_map(|path| match path.steps.last() {
            Some(Step::Name(name)) => Some((name.to_string(), path.root != Root::Request)),
            _ => None,
        })
        .collect()
}

/// How names of a target stand in a call.
struct Spelt<'r> {
    rule: &'r CallRule,
    target: &'r Target,
}

impl Spelt<'_> {
    /// What a call must be for all of these parts of a name to match: it is enough to look for one
    /// of which the index holds all values, best for one that few resources share.
    fn all_of(&self, resource_type: &str, pairs: &[Pair]) -> Need {
        let shared = |pair: &Pair| {
            let ends = ["id", "arn", "name", "identifier"];
            !ends.iter().any(|end| pair.attribute.ends_with(end))
        };
        let best = pairs
            .iter()
            .filter(|pair| {
                !pair.optional && !pair.other && names::is_textual(resource_type, &pair.attribute)
            })
            .filter_map(|pair| Some((shared(pair), self.source(&pair.source)?, pair)))
            .min_by_key(|(shared, named, _)| (*shared, *named));
        best.map_or_else(Need::always, |(_, named, pair)| {
            Need::key(resource_type, pair, named, self.is_beyond(&pair.source))
        })
    }

    /// How what a source gives stands in a call; none if it may not.
    fn source(&self, source: &Source) -> Option<Named> {
        let more = source.more();
        let plain = !source.present
            && more.template.is_empty()
            && more.value.is_none()
            && more.default.is_none()
            && more.map.is_empty()
            && source.from.iter().all(|path| self.is_plain(path));
        if !plain {
            return None;
        }
        let mut spelt = more.transforms.iter().map(|transform| match transform {
            Transform::First | Transform::List | Transform::Tail | Transform::Zone => {
                Some(Named::Whole)
            }
            Transform::Function | Transform::UrlDecode | Transform::Lower => Some(Named::Part),
            Transform::Before(cut) if cut.starts_with(['/', ':']) => Some(Named::Part),
            Transform::After(cut) if cut.ends_with(['/', ':']) => Some(Named::Part),
            _ => None,
        });
        spelt.try_fold(Named::Whole, |one, other| Some(one.max(other?)))
    }

    /// Whether what a source gives may stand beyond what was asked and the resources listed.
    fn is_beyond(&self, source: &Source) -> bool {
        let asked = |path: &Path| matches!(path.root, Root::Request | Root::Resources);
        let expanders = [&self.rule.each, &self.target.each];
        let items_asked = expanders
            .into_iter()
            .flatten()
            .all(|each| matches!(each, Each::Path(path) if asked(path) || path.root == Root::Item));
        let is_asked = |path: &Path| asked(path) || (path.root == Root::Item && items_asked);
        !source.from.iter().all(is_asked)
    }

    /// Whether a path leads to what the call itself holds.
    fn is_plain(&self, path: &Path) -> bool {
        let expanders = [&self.rule.each, &self.target.each].into_iter().flatten();
        let as_it_stands = |each: &Each| match (each, path.steps.first()) {
            (Each::Path(_), _) => true,
            (Each::Expander(name), Some(Step::Name(field))) => expand::copies(name, field),
            (Each::Expander(_), _) => false,
        };
        path.root != Root::Item || expanders.into_iter().all(as_it_stands)
    }
}

/// Short forms are short already.
struct AsIs;

impl Naming for AsIs {
    fn keys(&self, _: &str) -> Option<&[String]> {
        None
    }

    fn short<'a>(&self, identifier: &'a str) -> &'a str {
        identifier
    }

    fn scope(&self, _: &str) -> Option<Scope> {
        None
    }
}

/// Texts that were marked, and few others, in a fraction of their room.
struct Marks {
    /// A power of two of them.
    words: Vec<u64>,
}

impl Marks {
    fn of<'t>(texts: impl ExactSizeIterator<Item = &'t str>) -> Self {
        let words = (texts.len() / 4).next_power_of_two().max(16);
        let mut marks = Self {
            words: vec![0; words],
        };
        for text in texts {
            let (at, bits) = marks.place(hash(text));
            if let Some(word) = marks.words.get_mut(at) {
                *word |= bits;
            }
        }
        marks
    }

    /// Whether a text of this hash may be among them.
    fn may_hold(&self, hash: u64) -> bool {
        let (at, bits) = self.place(hash);
        self.words.get(at).is_some_and(|word| word & bits == bits)
    }

    /// The word of a text's hash, and its bits in it.
    fn place(&self, hash: u64) -> (usize, u64) {
        let at = usize::try_from(hash >> 20).unwrap_or_default() & (self.words.len() - 1);
        (
            at,
            1 << (hash & 63) | 1 << (hash >> 6 & 63) | 1 << (hash >> 12 & 63),
        )
    }
}

fn hash(text: &str) -> u64 {
    Text::of(text).hash()
}

#[cfg(test)]
mod tests;
