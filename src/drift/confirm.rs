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
