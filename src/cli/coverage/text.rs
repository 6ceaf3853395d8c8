//! Coverage for people: tables fitted to the width of the terminal.

use std::io::{self, Write};

use comfy_table::presets::NOTHING;
use comfy_table::{Attribute, Cell, Color, ContentArrangement, Table};

use super::Answer;
use crate::catalogue::coverage::{Figures, Share, Sight, Standing, TOP, TypeCoverage};
use crate::catalogue::explain::{Explained, Explanation};
use crate::catalogue::rule::{EffectKind, Operation, Provenance};
use crate::cli::terminal::Terminal;
use crate::drift::coverage::{Resource, Totals};
use crate::report::paint::Paint;
use crate::report::text::{Cut, fit, pad, visible, width, wrap};
use crate::state::{Problem, StateFile};

/// States and things not read that are listed one by one.
const LISTED: usize = 5;
/// Blanks between columns.
const GAP: usize = 2;

/// Writes an answer for a terminal.
pub(super) fn write(answer: &Answer, terminal: &Terminal, out: &mut dyn Write) -> io::Result<()> {
    let page = Page {
        paint: Paint {
            colour: terminal.colour,
        },
        terminal,
    };
    match answer {
        Answer::States {
            states,
            problems,
            resources,
            totals,
        } => {
            page.states(states, resources, out)?;
            page.totals(totals, problems, out)
        }
        Answer::Catalogue(figures) => page.figures(figures, out),
        Answer::Call(explanation) => page.call(explanation, out),
        Answer::Unknown { call, close } => page.unknown(call, close, out),
    }
}

struct Page<'a> {
    paint: Paint,
    terminal: &'a Terminal,
}

