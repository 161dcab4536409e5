//! `compare`, killed with its runs or without them, and started again with the same command.

use std::fs;
use std::process::{Child, Command};
use std::time::Instant;

use mnistctl::rng::Rng;

use crate::life::{End, Moment, live, setting, temporary};
use crate::timeless::assert_same_run;
use support::{TINY, World, listing};

/// The files whose changes are moments to kill at; the first is the folder of the runs.
const FILES: [(&str, u64); 7] = [
    ("", 1),
    ("fast-seed-0", 1),
    ("fast-seed-1.log", 1),
    ("slow-seed-0/last.mpk", 20),
    ("slow-seed-1/summary.json", 1),
    ("comparison.csv", 1),
    ("comparison.html", 1),
];

fn with_recipes() -> World {
    let world = World::new();
    let tiny = TINY.replace("epochs = 1", "epochs = 6");
    for (name, lr) in [("fast", "0.1"), ("slow", "0.01")] {
        let recipe = tiny.replace("lr = 0.1", &format!("lr = {lr}"));
        world.write(
            &format!("{name}.toml"),
            recipe.replace("name = \"tiny\"", &format!("name = \"{name}\"")),
        );
    }
    world
}

fn kill_alone(child: &mut Child) {
    child.kill().unwrap();
}

/// Kills the runs as well, after the comparison: it would start others.
fn kill_all(child: &mut Child) {
    let id = child.id();
    let runs = fs::read_to_string(format!("/proc/{id}/task/{id}/children"));
    child.kill().unwrap();
    for run in runs.unwrap_or_default().split_whitespace() {
        // It may have ended.
        let _ = Command::new("kill").args(["-KILL", run]).output();
    }
}

/// The comparison's own files: its page, tables and charts.
fn own_files(world: &World) -> Vec<(String, Vec<u8>)> {
    let names = listing(&world.path("cmp")).into_iter();
    let files = names.filter(|name| name.contains('.') && !name.ends_with(".log"));
    files
        .map(|name| {
            let bytes = world.read(&format!("cmp/{name}"));
            (name, bytes)
        })
        .collect()
}

fn assert_same_comparison(straight: &World, world: &World, args: &str) {
    let runs = ["fast-seed-0", "fast-seed-1", "slow-seed-0", "slow-seed-1"];
    assert_eq!(listing(&straight.path("cmp")), listing(&world.path("cmp")));
    for run in runs {
        let run = format!("cmp/{run}");
        assert_same_run(&straight.path(&run), &world.path(&run));
        // With the same times, the same comparison is collected, byte for byte.
        for name in ["metrics.jsonl", "summary.json"] {
            let file = format!("{run}/{name}");
            world.write(&file, straight.read(&file));
        }
    }
    world.ok(args);
    for ((name, a), (_, b)) in own_files(straight).iter().zip(own_files(world)) {
        assert!(*a == b, "{name} differs");
    }
}

fn survives(jobs: u64) {
    let (wanted, seed) = (setting("KILLS", 4), setting("SEED", 0));
    let mut rng = Rng::new(seed, &[jobs]);
    let args = format!(
        "compare fast.toml slow.toml --seeds 2 --data sample --limit 500 --threads 1 \
         --save-every 0 --jobs {jobs} --out cmp"
    );
    let straight = with_recipes();
    let started = Instant::now();
    straight.ok(&args);
    let whole = started.elapsed();

    let (mut kills, mut comparisons, mut writing) = (0, 0, 0);
    while kills < wanted {
        let world = with_recipes();
        let folder = world.path("cmp");
        loop {
            let moment = if kills < wanted {
                Moment::choose(&mut rng, whole / 2, &FILES)
            } else {
                Moment::Never
            };
            let kill = [kill_alone, kill_all][kills as usize % 2];
            let child = world.command(&args).spawn().unwrap();
            match live(child, &folder, &moment, kill) {
                End::Killed => kills += 1,
                End::Itself(Some(0), _) => break,
                End::Itself(code, words) => panic!("{moment:?}: {code:?}, {words}"),
            }
            writing += u64::from(temporary(&folder).is_some());
        }
        comparisons += 1;
        assert_same_comparison(&straight, &world, &args);
    }
    eprintln!(
        "compare --jobs {jobs}: {kills} of {kills} kills, every second one of its runs too, ended in \
         identical bits, in {comparisons} comparisons (seed {seed}): {writing} while a file was \
         being written"
    );
}

#[test]
fn a_comparison_that_is_killed_is_finished_by_the_same_command() {
    survives(1);
}

#[test]
fn a_comparison_of_two_runs_at_a_time_is_too() {
    survives(2);
}
