//! Decides what each call does to a type: makes it, changes it, ends it.

use super::inputs::{CallRow, Kind, Verb};
use super::words::{singular, snake, verb_and_noun, words};

/// Verbs that end something.
const ENDS: [&str; 33] = [
    "Delete",
    "Remove",
    "Detach",
    "Disassociate",
    "Deregister",
    "Revoke",
    "Disable",
    "Cancel",
    "Terminate",
    "Release",
    "Unsubscribe",
    "Deauthorize",
    "Reject",
    "Leave",
    "Stop",
    "Unassign",
    "Deprecate",
    "Archive",
    "Deactivate",
    "Unlink",
    "Reset",
    "Delist",
    "Disconnect",
    "Retire",
    "Close",
    "Schedule",
    "BatchDelete",
    "AdminDelete",
    "Deprovision",
    "Opt",
    "Decline",
    "Withdraw",
    "Unshare",
];
/// Verbs that end something for good.
const TRULY: [&str; 8] = [
    "Delete",
    "BatchDelete",
    "AdminDelete",
    "Remove",
    "Terminate",
    "Deregister",
    "Detach",
    "Disassociate",
];
/// Verbs that make something new.
const MAKES: [&str; 16] = [
    "Create",
    "CreateOrUpdate",
    "BatchCreate",
    "AdminCreate",
    "Run",
    "Import",
    "Register",
    "Restore",
    "Request",
    "Allocate",
    "Copy",
    "Purchase",
    "Issue",
    "Provision",
    "Generate",
    "Launch",
];
/// Verbs that make something or change what is there.
const PUTS: [&str; 12] = [
    "Put",
    "Set",
    "Modify",
    "Update",
    "Change",
    "BatchPut",
    "BatchUpdate",
    "CreateOrUpdate",
    "Upload",
    "Publish",
    "Define",
    "Edit",
];

/// What a call does.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Effect {
    Create,
    Update,
    Put,
    Delete,
}

impl Effect {
    pub fn word(self) -> &'static str {
        match self {
            Self::Create => "create",
            Self::Update => "update",
            Self::Put => "put",
            Self::Delete => "delete",
        }
    }
}

/// The calls that make and end a type itself, not something beside it.
#[derive(Debug, Default)]
pub struct Main<'a> {
    pub create: Option<&'a CallRow>,
    pub delete: Option<&'a CallRow>,
}

impl<'a> Main<'a> {
    pub fn of(resource_type: &str, rows: &'a [CallRow]) -> Self {
        let kind = words(resource_type.trim_start_matches("aws_"));
        let about = |row: &CallRow| {
            let noun = noun(&row.event);
            let shared = noun.iter().filter(|word| kind.contains(word)).count();
            // More of the type's words, fewer others.
            (3 * shared).cast_signed()
                - noun.len().cast_signed()
                - 4 * isize::from(!kind.ends_with(&noun[noun.len().saturating_sub(1)..]))
        };
        let primary = |verb| {
            rows.iter()
                .filter(move |row| row.kind == Kind::Primary && row.verbs.contains(&verb))
        };
        let rank_create = |row: &&CallRow| {
            let (verb, _) = verb_and_noun(&row.event);
            (
                about(row) + 2 * isize::from(MAKES.contains(&verb))
                    - 3 * isize::from(ENDS.contains(&verb)),
                std::cmp::Reverse(row.event.clone()),
            )
        };
        let rank_delete = |row: &&CallRow| {
            let (verb, _) = verb_and_noun(&row.event);
            (
                about(row)
                    + 4 * isize::from(ENDS.contains(&verb))
                    + isize::from(TRULY.contains(&verb)),
                std::cmp::Reverse(row.event.clone()),
            )
        };
        let create = primary(Verb::Create).max_by_key(rank_create);
        // What ends a type is called as what makes it.
        let pair = |row: &CallRow| {
            isize::from(create.is_some_and(|create| noun(&create.event) == noun(&row.event)))
        };
        let delete = primary(Verb::Delete).max_by_key(|row| {
            let (rank, name) = rank_delete(row);
            (rank + 6 * pair(row), name)
        });
        Self { create, delete }
    }

    /// What a call of the type does; none when it is only a side call.
    pub fn effect(&self, row: &CallRow) -> Option<Effect> {
        let (verb, _) = verb_and_noun(&row.event);
        let is = |main: Option<&CallRow>| {
            main.is_some_and(|main| main.event == row.event && main.source == row.source)
        };
        let like = |main: Option<&CallRow>| {
            main.is_some_and(|main| {
                noun(&main.event) == noun(&row.event) && main.source == row.source
            })
        };
        let ends = ENDS.contains(&verb);
        let updates = row.verbs.contains(&Verb::Update);
        if row.verbs.contains(&Verb::Delete) {
            // `StopFleet` on the way to `DeleteFleet` ends nothing.
            let again = like(self.delete) && TRULY.contains(&verb);
            if ends && (is(self.delete) || again) {
                return Some(Effect::Delete);
            }
            return (!ends).then_some(Effect::Update);
        }
        if row.verbs.contains(&Verb::Create) {
            if ends {
                return updates.then_some(Effect::Update);
            }
            let again = like(self.create) && (MAKES.contains(&verb) || PUTS.contains(&verb));
            let made = self.create.is_some_and(|main| {
                MAKES.contains(&verb)
                    && noun(&main.event)
                        .iter()
                        .all(|word| noun(&row.event).contains(word))
            });
            return Some(if is(self.create) || again || made {
                let puts = PUTS.contains(&verb) || (updates && !MAKES.contains(&verb));
                // What is changed by being there needs no maker: `UpdateX` of what no state holds is no news.
                match verb {
                    "Modify" | "Update" | "Change" | "Edit" | "Start" | "Rotate" | "Submit" => {
                        if updates || verb != "Start" {
                            Effect::Update
                        } else {
                            Effect::Create
                        }
                    }
                    "Enable" if updates => Effect::Update,
                    _ if puts => Effect::Put,
                    _ => Effect::Create,
                }
            } else {
                Effect::Update
            });
        }
        Some(Effect::Update)
    }
}

/// Whether a call's verb makes something new.
pub fn makes(event: &str) -> bool {
    MAKES.contains(&verb_and_noun(event).0) || event.starts_with("Connect")
}

fn noun(event: &str) -> Vec<String> {
    let noun = words(&snake(&singular(verb_and_noun(event).1)));
    // `DeleteBotV2` and `CreateDistributionWithTags` are about a bot and a distribution.
    let end = noun
        .iter()
        .position(|word| word == "with" || word == "v2")
        .unwrap_or(noun.len());
    noun[..end].to_vec()
}
