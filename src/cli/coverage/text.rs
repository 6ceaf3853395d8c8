//! Coverage for people: tables fitted to the width of the terminal.

mod call;
mod figures;
mod states;

use std::io::{self, Write};

use comfy_table::presets::NOTHING;
use comfy_table::{Attribute, Cell, ContentArrangement, Table};

use super::Answer;
use crate::catalogue::coverage::Share;
use crate::cli::terminal::Terminal;
use crate::report::paint::Paint;
use crate::report::text::{pad, visible, width, wrap};

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

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use super::*;
    use crate::catalogue::Catalogue;
    use crate::catalogue::coverage::{Sight, TypeCoverage};
    use crate::catalogue::explain;
    use crate::drift::coverage::{Resource, totals};
    use crate::state::StateFile;

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
