//! The same recipe, seed and machine: the same bits.

use std::fs;

use serde_json::Value;

use support::World;

/// Everything that draws random numbers, adds up in parallel or remembers: BatchNorm, dropout,
/// varied images, clipped gradients, the weights' average, and a last batch that is not whole.
const ALL: &str = "train --config cnn-9956 --data sample --limit 330 --epochs 2 \
    --set optimizer.kind=adamw --set optimizer.lr=0.003 \
    --set augment=[{kind=\"affine\",degrees=10},{kind=\"elastic\",alpha=8},\"random_erasing\"] \
    --set training.clip_grad_norm=0.5 --set training.ema_decay=0.9";

/// What a run leaves that must not depend on anything but recipe and data.
fn result(world: &World, run: &str) -> ([Vec<u8>; 2], Vec<Value>) {
    let mut lines = world.metrics(run);
    for line in &mut lines {
        let line = line.as_object_mut().unwrap();
        assert!(line.remove("seconds").is_some() && line.remove("images_per_second").is_some());
    }
    let files = ["best.mpk", "last.mpk"];
    (
        files.map(|name| world.read(&format!("{run}/{name}"))),
        lines,
    )
}

/// Trains with 1, 2, 3 and 8 threads, twice each.
fn assert_repeated(train: &str) {
    let world = World::new();
    let mut first = None;
    for threads in [1, 2, 3, 8, 1, 2, 3, 8] {
        world.ok(&format!("{train} --threads {threads} --out run"));
        let result = result(&world, "run");
        fs::remove_dir_all(world.path("run")).unwrap();
        let first = first.get_or_insert_with(|| result.clone());
        assert!(*first == result, "{threads} threads: {train}");
    }
}

#[test]
fn neither_threads_nor_another_time_change_a_bit() {
    assert_repeated(ALL);
}

#[test]
fn nor_do_they_with_burns_operations() {
    assert_repeated(&format!("{ALL} --backend flex"));
}

#[test]
fn best_mpk_knows_nothing_of_where_and_when_it_was_made() {
    let world = World::new();
    world.ok(&format!("{ALL} --threads 1 --out run"));
    world.write_data("digits");
    let elsewhere = ALL.replace("sample", "digits");
    world.ok(&format!(
        "{elsewhere} --threads 2 --save-every 0 --out some/other/folder"
    ));
    assert!(world.read("run/best.mpk") == world.read("some/other/folder/best.mpk"));
}

/// `cargo test --release --test cli -- --ignored --nocapture every_builtin_recipe`
#[test]
#[ignore = "minutes: all built-in recipes, eight times each"]
fn every_builtin_recipe_repeats_to_the_bit() {
    for recipe in &mnistctl::recipe::BUILTIN {
        eprintln!("{}", recipe.name);
        let train = "--data sample --limit 1100 --epochs 2";
        assert_repeated(&format!("train --config {} {train}", recipe.name));
    }
}
