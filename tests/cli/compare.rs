//! `compare`: which runs it makes, skips, goes on with and reports.

use std::fs;
use std::process::{Child, Command, Output};
use std::time::{Duration, Instant};

use serde_json::Value;

use support::{Finished, TINY, World, keys, kill, number};

/// Two recipes, two seeds, two epochs.
const SMALL: &str =
    "compare lenet mlp.toml --data sample --limit 500 --epochs 2 --seeds 2 --out cmp";
const SMALL_RUNS: [&str; 4] = ["lenet-seed-0", "lenet-seed-1", "mlp-seed-0", "mlp-seed-1"];

/// Runs that take long enough for a signal to arrive in the first.
const SLOW: &str = "compare cnn-9956 --sweep training.batch_size=2 --data sample --epochs 5 \
                    --seeds 3 --out cmp";
const SLOW_RUN: &str = "cmp/cnn-9956-training.batch_size=2-seed-0";

fn compare(world: &World, args: &str, code: i32) -> Finished {
    let finished = world.run(args);
    assert_eq!(finished.code, code, "{args}: {}", finished.stderr);
    finished
}

/// Waits until `done`, but not for ever.
fn wait_until(what: &str, done: impl Fn() -> bool) {
    let started = Instant::now();
    while !done() {
        assert!(started.elapsed() < Duration::from_secs(120), "{what}");
        std::thread::sleep(Duration::from_millis(5));
    }
}

/// Starts the program and waits until the run in `folder` has saved its first epoch.
#[cfg(unix)]
fn started(world: &World, args: &str, folder: &str) -> Child {
    // A group of its own, as a shell with job control gives it.
    let mut command = world.command(args);
    std::os::unix::process::CommandExt::process_group(&mut command, 0);
    let child = command.spawn().unwrap();
    let last = world.path(&format!("{folder}/last.mpk"));
    wait_until(args, || last.exists());
    child
}

fn finish(args: &str, child: Child) -> Finished {
    let output: Output = child.wait_with_output().unwrap();
    Finished::of(args, output)
}

#[test]
fn every_recipe_is_trained_with_every_seed_as_train_would() {
    let world = World::new();
    let finished = compare(&world, SMALL, 0);
    for run in SMALL_RUNS {
        let folder = world.listing(&format!("cmp/{run}"));
        for file in [
            "best.mpk",
            "last.mpk",
            "metrics.jsonl",
            "recipe.toml",
            "summary.json",
        ] {
            assert!(folder.iter().any(|name| name == file), "{run}: {folder:?}");
        }
    }
    world.ok("train --config mlp --data sample --limit 500 --epochs 2 --seed 1 --out direct");
    assert!(world.read("direct/best.mpk") == world.read("cmp/mlp-seed-1/best.mpk"));

    // The figures are the runs' own, and the means theirs.
    let json = world.json("cmp/comparison.json");
    assert_eq!(keys(&json), ["findings", "runs", "variants"]);
    let summaries = SMALL_RUNS.map(|run| world.json(&format!("cmp/{run}/summary.json")));
    for ((run, summary), name) in json["runs"]
        .as_array()
        .unwrap()
        .iter()
        .zip(&summaries)
        .zip(SMALL_RUNS)
    {
        assert_eq!(run["run"], name);
        assert_eq!(run["error"], Value::Null);
        assert_eq!(run["seed"], summary["seed"]);
        assert_eq!(run["test_accuracy"], summary["test"]["accuracy"]);
        assert_eq!(run["seconds"], summary["seconds"]);
        let log = world.metrics(&format!("cmp/{name}"));
        let best = log.iter().map(|line| number(line, "/val/accuracy"));
        assert_eq!(number(run, "/val_accuracy"), best.fold(0.0, f64::max));
    }
    let variants = json["variants"].as_array().unwrap();
    assert_eq!(variants.len(), 2);
    for (variant, pair) in variants.iter().zip(summaries.chunks(2)) {
        assert_eq!(variant["parameters"], pair[0]["parameters"]);
        let [a, b] = [0, 1].map(|seed| number(&pair[seed], "/test/accuracy"));
        assert!((number(variant, "/test_accuracy/mean") - (a + b) / 2.0).abs() < 1e-12);
        assert_eq!(number(variant, "/test_accuracy/min"), a.min(b));
        assert_eq!(number(variant, "/test_accuracy/max"), a.max(b));
    }

    // The same in the CSV and in the terminal.
    let text = world.text("cmp/comparison.csv");
    let mut csv = csv::Reader::from_reader(text.as_bytes());
    let header = csv.headers().unwrap().clone();
    let mean = header
        .iter()
        .position(|name| name == "test_accuracy_mean")
        .unwrap();
    for (record, variant) in csv.records().map(Result::unwrap).zip(variants) {
        assert_eq!(&record[0], variant["variant"].as_str().unwrap());
        let accuracy: f64 = record[mean].parse().unwrap();
        assert_eq!(accuracy, number(variant, "/test_accuracy/mean"));
        let line = finished
            .stdout
            .lines()
            .find(|line| line.starts_with(&record[0]))
            .unwrap();
        assert!(line.contains(&format!("{accuracy:.4} (")), "{line}");
    }
    assert!(finished.stdout.ends_with("\ncmp/comparison.html\n"));
    assert!(
        !finished.stderr.contains(['\r', '\x1b']),
        "{:?}",
        finished.stderr
    );
}

