//! What torchvision made of the same digits (see `tests/golden/README.md`) against ours.

use std::fs;
use std::path::Path;

use base64::Engine;
use base64::prelude::BASE64_STANDARD;
use mnistctl::dataset::augment::IDENTITY;
use mnistctl::dataset::augment::affine::inverse_matrix;
use mnistctl::dataset::augment::random_erasing::{RandomErasing, Rectangle};
use mnistctl::dataset::{Digits, PIXELS, SIDE, Source, Split};
use mnistctl::kernels::{Fields, Isa, resample};
use mnistctl::rng::Rng;
use serde_json::Value;

fn golden() -> Value {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/golden/augment.json");
    serde_json::from_str(&fs::read_to_string(path).unwrap()).unwrap()
}

fn digits() -> Digits {
    Source::Sample.load(Split::Train).unwrap().digits
}

fn pair(value: &Value) -> (f64, f64) {
    (value[0].as_f64().unwrap(), value[1].as_f64().unwrap())
}

/// Compares our resampling of the case's digit with torchvision's.
fn compare(case: &Value, matrix: &[f32; 6], displacement: &Fields) {
    let index = case["digit"].as_u64().unwrap() as usize;
    let mut image = digits().image(index).to_vec();
    if case["inverted"].as_bool().unwrap() {
        image.iter_mut().for_each(|pixel| *pixel = 255 - *pixel);
    }
    let theirs = BASE64_STANDARD
        .decode(case["out"].as_str().unwrap())
        .unwrap();
    assert_eq!(theirs.len(), PIXELS);
    // The case says something.
    assert!(theirs.iter().zip(&image).any(|(a, b)| a.abs_diff(*b) > 50));
    for isa in Isa::available() {
        let mut ours = [0; PIXELS];
        resample(isa, &image, matrix, displacement, &mut ours);
        for (i, (a, b)) in ours.iter().zip(&theirs).enumerate() {
            let (x, y) = (i % SIDE, i / SIDE);
            assert!(
                a.abs_diff(*b) <= 1,
                "{isa}, ({x}, {y}): {a}, not {b}, in {case}"
            );
        }
    }
}

#[test]
fn affine_maps_are_torchvisions() {
    let golden = golden();
    let cases = golden["affine"].as_array().unwrap();
    assert_eq!(cases.len(), 16);
    for case in cases {
        let number = |key: &str| case[key].as_f64().unwrap();
        let translate = pair(&case["translate"]);
        let matrix = inverse_matrix(number("angle"), translate, number("scale"), number("shear"));
        compare(case, &matrix, &Fields::zeros());
    }
}

#[test]
fn displacements_are_torchvisions() {
    let mut displacement = Fields::zeros();
    for (y, [dx, dy]) in displacement.0.iter_mut().enumerate() {
        let y = y as f64;
        for (x, (dx, dy)) in dx.iter_mut().zip(dy).enumerate() {
            let x = x as f64;
            *dx = (3.0 * (0.4 * y + 0.2 * x).sin()) as f32;
            *dy = (2.5 * (0.3 * x - 0.1 * y).cos()) as f32;
        }
    }
    let golden = golden();
    let cases = golden["elastic"].as_array().unwrap();
    assert_eq!(cases.len(), 4);
    for case in cases {
        compare(case, &IDENTITY, &displacement);
    }
}

#[test]
fn erased_rectangles_are_spread_as_torchvisions() {
    for case in golden()["erasing"].as_array().unwrap() {
        let erasing = RandomErasing {
            p: 1.0,
            scale: pair(&case["scale"]),
            ratio: pair(&case["ratio"]),
            value: 0.0,
        };
        let draws = case["draws"].as_u64().unwrap();
        let found: Vec<_> = (0..draws)
            .filter_map(|i| erasing.draw(&mut Rng::new(3, &[i])))
            .collect();
        let theirs = case["fitting"].as_f64().unwrap();
        let ours = found.len() as f64;
        // Two counts of rare failures differ by some standard deviations at most.
        let deviation = (2.0 * (draws as f64 - theirs)).sqrt();
        assert!((ours - theirs).abs() <= 5.0 * deviation, "{ours} {theirs}");

        let mean = |of: &dyn Fn(&Rectangle) -> usize| {
            found.iter().map(|r| of(r) as f64).sum::<f64>() / ours
        };
        for (name, ours) in [
            ("top", mean(&|r| r.top)),
            ("left", mean(&|r| r.left)),
            ("height", mean(&|r| r.height)),
            ("width", mean(&|r| r.width)),
            ("area", mean(&|r| r.height * r.width)),
        ] {
            let (theirs, spread) = pair(&case[name]);
            // Of the difference of two means.
            let deviation = spread * (2.0 / draws as f64).sqrt();
            let difference = (ours - theirs).abs();
            assert!(difference < 5.0 * deviation, "{name}: {ours} {theirs}");
        }
    }
}
