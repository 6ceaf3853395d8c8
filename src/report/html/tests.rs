//! The page in a real browser, where one is installed, and what can be said without.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use super::policy;
use crate::drift::model::Report;
use crate::report::tests::rendered;
use crate::report::{Format, Show, Style, fixture};

fn page(report: &Report) -> String {
    rendered(
        Format::Html,
        report,
        &Style {
            show: Show::ALL,
            ..Style::default()
        },
    )
}

#[test]
fn a_page_loads_nothing_and_allows_only_its_own_script_and_style() {
    for report in [
        fixture::rich(),
        fixture::nothing(),
        fixture::incomplete(),
        fixture::empty(),
    ] {
        let page = page(&report);
        let script = page
            .rsplit_once("<script>")
            .and_then(|(_, rest)| rest.split_once("</script>"));
        let style = page
            .split_once("<style>")
            .and_then(|(_, rest)| rest.split_once("</style>"));
        for (element, _) in [script, style].into_iter().flatten() {
            assert!(page.contains(&format!("'{}'", policy::hash(element))));
        }
        assert!(page.contains("default-src 'none'"));
        assert_eq!(page.matches("<script").count(), 1);
        for loading in [
            "src=",
            "@import",
            "url(",
            "<link",
            "<iframe",
            "<object",
            "http-equiv=\"refresh",
        ] {
            assert!(!page.contains(loading), "{loading}");
        }
        for inline in [" style=", " onclick=", " onload="] {
            assert!(
                !page.contains(inline),
                "{inline} would need a looser policy"
            );
        }
    }
}

/// Chromium, where one is installed under a name it usually has.
fn chromium() -> Option<PathBuf> {
    let folders = std::env::var_os("PATH")?;
    let found = std::env::split_paths(&folders)
        .flat_map(|folder| {
            ["chromium", "chromium-browser", "google-chrome"].map(|name| folder.join(name))
        })
        .find(|path| path.is_file());
    if found.is_none() {
        eprintln!("skipped: no Chromium on the PATH");
    }
    found
}

/// The page as it stands after its script has run.
fn dom(chromium: &Path, folder: &Path, page: &str, fragment: &str) -> String {
    let file = folder.join("report.html");
    fs::write(&file, page).expect("a page on disk");
    let output = Command::new(chromium)
        .args([
            "--headless",
            "--no-sandbox",
            "--disable-gpu",
            "--disable-quic",
            "--no-first-run",
            "--disable-background-networking",
            "--disable-component-update",
            "--disable-sync",
            "--virtual-time-budget=2000",
            "--dump-dom",
        ])
        .arg(format!(
            "--user-data-dir={}",
            folder.join("profile").display()
        ))
        .arg(format!("file://{}{fragment}", file.display()))
        .output()
        .expect("Chromium runs");
    assert!(
        output.status.success(),
        "{}",
        String::from_utf8_lossy(&output.stderr)
    );
    String::from_utf8(output.stdout).expect("UTF-8")
}

/// The start tags of the drifts that are not hidden.
fn visible_drifts(dom: &str) -> Vec<&str> {
    dom.split("<details class=\"drift")
        .skip(1)
        .filter_map(|rest| rest.split_once('>').map(|(tag, _)| tag))
        .filter(|tag| !tag.contains(" hidden"))
        .collect()
}

#[test]
fn a_browser_draws_the_page_and_filters_it() {
    let Some(chromium) = chromium() else { return };
    let folder = tempfile::tempdir().expect("a folder");
    let report = fixture::rich();
    let page = page(&report);

    let all = dom(&chromium, folder.path(), &page, "");
    assert_eq!(visible_drifts(&all).len(), report.drifts.len());
    let count = format!("{0} of {0}</output>", report.drifts.len());
    assert!(all.contains(&count), "the script ran and counted");

    let cases = [
        ("#?severity=critical,low", 5),
        ("#?origin=console&kind=modified", 5),
        ("#?who=ci-deploy&q=m5.24xlarge+所有者", 0),
        ("#?q=yuki+DeleteDBInstance", 1),
    ];
    for (fragment, expected) in cases {
        let filtered = dom(&chromium, folder.path(), &page, fragment);
        let shown = visible_drifts(&filtered);
        assert_eq!(shown.len(), expected, "{fragment}: {shown:#?}");
        let none_said = !filtered.contains("id=\"none\" hidden");
        assert_eq!(none_said, expected == 0, "{fragment}");
    }

    let followed = dom(&chromium, folder.path(), &page, "#d-0000000000000004");
    let drift = visible_drifts(&followed)
        .into_iter()
        .find(|tag| tag.contains("d-0000000000000004"));
    assert!(
        drift.is_some_and(|tag| tag.contains(" open")),
        "a link opens its drift"
    );
}

#[test]
fn in_a_browser_a_hostile_name_does_nothing() {
    let Some(chromium) = chromium() else { return };
    let folder = tempfile::tempdir().expect("a folder");
    let attacks = [
        "</script><script>document.title='EVIL'</script>",
        "<img src=x onerror=\"document.title='EVIL'\">",
        "\"><svg onload=document.title='EVIL'>",
        "' autofocus onfocus='document.title=`EVIL`",
        "</style><script>document.title='EVIL'</script>",
        "javascript:document.title='EVIL'",
    ];
    // One page holds them all, each by itself and all in a row.
    let mut report = crate::report::tests::hostile::filled_with(&attacks.concat());
    for (drift, attack) in report.drifts.iter_mut().zip(attacks) {
        *drift = crate::report::tests::hostile::filled_with(attack)
            .drifts
            .swap_remove(0);
    }
    {
        let attack = attacks.concat();
        let page = page(&report);
        let after = dom(&chromium, folder.path(), &page, "#?q=evil");
        let title = after
            .split_once("<title>")
            .and_then(|(_, rest)| rest.split_once("</title>"));
        assert!(
            title.is_some_and(|(title, _)| title.starts_with("Terraform drift, ")),
            "{attack}"
        );
        assert_eq!(after.matches("<script").count(), 1, "{attack}");
        assert!(
            !after.contains("<img") && !after.contains("<svg onload"),
            "{attack}"
        );
        assert!(!after.contains("href=\"javascript"), "{attack}");
        assert!(
            !visible_drifts(&after).is_empty(),
            "the script still runs: {attack}"
        );
    }
}
