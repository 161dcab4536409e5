//! `train`, killed and resumed.

use std::fs::{self, OpenOptions};
use std::process::Child;
use std::time::{Duration, Instant};

use mnistctl::rng::Rng;

use crate::life::{End, Moment, below, live, setting, temporary};
use crate::timeless::assert_same_run;
use support::World;

/// Everything that a resume must carry over, and small: most of the time goes into saving it.
const RECIPE: &str = r#"name = "small"
augment = [{ kind = "affine", degrees = 10 }, { kind = "elastic", alpha = 8 }]

[data]
validation = 200

[model]
layers = [
  { kind = "conv", out_channels = 2, kernel_size = 5, stride = 2 },
  "batch_norm",
  "relu",
  { kind = "max_pool", kernel_size = 2 },
  "flatten",
  { kind = "dropout", p = 0.2 },
  { kind = "linear", out_features = 10 },
]

[optimizer]
kind = "adam"
lr = 0.02

[scheduler]
kind = "reduce_lr_on_plateau"
patience = 0
threshold = 0.3

[training]
epochs = 40
batch_size = 50
seed = 7
ema_decay = 0.95
clip_grad_norm = 2.0
early_stopping = { patience = 2, min_delta = 0.05 }
"#;

const BEGIN: &str =
    "train --config small.toml --data sample --limit 700 --threads 2 --save-every 0 --out run";
const GO_ON: &str = "train --resume run --threads 2 --save-every 0";

/// The files whose changes are moments to kill at, and how often they change.
const FILES: [(&str, u64); 10] = [
    ("", 1),
    ("last.mpk", 3),
    ("recipe.toml", 1),
    ("metrics.jsonl", 4),
    ("metrics.csv", 4),
    ("best.mpk", 3),
    ("loss.svg", 1),
    ("augmented.png", 1),
    ("report.html", 1),
    ("summary.json", 1),
];

fn begun() -> World {
    let world = World::new();
    world.write("small.toml", RECIPE);
    world
}

fn kill(child: &mut Child) {
    child.kill().unwrap();
}

/// Cuts off the end of the log, as a power cut may where a kill can't.
fn tear(world: &World, rng: &mut Rng) {
    let log = world.path("run/metrics.jsonl");
    if let Ok(metadata) = fs::metadata(&log) {
        let file = OpenOptions::new().write(true).open(log).unwrap();
        let cut = below(rng, 60).min(metadata.len());
        file.set_len(metadata.len() - cut).unwrap();
    }
}

#[test]
fn a_run_that_is_killed_at_any_moment_ends_in_the_same_bits() {
    let (wanted, seed) = (setting("KILLS", 8), setting("SEED", 0));
    let mut rng = Rng::new(seed, &[]);
    let straight = begun();
    let started = Instant::now();
    straight.ok(BEGIN);
    let whole = started.elapsed();
    // It has stopped early, and the rate was lowered on the way.
    let epochs = straight.metrics("run");
    assert!((3..40).contains(&epochs.len()), "{}", epochs.len());
    assert_ne!(epochs[0]["lr"], epochs[epochs.len() - 1]["lr"]);

    let (mut kills, mut runs) = (0, 0);
    let (mut writing, mut before_a_point, mut after_the_end) = (0, 0, 0);
    while kills < wanted {
        let world = begun();
        let folder = world.path("run");
        loop {
            let args = if world.path("run/last.mpk").exists() {
                GO_ON
            } else {
                BEGIN
            };
            let moment = if kills < wanted {
                Moment::choose(&mut rng, whole / 2, &FILES)
            } else {
                Moment::Never
            };
            let child = world.command(args).spawn().unwrap();
            match live(child, &folder, &moment, kill) {
                End::Killed => {}
                End::Itself(Some(0), _) => break,
                End::Itself(code, words) => panic!("{moment:?}: {code:?}, {words}"),
            }
            kills += 1;
            writing += u64::from(temporary(&folder).is_some());
            after_the_end += u64::from(world.path("run/report.html").exists());
            if !world.path("run/last.mpk").exists() {
                before_a_point += 1;
                world.refused(GO_ON, &["run", "last.mpk", "--config"]);
            }
            if below(&mut rng, 4) == 0 {
                tear(&world, &mut rng);
            }
        }
        runs += 1;
        assert_same_run(&straight.path("run"), &folder);
    }
    eprintln!(
        "train: {kills} of {kills} kills resumed to identical bits, in {runs} runs of {} epochs \
         (seed {seed}): {writing} while a file was being written, {before_a_point} before the first \
         point was saved, {after_the_end} after the last epoch",
        epochs.len()
    );
    assert!(whole < Duration::from_secs(60), "{whole:?}");
}
