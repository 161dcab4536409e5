//! Whole training runs and what they leave: files, figures, and what `eval` makes of them.

use serde_json::Value;

use support::{TINY, World, assert_same_contents, json_lines, keys, lenet, number};

const RUN_FILES: [&str; 17] = [
    "accuracy.png",
    "accuracy.svg",
    "augmented.png",
    "best.mpk",
    "confusion.png",
    "confusion.svg",
    "last.mpk",
    "loss.png",
    "loss.svg",
    "lr.png",
    "lr.svg",
    "metrics.csv",
    "metrics.jsonl",
    "recipe.toml",
    "report.html",
    "summary.json",
    "wrong.png",
];

/// Asserts that these are the lines of a `metrics.jsonl`: keys, numbers, fractions.
fn assert_metrics(lines: &[Value], epochs: usize) {
    assert_eq!(lines.len(), epochs);
    for (index, line) in lines.iter().enumerate() {
        let expected = [
            "epoch",
            "images_per_second",
            "lr",
            "seconds",
            "train",
            "val",
        ];
        assert_eq!(keys(line), expected);
        assert_eq!(line["epoch"], index as u64 + 1);
        for part in ["train", "val"] {
            assert_eq!(keys(&line[part]), ["accuracy", "loss"]);
            let accuracy = number(&line[part], "/accuracy");
            assert!((0.0..=1.0).contains(&accuracy), "{line}");
            assert!(number(&line[part], "/loss") > 0.0, "{line}");
        }
        for key in ["/lr", "/seconds", "/images_per_second"] {
            assert!(number(line, key) > 0.0, "{line}");
        }
    }
}

#[test]
fn the_first_command_of_a_user_learns_and_leaves_a_complete_run() {
    let world = World::new();
    let run = world.run("train --config cnn-9956.toml --data sample --limit 1000 --epochs 6");
    assert_eq!(run.code, 0, "{}", run.stderr);

    // Results on stdout; the layers and a plain line an epoch on stderr.
    assert!(run.stdout.starts_with("test accuracy 0."), "{}", run.stdout);
    assert!(run.stdout.ends_with("\nruns/cnn-9956/best.mpk\n"));
    assert_eq!(run.stdout.lines().count(), 2);
    assert!(!run.stderr.contains(['\r', '\x1b']), "{:?}", run.stderr);
    assert!(run.stderr.contains("9956 trainable parameters"));
    let epochs = run.stderr.lines().filter(|line| line.starts_with("epoch "));
    for (number, line) in (1..=6).zip(epochs.clone()) {
        assert!(line.starts_with(&format!("epoch {number}/6 ")), "{line}");
    }
    assert_eq!(epochs.count(), 6);

    assert_eq!(world.listing(""), ["runs"]);
    assert_eq!(world.listing("runs"), ["cnn-9956"]);
    assert_eq!(world.listing("runs/cnn-9956"), RUN_FILES);
    let lines = world.metrics("runs/cnn-9956");
    assert_metrics(&lines, 6);
    let (first, last) = (&lines[0], &lines[5]);
    assert!(number(last, "/val/loss") < 0.95 * number(first, "/val/loss"));
    assert!(number(last, "/train/loss") < number(first, "/train/loss"));

    let summary = world.json("runs/cnn-9956/summary.json");
    let expected = [
        "backend",
        "best_epoch",
        "dataset",
        "epochs",
        "isa",
        "limit",
        "parameters",
        "recipe",
        "seconds",
        "seed",
        "sha256",
        "test",
        "threads",
        "train_images",
        "val",
        "val_images",
    ];
    assert_eq!(keys(&summary), expected);
    assert_eq!(
        keys(&summary["test"]),
        ["accuracy", "errors", "images", "loss"]
    );
    let wanted = serde_json::json!({
        "backend": "native", "dataset": "sample", "epochs": 6, "parameters": 9956,
        "recipe": "cnn-9956", "limit": 1000, "seed": 0, "train_images": 1000, "val_images": 250,
    });
    for (key, value) in wanted.as_object().unwrap() {
        assert_eq!(&summary[key], value, "{key}");
    }
    let isa = mnistctl::kernels::Isa::best().to_string();
    assert_eq!(summary["isa"], isa);
    assert_eq!(summary["test"]["images"], 250);
    assert_eq!(summary["sha256"].as_str().unwrap().len(), 64);
    let best = summary["best_epoch"].as_u64().unwrap() as usize;
    assert_eq!(summary["val"], lines[best - 1]["val"]);
    // Seeds 0 to 5 gave 0.52 to 0.63; guessing gives 0.1.
    assert!(number(&summary, "/test/accuracy") > 0.3, "{summary}");
}