#[test]
fn a_second_call_trains_nothing_and_says_the_same() {
    let world = World::new();
    let first = compare(&world, SMALL, 0);
    let files = || {
        let runs = SMALL_RUNS.iter().flat_map(|run| {
            [format!("cmp/{run}/best.mpk"), format!("cmp/{run}.log")].map(|name| {
                let metadata = fs::metadata(world.path(&name)).unwrap();
                metadata.modified().unwrap()
            })
        });
        runs.collect::<Vec<_>>()
    };
    let outputs = ["comparison.json", "comparison.csv", "comparison.html"];
    let read = || outputs.map(|name| world.text(&format!("cmp/{name}")));
    let before = (files(), read());
    let second = compare(&world, SMALL, 0);
    assert_eq!(second.stdout, first.stdout);
    assert!((files(), read()) == before);
    assert!(!second.stderr.contains("starts"), "{}", second.stderr);

    // One seed more trains that one only.
    let more = compare(&world, &SMALL.replace("--seeds 2", "--seeds 3"), 0);
    let starts = more.stderr.lines().filter(|line| line.contains("starts"));
    assert_eq!(starts.count(), 2, "{}", more.stderr);
}

#[test]
fn one_failure_leaves_the_others_and_is_reported_with_its_reason() {
    let world = World::new();
    let args = "compare mlp --sweep optimizer.lr=1e-3,1e30 --data sample --limit 500 --epochs 2 \
                --out cmp";
    for _ in 0..2 {
        let finished = compare(&world, args, 1);
        finished.assert_prints(&["the loss became NaN"]);
        let json = world.json("cmp/comparison.json");
        assert!(number(&json, "/runs/0/test_accuracy") > 0.3);
        let reason = json["runs"][1]["error"].as_str().unwrap();
        assert!(reason.starts_with("the loss became NaN"), "{reason}");
        assert_eq!(json["variants"][1]["failed"], 1);
        assert_eq!(json["variants"][1]["test_accuracy"], Value::Null);
        assert!(
            world
                .text("cmp/comparison.html")
                .contains("the loss became NaN")
        );
    }
}

#[cfg(target_os = "linux")]
#[test]
fn a_run_that_is_killed_leaves_the_others_and_goes_on_later() {
    let world = World::new();
    let args = SLOW.replace("--seeds 3", "--seeds 2");
    let child = started(&world, &args, SLOW_RUN);
    let id = child.id();
    let children = fs::read_to_string(format!("/proc/{id}/task/{id}/children")).unwrap();
    kill("-KILL", children.trim());
    let finished = finish(&args, child);
    assert_eq!(finished.code, 1, "{}", finished.stderr);
    finished.assert_prints(&["killed (signal 9)"]);
    let json = world.json("cmp/comparison.json");
    assert!(number(&json, "/runs/1/test_accuracy") > 0.5);

    let finished = compare(&world, &args, 0);
    finished.assert_says(&["seed 0 goes on"]);
    assert!(
        !finished.stderr.contains("seed 1 starts"),
        "{}",
        finished.stderr
    );
}

