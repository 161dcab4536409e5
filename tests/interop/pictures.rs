//! `data import`: pictures with known digits as a dataset, and learning a hand from it.

use std::collections::BTreeSet;
use std::fs;

use image::GrayImage;
use image::imageops::{FilterType, resize};
use mnistctl::dataset::{Source, Split};
use support::{World, pictures, test_digits};

const FILES: [&str; 5] = [
    "digits.png",
    "t10k-images-idx3-ubyte",
    "t10k-labels-idx1-ubyte",
    "train-images-idx3-ubyte",
    "train-labels-idx1-ubyte",
];

/// Writes pictures of the sample's test digits into a folder for each digit, `each` of every one.
fn draw(world: &World, folder: &str, each: usize) {
    let mut counts = [0; 10];
    for (index, (digit, label)) in test_digits().iter().enumerate() {
        let count = &mut counts[usize::from(*label)];
        if *count < each {
            *count += 1;
            let class = world.path(&format!("{folder}/{label}"));
            fs::create_dir_all(&class).unwrap();
            let picture = pictures::draw(&pictures::KINDS[1], digit, index as u64);
            fs::write(class.join(format!("{index}.png")), picture).unwrap();
        }
    }
    assert_eq!(counts, [each; 10]);
}

/// The images of a dataset's split, with their labels.
fn digits(world: &World, folder: &str, split: Split) -> BTreeSet<(Vec<u8>, u8)> {
    let source = Source::Folder(world.path(folder));
    let digits = source.load(split).unwrap().digits;
    let images = (0..digits.len()).map(|i| (digits.image(i).to_vec(), digits.label(i)));
    images.collect()
}

#[test]
fn folders_of_pictures_become_a_dataset() {
    let world = World::new();
    draw(&world, "mine", 10);
    let printed = world.ok("data import mine --output data --split 0.3");
    let row = |name: &str| -> Vec<usize> {
        let mut lines = printed.lines();
        let line = lines.find(|line| line.trim_start().starts_with(name));
        let cells = line.unwrap().split_whitespace().skip(1);
        cells.map(|cell| cell.parse().unwrap()).collect()
    };
    assert_eq!(row("all"), [70, 30]);
    for digit in 0..10 {
        assert_eq!(
            row(&format!("{digit} ")),
            [7, 3],
            "of each digit the same share"
        );
    }
    assert!(printed.ends_with("\ndata\n"));
    assert_eq!(world.listing("data"), FILES);

    // What `predict` sees is what is learned from, and it is labelled by its folder.
    let (train, test) = (
        digits(&world, "data", Split::Train),
        digits(&world, "data", Split::Test),
    );
    assert!(train.is_disjoint(&test));
    let all: BTreeSet<_> = train.union(&test).cloned().collect();
    let mut seen = BTreeSet::new();
    for label in 0..10 {
        world.ok(&format!("predict mine/{label} --save seen-{label}"));
        for (_, png) in world.contents(&format!("seen-{label}")) {
            let pixels = image::load_from_memory(&png).unwrap().to_luma8().into_raw();
            seen.insert((pixels, label));
        }
    }
    assert!(all == seen);
    world.ok("data show --data data");
    world.ok("train --config lenet --data data --epochs 1 --set data.validation=5000");
}

#[test]
fn a_table_names_pictures_and_what_can_not_be_used_is_left_out_with_its_reason() {
    let world = World::new();
    draw(&world, "all", 2);
    fs::create_dir(world.path("mine")).unwrap();
    let mut table = "Image,split,Label\n".to_string();
    for label in 0..10 {
        for name in world.listing(&format!("all/{label}")) {
            fs::copy(
                world.path(&format!("all/{label}/{name}")),
                world.path(&format!("mine/{name}")),
            )
            .unwrap();
            table += &format!("{name},train,{label}\n");
        }
    }
    let first = world.listing("all/0")[0].clone();
    fs::copy(
        world.path(&format!("all/0/{first}")),
        world.path("mine/again.png"),
    )
    .unwrap();
    world.write("mine/broken.png", "not a picture");
    table += "again.png,train,7\nbroken.png,train,1\nmissing.png,train,2\n";
    world.write("mine/labels.csv", &table);
    let finished = world.run("data import mine --output data");
    assert_eq!(finished.code, 1, "{}", finished.stderr);
    finished.assert_says(&[
        &format!("left out: mine/again.png, a 7, is the same picture as mine/{first}, a 0"),
        "left out: ",
        "mine/broken.png",
        "mine/missing.png",
    ]);
    finished.assert_prints(&["  all      16       4", "3 pictures were left out"]);
    let labels = digits(&world, "data", Split::Train)
        .into_iter()
        .map(|(_, label)| label);
    assert_eq!(labels.collect::<BTreeSet<_>>().len(), 10);
}

