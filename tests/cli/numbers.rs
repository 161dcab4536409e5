//! Numbers that can't be trained with, and data that hardly can: for each it is known beforehand
//! how the run ends and what is said.

use std::fs;

use serde_json::Value;

use support::{TEST_IMAGES, TEST_LABELS, TINY, TRAIN_IMAGES, TRAIN_LABELS, World, number, sample};

const TINY_LAYERS: &str = r#"["flatten", { kind = "linear", out_features = 10 }]"#;

/// Two linear layers with batch normalisation between them.
const NORMALISED: &str = "['flatten', { kind = 'linear', out_features = 16 }, 'batch_norm', \
                          'relu', { kind = 'linear', out_features = 10 }]";

const DEEP: &str = "['flatten', { kind = 'linear', out_features = 16 }, \
                    { kind = 'linear', out_features = 10 }]";

/// A world with `TINY` as `tiny.toml`, and with other layers as `normalised.toml` and `deep.toml`.
fn world() -> World {
    let world = World::with_tiny();
    for (name, layers) in [("normalised", NORMALISED), ("deep", DEEP)] {
        let recipe = TINY.replace(TINY_LAYERS, layers).replace("tiny", name);
        world.write(&format!("{name}.toml"), recipe);
    }
    world
}

#[test]
fn what_overflowed_while_the_loss_is_a_number_is_never_saved() {
    let table = [
        // The only step makes the weights NaN, and no validation looks at them.
        (
            "--config tiny.toml --limit 64 --set data.validation=0 --set optimizer.lr=1e300",
            "the network's 1.weight",
        ),
        // The second batch's variance is beyond f32; what is divided by it is 0, and so finite.
        (
            "--config normalised.toml --limit 128 --set data.validation=0 \
             --set data.normalize.std=1e-3 --set optimizer.lr=1e17",
            "the network's 2.running_var",
        ),
        // Pixels of 1e16 with weights of 1e7 behind them: gradients whose squares are beyond f32,
        // in a network that isn't.
        (
            "--config deep.toml --limit 128 --set optimizer.kind=adam --set optimizer.lr=1e7 \
             --set data.normalize.std=1e-6 --set data.normalize.mean=1e10",
            "the optimizer's moving averages",
        ),
    ];
    let world = world();
    for (number, (args, what)) in table.into_iter().enumerate() {
        for engine in ["", "--backend flex"] {
            let out = format!("run{}-{number}", engine.replace(' ', ""));
            let args = format!("train {args} --data sample --out {out} {engine}");
            let finished = world.run(&args);
            finished.assert_error(&args, &[what, "epoch 1", "learning rate"]);
            // The network as it was before the first batch.
            let files = ["last.mpk", "metrics.csv", "metrics.jsonl", "recipe.toml"];
            assert_eq!(world.listing(&out), files);
            assert_eq!(world.text(&format!("{out}/metrics.jsonl")), "");
            let resume = format!("train --resume {out} {engine}");
            world.run(&resume).assert_error(&resume, &[what, "epoch 1"]);
        }
    }
}

#[test]
fn a_run_that_diverges_later_leaves_a_network_that_works() {
    // With one batch an epoch, the first has the warm-up's learning rate, 0.01, and the second
    // one that makes the weights NaN.
    let world = world();
    let args = "train --config tiny.toml --data sample --limit 64 --epochs 3 --out run \
                --set optimizer.lr=1e300 --set scheduler.warmup.epochs=1 \
                --set scheduler.warmup.start_factor=1e-302";
    let words = ["the loss became NaN", "epoch 2, step 1", "1e300"];
    world.run(args).assert_error(args, &words);
    let files = [
        "best.mpk",
        "last.mpk",
        "metrics.csv",
        "metrics.jsonl",
        "recipe.toml",
    ];
    assert_eq!(world.listing("run"), files);
    assert_eq!(world.metrics("run").len(), 1);
    world.ok("eval --checkpoint run/best.mpk run/last.mpk --data sample");
    world.ok("report run");

    // Going on comes to the same, and changes nothing. The log is written again, and serde_json
    // reads some of its times as the number beside the one that stands there.
    let read = || {
        let files = ["best.mpk", "last.mpk", "recipe.toml"];
        let mut line = world.metrics("run").remove(0);
        let times = ["seconds", "images_per_second"].map(|key| line.as_object_mut()?.remove(key));
        assert!(times.iter().all(Option::is_some));
        (files.map(|name| world.read(&format!("run/{name}"))), line)
    };
    let before = read();
    let resume = "train --resume run";
    world.run(resume).assert_error(resume, &words);
    assert!(read() == before);
}

