//! Ctrl-C, `--resume`, and what a run that went on is compared with.

use std::io::{BufRead, BufReader, Read};
use std::time::{Duration, Instant};

use serde_json::Value;

use support::{TINY, World, keys, kill, number};

/// Everything that a resume must carry over: running statistics, dropout, Adam's moments, the
/// weights' average, varied images, a warm-up and then a schedule that lowers the rate every epoch.
/// Batches of two images keep an epoch long enough for a signal to arrive in it.
const ALL: &str = "train --config cnn-9956 --data sample --epochs 12 \
    --set training.batch_size=2 --set optimizer.kind=adam --set optimizer.lr=0.003 --set scheduler.patience=0 \
    --set scheduler.threshold=0.9 --set scheduler.warmup.epochs=2 --set training.ema_decay=0.99 \
    --set training.clip_grad_norm=2 --set training.label_smoothing=0.1 \
    --set 'augment=[{kind=\"affine\",degrees=10}, {kind=\"elastic\",alpha=8}, {kind=\"random_erasing\"}]' \
    --out run";

/// Runs the program, sends SIGINT when it has printed an epoch's line, and returns what it said.
fn interrupted(world: &World, args: &str) -> String {
    let mut child = world.shell(args).spawn().unwrap();
    let mut stderr = BufReader::new(child.stderr.take().unwrap());
    let mut said = String::new();
    loop {
        let mut line = String::new();
        assert_ne!(stderr.read_line(&mut line).unwrap(), 0, "{args}: {said}");
        said += &line;
        if line.starts_with("epoch ") {
            break;
        }
    }
    kill("-INT", child.id());
    stderr.read_to_string(&mut said).unwrap();
    let output = child.wait_with_output().unwrap();
    assert_eq!(output.status.code(), Some(130), "{said}");
    assert_eq!(output.stdout, b"", "{args}");
    assert!(!said.contains("error:"), "{said}");
    said
}

/// The arguments of the command that a message tells the user to go on with.
fn command_named_in(message: &str) -> &str {
    let (_, command) = message.rsplit_once("go on with: mnistctl ").expect(message);
    command.trim_end()
}

/// The lines of `metrics.jsonl` without what depends on the clock.
fn timeless(mut lines: Vec<Value>) -> Vec<Value> {
    for line in &mut lines {
        let line = line.as_object_mut().unwrap();
        line.remove("seconds");
        line.remove("images_per_second");
    }
    lines
}

fn assert_same_run(a: &World, b: &World, run: &str) {
    for name in ["best.mpk", "last.mpk"] {
        let path = format!("{run}/{name}");
        assert!(a.read(&path) == b.read(&path), "{name} differs");
    }
    assert_eq!(timeless(a.metrics(run)), timeless(b.metrics(run)));
    assert_eq!(a.listing(run), b.listing(run));
}

#[cfg(unix)]
#[test]
fn an_interrupted_run_goes_on_to_the_very_same_network() {
    let straight = World::new();
    straight.shell_ok(ALL);
    // The schedule had something to remember.
    let lines = straight.metrics("run");
    assert_ne!(lines[0]["lr"], lines[11]["lr"]);

    let stopped = World::new();
    let said = interrupted(&stopped, ALL);
    let resume = command_named_in(&said);
    assert_eq!(resume, "train --resume run");
    let files = [
        "best.mpk",
        "last.mpk",
        "metrics.csv",
        "metrics.jsonl",
        "recipe.toml",
    ];
    assert_eq!(stopped.listing("run"), files);
    // Once more in the middle, then to the end.
    let said = interrupted(&stopped, resume);
    assert!(!said.contains("\nepoch  1/12 "), "{said}");
    let end = stopped.shell_ok(resume);
    end.assert_says(&["\nepoch 12/12 "]);
    assert!(end.stdout.starts_with("test accuracy "));

    assert_same_run(&straight, &stopped, "run");
    let [a, b] = [&straight, &stopped].map(|world| world.json("run/summary.json"));
    for key in keys(&a).into_iter().filter(|key| *key != "seconds") {
        assert_eq!(a[key], b[key], "{key}");
    }
}

#[cfg(unix)]
#[test]
fn a_run_on_another_backend_goes_on_with_the_command_its_message_names() {
    let args =
        "train --config mlp --data sample --limit 1000 --epochs 3 --backend ndarray --out run";
    let straight = World::new();
    straight.ok(args);
    let stopped = World::new();
    let said = interrupted(&stopped, args);
    stopped.shell_ok(command_named_in(&said));
    assert_same_run(&straight, &stopped, "run");
}

#[cfg(unix)]
#[test]
fn the_command_to_go_on_with_survives_a_space_in_the_folders_name() {
    let world = World::new();
    let args = "train --config mlp --data sample --epochs 12 --set training.batch_size=4 \
                --out 'my run'";
    let said = interrupted(&world, args);
    world.shell_ok(command_named_in(&said));
    assert_eq!(world.listing(""), ["my run"]);
    assert_eq!(world.metrics("my run").len(), 12);
}

