//! What is made of whole files, sound and damaged, one alone and two in turn.

use std::io::{Read, Write};

use flate2::bufread::MultiGzDecoder;
use flate2::{Compression, GzBuilder, write::GzEncoder};
use proptest::prelude::*;

use super::{Damage, Inflater, ROOM, WINDOW};

/// One gzip member.
pub(crate) fn gzip(text: &[u8]) -> Vec<u8> {
    gzip_of(text, Compression::default())
}

fn gzip_of(text: &[u8], compression: Compression) -> Vec<u8> {
    let mut encoder = GzEncoder::new(Vec::new(), compression);
    encoder.write_all(text).unwrap();
    encoder.finish().unwrap()
}

/// Text that compresses to half.
fn text(length: usize) -> Vec<u8> {
    let mut state = 1u32;
    let mut letter = || {
        state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
        b"0123456789abcdef"[(state >> 28) as usize]
    };
    (0..length).map(|_| letter()).collect()
}

/// Inflates a file, letting go of the text whenever the window is full.
fn inflate(inflater: &mut Inflater, input: &[u8]) -> (Vec<u8>, Option<Damage>) {
    let mut text = Vec::new();
    inflater.start(input);
    loop {
        inflater.fill(input);
        text.extend_from_slice(inflater.text());
        if inflater.is_complete() {
            return (text, inflater.damage().cloned());
        }
        assert!(inflater.is_full(), "it stopped without a reason");
        inflater.release(inflater.text().len());
    }
}

/// Inflates two files in turn.
fn inflate_both(inputs: [&[u8]; 2]) -> [(Vec<u8>, Option<Damage>); 2] {
    let mut inflaters = [Inflater::new(), Inflater::new()];
    let mut texts = [Vec::new(), Vec::new()];
    for (inflater, input) in inflaters.iter_mut().zip(inputs) {
        inflater.start(input);
    }
    while inflaters.iter().any(|inflater| !inflater.is_complete()) {
        let [one, other] = &mut inflaters;
        match (one.is_complete(), other.is_complete()) {
            (false, false) => Inflater::fill_either((one, inputs[0]), (other, inputs[1])),
            (false, true) => one.fill(inputs[0]),
            (true, _) => other.fill(inputs[1]),
        }
        for (inflater, text) in inflaters.iter_mut().zip(&mut texts) {
            if inflater.is_full() && !inflater.is_complete() {
                text.extend_from_slice(inflater.text());
                inflater.release(inflater.text().len());
            }
        }
    }
    let mut texts = texts.into_iter();
    inflaters.map(|inflater| {
        let before = texts.next().unwrap_or_default();
        let damage = inflater.damage().cloned();
        ([&before, inflater.text()].concat(), damage)
    })
}

#[test]
fn a_sound_file_inflates_whole_and_so_do_members_of_any_number() {
    let mut inflater = Inflater::new();
    for members in [
        vec![text(0)],
        vec![text(100_000)],
        vec![text(3 * WINDOW)],
        vec![text(10), text(200_000), text(3)],
        vec![text(500), text(500), text(500)],
        vec![text(300), text(0), text(0)],
        vec![vec![b' '; 3 * WINDOW], text(WINDOW)],
    ] {
        for compression in [
            Compression::none(),
            Compression::fast(),
            Compression::best(),
        ] {
            let compressed: Vec<u8> = members
                .iter()
                .flat_map(|member| gzip_of(member, compression))
                .collect();
            let (inflated, damage) = inflate(&mut inflater, &compressed);
            assert_eq!(damage, None);
            assert!(inflated == members.concat(), "{} members", members.len());
        }
    }
}