#[test]
fn a_learning_rate_of_a_million_does_not_pass_in_silence() {
    let world = world();
    for recipe in ["tiny", "normalised"] {
        for kind in ["sgd", "adam", "adamw", "rmsprop"] {
            let out = format!("{recipe}-{kind}");
            let args = format!(
                "train --config {recipe}.toml --data sample --limit 500 --epochs 3 --out {out} \
                 --set optimizer.kind={kind} --set optimizer.lr=1e6"
            );
            let finished = world.run(&args);
            match finished.code {
                0 => {
                    finished.assert_says(&["warning: the training loss", "learning rate, 1e6,"]);
                    finished.assert_says(&["warning: the network"]);
                    world.ok(&format!("eval --checkpoint {out}/best.mpk --data sample"));
                }
                _ => finished.assert_error(&args, &["learning rate", "too high"]),
            }
        }
    }
}

#[test]
fn a_learning_rate_of_almost_nothing_is_told_from_learning() {
    let world = world();
    let train = "train --config tiny.toml --data sample --epochs 2";
    let finished = world.run(&format!("{train} --set optimizer.lr=1e-300"));
    assert_eq!(finished.code, 0);
    finished.assert_says(&["warning: the network", "learning rate than 1e-300"]);
    let finished = world.run(train);
    assert!(!finished.stderr.contains("warning"), "{}", finished.stderr);
    world.refused(
        &format!("{train} --set optimizer.lr=0"),
        &["`lr`", "greater than 0"],
    );
}

#[test]
fn runs_that_diverge_do_not_spoil_the_table() {
    let world = world();
    let args = "compare tiny.toml --sweep optimizer.lr=1e300,0.1,1e6 --data sample --limit 500 \
                --epochs 2 --out cmp";
    let finished = world.run(args);
    assert_eq!(finished.code, 1, "{}", finished.stderr);
    let json = world.json("cmp/comparison.json");
    let runs = json["runs"].as_array().unwrap();
    let reason = runs[0]["error"].as_str().unwrap();
    assert!(reason.starts_with("the loss became NaN"), "{reason}");
    finished.assert_prints(&[reason]);
    assert!(number(&runs[1], "/test_accuracy") > 0.5);
    // Finite, so it has figures; its log has the warning.
    assert!(number(&runs[2], "/test_accuracy") > 0.0);
    let name = runs[2]["run"].as_str().unwrap();
    let log = world.text(&format!("cmp/{name}.log"));
    assert!(log.contains("warning: the training loss"), "{log}");
    let html = world.text("cmp/comparison.html");
    assert!(html.contains("the loss became NaN"));
    assert_eq!(world.text("cmp/comparison.csv").lines().count(), 4);
}

/// Writes the four files with `count` training digits for which `keep` holds, as `image` makes
/// them, and the test digits for which it does.
fn write_digits(world: &World, keep: fn(u8) -> bool, count: usize, image: fn(&[u8]) -> Vec<u8>) {
    fs::create_dir(world.path("digits")).unwrap();
    for (images, labels) in [(TRAIN_IMAGES, TRAIN_LABELS), (TEST_IMAGES, TEST_LABELS)] {
        let [all_images, all_labels] = [images, labels].map(sample);
        let pairs = all_images[16..].chunks(784).zip(&all_labels[8..]);
        let chosen = pairs.filter(|(_, label)| keep(**label)).take(count);
        let (pixels, kept): (Vec<_>, Vec<u8>) = chosen.unzip();
        let number = (kept.len() as u32).to_be_bytes();
        let pixels: Vec<u8> = pixels.into_iter().flat_map(image).collect();
        let header = [&all_images[..4], &number, &all_images[8..16]].concat();
        world.write(&format!("digits/{images}"), [header, pixels].concat());
        let header = [&all_labels[..4], &number].concat();
        world.write(&format!("digits/{labels}"), [header, kept].concat());
    }
}

