//! Derives the generated part of the catalogue from the inputs.

pub mod api;
mod effects;
mod identify;
pub mod inputs;
mod spell;
mod tags;
mod values;
pub mod words;
mod write;

use std::collections::{BTreeMap, BTreeSet};

use tfdrift::catalogue::schema;

use api::{Operation, Shape};
use effects::{Effect, Main};
use identify::{Identity, Subject};
use inputs::{CallRow, Inputs, Kind, Mapping, Verb};
use values::{Call, Review, Source, Values};
use write::{Service, Target};

/// What came out.
#[derive(Debug, Default)]
pub struct Generated {
    /// File name and text.
    pub files: BTreeMap<String, String>,
    /// What a person should look at.
    pub reviews: BTreeSet<Review>,
    /// Calls of a type for which no rule could be derived, and why.
    pub left_out: BTreeSet<(String, String, &'static str)>,
}

/// Which of several APIs with one event source a type belongs to; the longest beginning counts.
const API_OF: [(&str, &str); 34] = [
    ("aws_elb", "elb"),
    ("aws_lb_cookie", "elb"),
    ("aws_app_cookie", "elb"),
    ("aws_load_balancer_", "elb"),
    ("aws_proxy_protocol", "elb"),
    ("aws_lb_ssl_negotiation", "elb"),
    ("aws_lb", "elbv2"),
    ("aws_alb", "elbv2"),
    ("aws_docdb_", "docdb"),
    ("aws_neptune_", "neptune"),
    ("aws_db_", "rds"),
    ("aws_rds_", "rds"),
    ("aws_api_gateway_", "apigateway"),
    ("aws_apigatewayv2_", "apigatewayv2"),
    ("aws_appautoscaling_", "application-autoscaling"),
    ("aws_autoscaling", "autoscaling"),
    ("aws_opensearch", "opensearch"),
    ("aws_elasticsearch", "es"),
    ("aws_kinesisanalyticsv2", "kinesisanalyticsv2"),
    ("aws_kinesis_analytics", "kinesisanalytics"),
    ("aws_lexv2models", "lexv2-models"),
    ("aws_lex_", "lex-models"),
    ("aws_sesv2", "sesv2"),
    ("aws_ses_", "ses"),
    ("aws_s3control_", "s3control"),
    ("aws_s3_account", "s3control"),
    ("aws_s3_access_point", "s3control"),
    ("aws_s3_", "s3"),
    ("aws_cloudhsm_v2", "cloudhsmv2"),
    ("aws_pinpointsmsvoicev2", "pinpoint-sms-voice-v2"),
    ("aws_timestreamquery", "timestream-query"),
    ("aws_timestreamwrite", "timestream-write"),
    ("aws_bedrockagent_", "bedrock-agent"),
    ("aws_bedrock_", "bedrock"),
];

/// Services whose calls one region logs for all, and those whose names are unique everywhere.
const SCOPES: [(&str, &str); 12] = [
    ("iam", "global"),
    ("sts", "global"),
    ("cloudfront", "global"),
    ("route53", "global"),
    ("organizations", "global"),
    ("route53domains", "global"),
    ("waf", "global"),
    ("shield", "global"),
    ("globalaccelerator", "global"),
    ("account", "global"),
    ("budgets", "global"),
    ("s3", "partition"),
];

/// Derives all rules.
pub fn generate(inputs: &Inputs) -> Generated {
    let mut generated = Generated::default();
    let mut services: BTreeMap<String, Service> = BTreeMap::new();
    let owned: BTreeSet<(&str, &str)> = inputs
        .calls
        .values()
        .flatten()
        .filter(|row| row.kind == Kind::Primary)
        .map(|row| (row.source.as_str(), row.event.as_str()))
        .collect();
    for (resource_type, rows) in &inputs.calls {
        let Some(body) = schema::resource(resource_type) else {
            continue;
        };
        let subject = Subject::new(resource_type, body);
        let main = Main::of(resource_type, rows);
        let keys = main
            .delete
            .filter(|row| main.effect(row) == Some(Effect::Delete))
            .and_then(|row| {
                let (operation, mappings) = pick(inputs, resource_type, row)?;
                let mut identity =
                    subject.of_delete(&row.source, &row.event, operation, mappings)?;
                correct(
                    inputs,
                    resource_type,
                    &row.event,
                    operation,
                    &row.source,
                    &mut identity,
                );
                Some(identity.keys())
            });
        let alone = [main.create, main.delete].into_iter().flatten().all(|row| {
            pick(inputs, resource_type, row)
                .is_some_and(|(operation, _)| identify::names_nothing(operation))
        });
        let quiet = inputs.quiet.contains(resource_type)
            || [
                "_accepter",
                "_confirmation",
                "_state",
                "_exclusive",
                "_status",
            ]
            .iter()
            .any(|end| resource_type.ends_with(end));
        let mut made: Vec<(String, Target)> = Vec::new();
        for row in rows {
            let mut leave = |why| {
                generated.left_out.insert((
                    resource_type.clone(),
                    format!("{}:{}", row.source, row.event),
                    why,
                ));
            };
            let Some((operation, mappings)) = pick(inputs, resource_type, row) else {
                leave("not in the API model");
                continue;
            };
            let known = mappings
                .iter()
                .any(|mapping| matches!(mapping.confidence, 'M' | 'A'));
            let side = row.kind == Kind::Aux
                && (!known || owned.contains(&(row.source.as_str(), row.event.as_str())));
            if side || row.verbs.iter().all(|verb| *verb == Verb::Tag) {
                continue;
            }
            let Some(mut effect) = main.effect(row) else {
                leave("a side call");
                continue;
            };
            let (source, event) = (row.source.as_str(), row.event.as_str());
            let identity = match effect {
                Effect::Delete => subject.of_delete(source, event, operation, mappings),
                Effect::Create => {
                    subject.of_create(source, event, operation, mappings, keys.as_ref())
                }
                Effect::Update | Effect::Put => {
                    subject.of_update(source, event, operation, mappings, keys.as_ref())
                }
            };
            let mut identity = identity.unwrap_or_default();
            let makes = effect == Effect::Update
                && row.verbs.len() == 1
                && row.verbs.contains(&Verb::Create);
            if makes
                && identity.parts.is_empty()
                && effects::makes(event)
                && keys.as_ref().is_some_and(|keys| keys.len() == 1)
                && let Some(created) =
                    subject.of_create(source, event, operation, mappings, keys.as_ref())
                && keys
                    .as_ref()
                    .is_some_and(|keys| keys.keys().eq(created.attributes().iter()))
            {
                effect = Effect::Create;
                identity = created;
            }
            if quiet && matches!(effect, Effect::Create | Effect::Put) {
                effect = Effect::Update;
            }
            correct(
                inputs,
                resource_type,
                event,
                operation,
                source,
                &mut identity,
            );
            let find = find(&identity);
            let only = find.is_empty()
                && alone
                && identify::names_nothing(operation)
                && row.kind == Kind::Primary;
            if find.is_empty() && !only {
                leave("names no instance");
                continue;
            }
            if only && effect != Effect::Delete {
                effect = Effect::Update;
            }
            let fixed = if effect == Effect::Create {
                BTreeSet::new()
            } else {
                identity.attributes()
            };
            let creates = effect == Effect::Create;
            let call = Call {
                resource_type,
                source,
                event,
                operation,
                body,
                fixed: &fixed,
                creates,
            };
            let mut values = if effect == Effect::Delete {
                Values::default()
            } else {
                // A call that makes something beside the type says nothing of the type under the same names.
                let apart = row.kind != Kind::Primary
                    || (effect == Effect::Update && effects::makes(event));
                let others = others(inputs, resource_type, source, event);
                let mappings = if apart {
                    mappings.to_vec()
                } else {
                    values::borrowed(&call, mappings, &others)
                };
                let mut values = values::values(&call, &mappings, &mut generated.reviews);
                if operation.api == "apigateway" && operation.member("patchOperations").is_some() {
                    values.set = values::patched(body, &others);
                }
                values
            };
            for entries in [&mut values.set, &mut values.add, &mut values.remove] {
                entries.retain(|attribute, _| !inputs.never.contains(attribute));
            }
            if let Some(keyed) = inputs
                .keyed
                .get(&(resource_type.clone(), row.source.clone()))
            {
                for keyed in keyed.iter().filter(|keyed| keyed.event == row.event) {
                    keyed_values(body, keyed, &mut values);
                }
            }
            if values.is_empty() && matches!(effect, Effect::Update) {
                leave("nothing is known of what it changes");
                continue;
            }
            let arn = (creates && !fixed.contains("arn") && body.attributes.contains_key("arn"))
                .then(|| subject.made(source, event, operation).remove("arn"))
                .flatten()
                .filter(|_| !identity.attributes().contains("arn"))
                .map(|part| Source::Paths(part.paths));
            let parent = match effect {
                Effect::Create | Effect::Put => parent(inputs, resource_type, source, &identity),
                _ => None,
            };
            let target = Target {
                resource_type: resource_type.clone(),
                effect: effect.word(),
                find,
                arn,
                parent,
                when: if creates || effect == Effect::Put {
                    when(inputs, row, operation)
                } else {
                    Vec::new()
                },
                only,
                values,
                like: None,
            };
            made.push((row.event.clone(), target));
            let service = services.entry(row.source.clone()).or_default();
            let never: BTreeSet<String> = body
                .attributes
                .iter()
                .filter(|(name, attribute)| {
                    attribute.configurable
                        && (inputs.never.iter().any(|never| *never == **name)
                            || name.ends_with("_wo")
                            || name.ends_with("_wo_version"))
                })
                .map(|(name, _)| name.to_string())
                .collect();
            if !never.is_empty()
                && main
                    .create
                    .is_some_and(|create| create.source == row.source)
            {
                service.never.insert(resource_type.clone(), never);
            }
        }
        share(&mut made);
        for ((event, target), row_source) in made.into_iter().map(|(event, target)| {
            let source = rows
                .iter()
                .find(|row| row.event == event)
                .map_or("", |row| row.source.as_str())
                .to_owned();
            ((event, target), source)
        }) {
            let service = services.entry(row_source).or_default();
            service
                .targets
                .entry(event)
                .or_default()
                .insert(resource_type.clone(), target);
        }
    }
    tags::add(inputs, &mut services, &mut generated.left_out);
    for operates in &inputs.operates {
        let service = services.entry(operates.source.clone()).or_default();
        // The list was written by a person, the targets were derived.
        service.targets.remove(&operates.event);
        service
            .operates
            .insert(operates.event.clone(), operates.why.clone());
    }
    for (source, service) in &mut services {
        one_creation(inputs, service);
        service.scope = SCOPES
            .iter()
            .find(|(name, _)| name == source)
            .map(|(_, scope)| *scope);
        generated
            .files
            .insert(format!("{source}.toml"), write::file(source, service));
    }
    generated
}

/// The mappings of a type's other calls to the same service.
fn others<'a>(
    inputs: &'a Inputs,
    resource_type: &str,
    source: &str,
    event: &str,
) -> Vec<&'a Mapping> {
    let from = (resource_type.to_owned(), source.to_owned(), String::new());
    inputs
        .mappings
        .range(from..)
        .take_while(|((other, service, _), _)| other == resource_type && service == source)
        .filter(|((_, _, other), _)| other != event)
        .flat_map(|(_, mappings)| mappings)
        .collect()
}

