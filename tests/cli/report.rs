//! Reports of runs and evaluations, and the pictures that lie beside them.

use std::fs;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use mnistctl::dataset::{Source, shuffle};
use mnistctl::rng::{Rng, Stream};
use mnistctl::training::training_data;

use support::{TINY, TRAIN_IMAGES, TRAIN_LABELS, World, assert_same_contents, number, sample};

const CHARTS: [&str; 4] = ["accuracy", "confusion", "loss", "lr"];
const GALLERIES: [&str; 2] = ["augmented", "wrong"];

/// A world with a finished run in `run`.
fn with_run() -> World {
    let world = World::with_tiny();
    let train = "train --config tiny.toml --data sample --limit 300 --epochs 3 --out run";
    let finished = world.run(train);
    assert_eq!(finished.code, 0, "{}", finished.stderr);
    assert!(finished.stderr.ends_with("\nreport: run/report.html\n"));
    world
}

/// Asserts that every tag is closed, in order, and every attribute quoted.
fn assert_well_formed(markup: &str) {
    // Elements that HTML leaves open.
    const VOID: [&str; 3] = ["meta", "img", "!DOCTYPE"];
    let mut open: Vec<&str> = Vec::new();
    for piece in markup.split('<').skip(1) {
        let (tag, text) = piece.split_once('>').expect("a tag ends");
        assert!(!text.contains('>'), "{text}");
        assert!(tag.matches('"').count().is_multiple_of(2), "{tag}");
        let name = tag.split_whitespace().next().unwrap();
        match name.strip_prefix('/') {
            Some(name) => assert_eq!(open.pop(), Some(name)),
            None if tag.ends_with('/') || VOID.contains(&name) => {}
            None => open.push(name),
        }
    }
    assert_eq!(open, Vec::<&str>::new());
}

/// Asserts that a page needs nothing that isn't in it.
fn assert_self_contained(html: &str) {
    for (at, _) in html.match_indices("http") {
        assert!(html[at..].starts_with("http://www.w3.org/2000/svg\""));
        assert!(html[..at].ends_with("xmlns=\""));
    }
    for (at, _) in html.match_indices("src=") {
        assert!(html[at..].starts_with("src=\"data:image/png;base64,"));
    }
    for word in [
        "<script", "<link", "<iframe", "href=", "url(", "@import", "onload",
    ] {
        assert!(!html.contains(word), "{word}");
    }
}

/// The texts of an SVG, in the order they are drawn.
fn texts(svg: &str) -> Vec<String> {
    let texts = svg.split("<text ").skip(1);
    texts
        .map(|text| {
            let text = text.split_once('>').unwrap().1;
            text.split_once("</text>").unwrap().0.trim().to_string()
        })
        .collect()
}

#[test]
fn a_run_ends_with_a_page_and_pictures_that_can_be_opened() {
    let world = with_run();
    let html = world.text("run/report.html");
    assert_well_formed(&html.replace("@media (max-width: 480px)", ""));
    assert_self_contained(&html);
    for chart in CHARTS {
        let svg = world.text(&format!("run/{chart}.svg"));
        assert_well_formed(&svg);
        assert!(svg.contains("fill=\"#FFFFFF\""), "{chart}");
        let height: u32 = svg.split('"').nth(3).unwrap().parse().unwrap();
        let png = image::load_from_memory(&world.read(&format!("run/{chart}.png"))).unwrap();
        assert_eq!((png.width(), png.height()), (960, 2 * height), "{chart}");
    }
    for gallery in GALLERIES {
        let png = image::load_from_memory(&world.read(&format!("run/{gallery}.png"))).unwrap();
        assert!(png.width() > 900 && png.height() > 400, "{gallery}");
    }
    // What the page says is what the summary says.
    let summary = world.json("run/summary.json");
    let accuracy = format!("{:.4}", number(&summary, "/test/accuracy"));
    let expected = [
        format!("<dt>Test accuracy</dt><dd>{accuracy}</dd>"),
        format!(
            "<dt>Test errors</dt><dd>{} in 250 images</dd>",
            summary["test"]["errors"]
        ),
        "<dt>Parameters</dt><dd>7,850</dd>".to_string(),
        "mnistctl train --config RUN/recipe.toml --limit 300 --data sample\n".to_string(),
        "out_features = 10".to_string(),
        summary["sha256"].as_str().unwrap().to_string(),
    ];
    for text in expected {
        assert!(html.contains(&text), "{text}");
    }
}

#[test]
fn a_report_made_again_is_the_same() {
    let world = with_run();
    let before = world.contents("run");
    for (name, _) in &before {
        if name.ends_with(".html") || name.ends_with(".svg") || name.ends_with(".png") {
            fs::remove_file(world.path(&format!("run/{name}"))).unwrap();
        }
    }
    assert_eq!(world.ok("report run"), "run/report.html\n");
    assert_same_contents(&world.contents("run"), &before);
}

