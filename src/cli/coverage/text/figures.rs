//! What the rules cover of the AWS provider, with no state to look at.

use std::io::{self, Write};

use super::{Page, of_arguments, print};
use crate::catalogue::coverage::{Figures, TOP};
use crate::report::text::visible;

impl Page<'_> {
    pub(super) fn figures(&self, figures: &Figures, out: &mut dyn Write) -> io::Result<()> {
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
}