impl Page<'_> {
    fn states(
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

    fn totals(&self, totals: &Totals, problems: &[Problem], out: &mut dyn Write) -> io::Result<()> {
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

    fn figures(&self, figures: &Figures, out: &mut dyn Write) -> io::Result<()> {
        let services = figures
            .services
            .iter()
            .filter(|service| service.types + service.calls + service.operations > 0);
        let mut table = self.table([
            "SERVICE",
            "TYPES",
            "CALLS",
            "BY HAND",
            "OPERATE",
            "ARGUMENTS",
        ]);
        for service in services {
            let numbers = [
                service.types,
                service.calls,
                service.by_hand,
                service.operations,
                service.mappings,
            ];
            let name = service
                .service
                .strip_suffix(".amazonaws.com")
                .unwrap_or(&service.service);
            let cells = numbers.map(|number| {
                if number == 0 {
                    String::from("-")
                } else {
                    number.to_string()
                }
            });
            table.add_row(std::iter::once(visible(name).into_owned()).chain(cells));
        }
        for column in table.column_iter_mut().skip(1) {
            column.set_cell_alignment(comfy_table::CellAlignment::Right);
        }
        print(&mut table, out)?;
        writeln!(out)?;
        self.labelled(
            "Types",
            &format!(
                "{} of the provider's {} have a rule",
                figures.types, figures.provider_types
            ),
            out,
        )?;
        let calls = format!(
            "{} change resources, {} only operate",
            figures.calls, figures.operations
        );
        self.labelled("Calls", &calls, out)?;
        let arguments = format!(
            "{} show their value in calls, {} more are seen to change; {}",
            figures.mappings,
            figures.noticed,
            of_arguments(figures.arguments),
        );
        self.labelled("Arguments", &arguments, out)?;
        self.labelled(
            &format!("Top {TOP}"),
            &format!("of the most used types {}", of_arguments(figures.top)),
            out,
        )
    }

    fn call(&self, call: &Explanation, out: &mut dyn Write) -> io::Result<()> {
        writeln!(
            out,
            "{}",
            self.paint
                .strong(&format!("{}/{}", call.service, call.event))
        )?;
        if let Some(why) = &call.operates {
            return self.labelled("Operates", &format!("{}: never drift", visible(why)), out);
        }
        if !call.when.is_empty() {
            self.labelled("Only if", &visible(&call.when.join(" and ")), out)?;
        }
        if let Some(each) = &call.each {
            self.labelled(
                "For each",
                &format!("member (item) of {}", visible(each)),
                out,
            )?;
        }
        if !call.owners.is_empty() {
            let owners = format!(
                "only the first of these that the state holds: {}",
                call.owners.join(", ")
            );
            self.labelled("Owner", &owners, out)?;
        }
        for target in &call.targets {
            writeln!(out)?;
            self.target(target, out)?;
        }
        Ok(())
    }

    fn target(&self, target: &Explained, out: &mut dyn Write) -> io::Result<()> {
        let subject = target
            .resource_type
            .as_deref()
            .unwrap_or("any resource with tags");
        let rule = format!("({})", provenance(target.provenance));
        writeln!(
            out,
            "{} {} {}",
            effect(target.effect),
            self.paint.strong(subject),
            self.paint.faint(&rule)
        )?;
        if !target.when.is_empty() {
            self.indented("only if", &target.when.join(" and "), out)?;
        }
        if let Some(each) = &target.each {
            self.indented("for each", &format!("member (item) of {each}"), out)?;
        }
        if target.only && target.find.is_empty() {
            self.indented(
                "found by",
                "there is only one in an account and region",
                out,
            )?;
        }
        for (at, alternative) in target.find.iter().enumerate() {
            let pairs = alternative
                .iter()
                .map(|(attribute, source)| self.from(attribute, source));
            let label = if at == 0 { "found by" } else { "or by" };
            self.indented(label, &pairs.collect::<Vec<_>>().join(", "), out)?;
        }
        let parent = target
            .parent
            .iter()
            .map(|(attribute, source)| self.from(attribute, source));
        let parent: Vec<String> = parent.collect();
        if !parent.is_empty() {
            self.indented("hangs on", &parent.join(", "), out)?;
        }
        if !target.yields.is_empty() {
            self.indented("yields to", &target.yields.join(", "), out)?;
        }
        let widest = target
            .changes
            .iter()
            .map(|change| width(&change.attribute))
            .max()
            .unwrap_or_default();
        let names = widest.min(self.terminal.width.saturating_sub(11) / 2);
        let mut before = "";
        for change in &target.changes {
            let word = match change.operation {
                Operation::Set => "sets",
                Operation::Add => "adds to",
                Operation::Remove => "takes of",
            };
            let label = if word == before { "" } else { word };
            before = word;
            let name = pad(
                &fit(&change.attribute, names, Cut::Start, self.ellipsis()),
                names,
            );
            self.indented(label, &self.from(&name, &change.source), out)?;
        }
        Ok(())
    }

    fn unknown(&self, call: &str, close: &[String], out: &mut dyn Write) -> io::Result<()> {
        writeln!(out, "{}", self.paint.strong(&visible(call)))?;
        let text = "no rule knows it. Where it names a managed resource of its service by id or ARN, a scan lists it as \
                    not judged; what it changes is never guessed";
        self.labelled("Unknown", text, out)?;
        for (at, name) in close.iter().enumerate() {
            self.labelled(if at == 0 { "Alike" } else { "" }, &visible(name), out)?;
        }
        Ok(())
    }

    fn from(&self, attribute: &str, source: &str) -> String {
        let arrow = if self.terminal.unicode { "←" } else { "<-" };
        format!("{} {arrow} {}", visible(attribute), visible(source))
    }

    fn ellipsis(&self) -> &'static str {
        if self.terminal.unicode { "…" } else { "..." }
    }

    /// A label with a text beside it, over as many lines as it needs.
    fn labelled(&self, label: &str, text: &str, out: &mut dyn Write) -> io::Result<()> {
        self.beside(&pad(label, 9), text, out)
    }

    fn indented(&self, label: &str, text: &str, out: &mut dyn Write) -> io::Result<()> {
        self.beside(&format!("  {}", pad(label, 9)), &visible(text), out)
    }

    fn beside(&self, label: &str, text: &str, out: &mut dyn Write) -> io::Result<()> {
        let room = self.terminal.width.saturating_sub(width(label) + GAP);
        for (at, line) in wrap(text, room).iter().enumerate() {
            let label = if at == 0 {
                label.to_owned()
            } else {
                " ".repeat(width(label))
            };
            writeln!(out, "{}  {line}", self.paint.faint(&label))?;
        }
        Ok(())
    }

    fn table<const N: usize>(&self, header: [&str; N]) -> Table {
        let mut table = Table::new();
        table
            .load_style(NOTHING)
            .set_content_arrangement(ContentArrangement::Disabled);
        if self.paint.colour {
            table.enforce_styling();
        } else {
            table.force_no_tty();
        }
        table.set_header(header.map(|name| Cell::new(name).add_attribute(Attribute::Dim)));
        table
    }
}

fn print(table: &mut Table, out: &mut dyn Write) -> io::Result<()> {
    let columns = table.column_count();
    for (index, column) in table.column_iter_mut().enumerate() {
        let right = if index + 1 == columns { 0 } else { GAP };
        column.set_padding((0, u16::try_from(right).unwrap_or_default()));
    }
    for line in table.lines() {
        writeln!(out, "{}", line.trim_end())?;
    }
    Ok(())
}

