//! Only one process at a time works in a folder, and a dead one doesn't count.

use support::{TINY, World};

/// A run that takes seconds, most of them for saving it.
const TRAIN: &str = "train --config slow.toml --data sample --limit 1000 --save-every 0 --out run";
const COMPARE: &str = "compare slow.toml --data sample --limit 1000 --save-every 0 --out cmp";

fn with_recipe() -> World {
    let world = World::new();
    let recipe = TINY.replace("name = \"tiny\"", "name = \"slow\"");
    world.write("slow.toml", recipe.replace("epochs = 1", "epochs = 40"));
    world
}

#[test]
fn a_run_belongs_to_one_process_until_that_dies() {
    let world = with_recipe();
    let mut first = world.command(TRAIN).spawn().unwrap();
    world.wait_for("run/best.mpk");
    world.refused(
        "train --resume run",
        &["another mnistctl is working in run", "try again"],
    );
    world.refused(TRAIN, &["run already holds something"]);
    first.kill().unwrap();
    first.wait().unwrap();
    world.ok("train --resume run");
    assert_eq!(world.metrics("run").len(), 40);
}

#[test]
fn a_comparison_belongs_to_one_process_until_that_dies() {
    let world = with_recipe();
    let mut first = world.command(COMPARE).spawn().unwrap();
    world.wait_for("cmp/slow-seed-0/best.mpk");
    world.refused(
        COMPARE,
        &["another mnistctl is working in cmp", "try again"],
    );
    first.kill().unwrap();
    first.wait().unwrap();
    // Its run notices, and ends soon.
    world.ok(COMPARE);
    assert_eq!(world.metrics("cmp/slow-seed-0").len(), 40);
    let log = world.text("cmp/slow-seed-0.log");
    assert!(log.contains("interrupted and saved"), "{log}");
}

#[test]
fn what_a_crash_left_half_written_is_removed() {
    let world = with_recipe();
    world.ok(&TRAIN.replace("--limit 1000", "--limit 100 --epochs 1"));
    let files = world.listing("run");
    world.write("run/.mnistctl-XyZ123.tmp", "half");
    world.ok("train --resume run");
    assert_eq!(world.listing("run"), files);
    // The only thing in a folder, it keeps no run from beginning there.
    std::fs::create_dir(world.path("begun")).unwrap();
    world.write("begun/.mnistctl-XyZ123.tmp", "half");
    world.refused("train --resume begun", &["begun", "last.mpk", "--config"]);
    let train = TRAIN.replace("--limit 1000", "--limit 100 --epochs 1");
    world.ok(&train.replace("--out run", "--out begun"));
    assert_eq!(world.listing("begun"), files);
}