/// Asserts that a run's files and `eval --json` have a number wherever there should be one.
fn assert_all_numbers(world: &World, run: &str) {
    fn has_null(value: &Value) -> bool {
        match value {
            Value::Null => true,
            Value::Array(values) => values.iter().any(has_null),
            Value::Object(fields) => fields.values().any(has_null),
            _ => false,
        }
    }
    let json = world.ok(&format!(
        "eval --checkpoint {run}/best.mpk --data digits --json"
    ));
    assert!(!has_null(&serde_json::from_str(&json).unwrap()), "{json}");
    world.ok(&format!(
        "eval --checkpoint {run}/best.mpk --data digits --report page"
    ));
    assert!(!world.metrics(run).iter().any(has_null));
    for page in ["page/report.html".to_string(), format!("{run}/report.html")] {
        let html = world.text(&page);
        // In the drawings and the text, not in the pictures' base64.
        for word in ["NaN ", "NaN<", "NaN\"", ">inf", " inf"] {
            assert!(!html.contains(word), "{page} has `{word}`");
        }
    }
}

#[test]
fn digits_of_one_class_are_learned_with_a_warning() {
    let world = world();
    write_digits(&world, |label| label == 3, 400, <[u8]>::to_vec);
    for recipe in ["tiny.toml", "normalised.toml", "cnn-9956"] {
        let out = recipe.trim_end_matches(".toml");
        let args = format!("train --config {recipe} --data digits --epochs 2 --out {out}");
        let finished = world.run(&args);
        assert_eq!(finished.code, 0, "{}", finished.stderr);
        finished.assert_says(&["warning: among the", "[0, 1, 2, 4, 5, 6, 7, 8, 9]"]);
        assert!(!finished.stderr.contains("learned nothing"));
        assert!(
            number(
                &world.json(&format!("{out}/summary.json")),
                "/test/accuracy"
            ) > 0.9
        );
        assert_all_numbers(&world, out);
    }
}

#[test]
fn blank_images_are_trained_on_with_a_warning() {
    let world = world();
    write_digits(&world, |_| true, 400, |image| vec![0; image.len()]);
    for recipe in ["tiny.toml", "normalised.toml", "cnn-9956"] {
        let out = recipe.trim_end_matches(".toml");
        let args = format!("train --config {recipe} --data digits --epochs 2 --out {out}");
        let finished = world.run(&args);
        assert_eq!(finished.code, 0, "{}", finished.stderr);
        finished.assert_says(&["warning: all images to train on are the same"]);
        finished.assert_says(&["warning: the network has learned nothing"]);
        assert_all_numbers(&world, out);
    }
}

#[test]
fn as_few_images_as_can_be_are_trained_on() {
    let world = world();
    let train = "train --config tiny.toml --set training.batch_size=1";
    let finished = world.run(&format!("{train} --data sample --limit 1 --out limited"));
    assert_eq!(finished.code, 0, "{}", finished.stderr);
    finished.assert_says(&[
        "1 images to train on, 250 to validate on",
        "none of the digits",
    ]);
    finished.assert_says(&["all images to train on are the same"]);

    // Two images, one of which is held out; and one, from which none can be.
    write_digits(&world, |_| true, 2, <[u8]>::to_vec);
    let finished = world.run(&format!("{train} --data digits --out two"));
    assert_eq!(finished.code, 0, "{}", finished.stderr);
    finished.assert_says(&["1 images to train on, 1 to validate on"]);
    assert_all_numbers(&world, "two");
    fs::remove_dir_all(world.path("digits")).unwrap();
    write_digits(&world, |_| true, 1, <[u8]>::to_vec);
    world.refused(
        &format!("{train} --data digits"),
        &["1 validation digits", "Ask for fewer"],
    );
    world.ok(&format!("{train} --data digits --set data.validation=0"));
}