#[test]
fn a_lenet_on_the_whole_sample_reads_nine_digits_of_ten() {
    let trained = lenet();
    assert_metrics(&trained.metrics, 3);
    // Seeds 0 to 2 gave 0.931 to 0.937.
    assert!(number(&trained.summary, "/test/accuracy") > 0.9);
    assert!(number(&trained.metrics[2], "/val/accuracy") > 0.9);
    assert_eq!(trained.summary["test"]["images"], 1000);
    assert_eq!(trained.summary["train_images"], 3667);
}

#[test]
fn a_runs_recipe_trains_again_to_the_same_network() {
    let world = World::new();
    let train = "train --data sample --limit 300 --config";
    world.ok(&format!("{train} cnn-9956 --epochs 2 --seed 7"));
    world.ok(&format!("{train} runs/cnn-9956/recipe.toml"));
    assert_eq!(world.listing("runs"), ["cnn-9956", "cnn-9956-2"]);
    for name in ["best.mpk", "last.mpk", "recipe.toml"] {
        let [first, second] =
            ["", "-2"].map(|run| world.read(&format!("runs/cnn-9956{run}/{name}")));
        assert!(first == second, "{name} differs");
    }
    world.ok(&format!("{train} cnn-9956 --epochs 2 --seed 8"));
    let [seven, eight] = ["", "-3"].map(|run| world.read(&format!("runs/cnn-9956{run}/best.mpk")));
    assert!(seven != eight);
}

#[test]
fn a_run_whose_validation_loss_stops_falling_ends_early() {
    let world = World::new();
    // A rate at which this network only gets worse after a few epochs.
    let run = world.shell_ok(
        "train --config mlp --data sample --limit 500 --epochs 60 --set optimizer.lr=0.003 \
         --set scheduler.kind=constant --set training.early_stopping.patience=3 --out run",
    );
    run.assert_says(&["stopped early"]);
    let losses: Vec<f64> = world
        .metrics("run")
        .iter()
        .map(|l| number(l, "/val/loss"))
        .collect();
    assert!((4..60).contains(&losses.len()), "{losses:?}");
    let best = losses.iter().copied().fold(f64::INFINITY, f64::min);
    assert_eq!(
        losses.iter().position(|&loss| loss == best),
        Some(losses.len() - 4)
    );
    // Going on with it, there is nothing more to do.
    let again = world.shell_ok("train --resume run");
    again.assert_says(&["stopped early"]);
    assert_eq!(world.metrics("run").len(), losses.len());
}

#[test]
fn best_mpk_holds_the_average_and_both_sides_agree_on_it() {
    let world = World::new();
    let train = "train --config lenet --data sample --limit 1000 --epochs 2 \
        --set training.ema_decay=0.95";
    world.ok(&format!("{train} --out native"));
    world.ok(&format!("{train} --out flex --backend flex"));
    let eval = |run: &str| evaluate(&world, &format!("--checkpoint {run}/best.mpk"));
    let [native, flex] = ["native", "flex"].map(|run| number(&eval(run), "/loss"));
    assert!((native / flex - 1.0).abs() < 1e-3, "{native} and {flex}");
    // The weights themselves are further along than their average.
    world.ok(&format!(
        "{} --out last",
        train.replace("ema_decay=0.95", "ema_decay=1e-9")
    ));
    let last = number(&eval("last"), "/loss");
    assert!((native / last - 1.0).abs() > 0.05, "{native} and {last}");
}

