//! Holds what a plan's refresh found changed against what the evidence explains.
//!
//! Two witnesses that know nothing of each other: Terraform looked at the cloud and does not know
//! who changed it, the logs know who and when, but only within their window.

use super::model::{Drift, Kind, Refreshed};
use crate::state::{self, AttributePath, StateFile};

/// What the refreshes of these plans found, each with the drifts that explain it. `wanted` says
/// whether an address is asked for.
#[must_use]
pub fn confirm(
    states: &[StateFile],
    drifts: &[Drift],
    wanted: &dyn Fn(&str) -> bool,
) -> Vec<Refreshed> {
    let mut all = Vec::new();
    for file in states {
        let found = file.plan.iter().flat_map(|plan| &plan.refreshed);
        all.extend(
            found
                .filter(|found| wanted(&found.address))
                .map(|found| explain(&file.location, found, drifts)),
        );
    }
    all
}

fn explain(location: &str, found: &state::Refreshed, drifts: &[Drift]) -> Refreshed {
    let own: Vec<&Drift> = drifts
        .iter()
        .filter(|drift| {
            drift.address.as_deref() == Some(&*found.address)
                && drift.state.as_deref() == Some(location)
        })
        .collect();
    let mut explained = Vec::new();
    let mut unexplained = Vec::new();
    let mut by: Vec<&Drift> = Vec::new();
    if found.is_gone {
        by.extend(own.iter().filter(|drift| drift.kind == Kind::Deleted));
    }
    for path in &found.paths {
        let explaining: Vec<&Drift> = own
            .iter()
            .copied()
            .filter(|drift| changes(drift, path))
            .collect();
        let list = if explaining.is_empty() {
            &mut unexplained
        } else {
            &mut explained
        };
        list.push(path.to_string());
        by.extend(explaining);
    }
    let mut refreshed = Refreshed {
        state: location.to_owned(),
        address: found.address.clone(),
        kind: if found.is_gone {
            Kind::Deleted
        } else {
            Kind::Modified
        },
        explained,
        unexplained,
        drifts: by.iter().map(|drift| drift.id.clone()).collect(),
        actors: by
            .iter()
            .flat_map(|drift| &drift.events)
            .map(|event| event.actor.name.clone())
            .collect(),
    };
    for list in [&mut refreshed.drifts, &mut refreshed.actors] {
        list.sort_unstable();
        list.dedup();
    }
    refreshed
}

/// Whether a drift tells of an attribute, of a part of it or of what it is a part of.
fn changes(drift: &Drift, path: &AttributePath) -> bool {
    drift.attributes.iter().any(|attribute| {
        let own: Option<AttributePath> = attribute.path.parse().ok();
        own.is_some_and(|own| own.covers(path) || path.covers(&own))
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::report::fixture;
    use crate::state::Plan;
    use serde_json::json;

    fn found(address: &str, is_gone: bool, paths: &[&str]) -> state::Refreshed {
        state::Refreshed {
            address: address.to_owned(),
            is_gone,
            paths: paths.iter().map(|path| path.parse().unwrap()).collect(),
        }
    }

    /// What is explained and what is not, of a drift at this path and a refresh of these.
    fn held(drift: (Kind, &str, &str), refreshed: state::Refreshed) -> Refreshed {
        let (kind, address, path) = drift;
        let drift = Drift {
            kind,
            address: Some(address.to_owned()),
            state: Some("plan.json".to_owned()),
            attributes: vec![fixture::attribute(path, json!(1), json!(2))],
            ..fixture::rich().drifts.remove(0)
        };
        let file = StateFile {
            location: "plan.json".to_owned(),
            plan: Some(Plan {
                made: None,
                refreshed: vec![refreshed],
            }),
            ..StateFile::default()
        };
        confirm(&[file], &[drift], &|_| true).remove(0)
    }

    #[test]
    fn a_drift_explains_the_attribute_its_parts_and_what_it_is_a_part_of() {
        let modified = |path| (Kind::Modified, "aws_x.a", path);
        for (path, explains) in [
            ("size", true),
            ("tags.Owner", false),
            ("block[0].kind", true),
            ("sizes", false),
        ] {
            let refreshed = found("aws_x.a", false, &["size", "tags.Name", "block"]);
            let held = held(modified(path), refreshed);
            assert_eq!(held.explained.len(), usize::from(explains), "{path}");
            assert_eq!(held.explained.len() + held.unexplained.len(), 3);
            assert_eq!(held.drifts.is_empty(), !explains);
            assert_eq!(held.actors.is_empty(), !explains);
        }
        let elsewhere = held(modified("size"), found("aws_x.b", false, &["size"]));
        assert_eq!(elsewhere.unexplained, ["size"]);
    }

    #[test]
    fn only_a_deletion_explains_that_something_is_gone() {
        for (kind, explains) in [(Kind::Deleted, true), (Kind::Modified, false)] {
            let held = held((kind, "aws_x.a", "size"), found("aws_x.a", true, &[]));
            assert_eq!(held.kind, Kind::Deleted);
            assert_eq!(held.drifts.is_empty(), !explains);
        }
    }
}
