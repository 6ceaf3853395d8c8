//! What holds for every format: snapshots at two widths, with and without colour, no secret and no
//! hostile text that acts.

use super::{Format, Show, Style, fixture, render};
use crate::drift::model::Report;

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
const FOR_TERMINALS: [Format; 3] = [Format::Table, Format::Console, Format::Diff];

#[test]
fn every_format_looks_as_it_did() {
    insta::with_settings!({prepend_module_to_snapshot => false, omit_expression => true}, {
        for format in Format::ALL {
            let everything = Style { show: Show::ALL, ..Style::default() };
            if !FOR_TERMINALS.contains(&format) {
                let text = rendered(format, &fixture::rich(), &everything);
                insta::assert_snapshot!(format!("{format}"), text);
                continue;
            }
            for width in [80, 200] {
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
    let report = match set("REPORT").as_deref() {
        Some("nothing") => fixture::nothing(),
        Some("incomplete") => fixture::incomplete(),
        Some("empty") => fixture::empty(),
        _ => fixture::rich(),
    };
    let mut out = Vec::new();
    render(format, &report, &style, &mut out).expect("a vector takes all");
    std::fs::write(set("OUT").unwrap_or_else(|| "/dev/stdout".to_owned()), out).expect("written");
}
