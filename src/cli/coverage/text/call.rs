//! What one call changes, and how that is found.

use std::io::{self, Write};

use super::Page;
use crate::catalogue::explain::{Explained, Explanation};
use crate::catalogue::rule::{EffectKind, Operation, Provenance};
use crate::report::text::{Cut, fit, pad, visible, width};

impl Page<'_> {
    pub(super) fn call(&self, call: &Explanation, out: &mut dyn Write) -> io::Result<()> {
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
        for learnt in &call.learns {
            let at = learnt.at.join(", ");
            let like = match &learnt.was {
                Some(was) => format!("what this one calls {was}"),
                None => "the same".to_owned(),
            };
            let words = format!("later calls that give {} at {at} mean {like}", learnt.is);
            self.labelled("Teaches", &visible(&words), out)?;
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

    pub(super) fn unknown(
        &self,
        call: &str,
        close: &[String],
        out: &mut dyn Write,
    ) -> io::Result<()> {
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