/// The operation that an event means for a type, and the attribute mappings of the two.
fn pick<'a>(
    inputs: &'a Inputs,
    resource_type: &str,
    row: &CallRow,
) -> Option<(&'a Operation, &'a [Mapping])> {
    let operations = inputs.api.operations(&row.source, &row.event);
    let key = (
        resource_type.to_owned(),
        row.source.clone(),
        row.event.clone(),
    );
    let mappings = inputs
        .mappings
        .get(&key)
        .map_or(&[] as &[Mapping], Vec::as_slice);
    let own = api_of(resource_type);
    let fitting = |operation: &&Operation| {
        let named = own.is_some_and(|api| api == operation.api);
        let known = mappings
            .iter()
            .filter(|mapping| operation.at(&mapping.member).is_some())
            .count();
        (named, known)
    };
    // The first of the best, not the last.
    operations
        .iter()
        .rev()
        .max_by_key(fitting)
        .map(|operation| (operation, mappings))
}

fn api_of(resource_type: &str) -> Option<&'static str> {
    API_OF
        .iter()
        .filter(|(beginning, _)| resource_type.starts_with(beginning))
        .max_by_key(|(beginning, _)| beginning.len())
        .map(|(_, api)| *api)
}

/// Corrections by hand: `[aws_x] function_arn = "id"` (this member is that attribute), `"-"` (it names nothing).
fn correct(
    inputs: &Inputs,
    resource_type: &str,
    event: &str,
    operation: &Operation,
    source: &str,
    identity: &mut Identity,
) {
    let Some(corrections) = inputs
        .overrides
        .get(resource_type)
        .and_then(toml::Value::as_table)
    else {
        return;
    };
    let corrections = corrections
        .get(event)
        .and_then(toml::Value::as_table)
        .unwrap_or(corrections);
    let members: Vec<(&String, &str)> = corrections
        .iter()
        .filter_map(|(member, attribute)| Some((member, attribute.as_str()?)))
        .collect();
    let mut parts = Vec::new();
    for (member, attribute) in members {
        let Some(hops) = operation.at(member) else {
            return;
        };
        let paths = spell::request(source, operation, &hops);
        parts.push(identify::Part {
            attribute: attribute.to_owned(),
            paths,
            tie: identify::Tie::Named,
            member: member.clone(),
            optional: false,
        });
    }
    if !parts.is_empty() {
        *identity = Identity {
            parts,
            ..Identity::default()
        };
    }
}