#[test]
fn our_kernels_and_burns_operations_learn_the_same() {
    let world = World::new();
    let train = "train --config lenet --data sample --limit 1000 --epochs 1";
    world.ok(&format!("{train} --out native"));
    world.ok(&format!("{train} --out flex --backend flex"));
    let [native, flex] = ["native", "flex"].map(|run| world.metrics(run).remove(0));
    for figure in ["/train/loss", "/val/loss"] {
        let (ours, burns) = (number(&native, figure), number(&flex, figure));
        assert!(
            (ours / burns - 1.0).abs() < 1e-3,
            "{figure}: {ours} and {burns}"
        );
    }
    // A run can change sides half-way, and a checkpoint be read on the other one.
    world.ok("train --resume flex --epochs 2 --backend native");
    world.ok("train --resume native --epochs 2 --backend flex");
    world.ok("eval --checkpoint native/best.mpk --data sample --backend flex");
}

#[test]
fn a_folder_that_holds_something_is_left_as_it_is() {
    let world = World::with_tiny();
    let train = "train --config tiny.toml --data sample --limit 100 --out";
    world.ok(&format!("{train} new/empty"));
    assert_eq!(world.listing("new/empty"), RUN_FILES);
    let before = world.contents("new/empty");
    let words = ["new/empty", "already holds something", "--out", "--resume"];
    world.refused(&format!("{train} new/empty"), &words);
    assert_same_contents(&world.contents("new/empty"), &before);
}

#[test]
fn set_reaches_the_recipe_that_is_trained_and_kept() {
    let world = World::new();
    let sets = "--set optimizer.lr=0.05 --set scheduler.kind=constant --set training.batch_size=50";
    world.write(
        "mine.toml",
        TINY.replace("lr = 0.1", "lr = 0.1\nmomentum = 0.5"),
    );
    world.ok(&format!(
        "train --config mine.toml --data sample --limit 100 --out run {sets}"
    ));
    let kept = world.text("run/recipe.toml");
    for line in [
        "lr = 0.05",
        "kind = \"constant\"",
        "batch_size = 50",
        "momentum = 0.5",
    ] {
        assert!(kept.lines().any(|kept| kept == line), "{line}: {kept}");
    }
    assert_eq!(world.metrics("run")[0]["lr"], 0.05);
}

/// The built-in recipes give their schedule's arguments, which `constant` has none of.
#[test]
fn a_schedule_of_a_builtin_recipe_can_be_set_to_constant() {
    let world = World::new();
    let set = "--set optimizer.lr=0.05 --set scheduler.kind=constant";
    world.ok(&format!(
        "train --config cnn-9956 --data sample --limit 64 --epochs 1 {set} --out run"
    ));
    assert!(
        world
            .text("run/recipe.toml")
            .contains("kind = \"constant\"")
    );
}

#[test]
fn the_loss_on_softmax_comes_close_to_its_floor_and_never_below() {
    let world = World::new();
    let published = "train --config cnn-9956-published --data sample --limit 500 --epochs 2";
    world.ok(published);
    // A network that learns fast gets where the published one needs 150 epochs for.
    let set = "--set training.loss=cross_entropy_on_softmax --set optimizer.lr=0.002";
    world.ok(&format!(
        "train --config mlp --data sample --limit 1000 --epochs 12 {set}"
    ));
    for run in ["cnn-9956-published", "mlp"] {
        let lines = world.metrics(&format!("runs/{run}"));
        for line in &lines {
            assert!(number(line, "/train/loss") >= 1.4611, "{line}");
            assert!(number(line, "/val/loss") >= 1.4611, "{line}");
        }
        let last = &lines[lines.len() - 1];
        assert!(run != "mlp" || number(last, "/train/loss") < 1.6, "{last}");
    }
}

