//! Files that are given as checkpoints and aren't, or not quite.

use std::fs;
use std::time::{Duration, Instant};

use support::{Finished, TEST_IMAGES, World, lenet, sample};

/// The key and the length of the first tensor's data: 6x1x5x5 floats of four bytes.
const FIRST_WEIGHTS: &[u8] = b"\xa4data\xc5\x02\x58";

fn find(bytes: &[u8], part: &[u8]) -> usize {
    let at = bytes.windows(part.len()).position(|window| window == part);
    at.unwrap_or_else(|| panic!("{part:?} is not in the checkpoint"))
}

/// `bytes` with the first place that holds `old` changed to `new`.
fn patched(bytes: &[u8], old: &[u8], new: &[u8]) -> Vec<u8> {
    let at = find(bytes, old);
    [&bytes[..at], new, &bytes[at + old.len()..]].concat()
}

fn flipped(bytes: &[u8], bit: usize) -> Vec<u8> {
    let mut bytes = bytes.to_vec();
    bytes[bit / 8] ^= 1 << (bit % 8);
    bytes
}

/// A small world to predict in: a picture of a digit and nothing else.
fn with_picture() -> World {
    let world = World::new();
    let pixels = sample(TEST_IMAGES)[16..][..784].to_vec();
    let picture = image::GrayImage::from_raw(28, 28, pixels).unwrap();
    picture.save(world.path("digit.png")).unwrap();
    world
}

#[test]
fn what_is_no_sound_checkpoint_is_refused_with_its_name() {
    let whole = &lenet().best;
    let world = with_picture();
    fs::create_dir(world.path("folder.mpk")).unwrap();
    let table: Vec<(&str, Vec<u8>, &[&str])> = vec![
        ("empty.mpk", vec![], &["not a checkpoint", "empty"]),
        (
            "text.mpk",
            b"not a checkpoint\n".to_vec(),
            &["not a checkpoint"],
        ),
        (
            "picture.mpk",
            world.read("digit.png"),
            &["not a checkpoint"],
        ),
        ("half.mpk", whole[..whole.len() / 2].to_vec(), &[]),
        ("short.mpk", whole[..whole.len() - 1].to_vec(), &[]),
        (
            "long.mpk",
            [whole, &b"\0\0\0"[..]].concat(),
            &["damaged", "3 bytes follow its end"],
        ),
        (
            "twice.mpk",
            [&whole[..], &whole[..]].concat(),
            &["damaged", "follow its end"],
        ),
        (
            "later.mpk",
            patched(whole, b"\xa7version\x02", b"\xa7version\x63"),
            &["format version 99", "reads versions 1 to 2"],
        ),
        (
            "foreign.mpk",
            patched(whole, b"\xa8mnistctl", b"\xa8mnistctx"),
            &["not a checkpoint", "mnistctx"],
        ),
        (
            "key.mpk",
            patched(whole, b"\xa6resume", b"\xa6resumf"),
            &["damaged", "resumf"],
        ),
        (
            "name.mpk",
            patched(whole, b"\xa80.weight", b"\xa80.wait!!"),
            &["0.weight", "missing"],
        ),
        (
            "dtype.mpk",
            patched(whole, b"\xa3f32", b"\xa3f64"),
            &["damaged", "f64"],
        ),
        (
            "recipe.mpk",
            patched(whole, b"out_features = 120", b"out_features = 121"),
            &["does not fit its own recipe", "[120, 400]", "[121, 400]"],
        ),
        (
            "kind.mpk",
            patched(whole, b"kind = \"adam\"", b"kind = \"mada\""),
            &["recipe inside the checkpoint", "mada"],
        ),
        (
            "plan.mpk",
            patched(whole, b"kind = \"flatten\"", b"kind = \"softmax\""),
            &["network inside the checkpoint", "layer 7, softmax"],
        ),
    ];
    for (name, bytes, words) in table {
        world.write(name, bytes);
        let words = [words, &[name]].concat();
        world.refused(&format!("eval --data sample --checkpoint {name}"), &words);
        world.refused(
            &format!("predict --json digit.png --checkpoint {name}"),
            &words,
        );
    }
    world.refused("eval --data sample --checkpoint no.mpk", &["no.mpk"]);
    let folder = ["folder.mpk", "is a folder", "best.mpk"];
    world.refused("eval --data sample --checkpoint folder.mpk", &folder);
    // One bad member spoils an ensemble, and is the one that is named.
    world.write("good.mpk", whole);
    let both = "eval --data sample --checkpoint good.mpk half.mpk";
    world.refused(both, &["half.mpk"]);
}

