//! `predict --many`: pictures of several digits, read by the real binary.

use std::fs;

use image::imageops::{FilterType, invert, replace, resize};
use image::{GrayImage, Luma};
use serde_json::Value;

use support::pictures::{lines, number, touching};
use support::{World, json_lines, keys, test_digits};

type Digit = [u8; 784];

/// Draws `count` numbers of four of the sample's test digits into `folder`; returns what they are.
fn write_numbers(
    world: &World,
    folder: &str,
    count: usize,
    draw: fn(&[&Digit], u64) -> Vec<u8>,
) -> Vec<String> {
    fs::create_dir(world.path(folder)).unwrap();
    let digits = test_digits();
    let numbers = digits.chunks_exact(4).take(count).enumerate();
    let write = |(index, number): (usize, &[(Digit, u8)])| {
        let shown: Vec<&Digit> = number.iter().map(|(digit, _)| digit).collect();
        // PNG or JPEG: a picture's content says which, and its name may be wrong.
        world.write(
            &format!("{folder}/{index:02}.png"),
            draw(&shown, index as u64),
        );
        number.iter().map(|(_, label)| label.to_string()).collect()
    };
    numbers.map(write).collect()
}

/// How many of the texts are what was written.
fn right(lines: &[Value], truth: &[String]) -> usize {
    assert_eq!(lines.len(), truth.len());
    let pairs = lines.iter().zip(truth);
    pairs
        .filter(|(line, truth)| line["text"] == **truth)
        .count()
}

/// A digit of the sample in dark ink on a page of this size, `side` pixels for its 28, at each place.
fn page(size: (u32, u32), side: u32, digits: &[(&Digit, (i64, i64))]) -> GrayImage {
    let mut page = GrayImage::from_pixel(size.0, size.1, Luma([0]));
    for (digit, (left, top)) in digits {
        let digit = GrayImage::from_raw(28, 28, digit.to_vec()).unwrap();
        let large = resize(&digit, side, side, FilterType::CatmullRom);
        replace(&mut page, &large, *left, *top);
    }
    invert(&mut page);
    page
}

/// The first of the sample's test digits that is a `label`.
fn first(label: u8) -> Digit {
    let digits = test_digits();
    digits.iter().find(|(_, l)| *l == label).unwrap().0
}

#[test]
fn a_number_is_read_digit_by_digit() {
    let world = World::new();
    let truth = write_numbers(&world, "numbers", 40, number);
    let finished = world.ok("predict --many --json numbers");
    let lines = json_lines(&finished);
    let count = right(&lines, &truth);
    assert!(count >= 34, "{count} of 40");
    for line in &lines {
        assert_eq!(keys(line), ["digits", "file", "text"]);
        let digits = line["digits"].as_array().unwrap();
        let joined: String = digits.iter().map(|d| d["digit"].to_string()).collect();
        assert_eq!(line["text"], joined);
        for digit in digits {
            assert_eq!(keys(digit), ["box", "confidence", "digit"]);
            let confidence = digit["confidence"].as_f64().unwrap();
            assert!((0.1..=1.0).contains(&confidence), "{line}");
        }
    }
}

#[test]
fn digits_that_touch_are_cut_apart() {
    let world = World::new();
    let truth = write_numbers(&world, "touching", 40, touching);
    let lines = json_lines(&world.ok("predict --many --json touching"));
    let count = right(&lines, &truth);
    assert!(count >= 14, "{count} of 40");
}

#[test]
fn lines_are_read_from_top_to_bottom() {
    let world = World::new();
    fs::create_dir(world.path("lines")).unwrap();
    let digits = test_digits();
    let mut truth = Vec::new();
    for (seed, chosen) in digits.chunks_exact(9).take(12).enumerate() {
        let parts = [&chosen[..3], &chosen[3..5], &chosen[5..]];
        let shown = parts.map(|part| part.iter().map(|(digit, _)| digit).collect());
        let texts = parts.map(|part| part.iter().map(|(_, l)| l.to_string()).collect::<String>());
        world.write(&format!("lines/{seed:02}.png"), lines(&shown, seed as u64));
        truth.push(texts.join("\n"));
    }
    let read = json_lines(&world.ok("predict --many --json lines"));
    let count = right(&read, &truth);
    assert!(count >= 8, "{count} of 12");
    let text = world.ok("predict --many lines");
    let line = text.lines().next().unwrap();
    let joined = read[0]["text"].as_str().unwrap().replace('\n', " / ");
    assert!(
        line.contains(&format!("00.png: {joined} (lowest confidence ")),
        "{line}"
    );
}

