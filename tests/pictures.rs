//! Pictures as people photograph, scan and draw them, read as `mnistctl predict` reads them.

#[path = "pictures/mod.rs"]
mod pictures;

use std::fs::File;
use std::io::Read;
use std::path::Path;

use flate2::read::GzDecoder;
use image::ImageFormat;
use mnistctl::backend::{Backend, available_threads, with_threads};
use mnistctl::evaluation::Ensemble;
use mnistctl::ink;
use pictures::{KINDS, Kind, digit_of, draw, lines, number, touching};
use rayon::prelude::*;

/// Digits a kind.
const COUNT: usize = 20;

/// The least fraction of pictures that are read right: of a kind, of a kind that destroys ink, and the
/// mean of all kinds.
const KIND_FLOOR: f64 = 0.85;
const DESTROYED_FLOOR: f64 = 0.8;
const MEAN_FLOOR: f64 = 0.98;

fn sample(name: &str, header: usize) -> Vec<u8> {
    let path = format!("data/sample/{name}.gz");
    let file = File::open(Path::new(env!("CARGO_MANIFEST_DIR")).join(path)).unwrap();
    let mut bytes = Vec::new();
    GzDecoder::new(file).read_to_end(&mut bytes).unwrap();
    bytes.split_off(header)
}

/// The test digits of the sample, with their labels.
fn digits() -> Vec<([u8; 784], u8)> {
    let images = sample("t10k-images-idx3-ubyte", 16);
    let images = images.chunks_exact(784).map(|i| i.try_into().unwrap());
    images.zip(sample("t10k-labels-idx1-ubyte", 8)).collect()
}

/// The network that the program carries.
fn network() -> Ensemble {
    Ensemble::load(&[], &Backend::Flex.engine(true).unwrap()).unwrap()
}

/// The pictures of a kind that are not read as what they are, of `COUNT`: what each is, and what was
/// read.
fn mistakes(kind: &Kind, network: &Ensemble, digits: &[([u8; 784], u8)]) -> Vec<String> {
    let read: Vec<_> = digits
        .par_iter()
        .enumerate()
        .map(|(seed, (digit, _))| ink::read_bytes(kind.name, &draw(kind, digit, seed as u64)))
        .collect();
    let mut mistakes = Vec::new();
    for (seed, (read, (_, truth))) in read.iter().zip(digits).enumerate() {
        let found = match read {
            Ok(picture) => digit_of(network, picture).to_string(),
            Err(error) => error.to_string(),
        };
        if found != truth.to_string() {
            mistakes.push(format!("picture {seed}, a {truth}: {found}"));
        }
    }
    mistakes
}

#[test]
fn pictures_of_every_kind_are_read() {
    let digits = digits();
    let check = || {
        let network = network();
        let (mut sum, mut below) = (0.0, Vec::new());
        for (place, kind) in KINDS.iter().enumerate() {
            let digits = &digits[place * COUNT..][..COUNT];
            let mistakes = mistakes(kind, &network, digits);
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
    };
    with_threads(available_threads(), check).unwrap();
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
    let digits = digits();
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
    let digits = digits();
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
