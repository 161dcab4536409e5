//! Pictures of digits, read by a network that was trained in these tests.

use std::fs;
use std::io::Cursor;

use image::imageops::{FilterType, invert, replace, resize};
use image::{GrayImage, ImageFormat, Luma};
use serde_json::Value;

use support::{TEST_IMAGES, TEST_LABELS, World, json_lines, keys, number, sample};

/// The sample's first test picture of each digit, 0 to 9.
fn one_of_each() -> Vec<GrayImage> {
    let (images, labels) = (sample(TEST_IMAGES), sample(TEST_LABELS));
    let picture_of = |digit: u8| {
        let index = labels[8..]
            .iter()
            .position(|&label| label == digit)
            .unwrap();
        let pixels = images[16 + 784 * index..][..784].to_vec();
        GrayImage::from_raw(28, 28, pixels).unwrap()
    };
    (0..10).map(picture_of).collect()
}

/// What someone would draw and photograph: dark on light, larger, off the centre.
fn drawn(digit: &GrayImage) -> GrayImage {
    let mut page = GrayImage::from_pixel(400, 330, Luma([0]));
    replace(
        &mut page,
        &resize(digit, 224, 224, FilterType::CatmullRom),
        130,
        40,
    );
    invert(&mut page);
    page
}

/// A world with the network, `png/N.png` as MNIST has them and `jpg/N.jpg` as drawn.
fn with_pictures() -> World {
    let world = World::with_lenet();
    for folder in ["png", "jpg"] {
        fs::create_dir(world.path(folder)).unwrap();
    }
    for (digit, picture) in one_of_each().iter().enumerate() {
        picture
            .save(world.path(&format!("png/{digit}.png")))
            .unwrap();
        drawn(picture)
            .save(world.path(&format!("jpg/{digit}.jpg")))
            .unwrap();
    }
    world
}

/// Asserts that a line of `predict --json` is a prediction, with its parts agreeing.
fn assert_prediction(line: &Value) {
    assert_eq!(keys(line), ["confidence", "digit", "file", "probabilities"]);
    let probabilities = line["probabilities"].as_array().unwrap();
    let probabilities: Vec<f64> = probabilities.iter().map(|p| p.as_f64().unwrap()).collect();
    assert_eq!(probabilities.len(), 10);
    assert!(
        (probabilities.iter().sum::<f64>() - 1.0).abs() < 1e-9,
        "{line}"
    );
    let digit = line["digit"].as_u64().unwrap() as usize;
    assert_eq!(probabilities[digit], number(line, "/confidence"));
    assert!(
        probabilities
            .iter()
            .all(|&p| (0.0..=probabilities[digit]).contains(&p))
    );
}

#[test]
fn digits_are_read_as_mnist_stores_them_and_as_people_draw_them() {
    let world = with_pictures();
    for (folder, extension) in [("png", "png"), ("jpg", "jpg")] {
        // A folder stands for its pictures, in order.
        let text = world.ok(&format!("predict --checkpoint lenet.mpk --json {folder}"));
        let lines = json_lines(&text);
        assert_eq!(lines.len(), 10);
        let mut right = 0;
        for (digit, line) in lines.iter().enumerate() {
            assert_prediction(line);
            assert_eq!(line["file"], format!("{folder}/{digit}.{extension}"));
            right += u32::from(line["digit"] == digit as u64);
        }
        // Seed 0 reads all of both right.
        assert!(right >= 9, "{folder}: {text}");
    }
}

#[test]
fn files_folders_and_standard_input_mix() {
    let world = with_pictures();
    let mut seven = Cursor::new(Vec::new());
    one_of_each()[7]
        .write_to(&mut seven, ImageFormat::Png)
        .unwrap();
    let args = "predict --checkpoint lenet.mpk --json png/3.png jpg/4.jpg - png";
    let finished = world.run_with_input(args, seven.get_ref());
    assert_eq!((finished.code, finished.stderr.as_str()), (0, ""));
    let lines = json_lines(&finished.stdout);
    assert_eq!(lines.len(), 13);
    lines.iter().for_each(assert_prediction);
    let files: Vec<&str> = lines
        .iter()
        .map(|line| line["file"].as_str().unwrap())
        .collect();
    assert_eq!(
        files[..4],
        ["png/3.png", "jpg/4.jpg", "standard input", "png/0.png"]
    );
    // One picture is read alike, whichever way it comes.
    assert_eq!(lines[0]["probabilities"], lines[3 + 3]["probabilities"]);
    assert_eq!(lines[2]["probabilities"], lines[3 + 7]["probabilities"]);
}