fn of_arguments(share: Share) -> String {
    match share.percent() {
        Some(percent) => format!(
            "{} of {} arguments are watched, {percent} %",
            share.watched, share.of
        ),
        None => String::from("no arguments"),
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

/// The words for who wrote a rule.
fn provenance(provenance: Provenance) -> &'static str {
    match provenance {
        Provenance::Generated => "generated rule",
        Provenance::Handwritten => "rule by hand",
        Provenance::User => "your rule",
    }
}

/// The words for what a call does to a resource.
fn effect(effect: EffectKind) -> &'static str {
    match effect {
        EffectKind::Update => "changes",
        EffectKind::Create => "creates",
        EffectKind::Delete => "deletes",
        EffectKind::Put => "changes or creates",
    }
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

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use super::*;
    use crate::catalogue::Catalogue;
    use crate::catalogue::explain;
    use crate::drift::coverage::totals;

    fn catalogue() -> Catalogue {
        let mut catalogue = Catalogue::builtin();
        let rules = r#"
service = "example.amazonaws.com"
[PutThing]
each = "things"
owners = ["aws_sns_topic_policy", "aws_sns_topic"]
[PutThing.aws_sns_topic_policy]
effect = "put"
find.arn = "item.arn"
parent.aws_sns_topic.arn = "item.arn"
set.policy = "item.policy | json"
[PutThing.aws_sns_topic]
find = [{ arn = "item.arn" }, { name = "item.name" }]
when = ["!dryRun"]
add.tags = "item.tags"
set.display_name = { unknown = true }
"#;
        catalogue.add("example.toml", rules).expect("rules");
        catalogue
    }

    fn page(answer: &Answer, width: usize) -> String {
        let terminal = Terminal {
            colour: false,
            width,
            unicode: true,
            interactive: false,
        };
        let mut out = Vec::new();
        write(answer, &terminal, &mut out).expect("written");
        String::from_utf8(out).expect("text")
    }

    fn resource(address: &str, arguments: Option<&[(&str, Sight)]>) -> Resource {
        let block = address.split('[').next().unwrap_or(address).to_owned();
        let coverage = arguments.map(|arguments| {
            let arguments = arguments
                .iter()
                .map(|(name, sight)| ((*name).to_owned(), *sight));
            let arguments: std::collections::BTreeMap<String, Sight> = arguments.collect();
            let known = !arguments.values().all(|sight| *sight == Sight::Unseen);
            Arc::new(TypeCoverage {
                arguments,
                known,
                deletion: known,
            })
        });
        let resource_type = block.rsplit('.').nth(1).unwrap_or_default().to_owned();
        Resource {
            address: address.to_owned(),
            block,
            resource_type,
            state: String::from("a"),
            coverage,
        }
    }

    #[test]
    fn resources_are_listed_the_least_watched_first_and_a_type_tells_its_gaps_once() {
        let instance = [
            ("ami", Sight::Unseen),
            ("disk.size", Sight::Unseen),
            ("disk.type", Sight::Unseen),
            ("type", Sight::Shown),
            ("user_data", Sight::Noticed),
        ];
        let resources = [
            resource(
                "aws_a.fine",
                Some(&[("name", Sight::Fixed), ("never", Sight::TerraformOnly)]),
            ),
            resource("aws_instance.web[0]", Some(&instance)),
            resource("aws_instance.web[1]", Some(&instance)),
            resource(
                "module.very.module.deeply.module.nested.aws_instance.db",
                Some(&instance),
            ),
            resource("aws_z.hostile\u{1b}[31m", Some(&[("x", Sight::Unseen)])),
            resource("null_resource.a", None),
        ];
        let answer = Answer::States {
            states: vec![StateFile {
                location: String::from("terraform.tfstate"),
                ..StateFile::default()
            }],
            problems: Vec::new(),
            totals: totals(&resources),
            resources: resources.to_vec(),
        };
        insta::assert_snapshot!("states", page(&answer, 80));
    }

    #[test]
    fn a_call_tells_what_it_changes_and_how_that_is_found() {
        let found = explain::find(&catalogue(), "example", "PutThing").expect("found");
        insta::assert_snapshot!("call", page(&Answer::Call(found), 80));
    }

    #[test]
    fn an_unknown_call_is_answered_with_what_comes_close() {
        let close = explain::find(&catalogue(), "example", "PutThink").expect_err("unknown");
        let page = page(
            &Answer::Unknown {
                call: String::from("example:PutThink"),
                close,
            },
            80,
        );
        assert!(
            page.contains("no rule knows it") && page.contains("example.amazonaws.com/PutThing"),
            "{page}"
        );
    }

    #[test]
    fn the_figures_keep_within_the_width() {
        let figures = crate::catalogue::coverage::figures(&catalogue());
        for width in [80, 120] {
            let page = page(&Answer::Catalogue(figures.clone()), width);
            assert!(
                page.lines().all(|line| super::width(line) <= width),
                "{page}"
            );
            assert!(page.contains("of the provider's 1735"), "{page}");
        }
    }
}