#[cfg(unix)]
#[test]
fn the_lines_of_a_dry_run_make_the_runs_that_compare_then_collects() {
    let world = World::new();
    world.write("my recipe.toml", TINY);
    let args = "compare 'my recipe.toml' mlp --sweep optimizer.lr=1e-3,2e-3 --data sample \
                --limit 500 --epochs 2 --out 'my comparison'";
    let dry = world.shell_ok(&format!("{args} --dry-run"));
    assert_eq!(dry.stdout.lines().count(), 4, "{}", dry.stdout);
    let starts = |line: &str| line.starts_with("mnistctl train --config ");
    assert!(dry.stdout.lines().all(starts), "{}", dry.stdout);
    assert_eq!(world.listing(""), ["my recipe.toml"]);

    let program = std::path::Path::new(env!("CARGO_BIN_EXE_mnistctl"));
    let path = format!("{}:/usr/bin:/bin", program.parent().unwrap().display());
    let output = Command::new("sh")
        .args(["-ec", &dry.stdout])
        .current_dir(world.path(""))
        .env("PATH", path)
        .output()
        .unwrap();
    assert!(output.status.success(), "{output:?}");

    let again = world.shell_ok(&format!("{args} --dry-run"));
    assert_eq!(again.stdout, "");
    again.assert_says(&["4 of 4 runs are complete"]);
    let collected = world.shell_ok(args);
    assert!(!collected.stderr.contains("starts"), "{}", collected.stderr);
    let json = world.json("my comparison/comparison.json");
    for run in json["runs"].as_array().unwrap() {
        assert!(number(run, "/test_accuracy") > 0.1, "{run}");
    }
}

/// The networks of the three slow runs.
fn slow_networks(world: &World) -> [Vec<u8>; 3] {
    let prefix = SLOW_RUN.trim_end_matches('0');
    [0, 1, 2].map(|seed| world.read(&format!("{prefix}{seed}/best.mpk")))
}

#[cfg(unix)]
#[test]
fn an_interrupted_comparison_saves_its_runs_and_the_same_command_finishes_it() {
    let straight = World::new();
    compare(&straight, SLOW, 0);
    // To the program alone, as from a job system; and to its group, as from a terminal.
    for group in ["", "-"] {
        let world = World::new();
        let args = format!("{SLOW} --jobs 2");
        let child = started(&world, &args, SLOW_RUN);
        kill("-INT", format!("{group}{}", child.id()));
        let stopped = finish(&args, child);
        assert_eq!(
            (stopped.code, stopped.stdout.as_str()),
            (130, ""),
            "{}",
            stopped.stderr
        );
        stopped.assert_says(&["the same command goes on"]);
        assert!(!stopped.stderr.contains("failed"), "{}", stopped.stderr);
        let folder = world.listing(SLOW_RUN);
        assert!(folder.contains(&"last.mpk".to_string()), "{folder:?}");
        assert!(!folder.contains(&"summary.json".to_string()), "{folder:?}");
        assert!(
            world
                .text(&format!("{SLOW_RUN}.log"))
                .contains("interrupted and saved")
        );

        let dry = compare(&world, &format!("{args} --dry-run"), 0);
        let resume = format!("mnistctl train --resume {SLOW_RUN} ");
        assert!(dry.stdout.starts_with(&resume), "{}", dry.stdout);
        let finished = compare(&world, &args, 0);
        finished.assert_says(&["seed 0 goes on"]);
        assert!(slow_networks(&world) == slow_networks(&straight));
    }
}

#[cfg(unix)]
#[test]
fn a_run_that_another_process_trains_is_left_to_it() {
    let world = World::new();
    let args = SLOW.replace("--seeds 3", "--seeds 1");
    let train = "train --config cnn-9956 --set training.batch_size=2 --data sample --epochs 5";
    let mut training = started(&world, &format!("{train} --out {SLOW_RUN}"), SLOW_RUN);
    // However slow it is; compare waits only for what ends by itself, after its own death.
    let id = training.id().to_string();
    kill("-STOP", &id);
    let finished = compare(&world, &args, 1);
    finished.assert_prints(&["another mnistctl is working"]);
    world.refused(
        &format!("train --resume {SLOW_RUN}"),
        &["another mnistctl", SLOW_RUN],
    );
    kill("-CONT", &id);
    assert!(training.wait().unwrap().success());
    compare(&world, &args, 0);
}