#[test]
fn a_header_may_hold_a_name_a_comment_and_more() {
    let mut encoder = GzBuilder::new()
        .filename(&[0x10, 0x1f, 0x8b, 0x08, 0x10][..])
        .comment("log")
        .extra([1, 2, 0, 3])
        .write(Vec::new(), Compression::default());
    encoder.write_all(b"text").unwrap();
    let compressed = encoder.finish().unwrap();
    let mut inflater = Inflater::new();
    assert_eq!(
        inflate(&mut inflater, &compressed),
        (b"text".to_vec(), None)
    );
    for end in 0..compressed.len() {
        let (_, damage) = inflate(&mut inflater, &compressed[..end]);
        assert_eq!(
            damage.unwrap().problem,
            "the gzip stream is cut off",
            "{end}"
        );
    }
}

#[test]
fn what_was_inflated_before_the_damage_is_kept() {
    let whole = text(300_000);
    let compressed = gzip(&whole);
    let mut inflater = Inflater::new();

    let (inflated, damage) = inflate(&mut inflater, &compressed[..compressed.len() / 2]);
    let damage = damage.unwrap();
    assert_eq!(
        (damage.at, damage.problem.as_str()),
        (compressed.len() / 2, "the gzip stream is cut off")
    );
    assert!(
        inflated.len() > 100_000 && whole.starts_with(&inflated),
        "{}",
        inflated.len()
    );

    let mut broken = compressed.clone();
    let last = broken.len() - 5;
    broken[last] ^= 1;
    let (inflated, damage) = inflate(&mut inflater, &broken);
    assert_eq!(damage.unwrap().problem, "the gzip stream is damaged");
    assert!(inflated == whole);

    let mut garbled = compressed;
    garbled[100_000..100_100].fill(0xff);
    let (inflated, damage) = inflate(&mut inflater, &garbled);
    let damage = damage.unwrap();
    assert_eq!(damage.problem, "the gzip stream is damaged");
    assert!(
        damage.at >= 100_000 && inflated.len() > 50_000,
        "{damage:?}"
    );
    assert!(whole[..50_000] == inflated[..50_000]);
}

#[test]
fn padding_is_no_damage_and_garbage_is() {
    let mut inflater = Inflater::new();
    let compressed = gzip(b"text");
    assert_eq!(
        inflate(&mut inflater, &[&compressed[..], &[0; 512]].concat()),
        (b"text".to_vec(), None)
    );
    let (inflated, damage) = inflate(&mut inflater, &[&compressed[..], b"garbage"].concat());
    assert_eq!(inflated, b"text");
    assert_eq!(damage.map(|damage| damage.at), Some(compressed.len()));
}

#[test]
fn a_size_is_never_believed() {
    let mut lie = gzip(b"text");
    let last = lie.len() - 4;
    lie[last..].copy_from_slice(&u32::MAX.to_le_bytes());
    let mut inflater = Inflater::new();
    let (inflated, damage) = inflate(&mut inflater, &lie);
    assert_eq!(inflated, b"text");
    assert!(damage.is_some());
    assert!(inflater.window.len() < 1 << 20);
}

#[test]
fn a_member_does_not_refer_to_the_one_before() {
    // A fixed block: the letter a, then three bytes from two back, where only one is.
    let bits = "110 10010001 0000001 00001 0000000";
    let mut deflate = vec![0_u8; 8];
    for (index, bit) in bits.chars().filter(|bit| *bit != ' ').enumerate() {
        deflate[index / 8] |= u8::from(bit == '1') << (index % 8);
    }
    let member = [
        &[0x1f, 0x8b, 8, 0, 0, 0, 0, 0, 0, 0][..],
        &deflate,
        &[0; 20],
    ]
    .concat();
    let mut inflater = Inflater::new();
    for before in [vec![], gzip(b"text"), gzip(&text(2 * WINDOW))] {
        let (inflated, damage) = inflate(&mut inflater, &[before, member.clone()].concat());
        assert_eq!(inflated.last(), Some(&b'a'));
        assert_eq!(damage.unwrap().problem, "the gzip stream is damaged");
    }
}