#[test]
fn one_image_a_batch_is_refused_where_batch_norm_needs_two() {
    let world = world();
    let batch = "--data sample --limit 300 --set training.batch_size=1";
    let words = ["batch_size is 1", "layer 3, batch_norm", "at least 2"];
    world.refused(&format!("train --config normalised.toml {batch}"), &words);
    let swept = "--data sample --limit 300 --sweep training.batch_size=1,2 --out cmp";
    world.refused(&format!("compare normalised.toml {swept}"), &words);
    // On feature maps there are many values of one image, as in PyTorch.
    world.ok(&format!(
        "train --config cnn-9956 {batch} --epochs 3 --out maps"
    ));
    assert!(number(&world.json("maps/summary.json"), "/test/accuracy") > 0.5);
}

#[test]
fn a_last_batch_of_one_image_changes_no_statistics() {
    let world = world();
    let val_loss = |out: &str, args: &str| {
        let finished = world.run(&format!(
            "train --config normalised.toml --data sample --limit 65 --epochs 3 --out {out} {args}"
        ));
        assert_eq!(finished.code, 0, "{}", finished.stderr);
        let warned = finished
            .stderr
            .contains("a single image, which has no variance for layer 3, batch_norm");
        assert_eq!(warned, !args.contains("batch_size"), "{}", finished.stderr);
        number(&world.metrics(out)[2], "/val/loss")
    };
    let native = val_loss("native", "");
    let flex = val_loss("flex", "--backend flex");
    assert!((native - flex).abs() < 1e-4, "{native} {flex}");
    val_loss("even", "--set training.batch_size=5");
}

#[test]
fn without_validation_images_the_training_loss_chooses() {
    let world = world();
    let args = "train --config tiny.toml --data sample --limit 500 --epochs 3 --out run \
                --set data.validation=0";
    let finished = world.run(args);
    assert_eq!(finished.code, 0, "{}", finished.stderr);
    finished.assert_says(&["there are no validation images", "smallest training loss"]);
    let metrics = world.metrics("run");
    assert!(metrics.iter().all(|line| line["val"].is_null()));
    let loss = |line: &Value| number(line, "/train/loss");
    let best = (0..3).min_by(|&a, &b| loss(&metrics[a]).total_cmp(&loss(&metrics[b])));
    let summary = world.json("run/summary.json");
    assert_eq!(summary["best_epoch"], best.unwrap() + 1);
    assert!(summary["val"].is_null() && world.path("run/report.html").exists());
    let eval = "eval --checkpoint run/best.mpk --data sample --split val";
    world
        .run(eval)
        .assert_error(eval, &["no validation images", "--split test"]);
    // What needs validation images is refused without them.
    for set in [
        "scheduler.kind=reduce_lr_on_plateau",
        "training.early_stopping.patience=1",
    ] {
        world.refused(
            &format!("train --config tiny.toml --data sample --set data.validation=0 --set {set}"),
            &["`validation`"],
        );
    }
}

#[test]
fn almost_all_of_the_target_may_be_smoothed_away() {
    let world = world();
    let train = "train --config tiny.toml --data sample --limit 500";
    world.ok(&format!(
        "{train} --set training.label_smoothing=0.999 --out run"
    ));
    // So little is left to learn that it ends near the loss of guessing, ln 10.
    let loss = number(&world.metrics("run")[0], "/train/loss");
    assert!((2.0..3.0).contains(&loss), "{loss}");
    for smoothing in ["1", "-0.1", "nan", "inf"] {
        let set = format!("--set training.label_smoothing={smoothing}");
        world.refused(&format!("{train} {set}"), &["`label_smoothing`"]);
    }
}