#[test]
fn the_matrix_holds_what_eval_counts() {
    let world = World::with_lenet();
    let eval = "eval --checkpoint lenet.mpk --data sample --json";
    let json = world.ok(&format!("{eval} --report page"));
    assert_eq!(json, world.ok(eval));
    let json: serde_json::Value = serde_json::from_str(&json).unwrap();
    let rows = json["confusion"].as_array().unwrap().iter();
    let counts = rows.flat_map(|row| row.as_array().unwrap().iter());
    let counts: Vec<String> = counts
        .map(ToString::to_string)
        .filter(|count| count != "0")
        .collect();
    let texts = texts(&world.text("page/confusion.svg"));
    assert_eq!(texts[0], "Confusion matrix (test images)");
    assert_eq!(texts[1..=counts.len()], counts);

    let expected = ["confusion.png", "confusion.svg", "report.html", "wrong.png"];
    assert_eq!(world.listing("page"), expected);
    let html = world.text("page/report.html");
    assert_self_contained(&html);
    let errors = json["errors"].as_u64().unwrap();
    assert!(html.contains(&format!("<dt>Errors</dt><dd>{errors}</dd>")));
    for class in json["per_class"].as_array().unwrap() {
        let row = format!(
            "<td class=\"number\">{}</td><td class=\"number\">{:.4}</td>\
             <td class=\"number\">{:.4}</td><td class=\"number\">{:.4}</td>",
            class["digit"],
            number(class, "/precision"),
            number(class, "/recall"),
            number(class, "/f1"),
        );
        assert!(html.contains(&row), "{row}");
    }
    // The surest mistakes, in falling order, and none that is right.
    let captions: Vec<(&str, f64)> = html
        .split("<figcaption>")
        .filter_map(|text| text.split_once(" %</figcaption>")?.0.split_once('\n'))
        .map(|(digits, percent)| (digits, percent.parse().unwrap()))
        .collect();
    assert_eq!(captions.len() as u64, errors.min(24));
    assert!(captions.is_sorted_by(|a, b| a.1 >= b.1));
    assert!(captions.iter().all(|(digits, _)| {
        let (truth, predicted) = digits.split_once(" → ").unwrap();
        truth != predicted
    }));
}

#[test]
fn an_unfinished_run_has_a_report_of_what_there_is() {
    let world = with_run();
    fs::remove_file(world.path("run/summary.json")).unwrap();
    world.ok("report run");
    let html = world.text("run/report.html");
    assert!(html.contains("This run is not finished: 3 of 3 epochs are done."));
    assert!(html.contains("The first 24 of the first epoch"));
    assert!(!html.contains("Test accuracy") && !html.contains("surest mistakes"));

    // Without its images, its curves remain.
    fs::remove_file(world.path("run/last.mpk")).unwrap();
    let finished = world.run("report run");
    assert_eq!(finished.code, 0, "{}", finished.stderr);
    assert!(
        finished
            .stderr
            .contains("no training images: can't read the checkpoint")
    );
    assert!(
        world
            .text("run/report.html")
            .contains("aria-label=\"tiny: loss\"")
    );

    // A run that diverged in its first epoch.
    let diverged =
        world.run("train --config cnn-9956 --data sample --out bad --set optimizer.lr=1e30");
    assert_eq!(diverged.code, 1);
    world.ok("report bad");
    let html = world.text("bad/report.html");
    assert!(html.contains("0 of 150 epochs are done") && html.contains("No epoch has ended yet."));
}

#[test]
fn what_holds_no_sound_run_is_refused_in_words() {
    let world = with_run();
    world.refused(
        "report nowhere",
        &["nowhere holds no run", "recipe.toml", "mnistctl train"],
    );
    world.refused("report .", &["holds no run"]);
    world.refused("report tiny.toml", &["tiny.toml/recipe.toml"]);
    world.refused("report run --data nowhere", &["nowhere"]);

    // Other digits than those it was trained on.
    world.write_data("other");
    let mut images = sample(TRAIN_IMAGES);
    images[100] ^= 1;
    world.write(&format!("other/{}", TRAIN_IMAGES), images);
    world.refused(
        "report run --data other",
        &["run", "other images", "other", "--data"],
    );

    let summary = world.text("run/summary.json");
    for (text, word) in [
        ("{", "not the summary of a run"),
        (
            &summary.replace("\"errors\": ", "\"errors\": 9"),
            "more errors than images",
        ),
        (
            &summary.replace("native", "abacus"),
            "backend that does not exist",
        ),
    ] {
        world.write("run/summary.json", text);
        world.refused("report run", &["run/summary.json", word]);
    }
    world.write("run/summary.json", summary);
    world.write("run/recipe.toml", "name = 3");
    world.refused("report run", &["run/recipe.toml", "name"]);
}

