//! Classes that are no digits: their names wherever one is printed or drawn.
//!
//! The sample's digits stand for clothes here, since any pictures of 28x28 pixels would do.

use std::io::Cursor;

use image::imageops::{self, FilterType};
use image::{GrayImage, ImageFormat, Luma};
use serde_json::Value;

use support::{TINY, World, json_lines, test_digits};

const NAMES: [&str; 10] = [
    "T-shirt/top",
    "Trouser",
    "Pullover",
    "Dress",
    "Coat",
    "Sandal",
    "Shirt",
    "Sneaker",
    "Bag",
    "Ankle boot",
];

/// [`TINY`] with classes that have these names.
fn recipe(names: &[&str]) -> String {
    let names: Vec<String> = names.iter().map(|name| format!("{name:?}")).collect();
    let data = format!("[data]\nclasses = [{}]\n\n[model]", names.join(", "));
    TINY.replace("[model]", &data)
}

/// A world with a run in `run`.
fn with_run() -> World {
    let world = World::new();
    world.write("clothes.toml", recipe(&NAMES));
    world.ok("train --config clothes.toml --data sample --out run");
    world
}

fn png(picture: &GrayImage) -> Vec<u8> {
    let mut bytes = Vec::new();
    let mut cursor = Cursor::new(&mut bytes);
    picture.write_to(&mut cursor, ImageFormat::Png).unwrap();
    bytes
}

/// The sample's first test digits as pictures, with the names of their labels.
fn pictures(count: usize) -> Vec<(GrayImage, &'static str)> {
    let digits = test_digits().into_iter().take(count);
    digits
        .map(|(pixels, label)| {
            let picture = GrayImage::from_raw(28, 28, pixels.to_vec()).unwrap();
            (picture, NAMES[usize::from(label)])
        })
        .collect()
}

#[test]
fn eval_names_them_in_its_tables_and_its_json() {
    let world = with_run();
    let said = world.ok("eval --checkpoint run/best.mpk --data sample");
    for line in ["0 T-shirt/top", "9 Ankle boot", "true class down"] {
        assert!(said.contains(line), "{line} is missing in {said}");
    }
    let json = world.ok("eval --checkpoint run/best.mpk --data sample --json");
    let json: Value = serde_json::from_str(&json).unwrap();
    let classes = json["per_class"].as_array().unwrap();
    let found: Vec<&str> = classes
        .iter()
        .map(|class| class["class"].as_str().unwrap())
        .collect();
    assert_eq!(found, NAMES);
    assert_eq!(classes[9]["digit"], 9);
}

#[test]
fn reports_name_them_in_text_and_pictures() {
    let world = with_run();
    world.ok("eval --checkpoint run/best.mpk --data sample --report page");
    for folder in ["run", "page"] {
        let html = world.text(&format!("{folder}/report.html"));
        assert!(html.contains("<td>Ankle boot</td>"), "{folder}");
        assert!(html.contains("Which classes were taken for which"));
        let matrix = world.text(&format!("{folder}/confusion.svg"));
        // Once beside its row and once above its column.
        for name in NAMES {
            assert_eq!(matrix.matches(&format!("\n{name}\n")).count(), 2, "{name}");
        }
        assert!(matrix.contains("predicted class"));
        // The surest mistakes are wrong ones of two names.
        let captions = html.split("<figcaption>").skip(1);
        let mistakes: Vec<(&str, &str)> = captions
            .filter_map(|text| text.split_once('\n')?.0.split_once(" → "))
            .collect();
        assert!(!mistakes.is_empty());
        for (truth, predicted) in mistakes {
            assert!(NAMES.contains(&truth) && NAMES.contains(&predicted) && truth != predicted);
        }
    }
    // The training images of the run's page.
    let html = world.text("run/report.html");
    assert!(html.contains("<figcaption>Trouser</figcaption>"));
}

