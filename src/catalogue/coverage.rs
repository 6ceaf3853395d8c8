//! What the catalogue covers: of each resource type, how well changes of each argument can be seen,
//! and the figures of the catalogue as a whole.

use std::collections::{BTreeMap, BTreeSet};

use super::rule::{Build, Change, EffectKind, Provenance, ResourceType, Source, Target};
use super::schema::{self, Body, Type};
use super::{Catalogue, Service};

/// The most used resource types of public repositories, the most used first.
const RANKING: &str = include_str!("../../catalogue/inputs/ranking.txt");

/// How many of the most used types the catalogue is measured by.
pub const TOP: usize = 150;

/// How well a change of one argument can be seen; later ones are better.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Sight {
    /// No rule knows a call that changes it.
    Unseen,
    /// It names the resource or is set when it is made: another value means another resource.
    Fixed,
    /// A change is seen, the new value is not: the log does not hold it.
    Noticed,
    /// A change is seen with its new value.
    Shown,
    /// It exists only in Terraform; no call can change it.
    TerraformOnly,
}

/// What of a resource type is watched.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct TypeCoverage {
    /// Every configurable argument, by its dotted path without indexes.
    pub arguments: BTreeMap<String, Sight>,
    /// Whether any rule speaks of the type.
    pub known: bool,
    /// Whether removals of it are seen.
    pub deletion: bool,
}

/// How much of something is watched.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Standing {
    /// Nothing.
    None,
    /// Some arguments, and not others.
    Partly,
    /// Every argument that a call can change.
    Fully,
}

/// Some out of many.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Share {
    /// Those watched.
    pub watched: usize,
    /// All of them.
    pub of: usize,
}

/// The figures of the catalogue as a whole.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Figures {
    /// Resource types that a rule speaks of.
    pub types: usize,
    /// Resource types that the provider has.
    pub provider_types: usize,
    /// Calls that change resources.
    pub calls: usize,
    /// Calls that only operate.
    pub operations: usize,
    /// Pairs of type and argument whose value a call shows.
    pub mappings: usize,
    /// Pairs of type and argument that a call is seen to change, to a value that logs do not hold.
    pub noticed: usize,
    /// Watched arguments of all types.
    pub arguments: Share,
    /// Watched arguments of the [`TOP`] most used types.
    pub top: Share,
    /// By service, in the order of their names.
    pub services: Vec<ServiceFigures>,
}

/// The figures of one service.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct ServiceFigures {
    /// The event source.
    pub service: String,
    /// Resource types that its calls touch.
    pub types: usize,
    /// Calls that change resources.
    pub calls: usize,
    /// Of these, calls with something written by hand or by the user.
    pub by_hand: usize,
    /// Calls that only operate.
    pub operations: usize,
    /// Pairs of type and argument whose value a call shows.
    pub mappings: usize,
}

impl Share {
    /// In percent, rounded down so that 100 means all; none of nothing.
    #[must_use]
    pub fn percent(self) -> Option<usize> {
        (self.watched * 100).checked_div(self.of)
    }
}

impl TypeCoverage {
    /// Watched arguments among those that a call could change.
    #[must_use]
    pub fn share(&self) -> Share {
        let counted = self
            .arguments
            .values()
            .filter(|sight| **sight != Sight::TerraformOnly);
        counted.fold(Share::default(), |share, sight| Share {
            watched: share.watched + usize::from(*sight != Sight::Unseen),
            of: share.of + 1,
        })
    }

    /// How much of it is watched.
    #[must_use]
    pub fn standing(&self) -> Standing {
        let share = self.share();
        if !self.known || (share.watched == 0 && !self.deletion) {
            Standing::None
        } else if share.watched == share.of {
            Standing::Fully
        } else {
            Standing::Partly
        }
    }

    /// The arguments of a sight; a block all of whose arguments are of it is named as a whole.
    #[must_use]
    pub fn arguments_of(&self, wanted: Sight) -> Vec<String> {
        let mut named: Vec<String> = Vec::new();
        for (argument, _) in self.arguments.iter().filter(|(_, sight)| **sight == wanted) {
            let whole = argument
                .match_indices('.')
                .map(|(at, _)| &argument[..at])
                .find(|block| {
                    let inside = |path: &str| {
                        path.strip_prefix(block)
                            .is_some_and(|rest| rest.starts_with('.'))
                    };
                    self.arguments
                        .iter()
                        .all(|(path, sight)| !inside(path) || *sight == wanted)
                });
            let name = whole.unwrap_or(argument);
            if named.last().is_none_or(|last| last != name) {
                named.push(name.to_owned());
            }
        }
        named
    }
}