fn find(identity: &Identity) -> Vec<BTreeMap<String, Source>> {
    let mut find: Vec<BTreeMap<String, Source>> = std::iter::once(&identity.parts)
        .chain(&identity.others)
        .filter(|parts| !parts.is_empty())
        .map(|parts| {
            let name = |part: &identify::Part| {
                format!("{}{}", part.attribute, if part.optional { "?" } else { "" })
            };
            parts
                .iter()
                .map(|part| (name(part), Source::Paths(part.paths.clone())))
                .collect()
        })
        .collect();
    find.extend(
        identity
            .templates
            .iter()
            .map(|text| BTreeMap::from([(String::from("id"), Source::Template(text.clone()))])),
    );
    find
}

fn keyed_values(body: &schema::Body, keyed: &inputs::Keyed, values: &mut Values) {
    for (attribute, key) in &keyed.pairs {
        let Some(place) = body.at(attribute).filter(schema::Place::configurable) else {
            continue;
        };
        let map = matches!(place.leaf, schema::Leaf::Attribute(_, found) if matches!(found.ty, schema::Type::Map(_)));
        let key = match key.split_once('{') {
            Some((before, rest)) if map && rest.ends_with('}') && !rest.contains('/') => {
                format!("{before}*")
            }
            Some(_) => continue,
            None => key.clone(),
        };
        let path = format!("{}[\"{key}\"]", keyed.container);
        values
            .set
            .insert(attribute.clone(), Source::Paths(vec![path]));
    }
}

