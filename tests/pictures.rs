//! Pictures as people photograph, scan and draw them, read as `mnistctl predict` reads them.

use std::fs;

use image::ImageFormat;
use rayon::prelude::*;
use support::pictures::{KINDS, Kind, draw, lines, number, touching};
use support::{World, json_lines, test_digits};

/// Digits a kind.
const COUNT: usize = 20;

/// The least fraction of pictures that are read right: of a kind, of a kind that destroys ink, and the
/// mean of all kinds.
const KIND_FLOOR: f64 = 0.85;
const DESTROYED_FLOOR: f64 = 0.8;
const MEAN_FLOOR: f64 = 0.98;

#[test]
fn pictures_of_every_kind_are_read() {
    let world = World::new();
    fs::create_dir(world.path("pictures")).unwrap();
    let digits = test_digits();
    let digits = |place: usize| &digits[place * COUNT..][..COUNT];
    KINDS.par_iter().enumerate().for_each(|(place, kind)| {
        for (seed, (digit, _)) in digits(place).iter().enumerate() {
            // A picture's content says what it is; its name may be wrong.
            let file = format!("pictures/{place:02}-{seed:02}.png");
            world.write(&file, draw(kind, digit, seed as u64));
        }
    });
    let read = json_lines(&world.run("predict --json pictures").stdout);
    assert_eq!(read.len(), KINDS.len() * COUNT);

    let (mut sum, mut below) = (0.0, Vec::new());
    for (place, kind) in KINDS.iter().enumerate() {
        let mut mistakes = Vec::new();
        for (seed, (_, truth)) in digits(place).iter().enumerate() {
            let answer = &read[place * COUNT + seed];
            let file = format!("pictures/{place:02}-{seed:02}.png");
            assert_eq!(answer["file"], file);
            if answer["digit"] != *truth {
                let found = answer.get("digit").unwrap_or(&answer["error"]);
                mistakes.push(format!("picture {seed}, a {truth}: {found}"));
            }
        }
        let right = 1.0 - mistakes.len() as f64 / COUNT as f64;
        println!("{}: {right:.2} {mistakes:?}", kind.name);
        let floor = match kind.destroyed {
            Some(_) => DESTROYED_FLOOR,
            None => KIND_FLOOR,
        };
        if right < floor {
            below.push(kind.name);
        }
        sum += right;
    }
    assert!(below.is_empty(), "too many mistakes in {below:?}");
    let mean = sum / KINDS.len() as f64;
    println!("mean: {mean:.3}");
    assert!(mean >= MEAN_FLOOR, "{mean:.3}");
}

/// The longer side of a kind's pictures, in pixels.
fn size(kind: &Kind) -> std::ops::RangeInclusive<u32> {
    match kind.name {
        "12 pixels" => 12..=12,
        "16 to 20 pixels" => 16..=20,
        "40 pixels" => 36..=44,
        "scan, 300 pixels" => 300..=300,
        "scan, 2,000 pixels" => 1800..=2200,
        "phone photo" => 1000..=3000,
        "far off centre" => 350..=800,
        _ => 25..=610,
    }
}

#[test]
fn every_picture_decodes_and_comes_again() {
    let digits = test_digits();
    let formats = |kind: &Kind| -> Vec<ImageFormat> {
        let mut formats = Vec::new();
        // Large pictures take long to make.
        let count = if *size(kind).end() > 1000 { 3 } else { COUNT };
        for (seed, (digit, _)) in (0..).zip(&digits[..count]) {
            let bytes = draw(kind, digit, seed);
            let picture = image::load_from_memory(&bytes)
                .unwrap_or_else(|error| panic!("{}, {seed}: {error}", kind.name));
            let side = picture.width().max(picture.height());
            assert!(size(kind).contains(&side), "{}: {side} pixels", kind.name);
            formats.push(image::guess_format(&bytes).unwrap());
            if seed < 2 {
                let again = draw(kind, digit, seed);
                assert!(again == bytes, "{}, {seed}: not the same again", kind.name);
                let other = draw(kind, digit, seed + 100);
                assert!(other != bytes, "{}: the seed changes nothing", kind.name);
            }
        }
        formats
    };
    let formats: Vec<ImageFormat> = KINDS.par_iter().flat_map(formats).collect();
    use ImageFormat::{Bmp, Gif, Jpeg, Png, Pnm, Tiff, WebP};
    for format in [Bmp, Gif, Jpeg, Png, Pnm, Tiff, WebP] {
        assert!(formats.contains(&format), "no {format:?}");
    }
}

#[test]
fn the_kinds_have_names_of_their_own() {
    let mut names: Vec<&str> = KINDS.iter().map(|kind| kind.name).collect();
    names.sort();
    names.dedup();
    assert_eq!(names.len(), KINDS.len());
    assert!(names.len() >= 24);
}

/// A name, and a seed -> a picture.
type Maker<'a> = (&'a str, &'a dyn Fn(u64) -> Vec<u8>);

#[test]
fn numbers_decode_and_come_again() {
    let digits = test_digits();
    let four: Vec<&[u8; 784]> = digits[..4].iter().map(|(digit, _)| digit).collect();
    let makers: [Maker; 3] = [
        ("number", &|seed| number(&four, seed)),
        ("touching", &|seed| touching(&four, seed)),
        ("lines", &|seed| {
            lines(&[four.clone(), four[1..].to_vec()], seed)
        }),
    ];
    for (name, make) in makers {
        for seed in 0..20 {
            let bytes = make(seed);
            let picture = image::load_from_memory(&bytes).unwrap();
            assert!(picture.width() > 80, "{name}: {}", picture.width());
            assert!(make(seed) == bytes, "{name}, {seed}: not the same again");
        }
    }
}
