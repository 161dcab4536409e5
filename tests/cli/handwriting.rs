//! The trained network that this repository brings along.

use std::fs;
use std::path::PathBuf;

use mnistctl::recipe::Recipe;
use mnistctl::training::Checkpoint;
use serde_json::Value;

use support::{World, number};

fn model() -> PathBuf {
    [env!("CARGO_MANIFEST_DIR"), "models", "handwriting.mpk"]
        .iter()
        .collect()
}

#[test]
fn it_is_small_and_its_recipe_is_the_built_in_one() {
    let bytes = fs::metadata(model()).unwrap().len();
    assert!(bytes < 5_000_000, "{bytes} bytes");
    let checkpoint = Checkpoint::load(&model()).unwrap();
    let recipe = Recipe::load("handwriting", &[]).unwrap();
    assert_eq!(checkpoint.recipe.to_toml(), recipe.to_toml());
    // What only a resumed training needs would make it three times as large.
    assert!(checkpoint.resume.is_none());
}

#[test]
fn it_reads_the_samples_test_digits() {
    let world = World::new();
    world.write("handwriting.mpk", fs::read(model()).unwrap());
    let found = world.ok("eval --checkpoint handwriting.mpk --data sample --json");
    let found: Value = serde_json::from_str(&found).unwrap();
    assert_eq!(number(&found, "/images"), 1_000.0);
    let accuracy = number(&found, "/accuracy");
    assert!(accuracy >= 0.99, "{accuracy}");
    // As it did when it was trained, apart from what another processor rounds.
    let loss = number(&found, "/loss");
    assert!((loss - 0.015102).abs() < 1e-4, "{loss}");
}