#[test]
fn a_finished_run_goes_on_when_it_is_given_more_epochs() {
    let args = "train --config tiny.toml --data sample --limit 500 --out run --epochs";
    let straight = World::with_tiny();
    straight.ok(&format!("{args} 4"));
    let longer = World::with_tiny();
    longer.ok(&format!("{args} 2"));
    longer.ok("train --resume run --epochs 4");
    assert_same_run(&straight, &longer, "run");

    // Nothing is left to do now: that changes nothing and is no error.
    longer.ok("train --resume run");
    assert_same_run(&straight, &longer, "run");
    // The recipe may be named again, if it is the same.
    longer.ok("train --resume run --config tiny.toml");
    longer.write("tiny.toml", TINY.replace("lr = 0.1", "lr = 0.2"));
    longer.refused(
        "train --resume run --config tiny.toml",
        &["run", "--config"],
    );
    assert_same_run(&straight, &longer, "run");
}

#[test]
fn what_a_crash_came_between_is_made_up_for() {
    let straight = World::with_tiny();
    let args = "train --config tiny.toml --data sample --limit 500 --epochs 3 \
                --set optimizer.lr=0.01 --out run";
    straight.ok(args);
    // The last epoch is the best, so that a crash can come between its last.mpk and its best.mpk.
    assert_eq!(straight.json("run/summary.json")["best_epoch"], 3);
    let log = straight.text("run/metrics.jsonl");
    let after_best = ["metrics.jsonl", "recipe.toml"];
    let after_last = ["best.mpk", "metrics.jsonl", "recipe.toml"];
    for (lost, log) in [
        // Before best.mpk, and its predecessor is there.
        (after_best.as_slice(), log.clone()),
        // With a power cut that tore the log, left zeros in it, or lost it.
        (&after_last, log[..log.len() - 40].to_string()),
        (&after_last, log.clone() + "\0\0\0\0\0"),
        (&after_last, log.clone() + &log[..log.len() / 5]),
        (&after_last[..1], String::new()),
        // At the start, before recipe.toml.
        (&[], log),
    ] {
        let world = World::new();
        std::fs::create_dir(world.path("run")).unwrap();
        world.write("run/last.mpk", straight.read("run/last.mpk"));
        for name in lost {
            world.write(
                &format!("run/{name}"),
                straight.read(&format!("run/{name}")),
            );
        }
        if lost.contains(&"metrics.jsonl") {
            world.write("run/metrics.jsonl", log);
        }
        world.ok("train --resume run");
        assert_same_run(&straight, &world, "run");
    }
}

#[test]
fn the_time_of_an_interrupted_epoch_is_that_of_its_parts() {
    let world = World::new();
    let args = "train --config handwriting --data sample --limit 1000 --epochs 1 --threads 1 \
                --save-every 0 --set training.batch_size=4 --out run";
    let mut child = world.command(args).spawn().unwrap();
    let log = world.path("run/metrics.jsonl");
    while !log.exists() {
        std::thread::sleep(Duration::from_millis(5));
    }
    let part = Duration::from_millis(300);
    std::thread::sleep(part);
    child.kill().unwrap();
    child.wait().unwrap();
    assert_eq!(world.text("run/metrics.jsonl"), "");
    let started = Instant::now();
    world.ok("train --resume run --threads 1");
    let rest = started.elapsed();
    let line = world.metrics("run").remove(0);
    let images = number(&world.json("run/summary.json"), "/train_images");
    // Validation counts in the one, and not in the other.
    let (seconds, training) = (
        number(&line, "/seconds"),
        images / number(&line, "/images_per_second"),
    );
    assert!(training > 0.9 * part.as_secs_f64(), "{line}");
    assert!(
        seconds > training && seconds < (part + rest).as_secs_f64() + 0.1,
        "{line}"
    );
}

#[test]
fn the_recipe_in_a_runs_folder_is_the_one_that_was_trained() {
    let world = World::with_tiny();
    world.ok("train --config tiny.toml --data sample --limit 100 --out run");
    world.ok("train --resume run --epochs 2");
    let recipe = world.text("run/recipe.toml");
    assert!(recipe.contains("epochs = 2"), "{recipe}");
}

#[test]
fn a_run_goes_on_with_its_own_images_only() {
    let world = World::with_tiny();
    world.write_data("digits");
    world.ok("train --config tiny.toml --data sample --limit 500 --out run");
    // The same images from elsewhere will do.
    world.ok("train --resume run --data digits");
    let before = world.read("run/last.mpk");
    let mut images = world.read("digits/train-images-idx3-ubyte");
    *images.last_mut().unwrap() ^= 1;
    world.write("digits/train-images-idx3-ubyte", images);
    let words = ["run", "other images", "digits", "--data"];
    world.refused("train --resume run --data digits --epochs 3", &words);
    assert!(world.read("run/last.mpk") == before);
    assert_eq!(world.metrics("run").len(), 1);
}

#[test]
fn what_cannot_be_resumed_is_refused_with_its_name() {
    let world = World::with_tiny();
    world.refused("train --resume nowhere", &["nowhere"]);
    world.refused("train --resume tiny.toml", &["tiny.toml"]);
    world.ok("train --config tiny.toml --data sample --limit 100 --out run");
    std::fs::rename(world.path("run/best.mpk"), world.path("run/last.mpk")).unwrap();
    world.refused("train --resume run", &["run", "no training state"]);
    for flag in ["--seed 1", "--limit 5", "--out x", "--set optimizer.lr=1"] {
        let finished = world.run(&format!("train --resume run {flag}"));
        assert_eq!((finished.code, finished.stdout.as_str()), (2, ""), "{flag}");
    }
}
