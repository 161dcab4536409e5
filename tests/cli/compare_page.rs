//! `comparison.html`: what a browser makes of it.

use std::path::Path;
use std::process::{Command, Output};

use support::World;

/// Two recipes, 15 epochs, two seeds: a fraction of a second.
const ARGS: &str = "compare mlp lenet --data sample --limit 500 --epochs 15 --seeds 2 --out cmp";

const PICTURES: [&str; 6] = [
    "accuracy-parameters",
    "accuracy-seconds",
    "train-accuracy",
    "train-loss",
    "val-accuracy",
    "val-loss",
];

/// Runs headless Chromium; returns `None`, with a note, where it is not installed.
fn chromium(world: &World, arguments: &[&str]) -> Option<Output> {
    let profile = tempfile::tempdir().unwrap();
    let found = ["chromium", "chromium-browser", "google-chrome"]
        .iter()
        .find_map(|program| {
            let mut command = Command::new(program);
            command
                .args([
                    "--headless",
                    "--no-sandbox",
                    "--disable-gpu",
                    "--hide-scrollbars",
                ])
                .args(["--disable-quic", "--no-first-run", "--disable-sync"])
                .args([
                    "--disable-background-networking",
                    "--disable-component-update",
                ])
                .arg(format!("--user-data-dir={}", profile.path().display()))
                .args(arguments)
                .current_dir(world.path(""));
            command.output().ok()
        });
    if found.is_none() {
        eprintln!("skipped: there is no Chromium to open the page in");
    }
    found
}

/// The lines of the page's charts, as lists of points.
fn polylines(html: &str) -> Vec<Vec<(f64, f64)>> {
    let elements = html.split("<polyline ").skip(1);
    elements
        .map(|element| {
            let (_, points) = element.split_once("points=\"").unwrap();
            let (points, _) = points.split_once('"').unwrap();
            let pairs = points.split_whitespace().map(|pair| {
                let (x, y) = pair.split_once(',').unwrap();
                (x.parse().unwrap(), y.parse().unwrap())
            });
            pairs.collect()
        })
        .collect()
}

/// The curves: lines that go from epoch to epoch, to the right only.
fn curves(html: &str) -> usize {
    let is_curve = |line: &&Vec<(f64, f64)>| {
        line.len() == 15 && line.windows(2).all(|pair| pair[0].0 < pair[1].0)
    };
    polylines(html).iter().filter(is_curve).count()
}

fn assert_page(html: &str, world: &World) {
    // Two variants in each of four charts.
    assert_eq!(curves(html), 8);
    assert_eq!(html.matches("<svg ").count(), PICTURES.len());
    for word in [
        "Validation loss",
        "Training loss",
        "What the runs show",
        ">mlp<",
        ">lenet<",
    ] {
        assert!(html.contains(word), "{word}");
    }
    let json = world.json("cmp/comparison.json");
    for variant in json["variants"].as_array().unwrap() {
        let accuracy = variant["test_accuracy"]["mean"].as_f64().unwrap();
        assert!(html.contains(&format!(">{accuracy:.4} (")), "{variant}");
    }
    // Header and body of the two tables.
    assert_eq!(html.matches("<tr>").count(), (1 + 2) + (1 + 4));
    for finding in json["findings"].as_array().unwrap() {
        assert!(html.contains(finding.as_str().unwrap()), "{finding}");
    }
    // Each run's own page is one click away.
    let links = html.split("<a href=\"").skip(1);
    let links: Vec<&str> = links.map(|rest| rest.split_once('"').unwrap().0).collect();
    assert_eq!(links.len(), 4);
    for link in links {
        assert!(world.path("cmp").join(link).is_file(), "{link}");
    }
    // Nothing is loaded from anywhere.
    for link in ["src=\"http", "href=\"http", "url(", "@import", "<script"] {
        assert!(!html.contains(link), "{link}");
    }
}

#[test]
fn the_page_and_its_pictures_are_complete() {
    let world = World::new();
    world.ok(ARGS);
    assert_page(&world.text("cmp/comparison.html"), &world);
    for name in PICTURES {
        let svg = world.text(&format!("cmp/{name}.svg"));
        assert!(
            svg.contains("<svg ") && svg.trim_end().ends_with("</svg>"),
            "{name}"
        );
        let png = image::load_from_memory(&world.read(&format!("cmp/{name}.png"))).unwrap();
        assert!(png.width() >= 800 && png.height() >= 400, "{name}");
    }
}

#[test]
fn a_browser_shows_the_curves_and_tables() {
    let world = World::new();
    world.ok(ARGS);
    let url = format!("file://{}", world.path("cmp/comparison.html").display());
    let Some(dumped) = chromium(&world, &["--dump-dom", &url]) else {
        return;
    };
    assert_page(&String::from_utf8(dumped.stdout).unwrap(), &world);

    // Drawn, too: the two variants' colours, blue and vermillion, in lines long enough.
    let shot = ["--window-size=1280,2400", "--screenshot=page.png", &url];
    let output = chromium(&world, &shot).unwrap();
    assert!(Path::new(&world.path("page.png")).exists(), "{output:?}");
    let page = image::load_from_memory(&world.read("page.png"))
        .unwrap()
        .to_rgb8();
    assert_eq!(page.dimensions(), (1280, 2400));
    for colour in [[0x00, 0x72, 0xB2], [0xD5, 0x5E, 0x00]] {
        let drawn = page.pixels().filter(|pixel| pixel.0 == colour).count();
        assert!(drawn > 500, "{colour:?}: {drawn} pixels");
    }
}

#[test]
fn what_users_name_stays_text_in_the_page() {
    let world = World::with_tiny();
    let args = "compare tiny.toml --data sample --limit 300 --out cmp";
    world.shell_ok(&format!("{args} --sweep 'training.loss=\"cross_entropy\"'"));
    let html = world.text("cmp/comparison.html");
    assert!(
        html.contains("training.loss=&quot;cross_entropy&quot;"),
        "{html}"
    );
}
