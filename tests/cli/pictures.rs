//! `predict` on whatever lies in files and folders, with the network that the program carries.

use std::fs;
use std::path::Path;
use std::time::{Duration, Instant};

use image::{GrayImage, ImageFormat};
use mnistctl::engine::Backend;
use mnistctl::evaluation::Ensemble;
use serde_json::Value;

use support::{TEST_IMAGES, TEST_LABELS, World, json_lines, number, sample};

/// The sample's test digits.
fn digits() -> Vec<Vec<u8>> {
    let images = sample(TEST_IMAGES);
    images[16..].chunks_exact(784).map(<[u8]>::to_vec).collect()
}

fn write_png(path: &Path, digit: &[u8]) {
    let picture = GrayImage::from_raw(28, 28, digit.to_vec()).unwrap();
    picture.save_with_format(path, ImageFormat::Png).unwrap();
}

/// A world with the first `count` test digits as `digits/NNNN.png`.
fn with_digits(count: usize) -> World {
    let world = World::new();
    fs::create_dir(world.path("digits")).unwrap();
    for (index, digit) in digits().iter().take(count).enumerate() {
        write_png(&world.path(&format!("digits/{index:04}.png")), digit);
    }
    world
}

#[test]
fn the_network_of_the_program_reads_mnist() {
    let world = with_digits(1000);
    let lines = json_lines(&world.ok("predict --json digits"));
    let labels = sample(TEST_LABELS);
    let right = lines.iter().zip(&labels[8..]);
    let right = right
        .filter(|(line, label)| line["digit"] == **label)
        .count();
    assert!(right >= 970, "{right} of 1000");

    let report = world.ok("eval --data sample --json");
    let report: Value = serde_json::from_str(&report).unwrap();
    assert_eq!(
        report["checkpoint"],
        serde_json::json!(["models/handwriting.mpk"])
    );
    assert_eq!(number(&report, "/errors"), (1000 - right) as f64);
}

#[test]
fn pictures_of_mnist_are_predicted_as_its_own_file_is() {
    let world = with_digits(1000);
    let text = world.ok("predict --json digits");
    let lines: Vec<&str> = text.lines().collect();
    let engine = Backend::Native.compute(2).unwrap();
    let digits = digits();
    let images: Vec<&[u8]> = digits.iter().map(Vec::as_slice).collect();
    let predictions = Ensemble::embedded(&engine)
        .unwrap()
        .predict(&images)
        .unwrap();
    assert_eq!(lines.len(), predictions.len());
    for (index, (line, prediction)) in lines.iter().zip(&predictions).enumerate() {
        let file = format!("{{\"file\":\"digits/{index:04}.png\",");
        assert!(line.starts_with(&file), "{line}");
        // As text: reading a number from JSON may change its last bit.
        let probabilities = serde_json::to_string(&prediction.probabilities).unwrap();
        let end = format!("\"probabilities\":{probabilities}}}");
        assert!(line.ends_with(&end), "{line} instead of {end}");
    }
}

#[test]
fn what_the_network_saw_is_saved() {
    let world = with_digits(3);
    fs::create_dir(world.path("more")).unwrap();
    for name in ["0000.PNG", "0000.bmp", "0000-2.png"] {
        fs::copy(
            world.path("digits/0002.png"),
            world.path(&format!("more/{name}")),
        )
        .unwrap();
    }
    let seven = world.read("digits/0000.png");
    let args = "predict digits more missing.png - --save out/seen";
    let finished = world.run_with_input(args, &seven);
    assert_eq!(finished.code, 1);
    assert_eq!(
        world.listing("out/seen"),
        [
            "0000-2.png",
            "0000-3.png",
            "0000-4.png",
            "0000.png",
            "0001.png",
            "0002.png",
            "stdin.png"
        ]
    );
    let digits = digits();
    // In order: digits/0000.png, then more/0000-2.png, more/0000.PNG and more/0000.bmp.
    for (name, digit) in [
        ("0000", 0),
        ("0001", 1),
        ("0002", 2),
        ("0000-2", 2),
        ("0000-3", 2),
        ("0000-4", 2),
        ("stdin", 0),
    ] {
        let png = image::open(world.path(&format!("out/seen/{name}.png"))).unwrap();
        assert_eq!(png.color(), image::ColorType::L8);
        assert!(png.into_bytes() == digits[digit], "{name}");
    }
    // The same again writes the same files.
    world.run_with_input(args, &seven);
    assert_eq!(world.listing("out/seen").len(), 7);
}

#[test]
fn saving_never_overwrites_what_is_read() {
    let world = with_digits(2);
    let before = world.read("digits/0000.png");
    for args in [
        "predict digits --save digits",
        "predict digits/0000.png --save digits/../digits",
    ] {
        world.refused(args, &["--save", "could be overwritten", "another"]);
    }
    fs::copy(world.path("digits/0001.png"), world.path("one.png")).unwrap();
    world.refused("predict one.png --save .", &["could be overwritten"]);
    world.write("file", "");
    world.refused("predict one.png --save file", &["file"]);
    assert!(world.read("digits/0000.png") == before);
}

#[test]
fn low_confidence_is_shown_as_such() {
    let world = with_digits(60);
    // A network that has hardly learned anything is sure of some digits and not of others.
    world.write("tiny.toml", support::TINY);
    world.ok("train --config tiny.toml --data sample --limit 1000 --out tiny");
    let args = "predict --checkpoint tiny/best.mpk digits";
    let (mut sure, mut unsure) = (0, 0);
    for line in world.ok(args).lines() {
        let (_, percent) = line.split_once('(').unwrap();
        let percent: f64 = percent.split(' ').next().unwrap().parse().unwrap();
        // At 80.0 the digit behind it may be on either side.
        if line.ends_with(" %, unsure)") {
            unsure += u32::from(percent <= 80.0)
        } else {
            sure += u32::from(percent >= 80.0 && line.ends_with(" %)"))
        }
    }
    assert_eq!(sure + unsure, 60);
    assert!(sure > 0 && unsure > 0, "{sure} sure, {unsure} unsure");
    let ranked = world.ok(&format!("{args} --top 2"));
    let marked = ranked.lines().filter(|line| line.ends_with("  (unsure)"));
    assert_eq!(marked.count(), unsure as usize);
}

