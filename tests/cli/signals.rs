//! SIGINT, SIGTERM, a second one, and standard output that is closed or full.
#![cfg(unix)]

use std::fs::{self, File};
use std::io::{ErrorKind, pipe};
use std::net::TcpListener;
use std::process::{Child, Stdio};
use std::thread::sleep;
use std::time::{Duration, Instant};

use support::{Finished, World, kill};

/// Steps that take long enough for two signals to arrive in one.
const SLOW_STEPS: &str = "train --config handwriting --data sample --epochs 3 --threads 1 \
                          --set training.batch_size=3000 --out run";
/// An epoch that takes seconds, of short steps.
const MANY_STEPS: &str = "train --config cnn-9956 --data sample --epochs 3 \
                          --set training.batch_size=1 --out run";

fn send(signal: &str, child: &Child) {
    kill(signal, child.id());
}

fn finish(args: &str, child: Child) -> Finished {
    Finished::of(args, child.wait_with_output().unwrap())
}

#[test]
fn a_signal_saves_the_run_and_is_told_by_the_exit_code() {
    for (signal, code) in [("-INT", 130), ("-TERM", 143)] {
        let world = World::new();
        let child = world.command(MANY_STEPS).spawn().unwrap();
        world.wait_for("run/last.mpk");
        let before = world.read("run/last.mpk");
        sleep(Duration::from_millis(200));
        send(signal, &child);
        let finished = finish(MANY_STEPS, child);
        assert_eq!(finished.code, code, "{}", finished.stderr);
        assert!(finished.stderr.contains("interrupted and saved"));
        assert!(world.read("run/last.mpk") != before, "{signal}");
    }
}

#[test]
fn a_second_signal_ends_the_run_at_once() {
    let world = World::new();
    let child = world.command(SLOW_STEPS).spawn().unwrap();
    world.wait_for("run/metrics.jsonl");
    let before = world.read("run/last.mpk");
    sleep(Duration::from_millis(100));
    send("-INT", &child);
    sleep(Duration::from_millis(100));
    let sent = Instant::now();
    send("-TERM", &child);
    let finished = finish(SLOW_STEPS, child);
    assert!(sent.elapsed() < Duration::from_millis(500));
    assert_eq!(finished.code, 143, "{}", finished.stderr);
    assert!(!finished.stderr.contains("saved"), "{}", finished.stderr);
    // The point it started with is still there to go on from.
    assert!(world.read("run/last.mpk") == before);
}

#[test]
fn a_comparison_that_is_terminated_has_its_runs_saved() {
    let world = World::new();
    let args = "compare cnn-9956 --sweep training.batch_size=1 --data sample --epochs 3 --seeds 2 \
                --jobs 2 --out cmp";
    let child = world.command(args).spawn().unwrap();
    let runs = [0, 1].map(|seed| format!("cmp/cnn-9956-training.batch_size=1-seed-{seed}"));
    for run in &runs {
        world.wait_for(&format!("{run}/last.mpk"));
    }
    sleep(Duration::from_millis(100));
    send("-TERM", &child);
    let finished = finish(args, child);
    assert_eq!(finished.code, 143, "{}", finished.stderr);
    for run in &runs {
        let log = world.text(&format!("{run}.log"));
        assert!(log.contains("interrupted and saved"), "{log}");
    }
}

#[test]
fn what_has_nothing_to_save_ends_at_once() {
    let world = World::new();
    for (signal, code) in [("-INT", 130), ("-TERM", 143)] {
        let mut command = world.command("predict -");
        let mut child = command.stdin(Stdio::piped()).spawn().unwrap();
        // Open until it has ended: it must not end because nothing comes any more.
        let _stdin = child.stdin.take();
        sleep(Duration::from_millis(300));
        send(signal, &child);
        let output = finish("predict -", child);
        assert_eq!(output.code, code, "{}", output.stderr);
        assert_eq!((output.stdout.as_str(), output.stderr.as_str()), ("", ""));
    }
}