#[test]
fn a_length_that_the_file_does_not_have_costs_neither_memory_nor_time() {
    let whole = &lenet().best;
    let world = with_picture();
    let table: [(&[u8], &[u8]); 4] = [
        (FIRST_WEIGHTS, b"\xa4data\xc6\xff\xff\xff\xff"),
        (FIRST_WEIGHTS, b"\xa4data\xdd\xff\xff\xff\xff"),
        (b"\xa7tensors\x9a", b"\xa7tensors\xdd\xff\xff\xff\xff"),
        (b"\xa5shape\x94", b"\xa5shape\xdd\xff\xff\xff\xff"),
    ];
    let started = Instant::now();
    for (old, new) in table {
        world.write("bad.mpk", patched(whole, old, new));
        world.refused("predict digit.png --checkpoint bad.mpk", &["bad.mpk"]);
    }
    world.write("deep.mpk", vec![0x91; 1 << 20]);
    world.refused("predict digit.png --checkpoint deep.mpk", &["deep.mpk"]);
    assert!(started.elapsed() < Duration::from_secs(10));
}

#[test]
fn a_network_whose_answer_is_not_a_number_reads_no_digit() {
    let world = with_picture();
    // The largest weights that a float can be make the next layers overflow.
    let mut bytes = lenet().best.clone();
    let at = find(&bytes, FIRST_WEIGHTS) + FIRST_WEIGHTS.len();
    for weight in bytes[at..at + 600].chunks_exact_mut(4) {
        weight.copy_from_slice(&f32::MAX.to_le_bytes());
    }
    world.write("overflow.mpk", bytes);
    for args in ["predict --json digit.png", "eval --json --data sample"] {
        let finished = world.run(&format!("{args} --checkpoint overflow.mpk"));
        assert!(!finished.stdout.contains("null"), "{}", finished.stdout);
    }
}

/// Asserts that the program either works or says what is wrong in one sentence.
fn assert_tame(finished: &Finished, args: &str) {
    match finished.code {
        0 => assert!(!finished.stdout.is_empty(), "{args}"),
        _ => finished.assert_error(args, &[]),
    }
}

#[test]
fn no_cut_and_no_flipped_bit_makes_predict_panic() {
    let whole = &lenet().best;
    let world = with_picture();
    let args = "predict --json digit.png --checkpoint bad.mpk";
    for length in seeded(1, 20, whole.len()) {
        world.write("bad.mpk", &whole[..length]);
        world.refused(args, &["bad.mpk"]);
    }
    // Most of the file is weights; the first 2,000 bytes are the structure, where a flip hurts.
    let anywhere = seeded(2, 50, whole.len() * 8);
    let in_front = seeded(3, 50, 2000 * 8);
    for bit in anywhere.into_iter().chain(in_front) {
        world.write("bad.mpk", flipped(whole, bit));
        assert_tame(&world.run(args), &format!("bit {bit}: {args}"));
    }
}

#[test]
fn no_flipped_bit_makes_resume_panic() {
    let world = World::with_tiny();
    world.ok("train --config tiny.toml --data sample --limit 100 --out run");
    let whole = world.read("run/last.mpk");
    // The weights are in the middle: the structure is before them, the training state behind.
    let in_front = seeded(4, 30, 1000 * 8);
    let behind = seeded(5, 30, 400 * 8);
    let behind = behind.into_iter().map(|bit| (whole.len() - 400) * 8 + bit);
    for bit in in_front.into_iter().chain(behind) {
        world.write("run/last.mpk", flipped(&whole, bit));
        let args = "train --resume run";
        assert_tame(&world.run(args), &format!("bit {bit}: {args}"));
    }
}

/// Seeded numbers below `end`: the same in every run of these tests.
fn seeded(seed: u64, count: usize, end: usize) -> Vec<usize> {
    let mut rng = mnistctl::rng::Rng::new(seed, &[]);
    (0..count)
        .map(|_| (rng.next_u64() % end as u64) as usize)
        .collect()
}