/// The managed resource that a new one hangs on, where its name says so.
fn parent(
    inputs: &Inputs,
    resource_type: &str,
    source: &str,
    identity: &Identity,
) -> Option<(String, String, Source)> {
    let words: Vec<&str> = resource_type.split('_').collect();
    for part in identity
        .parts
        .iter()
        .filter(|part| part.tie == identify::Tie::Named && !part.paths[0].starts_with("response."))
    {
        let (base, kind) = ["_id", "_arn", "_name", "_identifier"]
            .iter()
            .find_map(|kind| part.attribute.strip_suffix(kind).map(|base| (base, *kind)))
            .unwrap_or((part.attribute.as_str(), ""));
        for length in (1..words.len()).rev() {
            let candidate = format!("{}_{base}", words[..length].join("_"));
            if candidate == resource_type {
                continue;
            }
            let same_service = inputs
                .calls
                .get(&candidate)
                .is_some_and(|rows| rows.iter().any(|row| row.source == source));
            let Some(body) = schema::resource(&candidate).filter(|_| same_service) else {
                continue;
            };
            let wanted: &[&str] = match kind {
                "_arn" => &["arn", "id"],
                "_name" | "" => &["name", "id", "arn"],
                _ => &["id", "arn"],
            };
            let attribute = wanted
                .iter()
                .find(|name| body.attributes.contains_key(name))?;
            return Some((
                candidate,
                (*attribute).to_owned(),
                Source::Paths(part.paths.clone()),
            ));
        }
    }
    None
}

