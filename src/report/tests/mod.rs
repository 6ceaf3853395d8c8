//! What holds for every format: snapshots at two widths, with and without colour, no secret and no
//! hostile text that acts.

pub mod hostile;

use super::{Format, Show, Style, fixture, render};
use crate::drift::model::{Drift, Report, Status};

/// A report as text, without the version of this crate.
pub fn rendered(format: Format, report: &Report, style: &Style) -> String {
    let mut out = Vec::new();
    render(format, report, style, &mut out).expect("a vector takes all");
    let text = String::from_utf8(out).expect("reports are UTF-8");
    text.replace(
        concat!("\"", env!("CARGO_PKG_VERSION"), "\""),
        "\"[VERSION]\"",
    )
}

/// The formats that look different by width or colour.
const FOR_TERMINALS: [Format; 4] = [
    Format::Table,
    Format::Console,
    Format::Diff,
    Format::SideBySide,
];

#[test]
fn every_format_looks_as_it_did() {
    insta::with_settings!({prepend_module_to_snapshot => false, omit_expression => true}, {
        for format in Format::ALL {
            let everything = Style { show: Show::ALL, ..Style::default() };
            if !FOR_TERMINALS.contains(&format) {
                let text = rendered(format, &fixture::rich(), &everything);
                insta::assert_snapshot!(format!("{format}"), super::html::without_assets(&text));
                continue;
            }
            // A diff breaks no lines, whatever the width.
            let widths: &[usize] = if format == Format::Diff { &[80] } else { &[80, 200] };
            for &width in widths {
                for colour in [false, true] {
                    let style = Style { width, colour, ..everything.clone() };
                    let text = rendered(format, &fixture::rich(), &style);
                    let suffix = if colour { "-colour" } else { "" };
                    insta::assert_snapshot!(format!("{format}-{width}{suffix}"), text);
                }
            }
            let style = Style { unicode: false, ..Style::default() };
            let text = rendered(format, &fixture::rich(), &style);
            insta::assert_snapshot!(format!("{format}-ascii"), text);
        }
    });
}

#[test]
fn every_format_tells_the_same_drifts_the_window_and_the_evidence() {
    let report = fixture::rich();
    let everything = Style {
        show: Show::ALL,
        width: 200,
        ..Style::default()
    };
    for format in Format::ALL {
        let only_open = rendered(
            format,
            &report,
            &Style {
                width: 200,
                ..Style::default()
            },
        );
        let all = rendered(format, &report, &everything);
        for drift in &report.drifts {
            // Part of an address, because a table may have cut it and XML escapes its quotes.
            let own = drift
                .address
                .as_deref()
                .or(drift.resource_id.as_deref())
                .unwrap_or_default();
            let own = own
                .trim_end_matches(']')
                .rsplit('.')
                .next()
                .unwrap_or_default();
            let own: String = own.chars().take_while(|c| c.is_alphanumeric()).collect();
            assert!(all.contains(&own), "{format} lacks {own}");
            if drift.status == Status::Open {
                assert!(only_open.contains(&own), "{format} lacks {own}");
            }
        }
        assert!(
            all.contains("TerminateInstances"),
            "{format} lacks the refused call"
        );
        assert!(
            !only_open.contains("TerminateInstances"),
            "{format} shows what was not asked for"
        );
        assert!(
            !only_open.contains("SetDesiredCapacity"),
            "{format} shows what was not asked for"
        );
        // A page shows calls in order of time before it lists the drifts.
        let (_, listed) = all.split_once("id=\"drifts\"").unwrap_or(("", &all));
        let critical = listed.find("webserver").unwrap_or(usize::MAX);
        let low = listed.find("受付サーバー").unwrap_or_default();
        assert!(
            critical < low,
            "{format} does not put the most severe first"
        );

        let incomplete = rendered(format, &fixture::incomplete(), &everything);
        for text in [&all, &incomplete] {
            let since =
                text.contains("2026-01-15 09:00:00 UTC") || text.contains("2026-01-15T09:00:00Z");
            assert!(since, "{format} lacks the window");
        }
        let said = incomplete.contains("INCOMPLETE") || incomplete.contains("\"complete\": false");
        assert!(
            said || incomplete.contains("\"complete\":false"),
            "{format} hides what is missing"
        );
        assert!(
            incomplete.contains("gzip stream ends early"),
            "{format} hides what is unreadable"
        );
    }
}

#[test]
fn no_format_prints_a_secret_unless_told_to() {
    for format in Format::ALL {
        for show in [Show::default(), Show::ALL] {
            let style = Style {
                show,
                width: 400,
                ..Style::default()
            };
            let text = rendered(format, &fixture::rich(), &style);
            assert!(!text.contains("PLANTED"), "{format} prints a secret");
            let text = rendered(
                format,
                &fixture::rich(),
                &Style {
                    reveal: true,
                    ..style
                },
            );
            assert!(
                text.contains("PLANTED-new-secret"),
                "{format} hides what was to be revealed"
            );
        }
    }
}