#[cfg(feature = "ndarray")]
#[test]
fn the_ndarray_backend_learns_too() {
    let world = World::new();
    world.ok("train --config mlp --data sample --limit 1000 --epochs 3 --backend ndarray");
    let summary = world.json("runs/mlp/summary.json");
    assert_eq!(summary["backend"], "ndarray");
    assert_eq!(summary["isa"], Value::Null);
    // Seeds 0 to 2 gave 0.79 to 0.84.
    assert!(number(&summary, "/test/accuracy") > 0.6, "{summary}");
    // A checkpoint knows no backend: what one wrote, the other reads alike.
    let eval = "eval --checkpoint runs/mlp/best.mpk --data sample --json --backend";
    let [one, other] = ["ndarray", "flex"].map(|backend| {
        let report = world.ok(&format!("{eval} {backend}"));
        json_lines(&report).remove(0)
    });
    assert!((number(&one, "/loss") - number(&other, "/loss")).abs() < 1e-5);
    assert!((number(&one, "/accuracy") - number(&other, "/accuracy")).abs() < 0.0011);
}

#[test]
fn training_without_validation_images_picks_by_training_loss() {
    let world = World::with_tiny();
    world.ok("train --config tiny.toml --data sample --epochs 2 --out run --set data.validation=0");
    let lines = world.metrics("run");
    assert_eq!(lines.len(), 2);
    assert_eq!(lines[0]["val"], Value::Null);
    let summary = world.json("run/summary.json");
    assert_eq!(summary["train_images"], 4000);
    assert_eq!(
        (&summary["val_images"], &summary["val"]),
        (&0.into(), &Value::Null)
    );
    world.refused(
        "eval --checkpoint run/best.mpk --data sample --split val",
        &["no validation images", "--split test"],
    );
}

/// `eval --json`'s one object, with all that must hold within it.
fn evaluate(world: &World, args: &str) -> Value {
    let text = world.ok(&format!("eval --data sample --json {args}"));
    let report = json_lines(&text).remove(0);
    let expected = [
        "accuracy",
        "checkpoint",
        "confusion",
        "dataset",
        "errors",
        "images",
        "loss",
        "per_class",
        "split",
    ];
    assert_eq!(keys(&report), expected);
    assert_eq!(report["dataset"], "sample");
    let images = number(&report, "/images");
    let confusion = report["confusion"].as_array().unwrap();
    let count = |row: usize, column: usize| confusion[row][column].as_u64().unwrap();
    let rows = (0..10).map(|row| (0..10).map(|column| count(row, column)).sum::<u64>());
    let rows: Vec<u64> = rows.collect();
    let right: u64 = (0..10).map(|digit| count(digit, digit)).sum();
    assert_eq!(rows.iter().sum::<u64>() as f64, images);
    assert_eq!(number(&report, "/errors"), images - right as f64);
    assert!((number(&report, "/accuracy") - right as f64 / images).abs() < 1e-12);
    let classes = report["per_class"].as_array().unwrap();
    assert_eq!(classes.len(), 10);
    for (digit, class) in classes.iter().enumerate() {
        assert_eq!(
            keys(class),
            ["digit", "f1", "images", "precision", "recall"]
        );
        assert_eq!(class["digit"], digit as u64);
        assert_eq!(class["images"], rows[digit]);
        let recall = count(digit, digit) as f64 / rows[digit] as f64;
        assert!((number(class, "/recall") - recall).abs() < 1e-12);
    }
    report
}

#[test]
fn eval_repeats_the_figures_of_the_runs_summary() {
    let world = World::with_lenet();
    let report = evaluate(&world, "--checkpoint lenet.mpk");
    assert_eq!(report["checkpoint"], serde_json::json!(["lenet.mpk"]));
    assert_eq!(
        (&report["split"], &report["images"]),
        (&"test".into(), &1000.into())
    );
    let test = &lenet().summary["test"];
    for key in ["accuracy", "errors", "loss", "images"] {
        assert_eq!(report[key], test[key], "{key}");
    }
    // The same validation images as in training, so the same figures up to the batches' order.
    let val = evaluate(&world, "--checkpoint lenet.mpk --split val");
    assert_eq!(
        (&val["split"], &val["images"]),
        (&"val".into(), &333.into())
    );
    assert_eq!(val["accuracy"], lenet().summary["val"]["accuracy"]);
    let train = evaluate(&world, "--checkpoint lenet.mpk --split train");
    assert_eq!(
        (&train["split"], &train["images"]),
        (&"train".into(), &3667.into())
    );
}