/// What is watched of a resource type. Of a type that the provider does not have: nothing.
#[must_use]
pub fn of_type(catalogue: &Catalogue, resource_type: &str) -> TypeCoverage {
    let Some(body) = schema::resource(resource_type) else {
        return TypeCoverage::default();
    };
    let mut seen = Seen::default();
    for rules in catalogue.services_of(resource_type) {
        let own = ResourceType::Named(resource_type.to_owned().into());
        for target in rules.calls().flat_map(|call| &call.targets) {
            if target.resource_type == own {
                seen.take(target);
            } else if target.resource_type == ResourceType::AnyTagged
                && body.attributes.contains_key("tags")
            {
                seen.changes(target);
            }
        }
    }
    let never = catalogue.facts(resource_type).never;
    let mut arguments = BTreeMap::new();
    leaves(body, "", &mut |path| {
        let sight = if terraform_only(body, &path, &never) {
            Sight::TerraformOnly
        } else {
            seen.sight(&path)
        };
        arguments.insert(path, sight);
    });
    TypeCoverage {
        arguments,
        known: seen.known,
        deletion: seen.deletion,
    }
}

/// The figures of the catalogue. Parses every rule there is.
#[must_use]
pub fn figures(catalogue: &Catalogue) -> Figures {
    let mut figures = Figures::default();
    let top: BTreeSet<&str> = RANKING.lines().take(TOP).collect();
    for resource_type in schema::types() {
        figures.provider_types += 1;
        let coverage = of_type(catalogue, resource_type);
        let share = coverage.share();
        let count = |wanted| {
            coverage
                .arguments
                .values()
                .filter(|sight| **sight == wanted)
                .count()
        };
        figures.types += usize::from(coverage.known);
        figures.mappings += count(Sight::Shown) + count(Sight::Fixed);
        figures.noticed += count(Sight::Noticed);
        figures.arguments.add(share);
        if top.contains(resource_type) {
            figures.top.add(share);
        }
    }
    let mut names: Vec<&str> = catalogue.services().collect();
    names.sort_unstable();
    figures.services = names
        .into_iter()
        .filter_map(|name| catalogue.service(name))
        .map(of_service)
        .collect();
    figures.calls = figures.services.iter().map(|service| service.calls).sum();
    figures.operations = figures
        .services
        .iter()
        .map(|service| service.operations)
        .sum();
    figures
}

impl Share {
    fn add(&mut self, other: Self) {
        self.watched += other.watched;
        self.of += other.of;
    }
}

fn of_service(rules: &Service) -> ServiceFigures {
    let mut figures = ServiceFigures {
        service: rules.service.clone(),
        ..ServiceFigures::default()
    };
    let mut types: BTreeMap<&str, Seen> = BTreeMap::new();
    for call in rules.calls() {
        if call.operates.is_some() {
            figures.operations += 1;
            continue;
        }
        figures.calls += usize::from(!call.targets.is_empty());
        figures.by_hand += usize::from(
            call.targets
                .iter()
                .any(|target| target.provenance != Provenance::Generated),
        );
        for target in &call.targets {
            if let ResourceType::Named(name) = &target.resource_type {
                types.entry(name).or_default().take(target);
            }
        }
    }
    figures.types = types.len();
    for (name, seen) in types {
        let Some(body) = schema::resource(name) else {
            continue;
        };
        leaves(body, "", &mut |path| {
            figures.mappings +=
                usize::from(matches!(seen.sight(&path), Sight::Shown | Sight::Fixed));
        });
    }
    figures
}

/// What the rules of a type say of its arguments.
#[derive(Debug, Default)]
struct Seen {
    known: bool,
    deletion: bool,
    /// Sights by dotted path; of a block taken as a whole, the block's path.
    sights: BTreeMap<String, Sight>,
}

impl Seen {
    fn take(&mut self, target: &Target) {
        self.known = true;
        self.deletion |= target.effect == EffectKind::Delete;
        for pair in target.find.iter().flatten() {
            self.note(&pair.attribute, Sight::Fixed);
        }
        self.changes(target);
    }

    fn changes(&mut self, target: &Target) {
        for change in &target.changes {
            let sight = match target.effect {
                EffectKind::Create => Sight::Fixed,
                EffectKind::Update | EffectKind::Put => Sight::Shown,
                EffectKind::Delete => continue,
            };
            self.change(change, sight);
        }
    }

    fn change(&mut self, change: &Change, sight: Sight) {
        self.build(&change.attribute, &change.build, sight);
    }

    fn build(&mut self, path: &str, build: &Build, sight: Sight) {
        let seen = |source: &Source| {
            if source.unknown && sight == Sight::Shown {
                Sight::Noticed
            } else {
                sight
            }
        };
        match build {
            Build::Leaf(source, _) | Build::Alike(source, _) => self.note(path, seen(source)),
            Build::Blocks(source, fields) if source.unknown || fields.is_empty() => {
                self.note(path, seen(source));
            }
            Build::Blocks(_, fields) | Build::One { fields, .. } => {
                for (name, inner) in fields {
                    self.build(&format!("{path}.{name}"), inner, sight);
                }
            }
        }
    }

    fn note(&mut self, path: &str, sight: Sight) {
        let known = self.sights.entry(path.to_owned()).or_insert(sight);
        *known = sight.max(*known);
    }