#[test]
fn names_that_look_like_markup_are_shown_as_they_are() {
    let world = World::with_tiny();
    let folder = "<b>'\"&";
    world.write_data(folder);
    let train = "train --config tiny.toml --limit 100 --out run --data \"<b>'\\\"&\"";
    world.shell_ok(train);
    let html = world.text("run/report.html");
    assert!(html.contains("<dt>Data</dt><dd>&lt;b&gt;&#39;&quot;&amp;</dd>"));
    assert!(!html.contains("<b>"));
    // The command quotes it for a shell.
    assert!(html.contains("--data &#39;&lt;b&gt;&#39;\\&#39;&#39;&quot;&amp;&#39;"));
    assert_well_formed(&html);

    fs::rename(world.path("run/best.mpk"), world.path("<i>.mpk")).unwrap();
    world.shell_ok("eval --checkpoint '<i>.mpk' --data sample --report page");
    let html = world.text("page/report.html");
    assert!(html.contains("Of &lt;i&gt;.mpk.") && !html.contains("<i>"));
}

#[test]
fn a_report_that_fails_does_not_fail_the_training() {
    let world = with_run();
    fs::remove_file(world.path("run/report.html")).unwrap();
    fs::create_dir(world.path("run/report.html")).unwrap();
    let finished = world.run("train --resume run --epochs 4");
    assert_eq!(finished.code, 0, "{}", finished.stderr);
    assert!(finished.stdout.starts_with("test accuracy"));
    let warning = "warning: the run is done and saved, but its report could not be written: \
                   can't write run/report.html";
    finished.assert_says(&[warning]);
}

#[test]
fn the_training_images_are_those_the_network_saw_first() {
    let world = with_run();
    let data = training_data(&Source::Sample, 5_000, 0, Some(300)).unwrap();
    let mut order = data.train.clone();
    shuffle(&mut order, &mut Rng::new(0, &[Stream::Shuffle as u64, 1]));
    let html = world.text("run/report.html");
    let part = html.split("<h2>Training images</h2>").nth(1).unwrap();
    let figures: Vec<&str> = part.split("base64,").skip(1).collect();
    assert_eq!(figures.len(), 24);
    for (figure, &index) in figures.iter().zip(&order) {
        let index = index as usize;
        let (png, rest) = figure.split_once('"').unwrap();
        let png = STANDARD.decode(png).unwrap();
        let pixels = image::load_from_memory(&png).unwrap().to_luma8();
        let ink: Vec<u8> = pixels.iter().map(|paper| 255 - paper).collect();
        assert_eq!(ink, data.digits.image(index));
        assert!(rest.starts_with(&format!("><figcaption>{}<", data.digits.label(index))));
    }
    assert!(part.contains("this recipe augments nothing"));

    let augmented = format!("augment = [{{ kind = \"affine\", degrees = 20 }}]\n{TINY}");
    world.write("augmented.toml", augmented);
    world.ok("train --config augmented.toml --data sample --limit 300 --out turned");
    let turned = world.text("turned/report.html");
    assert!(turned.contains("augmented just as the network saw them"));
    let first = |html: &str| {
        let part = html.split("<h2>Training images</h2>").nth(1).unwrap();
        part.split("base64,")
            .nth(1)
            .unwrap()
            .split('"')
            .next()
            .unwrap()
            .to_string()
    };
    assert_ne!(first(&html), first(&turned));
}

#[test]
fn a_builtin_recipe_is_reproduced_by_its_name() {
    let world = World::new();
    world.ok("train --config mlp --data sample --limit 100 --epochs 1 --seed 7 --out run");
    let command = "mnistctl train --config mlp --epochs 1 --seed 7 --limit 100 --data sample\n";
    assert!(world.text("run/report.html").contains(command));
}

#[test]
fn data_show_counts_and_paints_the_digits() {
    let world = World::new();
    let text = world.ok("data show --data sample --out digits.png");
    for class in 0..10 {
        assert!(
            text.contains(&format!("\n{class:>5}     400     100\n")),
            "{text}"
        );
    }
    assert!(text.contains("\n  all    4000    1000\n"));
    // Ten classes of seven lines, none too wide for a terminal.
    let preview = text.split("1000\n").nth(1).unwrap();
    assert_eq!(preview.lines().count(), 71);
    assert!(preview.lines().all(|line| line.chars().count() <= 80));

    let png = image::load_from_memory(&world.read("digits.png"))
        .unwrap()
        .to_luma8();
    let labels = sample(TRAIN_LABELS);
    let images = sample(TRAIN_IMAGES);
    // Each digit is 112 pixels wide, four for one of its own, and begins every 128.
    for class in 0..10u32 {
        let is_class = |label: &u8| u32::from(*label) == class;
        let first = labels[8..].iter().position(is_class).unwrap();
        let image = &images[16 + first * 784..][..784];
        for (pixel, ink) in (0..).zip(image) {
            let (x, y) = (
                56 + pixel % 28 * 4 + 2,
                16 + class * 128 + pixel / 28 * 4 + 2,
            );
            assert_eq!(
                png.get_pixel(x, y).0[0],
                255 - ink,
                "digit {class}, pixel {pixel}"
            );
        }
    }
    world.refused(
        "data show --data sample --out digits.jpg",
        &["--out", ".png"],
    );
}
