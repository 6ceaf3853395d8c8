//! `tfdrift verify -o console`: what was proved, what is wrong, and the verdict last.

use std::collections::BTreeMap;
use std::io::{self, Write};

use super::grade;
use crate::audit::cloudtrail::digest::finding::{Finding, Grade, Kind};
use crate::audit::verify::{ChainProof, Proof};
use crate::report::plain;
use crate::window::Window;

/// Findings of one kind that are listed one by one; the rest of them is a number.
const LISTED: usize = 20;

/// Writes the report.
///
/// # Errors
/// When it cannot be written.
pub fn write(proof: &Proof, window: &Window, colour: bool, out: &mut dyn Write) -> io::Result<()> {
    for chain in &proof.chains {
        writeln!(out, "{}", plain(&line(chain)))?;
        for (since, until) in &chain.covered {
            writeln!(out, "  proved from {since} to {until}")?;
        }
    }
    let mut by_kind: BTreeMap<(std::cmp::Reverse<Grade>, Kind), Vec<&Finding>> = BTreeMap::new();
    for found in &proof.findings {
        let key = (std::cmp::Reverse(found.kind.grade()), found.kind);
        by_kind.entry(key).or_default().push(found);
    }
    for ((_, kind), found) in &by_kind {
        let first = found.first().map_or("", |found| grade(found));
        let word = paint(&format!("{first}: {}", kind.word()), kind.grade(), colour);
        writeln!(out, "\n{word}")?;
        for one in found.iter().take(LISTED) {
            writeln!(out, "  {}", plain(&one.location))?;
            writeln!(out, "    {}", plain(&one.problem))?;
        }
        if found.len() > LISTED {
            writeln!(out, "  and {} more", found.len() - LISTED)?;
        }
        writeln!(out, "  → {}", kind.remedy())?;
    }
    if !(proof.chains.is_empty() && proof.findings.is_empty()) {
        writeln!(out)?;
    }
    writeln!(out, "{window}")?;
    writeln!(
        out,
        "{} of {} log files as they were delivered, {} of {} digests proved",
        proof.matched,
        proof.log_files,
        proof.chains.iter().map(|chain| chain.proved).sum::<usize>(),
        proof
            .chains
            .iter()
            .map(|chain| chain.digests)
            .sum::<usize>(),
    )?;
    let (verdict, weight) = match proof.grade() {
        Some(Grade::Tampered) => ("tampered", Grade::Tampered),
        Some(Grade::Unproven) => ("not provable", Grade::Unproven),
        Some(Grade::Note) => ("intact, as far as digests have come", Grade::Note),
        None => ("intact", Grade::Note),
    };
    writeln!(out, "{}", paint(verdict, weight, colour))
}

fn line(chain: &ChainProof) -> String {
    let name = &chain.name;
    let added = if name.backfill { ", added later" } else { "" };
    format!(
        "{} {} trail {}{added}: {} of {} digests proved",
        name.account, name.region, name.trail, chain.proved, chain.digests
    )
}

fn paint(text: &str, grade: Grade, colour: bool) -> String {
    let code = match grade {
        _ if !colour => return text.to_owned(),
        Grade::Tampered => "1;31",
        Grade::Unproven => "33",
        Grade::Note => "32",
    };
    format!("\x1b[{code}m{text}\x1b[0m")
}
