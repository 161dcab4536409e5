//! That memory stays flat, over a run's epochs and a comparison's runs. The kernel says how much the
//! real program has (`/proc/PID/status`) while it trains.
//!
//! `cargo test --release --test memory -- --nocapture` prints the figures. The other engines take a
//! minute or two more: `-- --nocapture --include-ignored`.
#![cfg(target_os = "linux")]

use std::fs;
use std::io::{BufRead, BufReader};
use std::process::{Child, Command, Stdio};
use std::sync::Mutex;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;
use std::time::Duration;

use tempfile::TempDir;

/// One measurement at a time: another one's load changes how many threads' buffers are in use.
static ALONE: Mutex<()> = Mutex::new(());

/// How much more there may be at the end.
const GROWTH: f64 = 1.05;

fn start(folder: &TempDir, args: &str) -> Child {
    Command::new(env!("CARGO_BIN_EXE_mnistctl"))
        .args(args.split_whitespace())
        .current_dir(folder.path())
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap()
}

/// A process's memory in KiB: `VmRSS`, what is resident now, or `VmHWM`, the most that was. `None`
/// when it has ended.
fn memory(process: u32, what: &str) -> Option<u64> {
    let status = fs::read_to_string(format!("/proc/{process}/status")).ok()?;
    let line = status.lines().find(|line| line.starts_with(what))?;
    line.split_whitespace().nth(1)?.parse().ok()
}

/// Whether the most of the `last` is no higher than the most of the `first` by more than [`GROWTH`]
/// allows. The most, since a checkpoint's buffer comes and goes while we look.
fn is_flat(what: &str, first: &[u64], last: &[u64]) -> bool {
    let most = |values: &[u64]| values.iter().max().copied().unwrap();
    let (before, after) = (most(first), most(last));
    println!("{what}: {before} KiB, then {after} KiB");
    after as f64 <= before as f64 * GROWTH
}

/// Asserts that 200 epochs need no more than ten. What grows does so each time, but the system's
/// allocator may give a thread its own arena late, half a MiB at once; so one of two times is
/// enough.
fn train(what: &str, args: &str) {
    let flat = trains_flat(what, args) || trains_flat(what, args);
    assert!(flat, "{what} grew twice");
}

/// Trains 200 epochs and one more, which keeps the report's making out of the figures.
fn trains_flat(what: &str, args: &str) -> bool {
    let _alone = ALONE.lock().unwrap_or_else(|error| error.into_inner());
    let folder = tempfile::tempdir().unwrap();
    let args = format!("train {args} --data sample --epochs 201 --out run");
    let mut child = start(&folder, &args);
    let mut samples = Vec::new();
    for line in BufReader::new(child.stderr.take().unwrap()).lines() {
        if line.unwrap().starts_with("epoch ") {
            samples.extend(memory(child.id(), "VmRSS"));
        }
    }
    assert!(child.wait().unwrap().success());
    assert!(samples.len() >= 200, "{samples:?}");
    // Around the epochs 10 and 200.
    let what = format!("{what}, after 10 and 200 epochs");
    is_flat(&what, &samples[5..15], &samples[190..200])
}

#[test]
fn two_hundred_epochs_need_no_more_than_ten() {
    train("cnn-9956", "--config cnn-9956");
    // With all that a recipe can have.
    let more = "--set optimizer.kind=adam --set training.ema_decay=0.99 \
                --set augment=[{kind=\"affine\",degrees=10},{kind=\"elastic\",alpha=20}] --limit 1000";
    train(
        "lenet, augmented and averaged",
        &format!("--config lenet {more}"),
    );
}

#[test]
#[ignore = "takes a minute or two"]
fn two_hundred_epochs_need_no_more_than_ten_on_the_other_engines() {
    for engine in ["--backend flex", "--backend ndarray"] {
        train(engine, &format!("--config cnn-9956 --limit 500 {engine}"));
    }
}

#[test]
fn fifty_runs_need_no_more_than_ten() {
    let _alone = ALONE.lock().unwrap_or_else(|error| error.into_inner());
    let folder = tempfile::tempdir().unwrap();
    let args = "compare cnn-9956 --seeds 50 --epochs 2 --limit 500 --data sample --out cmp";
    let mut child = start(&folder, args);
    let id = child.id();
    let lines = BufReader::new(child.stderr.take().unwrap()).lines();

    let done = AtomicBool::new(false);
    // Each run's process and the most that it had.
    let runs: Mutex<Vec<(u32, u64)>> = Mutex::default();
    let mut parent = Vec::new();
    thread::scope(|scope| {
        scope.spawn(|| {
            while !done.load(Ordering::Relaxed) {
                let children = fs::read_to_string(format!("/proc/{id}/task/{id}/children"));
                for process in children.unwrap_or_default().split_whitespace() {
                    let process = process.parse().unwrap();
                    let Some(peak) = memory(process, "VmHWM") else {
                        continue;
                    };
                    let mut runs = runs.lock().unwrap();
                    match runs.iter_mut().find(|run| run.0 == process) {
                        Some(run) => run.1 = peak,
                        None => runs.push((process, peak)),
                    }
                }
                thread::sleep(Duration::from_millis(2));
            }
        });
        for line in lines {
            if line.unwrap().contains(" starts (") {
                parent.extend(memory(id, "VmRSS"));
            }
        }
        done.store(true, Ordering::Relaxed);
    });
    assert!(child.wait().unwrap().success());

    let runs = runs.into_inner().unwrap();
    let runs: Vec<u64> = runs.into_iter().map(|run| run.1).collect();
    assert!(
        parent.len() == 50 && runs.len() == 50,
        "{parent:?} {runs:?}"
    );
    let what = "compare, after 10 and 50 runs";
    assert!(is_flat(what, &parent[5..15], &parent[40..]), "{parent:?}");
    let what = "the most of a run, the first ten and the last ten";
    assert!(is_flat(what, &runs[..10], &runs[40..]), "{runs:?}");
}