#[test]
fn predict_takes_pictures_the_plain_way_and_says_so() {
    let world = with_run();
    let pictures = pictures(40);
    // As they are, and as photographs would have them: enlarged, wider than high, dark on white.
    for (index, (picture, _)) in pictures.iter().enumerate() {
        world.write(&format!("small-{index:02}.png"), png(picture));
        let mut page = GrayImage::from_pixel(448, 336, Luma([0]));
        let large = imageops::resize(picture, 336, 336, FilterType::Triangle);
        imageops::replace(&mut page, &large, 56, 0);
        imageops::invert(&mut page);
        world.write(&format!("large-{index:02}.png"), png(&page));
    }
    let smalls: Vec<String> = (0..40).map(|n| format!("small-{n:02}.png")).collect();
    let finished = world.run(&format!(
        "predict --checkpoint run/best.mpk --json --save seen {}",
        smalls.join(" ")
    ));
    assert_eq!(finished.code, 0);
    finished.assert_says(&["no digits", "28x28"]);
    let lines = json_lines(&finished.stdout);
    let right = lines.iter().zip(&pictures);
    let right = right.filter(|(line, (_, name))| line["class"] == *name);
    // One linear layer, which has seen each image once.
    let right = right.count();
    assert!(right >= 30, "{right} of 40");
    // Nothing was done to pictures of 28x28 pixels.
    for (name, (picture, _)) in smalls.iter().zip(&pictures) {
        let seen = image::open(world.path(&format!("seen/{name}"))).unwrap();
        assert_eq!(seen.to_luma8().as_raw(), picture.as_raw(), "{name}");
    }

    // The large one, 16 pixels to one: light on dark, and in the middle of a square.
    world.ok("predict --checkpoint run/best.mpk --save seen large-03.png");
    let seen = image::open(world.path("seen/large-03.png")).unwrap();
    let page = image::open(world.path("large-03.png")).unwrap().to_luma8();
    let mut apart = 0.0;
    for (x, y, level) in seen.to_luma8().enumerate_pixels() {
        let rows = (3..24).contains(&y).then(|| (y - 3) * 16..(y - 2) * 16);
        let pixels = rows.into_iter().flatten();
        let pixels = pixels.flat_map(|row| (x * 16..(x + 1) * 16).map(move |column| (column, row)));
        let ink: u32 = pixels
            .map(|(column, row)| 255 - u32::from(page.get_pixel(column, row).0[0]))
            .sum();
        apart += (f64::from(ink) / 256.0 - f64::from(level.0[0])).abs() / 784.0;
    }
    // Linear weights reach half a pixel further than the block.
    assert!(apart < 2.0, "{apart} levels apart in the mean");

    let text = world.ok("predict --checkpoint run/best.mpk --top 3 --show small-00.png");
    let probable = NAMES.iter().filter(|name| text.contains(**name)).count();
    assert_eq!(probable, 10, "{text}");
    world.refused(
        "predict --checkpoint run/best.mpk --many small-00.png",
        &["--many", "classes"],
    );
}

#[test]
fn exports_carry_them() {
    let world = with_run();
    let export = "export --checkpoint run/best.mpk --format";
    world.ok(&format!("{export} pytorch --output out"));
    let names = NAMES.map(|name| format!("{name:?}")).join(",");
    let code = world.text("out/model.py");
    assert!(code.contains(&format!("\nCLASSES = [{names}]\n")), "{code}");
    world.ok(&format!("{export} safetensors --output out.safetensors"));
    let bytes = world.read("out.safetensors");
    let length = u64::from_le_bytes(bytes[..8].try_into().unwrap()) as usize;
    let header: Value = serde_json::from_slice(&bytes[8..8 + length]).unwrap();
    let classes = header["__metadata__"]["classes"].as_str().unwrap();
    assert_eq!(classes, format!("[{names}]"));
}

#[test]
fn networks_with_other_classes_are_no_ensemble() {
    let world = with_run();
    let mut names = NAMES;
    names.swap(0, 1);
    for (name, text) in [("other", recipe(&names)), ("digits", TINY.to_string())] {
        world.write(&format!("{name}.toml"), text);
        let train = "train --data sample --limit 300 --out";
        world.ok(&format!("{train} {name} --config {name}.toml"));
        let both = format!("run/best.mpk {name}/best.mpk");
        let eval = format!("eval --data sample --checkpoint {both}");
        world.refused(&eval, &["run/best.mpk", name, "classes"]);
    }
}

#[test]
fn names_that_cannot_be_are_refused_with_their_line() {
    let world = World::new();
    let mut short = NAMES.to_vec();
    short.pop();
    let mut twice = NAMES;
    twice[4] = "Trouser";
    let mut empty = NAMES;
    empty[7] = "";
    let table: [(&[&str], &[&str]); 3] = [
        (&short, &["10 names", "not 9"]),
        (&twice, &["`Trouser`", "1 and 4"]),
        (&empty, &["label 7"]),
    ];
    for (names, words) in table {
        world.write("bad.toml", recipe(names));
        let words = [words, &["bad.toml", "line 4", "classes"]].concat();
        world.refused("train --config bad.toml --data sample", &words);
    }
    world.write("bad.toml", recipe(&NAMES).replace("\"Bag\"", "8"));
    let train = "train --config bad.toml --data sample";
    world.refused(train, &["classes", "a list of texts"]);
}
