//! Disks that fill up, become read-only or lose the run's folder while the real binary works on
//! them: small file systems in memory, mounted where only the test sees them.
#![cfg(target_os = "linux")]

use std::process::{Command, Output};

use support::World;

/// 300 points to save, of 2.5 MB each.
const TRAIN: &str = "train --config mlp --data sample --limit 1000 --epochs 3 --set training.batch_size=10 \
     --save-every 0 --threads 1 --out";

/// What the scripts have in common: `$0` is the program, `disk` is empty, and `train` and `ended`
/// start a run there and hold its end against `$wanted`.
const PRELUDE: &str = r#"
    until_epoch_1() { until [ -s disk/run/metrics.jsonl ]; do sleep 0.01; done; }
    # Again and again: a file that is replaced gives its room back.
    fill() {
        while :; do head -c 1000000 /dev/zero >> disk/filler 2>/dev/null || sleep 0.01; done &
        filler=$!; trap 'kill $filler' EXIT
    }
    make_room() { kill $filler; trap - EXIT; wait $filler || true; rm disk/filler; }
    fails() {
        code=0; wait "$1" || code=$?
        [ $code = 1 ] || { echo "exit code $code"; exit 1; }
    }
    says() { grep -q "$2" "$1" || { echo "no '$2' in:"; cat "$1"; exit 1; }; }
    no_leftovers() { ! ls -a disk/run | grep -q mnistctl- || { ls -a disk/run; exit 1; }; }
"#;

/// Runs a script with `disk` as a small disk of its own; `None` where nobody may mount one.
fn with_disk(world: &World, size: &str, script: &str) -> Option<Output> {
    std::fs::create_dir(world.path("disk")).unwrap();
    let mount = format!("mount -t tmpfs -o size={size} tmpfs disk");
    // The world's environment, but not its program.
    let unshare = |script: &str| {
        let template = world.command("");
        let mut command = Command::new("unshare");
        command.args(["-rm", "sh", "-euc", script, env!("CARGO_BIN_EXE_mnistctl")]);
        command.current_dir(world.path(""));
        for (key, value) in template.get_envs() {
            command.env(key, value.unwrap_or_default());
        }
        command.output()
    };
    match unshare(&mount) {
        Ok(output) if output.status.success() => {
            let output = unshare(&format!("{mount}\n{PRELUDE}\n{script}")).unwrap();
            assert!(output.status.success(), "{output:?}");
            Some(output)
        }
        other => {
            eprintln!("skipped: no small disk can be mounted here: {other:?}");
            None
        }
    }
}

/// What the run leaves where nothing happens.
fn assert_same_as_undisturbed(world: &World, run: &str) {
    let straight = World::new();
    straight.ok(&format!("{TRAIN} run"));
    for name in ["best.mpk", "last.mpk"] {
        let (a, b) = (
            straight.read(&format!("run/{name}")),
            world.read(&format!("{run}/{name}")),
        );
        assert!(a == b, "{name} differs");
    }
}

#[test]
fn a_run_on_a_full_disk_stops_with_a_sentence_and_goes_on_when_there_is_room() {
    let world = World::new();
    let script = format!(
        r#""$0" {TRAIN} disk/run 2> said & run=$!
        until_epoch_1; fill; fails $run
        says said "error: can't write disk/run/.*: No space left on device"
        says said 'go on with: mnistctl train --resume disk/run'
        no_leftovers
        "$0" eval --checkpoint disk/run/best.mpk disk/run/last.mpk --data sample > /dev/null
        make_room
        "$0" train --resume disk/run
        no_leftovers; cp -r disk/run run"#
    );
    if with_disk(&world, "8m", &script).is_some() {
        assert_same_as_undisturbed(&world, "run");
    }
}

#[test]
fn a_run_that_never_had_room_begins_when_it_has() {
    let world = World::new();
    let script = format!(
        r#""$0" {TRAIN} disk/run 2> said & fails $!
        says said "error: can't write disk/run/last.mpk: No space left on device"
        no_leftovers
        mount -o remount,size=20m disk
        "$0" {TRAIN} disk/run; cp -r disk/run run"#
    );
    if with_disk(&world, "400k", &script).is_some() {
        assert_same_as_undisturbed(&world, "run");
    }
}

#[test]
fn a_run_on_a_disk_that_becomes_read_only_stops_with_a_sentence_and_goes_on_later() {
    let world = World::new();
    // The system refuses while a file is open for writing.
    let script = format!(
        r#""$0" {TRAIN} disk/run 2> said & run=$!
        until_epoch_1; until mount -o remount,ro disk 2> /dev/null; do :; done; fails $run
        says said "error: can't write disk/run/.*: Read-only file system"
        mount -o remount,rw disk
        "$0" train --resume disk/run
        no_leftovers; cp -r disk/run run"#
    );
    if with_disk(&world, "20m", &script).is_some() {
        assert_same_as_undisturbed(&world, "run");
    }
}

#[test]
fn a_run_whose_folder_is_taken_away_stops_with_a_sentence_and_goes_on_where_it_is_now() {
    let world = World::new();
    let script = format!(
        r#""$0" {TRAIN} disk/run 2> said & run=$!
        until_epoch_1; mv disk/run disk/moved; fails $run
        says said "error: can't write disk/run/.*: No such file or directory"
        "$0" train --resume disk/moved; cp -r disk/moved moved"#
    );
    if with_disk(&world, "20m", &script).is_some() {
        assert_same_as_undisturbed(&world, "moved");
    }
}

#[test]
fn a_comparison_on_a_full_disk_is_finished_when_there_is_room() {
    let world = World::new();
    let compare = "compare mlp --seeds 2 --data sample --limit 1000 --epochs 3 \
                   --sweep training.batch_size=10 --save-every 0 --threads 1 --out disk/cmp";
    let script = format!(
        r#""$0" {compare} > table & run=$!
        until [ -s disk/cmp/mlp*-0/metrics.jsonl ]; do sleep 0.01; done
        fill; fails $run
        says table "can't write disk/cmp/mlp.*: No space left on device"
        make_room
        "$0" {compare}; cp -r disk/cmp cmp"#
    );
    if with_disk(&world, "20m", &script).is_some() {
        assert!(world.path("cmp/comparison.html").exists());
        assert_same_as_undisturbed(&world, "cmp/mlp-training.batch_size=10-seed-0");
    }
}