#[test]
fn no_line_for_a_terminal_is_wider_than_it() {
    // A command or a link is there to be copied, and so is not broken.
    let copied = |line: &str| line.contains("$ terraform") || line.contains("https://");
    let mut days = fixture::rich();
    days.window.since = None;
    let reports = [
        fixture::rich(),
        days,
        fixture::incomplete(),
        fixture::empty(),
    ];
    for format in [Format::Table, Format::Console, Format::SideBySide] {
        for width in [40, 60, 80, 100, 120, 200] {
            for unicode in [true, false] {
                let style = Style {
                    width,
                    unicode,
                    show: Show::ALL,
                    ..Style::default()
                };
                // Below this the columns of a table have nothing left to give.
                let most = if format == Format::Table {
                    width.max(77)
                } else {
                    width
                };
                for report in &reports {
                    let text = rendered(format, report, &style);
                    for line in text.lines().filter(|line| !copied(line)) {
                        let columns = super::text::width(line);
                        assert!(columns <= most, "{format} at {width}: {columns}: {line}");
                    }
                }
            }
        }
    }
}

#[test]
fn without_unicode_only_ascii_is_drawn() {
    let mut report = fixture::rich();
    report
        .drifts
        .retain(|drift| drift.address.as_deref().is_none_or(str::is_ascii));
    for format in FOR_TERMINALS {
        let style = Style {
            unicode: false,
            show: Show::ALL,
            ..Style::default()
        };
        let text = rendered(format, &report, &style);
        let other: Vec<&str> = text.lines().filter(|line| !line.is_ascii()).collect();
        assert!(other.is_empty(), "{format}: {other:#?}");
    }
}

#[test]
fn columns_of_a_table_line_up_whatever_the_script() {
    let text = rendered(
        Format::Table,
        &fixture::rich(),
        &Style {
            width: 200,
            ..Style::default()
        },
    );
    let column = |line: &str, word: &str| line.find(word).map(|at| super::text::width(&line[..at]));
    let lines: Vec<&str> = text.lines().collect();
    let header = lines
        .iter()
        .position(|line| line.starts_with("SEVERITY"))
        .expect("a header");
    let when = column(lines[header], "WHEN").expect("a column");
    for line in lines
        .iter()
        .skip(header + 1)
        .take_while(|line| !line.is_empty())
    {
        let last = line.rsplit(' ').next().unwrap_or_default();
        assert_eq!(
            super::text::width(line) - super::text::width(last),
            when,
            "{line}"
        );
    }
}

#[test]
fn markdown_stays_within_a_comment_and_says_what_it_left_out() {
    let mut report = fixture::rich();
    let many: Vec<Drift> = (0..200).flat_map(|_| fixture::rich().drifts).collect();
    let all = many
        .iter()
        .filter(|drift| drift.status == Status::Open)
        .count();
    report.drifts = many;
    let text = rendered(Format::Markdown, &report, &Style::default());
    assert!(text.encode_utf16().count() < 65_536);
    let shown = text.matches("### Drift Detected: ").count();
    assert!(shown > 0);
    let left_out = super::words::count(all - shown, "drift is", "drifts are");
    assert!(
        text.contains(&format!("**{left_out} left out**")),
        "{left_out}"
    );
}

#[test]
fn every_word_names_its_format_and_no_other() {
    for format in Format::ALL {
        assert_eq!(format.word().parse(), Ok(format));
    }
    let error = "yaml"
        .parse::<Format>()
        .expect_err("no such format")
        .to_string();
    assert!(
        error.contains("\"yaml\"") && error.contains("side-by-side"),
        "{error}"
    );
}

/// `SHOW=console WIDTH=80 COLOUR=1 cargo test show_me -- --ignored --nocapture` prints one.
#[test]
#[ignore = "for looking at"]
fn show_me() {
    let set = |name: &str| std::env::var(name).ok();
    let format: Format = set("SHOW")
        .as_deref()
        .unwrap_or("table")
        .parse()
        .expect("a format");
    let style = Style {
        colour: set("COLOUR").is_some(),
        width: set("WIDTH")
            .and_then(|width| width.parse().ok())
            .unwrap_or(80),
        unicode: set("ASCII").is_none(),
        show: if set("ALL").is_some() {
            Show::ALL
        } else {
            Show::default()
        },
        reveal: set("REVEAL").is_some(),
    };
    let mut report = match set("REPORT").as_deref() {
        Some("nothing") => fixture::nothing(),
        Some("incomplete") => fixture::incomplete(),
        Some("empty") => fixture::empty(),
        _ => fixture::rich(),
    };
    let times = set("TIMES")
        .and_then(|times| times.parse().ok())
        .unwrap_or(1);
    report.drifts = (0..times).flat_map(|_| report.drifts.clone()).collect();
    let mut out = Vec::new();
    let start = std::time::Instant::now();
    render(format, &report, &style, &mut out).expect("a vector takes all");
    eprintln!(
        "{} drifts, {} bytes, {:?}",
        report.drifts.len(),
        out.len(),
        start.elapsed()
    );
    std::fs::write(set("OUT").unwrap_or_else(|| "/dev/stdout".to_owned()), out).expect("written");
}