/// Tells an operation from others of the same name in the same event source.
fn when(inputs: &Inputs, row: &CallRow, operation: &Operation) -> Vec<String> {
    let others: Vec<&Operation> = inputs
        .api
        .operations(&row.source, &row.event)
        .iter()
        .filter(|other| other.api != operation.api)
        .collect();
    if others.is_empty() {
        return Vec::new();
    }
    if row.source == "rds" {
        let engine = operation.member("Engine").is_some();
        return match operation.api.as_str() {
            _ if !engine => Vec::new(),
            "rds" => vec![
                String::from("engine!=docdb"),
                String::from("engine!=neptune"),
            ],
            api => vec![format!("engine={api}")],
        };
    }
    let scalar = |member: &&api::Member| {
        member.required && matches!(member.shape, Shape::Value(_) | Shape::List(_))
    };
    let only = |one: &Operation, other: &Operation| {
        let unique = |member: &&api::Member| {
            !other
                .input
                .iter()
                .any(|theirs| theirs.name.eq_ignore_ascii_case(&member.name))
        };
        one.input
            .iter()
            .filter(scalar)
            .find(unique)
            .map(|member| words::lower_first(&member.name))
    };
    let mut when = BTreeSet::new();
    for other in others {
        if let Some(own) = only(operation, other) {
            when.insert(own);
        } else if let Some(theirs) = only(other, operation) {
            when.insert(format!("!{theirs}"));
        }
    }
    when.into_iter().collect()
}

/// Lets the calls of a type that set the same share it.
fn share(made: &mut [(String, Target)]) {
    let updates: Vec<(String, Target)> = made
        .iter()
        .filter(|(_, target)| target.effect == "update" && target.values.set.len() > 1)
        .cloned()
        .collect();
    for (event, target) in made
        .iter_mut()
        .filter(|(_, target)| target.effect == "create")
    {
        let shared = updates
            .iter()
            .filter(|(other, _)| other != event)
            .filter(|(_, update)| update.values.add.is_empty() && update.values.remove.is_empty())
            .filter(|(_, update)| {
                update
                    .values
                    .set
                    .iter()
                    .all(|(name, source)| target.values.set.get(name) == Some(source))
            })
            .max_by_key(|(_, update)| update.values.set.len());
        if let Some((other, update)) = shared {
            target.like = Some(other.clone());
            target
                .values
                .set
                .retain(|name, _| !update.values.set.contains_key(name));
        }
    }
}

/// One call makes one thing: where several types claim it and nothing in the call tells which, the likeliest has it.
fn one_creation(inputs: &Inputs, service: &mut Service) {
    let rank = |resource_type: &str| {
        let used = inputs
            .ranking
            .iter()
            .position(|ranked| ranked == resource_type)
            .unwrap_or(usize::MAX);
        (used, resource_type.len(), resource_type.to_owned())
    };
    for targets in service.targets.values_mut() {
        let mut groups: BTreeMap<Vec<String>, Vec<String>> = BTreeMap::new();
        for (resource_type, target) in targets.iter() {
            if matches!(target.effect, "create" | "put") && resource_type != "*" {
                groups
                    .entry(target.when.clone())
                    .or_default()
                    .push(resource_type.clone());
            }
        }
        for mut claims in groups.into_values().filter(|claims| claims.len() > 1) {
            claims.sort_by_key(|resource_type| rank(resource_type));
            for loser in &claims[1..] {
                let puts = targets
                    .get(loser)
                    .is_some_and(|target| target.effect == "put");
                match targets.get_mut(loser) {
                    Some(target) if puts && !target.values.is_empty() => {
                        target.effect = "update";
                        target.parent = None;
                    }
                    _ => {
                        targets.remove(loser);
                    }
                }
            }
        }
    }
    service.targets.retain(|_, targets| !targets.is_empty());
}