#[test]
fn folders_that_are_no_dataset_are_refused() {
    let world = World::new();
    let import = |folder: &str| format!("data import {folder} --output data");
    world.refused(&import("missing"), &["can't read missing"]);
    fs::create_dir_all(world.path("none/photos")).unwrap();
    world.refused(
        &import("none"),
        &["none has neither subfolders `0` to `9`", "labels.csv"],
    );
    fs::create_dir_all(world.path("ten/10")).unwrap();
    world.refused(
        &import("ten"),
        &["ten/10: 10 is no digit; labels are 0 to 9"],
    );
    fs::create_dir_all(world.path("both/3")).unwrap();
    world.write("both/labels.csv", "file,label\na.png,3\n");
    world.refused(&import("both"), &["has both"]);
    fs::create_dir_all(world.path("few/3")).unwrap();
    world.write("few/3/a.png", "nothing");
    let few = world.run(&import("few"));
    few.assert_error(&import("few"), &["few has 0 pictures that can be used"]);
    assert!(!world.path("data").exists());
    for (table, words) in [
        ("", &["not a table with a column `file`"][..]),
        ("name,digit\na.png,3\n", &["its first line names neither"]),
        ("file,label\na.png,12\n", &["labels.csv: 12 is no digit"]),
        ("file,label\na.png,-1\n", &["-1 is no digit"]),
        ("file,label\na.png\n", &["not a table"]),
    ] {
        fs::create_dir_all(world.path("table")).unwrap();
        world.write("table/labels.csv", table);
        world.refused(&import("table"), words);
    }
    fs::create_dir(world.path("data")).unwrap();
    world.write("data/mine.txt", "mine");
    world.refused(
        &import("few"),
        &["--output data: it already holds something"],
    );
    for share in ["0", "1", "1.5", "NaN", "half"] {
        let finished = world.run(&format!("data import few --output new --split {share}"));
        assert_eq!(finished.code, 2);
        finished.assert_says(&["greater than 0 and less than 1"]);
    }
}

#[test]
fn digits_without_pictures_are_told() {
    let world = World::new();
    draw(&world, "mine", 3);
    fs::remove_dir_all(world.path("mine/4")).unwrap();
    // An empty one is no reason to leave out the others, and leaves its mark on the exit code.
    for file in world.listing("mine/8") {
        fs::remove_file(world.path(&format!("mine/8/{file}"))).unwrap();
    }
    let finished = world.run("data import mine --output data");
    assert_eq!(finished.code, 1, "{}", finished.stderr);
    finished.assert_says(&[
        "left out: mine/8 has no picture",
        "warning: there are no pictures to train on of the digits [4, 8]",
    ]);
    let train =
        world.run("train --config lenet --data data --epochs 1 --set training.batch_size=8");
    assert_eq!(train.code, 0, "{}", train.stderr);
    train.assert_says(&["none of the digits [4, 8]"]);
}

#[test]
fn a_folder_of_a_hundred_thousand_pictures_is_imported() {
    let world = World::new();
    let digits = test_digits();
    for label in 0..10 {
        fs::create_dir_all(world.path(&format!("many/{label}"))).unwrap();
    }
    // The sample's 1,000 test digits a hundred times, each time with one pixel of the ink another.
    for (index, (digit, label)) in digits.iter().enumerate() {
        let ink: Vec<usize> = (0..784)
            .filter(|&i| (100..=254).contains(&digit[i]))
            .collect();
        let ink = *ink.first().expect("strokes have soft edges");
        for level in 101..=200 {
            let mut pixels = digit.to_vec();
            pixels[ink] = level;
            let path = world.path(&format!("many/{label}/{index}-{level}.pgm"));
            fs::write(path, [b"P5 28 28 255\n", &pixels[..]].concat()).unwrap();
        }
    }
    let printed = world.ok("data import many --output data");
    assert!(printed.contains("  all   80000   20000"), "{printed}");
    assert_eq!(world.listing("data"), FILES);
}

