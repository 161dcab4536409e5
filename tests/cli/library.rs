//! A run as another program's front end uses it: through the library, without the command line.

use std::cell::Cell;
use std::path::Path;
use std::time::Duration;

use mnistctl::engine::Backend;
use mnistctl::evaluation::Ensemble;
use mnistctl::recipe::Recipe;
use mnistctl::training::{
    BeginOptions, Callback, LogLine, Outcome, Position, ResumeOptions, Run, RunError,
    RunningMetrics,
};

use support::World;

/// What a front end was told.
#[derive(Default)]
struct Told {
    started: Vec<(u64, u64)>,
    images: Vec<u64>,
    finished: Vec<LogLine>,
    warnings: Vec<String>,
}

impl Callback for Told {
    fn epoch_started(&mut self, at: Position) {
        self.started.push((at.epoch, at.step));
    }

    fn step_done(&mut self, so_far: &RunningMetrics) {
        self.images.push(so_far.images);
    }

    fn epoch_finished(&mut self, line: &LogLine, _is_best: bool) {
        self.finished.push(line.clone());
    }

    fn warning(&mut self, text: &str) {
        self.warnings.push(text.to_string());
    }
}

fn begin(world: &World, overrides: &[&str], out: &Path) -> Run {
    let config = world.path("tiny.toml").display().to_string();
    let overrides: Vec<String> = overrides.iter().map(|set| set.to_string()).collect();
    let begun = Run::begin(BeginOptions {
        recipe: Recipe::load(&config, &overrides).unwrap(),
        compute: Backend::Native.compute(2).unwrap(),
        data: "sample",
        limit: Some(500),
        out: Some(out),
        save_every: Duration::from_secs(60),
    });
    begun.unwrap()
}

fn resume(folder: &Path) -> Result<Run, RunError> {
    Run::resume(ResumeOptions {
        folder,
        recipe: None,
        backend: None,
        threads: 2,
        data: None,
        epochs: None,
        save_every: Duration::from_secs(60),
    })
}

/// A server trains in a thread of its own.
const _: fn() = || {
    fn moves_between_threads<T: Send>() {}
    moves_between_threads::<Run>();
};

#[test]
fn a_run_in_a_library_comes_to_what_the_command_comes_to() {
    let world = World::with_tiny();
    world.ok(
        "train --config tiny.toml --data sample --limit 500 --epochs 3 --out straight \
         --set optimizer.momentum=0.9",
    );

    // Stopped before the fourth batch of the second epoch.
    let folder = world.path("run");
    let overrides = ["training.epochs=3", "optimizer.momentum=0.9"];
    let mut run = begin(&world, &overrides, &folder);
    let mut told = Told::default();
    let asked = Cell::new(0);
    let stop = || {
        asked.set(asked.get() + 1);
        asked.get() > 8 + 3
    };
    assert_eq!(run.train(&mut told, &stop).unwrap(), Outcome::Interrupted);
    assert_eq!(told.started, [(0, 0), (1, 0)]);
    let whole = [64, 128, 192, 256, 320, 384, 448, 500];
    assert_eq!(told.images, [&whole[..], &whole[..3]].concat());
    assert_eq!(told.finished.len(), 1);
    assert_eq!(run.epochs().len(), 1);

    // The folder is the run's own while it lives.
    let busy = resume(&folder).err().unwrap().to_string();
    assert!(busy.contains("another mnistctl is working in"), "{busy}");
    drop(run);

    let mut run = resume(&folder).unwrap();
    let mut told = Told::default();
    assert_eq!(run.train(&mut told, &|| false).unwrap(), Outcome::Finished);
    assert_eq!(told.started, [(1, 3), (2, 0)]);
    assert_eq!(told.images, [&whole[3..], &whole[..]].concat());
    let test = run.test_data().unwrap();
    let best = Ensemble::load(&[run.best_file()], &run.job().compute).unwrap();
    let evaluation = best.evaluate(&test.digits, &test.indices).unwrap();
    let summary = run.summary(evaluation.test_figures());
    run.finish(&summary).unwrap();

    for file in ["best.mpk", "last.mpk", "recipe.toml"] {
        let [a, b] = ["straight", "run"].map(|run| world.read(&format!("{run}/{file}")));
        assert!(a == b, "{file} differs");
    }
    let [a, b] = ["straight", "run"].map(|run| world.json(&format!("{run}/summary.json")));
    for key in [
        "test",
        "val",
        "best_epoch",
        "backend",
        "isa",
        "sha256",
        "seed",
    ] {
        assert_eq!(a[key], b[key], "{key}");
    }
}

#[test]
fn a_run_in_a_library_warns_and_fails_in_words() {
    let world = World::with_tiny();
    let mut run = begin(&world, &["optimizer.lr=1e4"], &world.path("harmful"));
    let mut told = Told::default();
    run.train(&mut told, &|| false).unwrap();
    assert!(
        told.warnings[0].contains("far above"),
        "{:?}",
        told.warnings
    );
    assert!(run.result_warning().is_some());

    let mut run = begin(&world, &["optimizer.lr=1e300"], &world.path("diverged"));
    let error = run.train(&mut (), &|| false).unwrap_err();
    assert!(matches!(error, RunError::Diverged { epoch: 1, .. }));
    assert!(error.to_string().contains("epoch 1, step 2"), "{error}");
    let error = resume(&world.path("nowhere")).err().unwrap();
    assert!(error.to_string().contains("holds no last.mpk"), "{error}");
}
