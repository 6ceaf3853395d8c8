//! What of some states is watched: a table of resources, the least watched first, and totals.

use std::io::{self, Write};

use comfy_table::{Attribute, Cell, Color};

use super::{GAP, LISTED, Page, of_arguments, print};
use crate::catalogue::coverage::{Sight, Standing, TypeCoverage};
use crate::drift::coverage::{Resource, Totals};
use crate::report::text::{Cut, fit, pad, visible, width, wrap};
use crate::state::{Problem, StateFile};

impl Page<'_> {
    pub(super) fn states(
        &self,
        states: &[StateFile],
        resources: &[Resource],
        out: &mut dyn Write,
    ) -> io::Result<()> {
        for (at, state) in states.iter().take(LISTED).enumerate() {
            let label = if at == 0 { "States" } else { "" };
            self.labelled(label, &visible(&state.location), out)?;
        }
        if states.len() > LISTED {
            self.labelled("", &format!("and {} more", states.len() - LISTED), out)?;
        }
        writeln!(out)?;
        let rows = rows(resources);
        let shares: Vec<String> = rows.iter().map(Row::share).collect();
        let (watched, arguments) = ("not at all".len(), "ARGUMENTS".len());
        let room = self
            .terminal
            .width
            .saturating_sub(watched + arguments + 3 * GAP);
        let widest = rows
            .iter()
            .map(|row| width(&row.name))
            .max()
            .unwrap_or_default();
        let longest = rows
            .iter()
            .map(|row| width(&row.missing()))
            .max()
            .unwrap_or_default();
        let most = room
            .saturating_sub(longest.max("NOT WATCHED".len()))
            .max(room / 2);
        let names = widest.min(most).max("RESOURCE".len());
        let lists = room.saturating_sub(names).max(10);
        let mut table = self.table(["WATCHED", "ARGUMENTS", "RESOURCE", "NOT WATCHED"]);
        let mut before: Option<&str> = None;
        for (row, share) in rows.iter().zip(shares) {
            let same =
                before == Some(row.resource.resource_type.as_str()) && !row.missing().is_empty();
            let missing = if same {
                String::from("(as above)")
            } else {
                row.missing()
            };
            before = Some(row.resource.resource_type.as_str());
            let word = standing(row.resource);
            let standing = Cell::new(word);
            table.add_row([
                match word {
                    "fully" => standing.fg(Color::Green),
                    "partly" => standing.fg(Color::Yellow),
                    "not at all" => standing.fg(Color::Red),
                    _ => standing.add_attribute(Attribute::Dim),
                },
                Cell::new(share),
                Cell::new(fit(&row.name, names, Cut::Start, self.ellipsis())),
                Cell::new(wrap(&missing, lists).join("\n")),
            ]);
        }
        print(&mut table, out)
    }

    pub(super) fn totals(
        &self,
        totals: &Totals,
        problems: &[Problem],
        out: &mut dyn Write,
    ) -> io::Result<()> {
        let count = totals.fully + totals.partly + totals.none;
        let mut text = format!(
            "{count} {}: {} watched fully, {} partly, {} not at all; {}",
            if count == 1 { "resource" } else { "resources" },
            totals.fully,
            totals.partly,
            totals.none,
            of_arguments(totals.arguments),
        );
        if totals.outside > 0 {
            text = format!("{text}; {} of other providers", totals.outside);
        }
        writeln!(out)?;
        self.labelled("Total", &text, out)?;
        for problem in problems.iter().take(LISTED) {
            for (at, line) in wrap(
                &visible(&problem.to_string()),
                self.terminal.width.saturating_sub(11),
            )
            .iter()
            .enumerate()
            {
                let label = if at == 0 { "Not read" } else { "" };
                writeln!(out, "{}  {line}", self.paint.alarm(&pad(label, 9)))?;
            }
        }
        if problems.len() > LISTED {
            self.labelled("", &format!("and {} more", problems.len() - LISTED), out)?;
        }
        Ok(())
    }
}

/// The instances of one resource block of one state.
struct Row<'a> {
    resource: &'a Resource,
    name: String,
}

impl Row<'_> {
    fn coverage(&self) -> Option<&TypeCoverage> {
        self.resource.coverage.as_deref()
    }

    fn share(&self) -> String {
        match self.coverage().map(TypeCoverage::share) {
            Some(share) if share.of > 0 => format!("{} of {}", share.watched, share.of),
            _ => String::from("-"),
        }
    }

    fn missing(&self) -> String {
        match self.coverage() {
            Some(coverage) if !coverage.known => String::from("no rule knows this type"),
            Some(coverage) => coverage.arguments_of(Sight::Unseen).join(", "),
            None => String::new(),
        }
    }
}

/// One row for each resource block, the least watched first, those of a type beside each other.
fn rows(resources: &[Resource]) -> Vec<Row<'_>> {
    let mut sorted: Vec<&Resource> = resources.iter().collect();
    let share = |resource: &Resource| {
        let share = resource
            .coverage
            .as_ref()
            .map(|coverage| coverage.share())
            .unwrap_or_default();
        (share.watched * 1000).checked_div(share.of).unwrap_or(1000)
    };
    sorted.sort_by(|one, other| {
        let key = |resource: &Resource| {
            (
                resource.coverage.is_none(),
                resource.standing(),
                share(resource),
            )
        };
        key(one).cmp(&key(other)).then_with(|| {
            let name = |resource: &Resource| {
                (
                    resource.resource_type.clone(),
                    resource.block.clone(),
                    resource.state.clone(),
                )
            };
            name(one).cmp(&name(other))
        })
    });
    let blocks = sorted.chunk_by(|one, other| one.block == other.block && one.state == other.state);
    blocks.filter_map(row).collect()
}

fn row<'a>(block: &[&'a Resource]) -> Option<Row<'a>> {
    let resource = *block.first()?;
    let name = match block.len() {
        1 => visible(&resource.address).into_owned(),
        count => format!("{} ({count})", visible(&resource.block)),
    };
    Some(Row { resource, name })
}

/// The words for how much is watched.
fn standing(resource: &Resource) -> &'static str {
    match resource.standing() {
        Some(Standing::Fully) => "fully",
        Some(Standing::Partly) => "partly",
        Some(Standing::None) => "not at all",
        None => "not AWS",
    }
}