#[test]
fn a_folder_of_another_run_is_left_as_it_is() {
    let world = World::with_tiny();
    let args = "compare tiny.toml --data sample --limit 500 --out cmp";
    compare(&world, args, 0);
    let before = world.text("cmp/comparison.json");
    for (change, words) in [
        (
            " --epochs 2",
            "`epochs = 1` where this comparison has `epochs = 2`",
        ),
        (" --backend ndarray", "--backend native"),
    ] {
        let finished = compare(&world, &format!("{args}{change}"), 1);
        finished.assert_prints(&[words, "--out"]);
    }
    let finished = compare(&world, &args.replace("500", "600"), 1);
    assert!(
        finished
            .stdout
            .contains("it has --limit 500, this comparison --limit 600"),
        "{}",
        finished.stdout
    );
    world.write_data("digits");
    let mut images = world.read("digits/train-images-idx3-ubyte");
    *images.last_mut().unwrap() ^= 1;
    world.write("digits/train-images-idx3-ubyte", images);
    let finished = compare(&world, &args.replace("sample", "digits"), 1);
    finished.assert_prints(&["other images"]);
    assert_eq!(world.text("cmp/comparison.json"), before);
}

#[test]
fn a_run_that_was_killed_as_it_began_starts_again() {
    let world = World::with_tiny();
    let args = "compare tiny.toml --data sample --limit 500 --out cmp";
    compare(&world, args, 0);
    let network = world.read("cmp/tiny-seed-0/best.mpk");
    let recipe = world.text("cmp/tiny-seed-0/recipe.toml");
    let start = || {
        fs::remove_dir_all(world.path("cmp/tiny-seed-0")).unwrap();
        fs::create_dir(world.path("cmp/tiny-seed-0")).unwrap();
    };
    start();
    world.write("cmp/tiny-seed-0/.mnistctl-abc.tmp", "half");
    compare(&world, args, 0);
    assert!(world.read("cmp/tiny-seed-0/best.mpk") == network);

    // But nothing of a user's is ever removed.
    start();
    world.write("cmp/tiny-seed-0/recipe.toml", &recipe);
    world.write("cmp/tiny-seed-0/notes.txt", "mine");
    let finished = compare(&world, args, 1);
    finished.assert_prints(&["without its last.mpk"]);
    assert_eq!(
        world.listing("cmp/tiny-seed-0"),
        ["notes.txt", "recipe.toml"]
    );
}

#[test]
fn groups_and_folders_stand_for_their_recipes() {
    let world = World::new();
    let lines = |args: &str| compare(&world, &format!("{args} --dry-run"), 0).stdout;
    assert_eq!(lines("compare activations --seeds 3").lines().count(), 18);
    let five = lines("compare compare");
    assert_eq!(five.lines().count(), 5);
    assert!(five.contains("--config compare/conv2-k5-fc2 --seed 0 --out runs/compare-compare/conv2-k5-fc2-seed-0\n"), "{five}");
    fs::create_dir(world.path("mine")).unwrap();
    world.write("mine/b.toml", TINY.replace("tiny", "b"));
    world.write("mine/a.toml", TINY.replace("tiny", "a"));
    world.write("mine/notes.txt", "no recipe");
    let mine = lines("compare mine");
    let configs: Vec<&str> = mine
        .lines()
        .map(|line| line.split(' ').nth(3).unwrap())
        .collect();
    assert_eq!(configs, ["mine/a.toml", "mine/b.toml"]);
    fs::create_dir(world.path("empty")).unwrap();
    world.refused("compare empty", &["empty", ".toml"]);
}

#[test]
fn nothing_is_started_when_anything_is_wrong() {
    let world = World::with_tiny();
    world.write(
        "bad.toml",
        TINY.replace("out_features = 10", "out_features = 9"),
    );
    world.write(
        "large.toml",
        TINY.replace("tiny", "large") + "batch_size = 5000\n",
    );
    for (args, words) in [
        (
            "compare tiny.toml --sweep optimizer.rl=1,2",
            "did you mean `lr`?",
        ),
        ("compare tiny.toml --sweep optimizer.lr", "key=value"),
        ("compare tiny.toml --sweep training.seed=1,2", "--seeds"),
        (
            "compare tiny.toml --epochs 2 --sweep training.epochs=1,2",
            "--epochs",
        ),
        ("compare tiny.toml tiny", "tiny"),
        ("compare tiny.toml tiny.toml", "share the folder"),
        ("compare tiny.toml bad.toml", "9 values"),
        ("compare tiny.toml large.toml", "batch_size is 5000"),
        ("compare tiny.toml --data nowhere", "nowhere"),
        ("compare tiny.toml --backend wgpu", "wgpu"),
    ] {
        let args = if args.contains("--data") {
            args.to_string()
        } else {
            format!("{args} --data sample")
        };
        world.refused(&args, &[words]);
    }
    for args in [
        "compare",
        "compare tiny.toml --seeds 0",
        "compare tiny.toml --jobs 0",
    ] {
        assert_eq!(world.run(args).code, 2, "{args}");
    }
}