#[test]
fn boxes_are_where_the_digits_are() {
    let world = World::new();
    let (two, zero, six) = (first(2), first(0), first(6));
    // Larger than a page's longest side, so that it is shrunk twice.
    for (name, factor) in [("small", 1), ("large", 7)] {
        let (side, size) = (84 * factor, (450 * factor, 140 * factor));
        let at = |x: u32, y: u32| (i64::from(x * factor), i64::from(y * factor));
        let places = [at(20, 20), at(110, 25), at(210, 20), at(310, 30)];
        let shown: Vec<(&Digit, (i64, i64))> =
            [&two, &zero, &two, &six].into_iter().zip(places).collect();
        let page = page(size, side, &shown);
        page.save(world.path(&format!("{name}.png"))).unwrap();
        let line = &json_lines(&world.ok(&format!("predict --many --json {name}.png")))[0];
        assert_eq!(line["text"], "2026", "{line}");
        for (digit, (_, (left, _))) in line["digits"].as_array().unwrap().iter().zip(&shown) {
            let numbers = digit["box"].as_array().unwrap().iter();
            let [x, y, w, h] = numbers
                .map(|n| n.as_u64().unwrap() as u32)
                .collect::<Vec<u32>>()[..]
            else {
                panic!("{digit}")
            };
            // Where there is ink in the columns of this digit.
            let columns = *left as u32..*left as u32 + side;
            let ink: Vec<(u32, u32)> = columns
                .flat_map(|x| (0..size.1).map(move |y| (x, y)))
                .filter(|&(x, y)| page.get_pixel(x, y).0[0] < 128)
                .collect();
            let x_range = (
                ink.iter().map(|p| p.0).min().unwrap(),
                ink.iter().map(|p| p.0).max().unwrap() + 1,
            );
            let y_range = (
                ink.iter().map(|p| p.1).min().unwrap(),
                ink.iter().map(|p| p.1).max().unwrap() + 1,
            );
            let near = 3 * factor;
            for (found, wanted) in [
                (x, x_range.0),
                (x + w, x_range.1),
                (y, y_range.0),
                (y + h, y_range.1),
            ] {
                assert!(
                    found.abs_diff(wanted) <= near,
                    "{digit}: {found} for {wanted}"
                );
            }
            assert!(x + w <= size.0 && y + h <= size.1);
        }
    }
}

#[test]
fn one_digit_is_a_number_too() {
    let world = World::new();
    let seven = first(7);
    page((160, 160), 112, &[(&seven, (20, 20))])
        .save(world.path("drawn.png"))
        .unwrap();
    GrayImage::from_raw(28, 28, seven.to_vec())
        .unwrap()
        .save(world.path("mnist.png"))
        .unwrap();
    let lines = json_lines(&world.ok("predict --many --json drawn.png mnist.png"));
    assert_eq!(lines[0]["text"], "7");
    assert_eq!(lines[1]["text"], "7");
    let single = json_lines(&world.ok("predict --json mnist.png"));
    // Read as a batch or by itself, which rounds differently.
    let together = support::number(&lines[1], "/digits/0/confidence");
    let alone = support::number(&single[0], "/confidence");
    assert!((together - alone).abs() < 1e-6, "{together}, {alone}");
}

#[test]
fn an_empty_page_is_an_error_and_the_rest_is_read() {
    let world = World::new();
    let four = first(4);
    page((200, 100), 80, &[]).save(world.path("a.png")).unwrap();
    page((200, 100), 80, &[(&four, (10, 10)), (&four, (100, 10))])
        .save(world.path("b.png"))
        .unwrap();
    let finished = world.run("predict --many --json a.png b.png");
    assert_eq!(finished.code, 1);
    let lines = json_lines(&finished.stdout);
    assert_eq!(keys(&lines[0]), ["error", "file"]);
    assert_eq!(lines[1]["text"], "44");
    let finished = world.run("predict --many a.png b.png");
    assert_eq!(finished.code, 1);
    finished.assert_says(&["a.png"]);
    assert!(finished.stdout.starts_with("b.png: 44 (lowest confidence "));
}

#[test]
fn what_the_network_saw_of_each_digit_is_shown_and_saved() {
    let world = World::new();
    let (three, one) = (first(3), first(1));
    page((200, 100), 80, &[(&three, (10, 10)), (&one, (100, 10))])
        .save(world.path("photo.png"))
        .unwrap();
    let text = world.ok("predict --many --show --save seen photo.png");
    assert!(
        text.starts_with("photo.png: 31 (lowest confidence "),
        "{text}"
    );
    // 14 lines for each 28x28, and one below it.
    assert_eq!(text.lines().count(), 1 + 2 * 15);
    assert_eq!(world.listing("seen"), ["photo-1.png", "photo-2.png"]);
    let read = world.ok("predict seen");
    assert!(read.contains("photo-1.png: 3 ("), "{read}");
    assert!(read.contains("photo-2.png: 1 ("), "{read}");
    let finished = world.run("predict --many --top 3 photo.png");
    assert_eq!(finished.code, 2);
}