#[test]
fn a_folder_with_other_things_in_it_is_read_all_the_same() {
    let world = with_digits(2);
    world.write("digits/notes.txt", "seven");
    world.write("digits/text.png", "seven");
    let png = world.read("digits/0000.png");
    world.write("digits/cut.png", &png[..png.len() / 2]);
    fs::create_dir(world.path("digits/more.png")).unwrap();
    let finished = world.run("predict digits");
    assert_eq!(finished.code, 1);
    assert_eq!(finished.stdout.lines().count(), 2, "{}", finished.stdout);
    let said: Vec<&str> = finished.stderr.lines().collect();
    assert_eq!(said.len(), 3, "{}", finished.stderr);
    assert_eq!(said[0], "digits: 2 entries are not pictures");
    assert!(said[1].starts_with("error: digits/cut.png is cut off"));
    assert!(said[2].starts_with("error: digits/text.png is not a picture"));
}

#[cfg(target_os = "linux")]
#[test]
fn names_that_are_not_text_are_shown_as_far_as_they_are() {
    use std::ffi::OsStr;
    use std::os::unix::ffi::OsStrExt;

    let world = World::new();
    let digit = &digits()[0];
    let label = sample(TEST_LABELS)[8];
    fs::create_dir(world.path("digits")).unwrap();
    for name in [&b"a\xFF.png"[..], b"b\n\x1B[31m.png", b"c\xFE.png"] {
        write_png(&world.path("digits").join(OsStr::from_bytes(name)), digit);
    }
    let text = world.ok("predict digits --save seen");
    let lines: Vec<&str> = text.lines().collect();
    assert_eq!(lines.len(), 3, "{text}");
    assert!(lines[0].starts_with(&format!("digits/a\u{FFFD}.png: {label} (")));
    assert!(lines[1].starts_with("digits/b\u{FFFD}\u{FFFD}[31m.png: "));
    let lines = json_lines(&world.ok("predict --json digits"));
    assert_eq!(lines[1]["file"], "digits/b\n\u{1B}[31m.png");
    assert!(
        world
            .path("seen")
            .join(OsStr::from_bytes(b"a\xFF.png"))
            .exists()
    );
}

/// A PNG of zeros, 8 bits grey.
fn blank_png(width: u32, height: u32) -> Vec<u8> {
    use image::codecs::png::{CompressionType, FilterType, PngEncoder};
    use image::{ExtendedColorType, ImageEncoder};

    let mut png = Vec::new();
    let pixels = vec![0; width as usize * height as usize];
    PngEncoder::new_with_quality(&mut png, CompressionType::Fast, FilterType::NoFilter)
        .write_image(&pixels, width, height, ExtendedColorType::L8)
        .unwrap();
    png
}

/// The largest pictures that are read, several at a time.
#[cfg(target_os = "linux")]
#[test]
fn memory_stays_below_512_megabytes() {
    use std::io::Read;

    let world = World::new();
    fs::create_dir(world.path("large")).unwrap();
    world.write("a.png", blank_png(19_000, 14_000));
    world.write("b.png", blank_png(12_000, 12_000));
    GrayImage::new(8_000, 10_000)
        .save(world.path("c.tif"))
        .unwrap();
    for name in ["a.png", "b.png", "c.tif"] {
        for number in 1..=2 {
            let path = world.path(&format!("large/{number}{name}"));
            fs::hard_link(world.path(name), path).unwrap();
        }
    }
    let mut child = world.command("predict large").spawn().unwrap();
    let status = format!("/proc/{}/status", child.id());
    let mut peak = 0;
    let began = Instant::now();
    // A dead process that nobody has waited for has a status without memory.
    while let Some(line) = fs::read_to_string(&status)
        .unwrap()
        .lines()
        .find(|line| line.starts_with("VmHWM:"))
    {
        let kilobytes = line.split_whitespace().nth(1).unwrap();
        peak = peak.max(kilobytes.parse::<u64>().unwrap());
        assert!(began.elapsed() < Duration::from_secs(120), "it hangs");
        std::thread::sleep(Duration::from_millis(1));
    }
    let code = child.wait().unwrap().code();
    let mut errors = String::new();
    child.stderr.unwrap().read_to_string(&mut errors).unwrap();
    assert_eq!(code, Some(1), "{errors}");
    assert_eq!(errors.matches(" shows no digit: ").count(), 6, "{errors}");
    assert!((270_000..500_000).contains(&peak), "{peak} kB");
}

#[cfg(unix)]
#[test]
fn ctrl_c_ends_it() {
    let world = World::new();
    fs::create_dir(world.path("large")).unwrap();
    world.write("blank.png", blank_png(10_000, 10_000));
    for number in 0..200 {
        let path = world.path(&format!("large/{number:03}.png"));
        fs::hard_link(world.path("blank.png"), path).unwrap();
    }
    let mut child = world.command("predict large").spawn().unwrap();
    std::thread::sleep(Duration::from_millis(500));
    support::kill("-INT", child.id());
    let began = Instant::now();
    assert_eq!(child.wait().unwrap().code(), Some(130));
    assert!(began.elapsed() < Duration::from_secs(20));
}