#[test]
fn a_bomb_stops_at_the_limit_unless_it_is_read_meanwhile() {
    let bomb = gzip(&vec![b' '; 5 << 20]);
    let mut inflater = Inflater::limited(1 << 20);
    inflater.start(&bomb);
    while !inflater.is_complete() {
        inflater.fill(&bomb);
        inflater.release(0);
    }
    let problem = &inflater.damage().unwrap().problem;
    assert_eq!(problem, "it inflates to more than 1 MiB");
    assert!((1 << 20..(1 << 20) + ROOM).contains(&inflater.text().len()));
    assert_eq!(inflater.window.len(), (1 << 20) + ROOM);

    let (inflated, damage) = inflate(&mut inflater, &bomb);
    assert_eq!((inflated.len(), damage), (5 << 20, None));
}

/// Text as far as it matters here: what repeats itself nearby, far away, and not at all.
fn repetitive() -> impl Strategy<Value = Vec<u8>> {
    let part = prop_oneof![
        (0_usize..2_000).prop_map(text),
        prop::collection::vec(any::<u8>(), 0..600),
        (any::<u8>(), 0_usize..1_000).prop_map(|(byte, times)| vec![byte; times]),
        ("[a-z]{2,70}", 0_usize..20).prop_map(|(word, times)| word.repeat(times).into_bytes()),
    ];
    (prop::collection::vec(part, 0..20), 0_usize..30)
        .prop_map(|(parts, times)| parts.concat().repeat(times))
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(if cfg!(miri) { 2 } else { 64 }))]

    #[test]
    fn it_inflates_what_was_compressed(one in repetitive(), other in repetitive(), level in 0_u32..10) {
        let texts = [one, other];
        let inputs = texts.each_ref().map(|text| gzip_of(text, Compression::new(level)));
        let mut inflater = Inflater::new();
        for (text, input) in texts.iter().zip(&inputs) {
            let (inflated, damage) = inflate(&mut inflater, input);
            prop_assert_eq!(damage, None);
            prop_assert!(inflated == *text);
        }
        let both = inflate_both([&inputs[0], &inputs[1]]);
        for (text, (inflated, damage)) in texts.iter().zip(&both) {
            prop_assert_eq!(damage, &None);
            prop_assert!(inflated == text);
        }
    }

    #[test]
    fn of_damaged_files_it_makes_what_zlib_makes(
        original in repetitive(), level in 0_u32..10, cut in 0_usize..2_000, at in any::<prop::sample::Index>(), flips in prop::collection::vec(1..=255_u8, 0..4),
    ) {
        let mut compressed = gzip_of(&original, Compression::new(level));
        for (index, flip) in flips.iter().enumerate() {
            let at = (at.index(compressed.len()) + index * 7) % compressed.len();
            compressed[at] ^= flip;
        }
        compressed.truncate(compressed.len() - cut.min(compressed.len()));
        let mut known = Vec::new();
        let sound = MultiGzDecoder::new(&compressed[..]).read_to_end(&mut known);
        let (inflated, damage) = inflate(&mut Inflater::new(), &compressed);
        let both = inflate_both([&compressed, &gzip(&original)]);
        prop_assert_eq!(&both[0], &(inflated.clone(), damage.clone()));
        prop_assert_eq!(&both[1], &(original, None));
        if sound.is_ok() && !compressed.is_empty() {
            prop_assert_eq!(damage, None);
            prop_assert!(inflated == known);
        } else {
            // A flaw in what only describes the file is none to this inflater.
            prop_assert!(damage.is_some() || !flips.is_empty());
            let length = inflated.len().min(known.len());
            prop_assert!(inflated[..length] == known[..length]);
        }
    }

    #[test]
    fn no_bytes_make_it_panic(bytes in prop::collection::vec(any::<u8>(), 0..600), at in 0_usize..600, byte: u8) {
        let mut inflater = Inflater::new();
        inflate(&mut inflater, &bytes);
        let mut compressed = gzip(&bytes);
        if let Some(target) = compressed.get_mut(at) {
            *target = byte;
        }
        inflate(&mut inflater, &compressed);
        inflate(&mut inflater, &[&[0x1f, 0x8b, 8, 0, 0, 0, 0, 0, 0, 0][..], &bytes].concat());
    }
}