#[test]
fn a_download_that_is_interrupted_leaves_nothing() {
    // A proxy that takes the connection, and then says nothing.
    let silent = TcpListener::bind("127.0.0.1:0").unwrap();
    let proxy = format!("http://{}", silent.local_addr().unwrap());
    let commands = ["data download", "train --config mlp --out run", "eval"];
    for (args, (signal, code)) in commands
        .into_iter()
        .zip([("-INT", 130), ("-TERM", 143)].repeat(2))
    {
        let world = World::new();
        let mut command = world.command(args);
        command.env("ALL_PROXY", &proxy).env("HTTPS_PROXY", &proxy);
        let child = command.spawn().unwrap();
        let connection = silent.accept().unwrap();
        let cache = world.path("../cache/mnistctl/mnist");
        assert_eq!(fs::read_dir(&cache).unwrap().count(), 1, "{args}");
        let sent = Instant::now();
        send(signal, &child);
        let finished = finish(args, child);
        assert!(sent.elapsed() < Duration::from_secs(2), "{args}");
        assert_eq!(finished.code, code, "{args}: {}", finished.stderr);
        assert!(!finished.stderr.contains("error"), "{}", finished.stderr);
        assert_eq!(fs::read_dir(&cache).unwrap().count(), 0, "{args}");
        assert!(!world.path("run").exists());
        drop(connection);
    }
}

/// Commands that print, in a world with a trained network and pictures of digits.
const PRINTING: [&str; 8] = [
    "recipes",
    "recipes mlp",
    "completions bash",
    "--help",
    "eval --json --data sample",
    "data show --data sample",
    "predict --json pictures",
    "predict --many --json pictures",
];

fn with_pictures() -> World {
    let world = World::new();
    fs::create_dir(world.path("pictures")).unwrap();
    let digits = support::sample(support::TEST_IMAGES);
    for (number, digit) in digits[16..].chunks_exact(784).take(200).enumerate() {
        let digit = image::GrayImage::from_raw(28, 28, digit.to_vec()).unwrap();
        let path = world.path(&format!("pictures/{number}.png"));
        digit.save(path).unwrap();
    }
    world
}

#[test]
fn a_reader_that_goes_away_is_no_error() {
    let world = with_pictures();
    for args in PRINTING {
        let (reader, writer) = pipe().unwrap();
        drop(reader);
        let output = world.command(args).stdout(writer).output().unwrap();
        let finished = Finished::of(args, output);
        assert_eq!((finished.code, finished.stderr.as_str()), (0, ""), "{args}");
        // One that has read enough.
        let head = world.shell(&format!("{args} | head -n 1")).output();
        let finished = Finished::of(args, head.unwrap());
        assert_eq!((finished.code, finished.stderr.as_str()), (0, ""), "{args}");
        assert_eq!(finished.stdout.lines().count(), 1, "{args}");
    }
}

#[cfg(target_os = "linux")]
#[test]
fn a_full_disk_behind_standard_output_is_said() {
    let world = with_pictures();
    let full = match File::options().write(true).open("/dev/full") {
        Err(error) if error.kind() == ErrorKind::NotFound => return,
        full => full.unwrap(),
    };
    let train = "train --config mlp --data sample --limit 100 --epochs 1 --out run";
    for args in PRINTING
        .into_iter()
        .filter(|args| *args != "--help")
        .chain([train])
    {
        let output = world
            .command(args)
            .stdout(full.try_clone().unwrap())
            .output();
        let finished = Finished::of(args, output.unwrap());
        finished.assert_error(args, &["can't write to standard output", "No space left"]);
    }
    // Nothing was lost by it.
    assert!(world.path("run/summary.json").exists());
    // Where the lines of progress go, nobody minds.
    let quiet = train.replace("run", "quiet");
    let output = world.command(&quiet).stderr(full).output().unwrap();
    assert_eq!(Finished::of(&quiet, output).code, 0);
}
