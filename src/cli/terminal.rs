//! What the place that text goes to can show: colour, width, characters beyond ASCII, moving bars.

use std::io::{IsTerminal, stderr, stdout};

use super::args::When;

/// Columns of a terminal that does not tell.
const TERMINAL_WIDTH: usize = 80;
/// Columns of a file or a pipe, which has no edge of its own.
const PIPE_WIDTH: usize = 120;

/// What an output stream can show.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Terminal {
    /// Whether to use colour.
    pub colour: bool,
    /// How many columns a line has. At least 40.
    pub width: usize,
    /// Whether characters beyond ASCII can be shown, box drawing and icons among them.
    pub unicode: bool,
    /// Whether a person watches, so that what moves may be drawn.
    pub interactive: bool,
}

/// What is known of a stream and of the process around it.
#[derive(Clone, Copy)]
struct Surroundings<'a> {
    variable: &'a dyn Fn(&str) -> Option<String>,
    is_terminal: bool,
    columns: Option<usize>,
    windows: bool,
}

impl Terminal {
    /// What standard output can show.
    #[must_use]
    pub fn stdout(colour: When) -> Self {
        let columns = terminal_size::terminal_size_of(stdout()).map(|size| usize::from(size.0.0));
        Self::of_process(stdout().is_terminal(), columns, colour)
    }

    /// What standard error can show.
    #[must_use]
    pub fn stderr(colour: When) -> Self {
        let columns = terminal_size::terminal_size_of(stderr()).map(|size| usize::from(size.0.0));
        Self::of_process(stderr().is_terminal(), columns, colour)
    }

    fn of_process(is_terminal: bool, columns: Option<usize>, colour: When) -> Self {
        let variable = |name: &str| std::env::var(name).ok();
        Self::of(
            Surroundings {
                variable: &variable,
                is_terminal,
                columns,
                windows: cfg!(windows),
            },
            colour,
        )
    }

    fn of(around: Surroundings<'_>, colour: When) -> Self {
        let set = |name| (around.variable)(name).filter(|value| !value.is_empty());
        let ci = set("CI").is_some_and(|value| value != "false" && value != "0");
        // Windows has no TERM; elsewhere nobody may be drawn for who does not name their terminal.
        let capable = set("TERM").map_or(around.windows, |term| term != "dumb");
        let interactive = around.is_terminal && capable && !ci;
        let columns = set("COLUMNS")
            .and_then(|columns| columns.parse().ok())
            .or(around.columns);
        let fallback = if around.is_terminal {
            TERMINAL_WIDTH
        } else {
            PIPE_WIDTH
        };
        Self {
            colour: match colour {
                When::Always => true,
                When::Never => false,
                When::Auto => interactive && set("NO_COLOR").is_none(),
            },
            width: columns
                .filter(|columns| *columns > 0)
                .unwrap_or(fallback)
                .max(40),
            unicode: speaks_unicode(&set, around.windows),
            interactive,
        }
    }
}

/// Whether the locale is one of UTF-8; the first of the three variables that is set decides.
fn speaks_unicode(set: &dyn Fn(&'static str) -> Option<String>, windows: bool) -> bool {
    let locale = set("LC_ALL")
        .or_else(|| set("LC_CTYPE"))
        .or_else(|| set("LANG"));
    match locale {
        Some(locale) => {
            let locale = locale.to_ascii_lowercase();
            locale.contains("utf-8") || locale.contains("utf8")
        }
        None => windows && set("WT_SESSION").is_some(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    type Variables<'a> = &'a [(&'a str, &'a str)];

    fn terminal(variables: Variables<'_>, is_terminal: bool, colour: When) -> Terminal {
        let variable = |name: &str| {
            variables
                .iter()
                .find(|(key, _)| *key == name)
                .map(|(_, value)| (*value).to_owned())
        };
        let columns = is_terminal.then_some(132);
        Terminal::of(
            Surroundings {
                variable: &variable,
                is_terminal,
                columns,
                windows: false,
            },
            colour,
        )
    }

    #[test]
    fn colour_and_bars_need_a_terminal_that_a_person_watches() {
        let xterm = ("TERM", "xterm-256color");
        let table: [(Variables<'_>, bool, When, (bool, bool)); 12] = [
            (&[xterm], true, When::Auto, (true, true)),
            (&[xterm], false, When::Auto, (false, false)),
            (&[xterm, ("NO_COLOR", "1")], true, When::Auto, (false, true)),
            (&[xterm, ("NO_COLOR", "")], true, When::Auto, (true, true)),
            (&[xterm, ("CI", "true")], true, When::Auto, (false, false)),
            (&[xterm, ("CI", "false")], true, When::Auto, (true, true)),
            (&[("TERM", "dumb")], true, When::Auto, (false, false)),
            (&[], true, When::Auto, (false, false)),
            (
                &[xterm, ("NO_COLOR", "1")],
                true,
                When::Always,
                (true, true),
            ),
            (&[xterm, ("CI", "1")], false, When::Always, (true, false)),
            (&[xterm], true, When::Never, (false, true)),
            (&[], false, When::Never, (false, false)),
        ];
        for (variables, is_terminal, colour, expected) in table {
            let found = terminal(variables, is_terminal, colour);
            let case = format!("{variables:?}, terminal: {is_terminal}, {colour:?}");
            assert_eq!((found.colour, found.interactive), expected, "{case}");
        }
    }

    #[test]
    fn the_width_is_asked_for_measured_or_assumed() {
        let width = |variables, is_terminal| terminal(variables, is_terminal, When::Auto).width;
        assert_eq!(width(&[], true), 132);
        assert_eq!(width(&[("COLUMNS", "100")], true), 100);
        assert_eq!(width(&[("COLUMNS", "100")], false), 100);
        assert_eq!(width(&[("COLUMNS", "wide")], true), 132);
        assert_eq!(width(&[("COLUMNS", "0")], false), PIPE_WIDTH);
        assert_eq!(width(&[("COLUMNS", "3")], true), 40);
        assert_eq!(width(&[], false), PIPE_WIDTH);
    }

    #[test]
    fn the_first_variable_that_is_set_names_the_locale() {
        let table: [(Variables<'_>, bool); 7] = [
            (&[("LANG", "en_GB.UTF-8")], true),
            (&[("LANG", "ja_JP.utf8")], true),
            (&[("LANG", "C")], false),
            (&[("LC_ALL", "C"), ("LANG", "en_GB.UTF-8")], false),
            (
                &[("LC_ALL", ""), ("LC_CTYPE", "C.UTF-8"), ("LANG", "C")],
                true,
            ),
            (&[("WT_SESSION", "1")], false),
            (&[], false),
        ];
        for (variables, expected) in table {
            assert_eq!(
                terminal(variables, true, When::Auto).unicode,
                expected,
                "{variables:?}"
            );
        }
    }
}
