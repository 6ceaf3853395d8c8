use super::super::name::DigestName;
use super::*;

#[path = "../../../../../tests/common/digest.rs"]
#[allow(dead_code, reason = "other tests use the rest")]
mod maker;

use maker::{Made, Maker};

fn time(clock: &str) -> Timestamp {
    format!("2026-01-15T{clock}Z").parse().unwrap()
}

/// The log files of four hours, the second and last of which had none.
fn four(maker: &Maker) -> Vec<Made> {
    let (first, third) = (maker.log("0835"), maker.log("1035"));
    maker.chain(&[&[(&first, "one")], &[], &[(&third, "two")], &[]])
}

fn links(made: &[Made]) -> Vec<Link> {
    made.iter().map(link).collect()
}

fn link(made: &Made) -> Link {
    Link {
        location: format!("copy/{}", made.object),
        text: Ok(made.text.clone()),
        signature: Some(made.signature.clone()),
    }
}

/// All of the four hours, seen from their end.
const STRETCH: (&str, &str, &str) = ("08:30:00", "11:30:00", "12:10:00");

fn check_with(
    links: &[Link],
    witness: &[Link],
    maker: &Maker,
    (since, until, now): (&str, &str, &str),
) -> Checked {
    let stretch = Stretch {
        since: Some(time(since)),
        until: time(until),
        now: time(now),
    };
    let keys = PublicKeys::from_json(maker.keys().as_bytes()).unwrap();
    let first = links.first().or(witness.first()).unwrap();
    let name = first.location.rsplit('/').next().unwrap();
    let chain = DigestName::of(name).unwrap().chain;
    check(&chain, links, witness, &keys, stretch)
}

fn check_all(links: &[Link], maker: &Maker) -> Checked {
    check_with(links, &[], maker, STRETCH)
}

fn kinds(checked: &Checked) -> Vec<Kind> {
    checked.findings.iter().map(|found| found.kind).collect()
}

#[test]
fn a_whole_chain_is_proved_and_covers_its_hours() {
    let maker = Maker::new();
    let checked = check_all(&links(&four(&maker)), &maker);
    assert_eq!(checked.findings, []);
    assert_eq!((checked.digests, checked.proved), (4, 4));
    assert_eq!(checked.covered, [(time("08:01:31"), time("12:01:31"))]);
    assert_eq!(checked.log_files.len(), 2);
}

#[test]
fn the_order_of_finding_does_not_matter() {
    let maker = Maker::new();
    let mut links = links(&four(&maker));
    links.reverse();
    links.swap(0, 1);
    assert_eq!(check_all(&links, &maker).findings, []);
}

#[test]
fn one_changed_byte_of_a_digest_is_found() {
    let maker = Maker::new();
    for at in 0..4 {
        let mut links = links(&four(&maker));
        let text = links[at].text.as_mut().unwrap();
        let last = text.len() - 1;
        text.insert(last, b' ');
        let checked = check_all(&links, &maker);
        assert_eq!(kinds(&checked), [Kind::DigestChanged], "{at}");
        assert_eq!(checked.findings[0].location, links[at].location);
        assert_eq!(checked.proved, 3);
    }
}

#[test]
fn a_digest_that_another_refers_to_must_be_there() {
    let maker = Maker::new();
    for at in 1..3 {
        let made = four(&maker);
        let mut links = links(&made);
        links.remove(at);
        let checked = check_all(&links, &maker);
        assert_eq!(kinds(&checked), [Kind::DigestMissing], "{at}");
        assert_eq!(checked.findings[0].location, made[at].object);
        assert_eq!(checked.covered.len(), 2);
    }
    // The one before the window is not asked for, the newest is known to nobody.
    let mut links = links(&four(&maker));
    let first = links.remove(0);
    let late = ("09:30:00", "10:30:00", "12:10:00");
    assert_eq!(check_with(&links, &[], &maker, late).findings, []);
    links.insert(0, first);
    links.pop();
    let checked = check_with(&links, &[], &maker, ("08:30:00", "11:30:00", "20:00:00"));
    assert_eq!(kinds(&checked), [Kind::Gap]);
    assert_eq!(checked.findings[0].since, Some(time("11:01:31")));
}