#[test]
fn a_picture_that_cannot_be_read_does_not_keep_the_rest_from_being_read() {
    let world = with_pictures();
    world.write("text.png", "seven\n");
    world.write("cut.jpg", &world.read("jpg/1.jpg")[..1000]);
    let pictures = "png/1.png text.png missing.png cut.jpg png/2.png";
    let args = format!("predict --checkpoint lenet.mpk {pictures}");
    let finished = world.run(&format!("{args} --json"));
    assert_eq!(finished.code, 1);
    let lines = json_lines(&finished.stdout);
    assert_eq!(lines.len(), 5);
    assert_prediction(&lines[0]);
    assert_prediction(&lines[4]);
    let bad = [
        (1, "text.png", "text"),
        (2, "missing.png", "exist"),
        (3, "cut.jpg", "cut off"),
    ];
    for (index, file, word) in bad {
        assert_eq!(keys(&lines[index]), ["error", "file"]);
        assert_eq!(lines[index]["file"], file);
        let error = lines[index]["error"].as_str().unwrap();
        assert!(error.contains(word), "{error}");
    }

    let finished = world.run(&args);
    assert_eq!((finished.code, finished.stdout.lines().count()), (1, 2));
    let errors = finished
        .stderr
        .lines()
        .filter(|line| line.starts_with("error: "));
    assert_eq!(errors.count(), 3, "{}", finished.stderr);
}

#[test]
fn people_get_a_line_a_picture_with_as_many_digits_as_they_ask_for() {
    let world = with_pictures();
    let args = "predict --checkpoint lenet.mpk jpg/0.jpg png/1.png";
    let text = world.ok(args);
    let lines: Vec<&str> = text.lines().collect();
    assert_eq!(lines.len(), 2);
    assert!(
        lines[0].starts_with("jpg/0.jpg: 0 (") && lines[0].ends_with(" %)"),
        "{text}"
    );
    assert!(lines[1].starts_with("png/1.png: 1 ("), "{text}");

    let text = world.ok(&format!("{args} --top 3"));
    assert_eq!(text.lines().count(), 2);
    for line in text.lines() {
        let (_, ranked) = line.split_once(':').unwrap();
        let percents: Vec<f64> = ranked
            .split_whitespace()
            .filter(|word| word.contains('.'))
            .map(|word| word.parse().unwrap())
            .collect();
        assert_eq!(percents.len(), 3, "{line}");
        assert!(percents.is_sorted_by(|a, b| a >= b), "{line}");
    }
}

#[test]
fn show_draws_what_the_network_saw() {
    let world = with_pictures();
    let text = world.ok("predict --checkpoint lenet.mpk --show jpg/0.jpg");
    let lines: Vec<&str> = text.lines().collect();
    // 28 columns and, two rows a line, 28 rows; then a bar for each digit.
    assert_eq!(lines.len(), 1 + 14 + 10);
    for line in &lines[1..15] {
        assert_eq!(line.chars().count(), 28, "{text}");
    }
    assert!(lines[1..15].concat().contains('█'), "{text}");
    for (digit, line) in lines[15..].iter().enumerate() {
        assert!(line.starts_with(&format!("{digit} ")), "{text}");
    }
    assert!(lines[15].contains('█'), "{text}");
}

#[test]
fn several_networks_are_averaged() {
    let world = with_pictures();
    world.ok("train --config mlp --data sample --limit 1000 --epochs 2 --out mlp");
    let predict = |checkpoints: &str| {
        let text = world.ok(&format!("predict --json png/5.png {checkpoints}"));
        json_lines(&text).remove(0)
    };
    let lenet = predict("--checkpoint lenet.mpk");
    let mlp = predict("--checkpoint mlp/best.mpk");
    let both = predict("--checkpoint lenet.mpk --checkpoint mlp/best.mpk");
    assert_prediction(&both);
    for digit in 0..10 {
        let at = format!("/probabilities/{digit}");
        let mean = (number(&lenet, &at) + number(&mlp, &at)) / 2.0;
        assert!((number(&both, &at) - mean).abs() < 1e-6);
    }
}