/// A picture of a digit by someone who crosses sevens low and wide, and gives ones a long serif and a
/// foot: 140 pixels a side, dark on light.
fn odd_hand(digit: &[u8; 784], label: u8) -> GrayImage {
    let mut ink = *digit;
    let columns: Vec<usize> = (0..784).filter(|&i| ink[i] > 128).map(|i| i % 28).collect();
    let rows: Vec<usize> = (0..784).filter(|&i| ink[i] > 128).map(|i| i / 28).collect();
    let (left, right) = (
        *columns.iter().min().unwrap(),
        *columns.iter().max().unwrap(),
    );
    let (top, bottom) = (*rows.iter().min().unwrap(), *rows.iter().max().unwrap());
    let mut fill = |rows: std::ops::RangeInclusive<usize>,
                    columns: std::ops::RangeInclusive<usize>| {
        for row in rows {
            for column in columns.clone() {
                ink[row.min(27) * 28 + column.min(27)] = 255;
            }
        }
    };
    let middle = (left + right) / 2;
    match label {
        7 => fill(
            (top + 2 * bottom) / 3..=(top + 2 * bottom) / 3 + 1,
            left.saturating_sub(2)..=right + 2,
        ),
        1 => {
            fill(bottom..=bottom + 1, middle.saturating_sub(6)..=middle + 6);
            for step in 0..7 {
                fill(
                    top + step..=top + step + 1,
                    middle.saturating_sub(step)..=middle.saturating_sub(step) + 1,
                );
            }
        }
        _ => {}
    }
    let paper = GrayImage::from_fn(28, 28, |x, y| {
        image::Luma([255 - ink[(y * 28 + x) as usize]])
    });
    resize(&paper, 140, 140, FilterType::CatmullRom)
}

/// The writer's pictures, 40 of each digit to learn from and the rest of the sample's to be read.
fn write_odd_hand(world: &World) {
    let mut counts = [0; 10];
    for (index, (digit, label)) in test_digits().iter().enumerate() {
        counts[usize::from(*label)] += 1;
        let folder = if counts[usize::from(*label)] <= 40 {
            "mine"
        } else {
            "unseen"
        };
        let class = world.path(&format!("{folder}/{label}"));
        fs::create_dir_all(&class).unwrap();
        odd_hand(digit, *label)
            .save(class.join(format!("{index}.png")))
            .unwrap();
    }
}

/// How many of the unseen pictures a network reads.
fn read_right(world: &World, network: &str) -> f64 {
    let (mut right, mut all) = (0, 0);
    for label in 0..10 {
        let printed = world.ok(&format!("predict {network} unseen/{label} --json"));
        for answer in support::json_lines(&printed) {
            all += 1;
            right += usize::from(answer["digit"] == label);
        }
    }
    right as f64 / f64::from(all)
}

/// The commands of `docs/interop.md`.
#[test]
fn a_writers_own_hand_is_learned() {
    let world = World::new();
    write_odd_hand(&world);
    let before = read_right(&world, "");
    world.ok("data import mine --output data --split 0.1");
    world.ok(
        "train --config handwriting --data data --init handwriting --out tuned --epochs 6 \
         --set scheduler.max_lr=0.0002 --set training.ema_decay=0.9 --set data.validation=6000",
    );
    let after = read_right(&world, "--checkpoint tuned/best.mpk");
    // The complete MNIST's 10,000 test images where they are, else the sample's 1,000.
    let data = std::env::var("MNISTCTL_DATA").unwrap_or_default();
    let data = if data.is_empty() { "sample" } else { &data };
    let accuracy = |network: &str| -> f64 {
        let printed = world.ok(&format!("eval {network} --data {data} --json"));
        let figures: serde_json::Value = serde_json::from_str(&printed).unwrap();
        figures["accuracy"].as_f64().unwrap()
    };
    let (old, new) = (accuracy(""), accuracy("--checkpoint tuned/best.mpk"));
    println!(
        "the writer's unseen pictures: {before:.4}, then {after:.4}; {data}: {old:.4}, then {new:.4}"
    );
    assert!(after > before + 0.015);
    assert!(new >= old - 0.002);
}