    /// The sight of a leaf: its own, or that of a block above which is taken as a whole.
    fn sight(&self, path: &str) -> Sight {
        let above = path.match_indices('.').map(|(at, _)| &path[..at]);
        let sights = above.chain([path]).filter_map(|path| self.sights.get(path));
        sights.copied().max().unwrap_or(Sight::Unseen)
    }
}

/// Visits every argument that a configuration may set, as a dotted path.
fn leaves(body: &Body, above: &str, visit: &mut dyn FnMut(String)) {
    // Where a resource lies and what Terraform adds to it is not configured in AWS.
    let beside =
        |name: &str| name == "tags_all" || (above.is_empty() && matches!(name, "id" | "region"));
    for (name, attribute) in &body.attributes {
        if attribute.configurable && !beside(name) {
            visit(format!("{above}{name}"));
        }
    }
    for (name, block) in body.blocks.iter().filter(|(_, block)| block.configurable) {
        leaves(&block.body, &format!("{above}{name}."), visit);
    }
}

/// Whether an argument exists in Terraform alone: a rule says so, it is write-only, or it is another
/// way to give a name.
fn terraform_only(body: &Body, path: &str, never: &[String]) -> bool {
    let said = never.iter().any(|never| {
        path.strip_prefix(never.as_str())
            .is_some_and(|rest| rest.is_empty() || rest.starts_with('.'))
    });
    let write_only = path.ends_with("_wo") || path.ends_with("_wo_version");
    let named = path
        .strip_suffix("_prefix")
        .and_then(|name| body.attributes.get(name));
    said || write_only
        || named.is_some_and(|attribute| attribute.computed && attribute.ty == Type::String)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn small() -> Catalogue {
        let mut catalogue = Catalogue::default();
        let text = r#"
service = "efs.amazonaws.com"
[type.aws_efs_file_system]
never = ["creation_token"]
[UpdateFileSystem.aws_efs_file_system]
find.id = "fileSystemId"
set.throughput_mode = "throughputMode"
set.provisioned_throughput_in_mibps = { unknown = true }
[CreateFileSystem.aws_efs_file_system]
effect = "create"
find.id = "response.fileSystemId"
set.encrypted = "encrypted"
set.throughput_mode = "throughputMode"
[PutLifecycleConfiguration.aws_efs_file_system]
find.id = "fileSystemId"
set.lifecycle_policy = "lifecyclePolicies"
set."lifecycle_policy.transition_to_ia" = "lifecyclePolicies.transitionToIA"
[TagResource."*"]
find.id = "resourceId"
add.tags = "tags"
[CreateReplicationConfiguration]
operates = "for the test"
"#;
        catalogue.add("small.toml", text).expect("a catalogue");
        catalogue
    }

    #[test]
    fn every_argument_is_told_by_how_well_it_is_seen() {
        let coverage = of_type(&small(), "aws_efs_file_system");
        let expected = [
            ("throughput_mode", Sight::Shown),
            ("provisioned_throughput_in_mibps", Sight::Noticed),
            ("encrypted", Sight::Fixed),
            ("creation_token", Sight::TerraformOnly),
            ("lifecycle_policy.transition_to_ia", Sight::Shown),
            ("lifecycle_policy.transition_to_archive", Sight::Unseen),
            ("protection.replication_overwrite", Sight::Unseen),
            ("tags", Sight::Shown),
        ];
        for (argument, sight) in expected {
            assert_eq!(coverage.arguments.get(argument), Some(&sight), "{argument}");
        }
        for beside in ["id", "arn", "region", "tags_all"] {
            assert_eq!(coverage.arguments.get(beside), None, "{beside}");
        }
        assert_eq!(coverage.standing(), Standing::Partly);
        let unseen = coverage.arguments_of(Sight::Unseen);
        assert!(
            unseen.contains(&String::from("protection")),
            "a block is named as a whole: {unseen:?}"
        );
        assert!(
            unseen.contains(&String::from("lifecycle_policy.transition_to_archive")),
            "{unseen:?}"
        );
    }

    #[test]
    fn what_no_rule_knows_is_not_watched() {
        let none = of_type(&small(), "aws_instance");
        assert_eq!((none.standing(), none.share().watched), (Standing::None, 0));
        assert_eq!(of_type(&small(), "null_resource"), TypeCoverage::default());
    }

    #[test]
    fn figures_count_types_calls_and_arguments() {
        let figures = figures(&small());
        assert_eq!((figures.types, figures.provider_types), (1, 1735));
        assert_eq!((figures.calls, figures.operations), (4, 1));
        assert_eq!((figures.mappings, figures.noticed), (4, 1));
        let service = figures.services.first().expect("one service");
        assert_eq!(
            (
                service.types,
                service.calls,
                service.by_hand,
                service.mappings
            ),
            (1, 4, 4, 3)
        );
        assert!(
            figures.top.of > 1000,
            "the most used types are known: {:?}",
            figures.top
        );
    }

    #[test]
    fn every_ranked_type_is_one_of_the_provider() {
        assert!(RANKING.lines().count() >= TOP);
        for resource_type in RANKING.lines() {
            assert!(schema::resource(resource_type).is_some(), "{resource_type}");
        }
    }
}