#[test]
fn eval_prints_tables_for_people() {
    let world = World::with_lenet();
    let text = world.ok("eval --checkpoint lenet.mpk --data sample");
    let accuracy = number(&lenet().summary, "/test/accuracy");
    let first = format!("1000 images of sample (test): accuracy {accuracy:.4}, ");
    assert!(text.starts_with(&first), "{text}");
    for word in ["precision", "recall", "F1", "predicted digit"] {
        assert!(text.contains(word), "{text}");
    }
    // A heading and ten rows, twice.
    let digits = text.lines().filter(|line| {
        let word = line.split_whitespace().next().unwrap_or_default();
        word.len() == 1 && word.parse::<u8>().is_ok() && line.starts_with("    ")
    });
    assert!(digits.count() >= 20, "{text}");
}

#[test]
fn two_checkpoints_make_an_ensemble() {
    let world = World::with_lenet();
    world.ok("train --config mlp --data sample --epochs 2");
    let (one, other) = ("lenet.mpk", "runs/mlp/best.mpk");
    let both = evaluate(&world, &format!("--checkpoint {one} {other}"));
    assert_eq!(both["checkpoint"], serde_json::json!([one, other]));
    let repeated = evaluate(&world, &format!("--checkpoint {one} --checkpoint {other}"));
    assert_eq!(both, repeated);
    // An ensemble of a network with itself is that network.
    let twice = evaluate(&world, &format!("--checkpoint {one} {one}"));
    let once = evaluate(&world, &format!("--checkpoint {one}"));
    assert_eq!(twice["confusion"], once["confusion"]);
    assert!((number(&twice, "/loss") - number(&once, "/loss")).abs() < 1e-9);
    let single = evaluate(&world, &format!("--checkpoint {other}"));
    assert!(number(&both, "/accuracy") >= number(&single, "/accuracy") - 0.01);
}

#[test]
fn a_folder_of_files_trains_as_the_sample_inside_the_program_does() {
    let world = World::with_tiny();
    world.write_data("digits");
    let train = "train --config tiny.toml --limit 500 --data";
    world.ok(&format!("{train} digits --out from-folder"));
    world.ok(&format!("{train} sample --out from-sample"));
    let [folder, sample] = ["folder", "sample"].map(|run| format!("from-{run}"));
    assert!(world.read(&format!("{folder}/best.mpk")) == world.read(&format!("{sample}/best.mpk")));
    let [a, b] = [&folder, &sample].map(|run| world.json(&format!("{run}/summary.json")));
    assert_eq!(a["sha256"], b["sha256"]);
    assert_eq!(
        (&a["dataset"], &b["dataset"]),
        (&"digits".into(), &"sample".into())
    );
    // The variable is what `auto`, the default, looks at first.
    let mut command = world.command("train --config tiny.toml --limit 500 --out from-variable");
    let output = command.env("MNISTCTL_DATA", "digits").output().unwrap();
    assert_eq!(output.status.code(), Some(0));
    let summary = world.json("from-variable/summary.json");
    assert_eq!(summary["dataset"], "digits");
}

#[test]
fn recipes_are_listed_and_printed() {
    let world = World::new();
    let list = world.ok("recipes");
    for name in ["cnn-9956", "cnn-9956-published", "mlp", "lenet", "resnet"] {
        assert!(
            list.lines()
                .any(|line| line.starts_with(&format!("{name} "))),
            "{list}"
        );
        let text = world.ok(&format!("recipes {name}"));
        assert!(text.contains(&format!("name = \"{name}\"")), "{text}");
        assert_eq!(text, world.ok(&format!("recipes {name}.toml")));
    }
    assert!(list.contains("9956 parameters"), "{list}");
    // What is printed is a recipe file like any other.
    world.write("printed.toml", world.ok("recipes cnn-9956"));
    world.ok("train --config printed.toml --data sample --limit 64 --epochs 1 --out run");
    let words = ["cnn-9965", "did you mean `cnn-9956`"];
    world.refused("recipes cnn-9965", &words);
}

#[test]
fn completions_name_the_commands() {
    let script = World::new().ok("completions bash");
    for word in ["mnistctl", "train", "--checkpoint", "complete -F"] {
        assert!(script.contains(word), "{word}");
    }
}