#[test]
fn what_was_delivered_since_the_newest_digest_is_pending() {
    let maker = Maker::new();
    let made = four(&maker);
    let checked = check_with(
        &links(&made),
        &[],
        &maker,
        ("08:30:00", "12:50:00", "12:50:00"),
    );
    assert_eq!(kinds(&checked), [Kind::Pending]);
    assert_eq!(checked.findings[0].since, Some(time("12:01:31")));
}

#[test]
fn a_key_that_is_not_known_proves_nothing_and_a_wrong_one_tells_a_forgery() {
    let (maker, mut forger) = (Maker::new(), Maker::forger());
    let forged = links(&four(&forger));
    let checked = check_all(&forged, &maker);
    assert_eq!(kinds(&checked), [Kind::KeyUnknown; 4]);
    assert_eq!(checked.proved, 0);
    assert_eq!(checked.covered, []);
    forger.fingerprint = maker.fingerprint;
    let checked = check_all(&links(&four(&forger)), &maker);
    assert_eq!(kinds(&checked), [Kind::DigestChanged; 4]);
}

#[test]
fn only_the_newest_digest_needs_its_own_signature() {
    let maker = Maker::new();
    let mut links = links(&four(&maker));
    for link in &mut links {
        link.signature = None;
    }
    let checked = check_all(&links, &maker);
    assert_eq!(kinds(&checked), [Kind::DigestUnsigned]);
    assert_eq!(checked.proved, 3);
    let (before, last) = links.split_at(3);
    let checked = check_with(before, last, &maker, ("08:30:00", "11:00:00", "12:10:00"));
    assert_eq!((checked.findings.len(), checked.proved), (0, 3));
}

#[test]
fn a_signature_that_was_changed_beside_an_untouched_digest_changes_nothing() {
    let maker = Maker::new();
    let mut links = links(&four(&maker));
    links[1].signature = links[0].signature.clone();
    assert_eq!(check_all(&links, &maker).findings, []);
    links[3].signature = Some("not hexadecimal".to_owned());
    assert_eq!(kinds(&check_all(&links, &maker)), [Kind::DigestChanged]);
}

#[test]
fn a_digest_under_the_name_of_another_is_found() {
    let maker = Maker::new();
    let made = four(&maker);
    let mut links = links(&made);
    links[2].text = Ok(made[1].text.clone());
    links[2].signature = Some(made[1].signature.clone());
    assert_eq!(kinds(&check_all(&links, &maker)), [Kind::DigestMoved]);
}

#[test]
fn a_chain_that_begins_anew_leaves_a_gap() {
    let maker = Maker::new();
    let before = maker.digest(9, &[], None);
    let after = maker.digest(12, &[], None);
    let checked = check_all(&links(&[before, after]), &maker);
    assert_eq!(kinds(&checked), [Kind::Gap]);
    let found = &checked.findings[0];
    let expected = (Some(time("09:01:31")), Some(time("11:01:31")));
    assert_eq!((found.since, found.until), expected);
}

#[test]
fn digests_that_were_added_later_are_proved_and_may_have_gaps() {
    let maker = Maker::new();
    let first = maker.backfill(9, &[], None);
    let second = maker.backfill(12, &[], None);
    let third = maker.backfill(13, &[], Some(&second));
    let mut links = links(&[first, second, third]);
    let checked = check_all(&links, &maker);
    assert_eq!((checked.findings.len(), checked.proved), (0, 3));
    links.remove(1);
    assert_eq!(kinds(&check_all(&links, &maker)), [Kind::DigestMissing]);
}

#[test]
fn what_cannot_be_read_is_said_and_stands_in_its_place() {
    let maker = Maker::new();
    for text in [
        Err("reading it is not permitted".to_owned()),
        Ok(b"{".to_vec()),
    ] {
        let mut links = links(&four(&maker));
        links[1].text = text;
        assert_eq!(kinds(&check_all(&links, &maker)), [Kind::DigestUnread]);
    }
}
