//! A recipe's text, and the `--set` lines that follow it.

use mnistctl::dataset::{Augment, SIDE};
use mnistctl::network::Plan;
use mnistctl::recipe::Recipe;
use mnistctl::rng::Rng;
use mnistctl::training::{Position, Scheduler};

/// A table takes some hundred bytes for each that it is written with.
pub fn memory(data: &[u8]) -> usize {
    (1 << 20) + 1000 * data.len()
}

pub fn check(data: &[u8]) {
    let Ok(text) = std::str::from_utf8(data) else {
        return;
    };
    let (text, overrides) = text.split_once("\n--set ").unwrap_or((text, ""));
    let overrides: Vec<String> = overrides
        .split("\n--set ")
        .filter(|line| !line.is_empty())
        .map(str::to_string)
        .collect();
    let recipe = match Recipe::parse("recipe", text, &overrides) {
        Ok(recipe) => recipe,
        Err(error) => return assert!(!error.to_string().is_empty()),
    };
    let written = recipe.to_toml();
    match Recipe::parse("recipe", &written, &[]) {
        Ok(again) => assert!(again == recipe, "{written}"),
        Err(error) => panic!("{error}\n{written}"),
    }
    if let Err(error) = Plan::new(&recipe.model.layers) {
        assert!(!error.to_string().is_empty());
    }
    let scheduler = Scheduler::new(recipe.scheduler.clone(), recipe.optimizer.lr());
    let epochs = recipe.training.epochs;
    for epoch in [0, 1, epochs / 2, epochs - 1] {
        for step in [0, 9] {
            let lr = scheduler.lr(Position {
                epoch,
                step,
                epochs,
                steps: 10,
            });
            assert!(
                lr.is_finite(),
                "{lr} in epoch {epoch}, step {step}\n{written}"
            );
        }
    }
    if let Some(augment) = Augment::new(&recipe.augment) {
        // A slanted stroke, five pixels wide.
        let ink = |at: usize| {
            if (at % SIDE + at / SIDE / 2).abs_diff(20) < 3 {
                255
            } else {
                0
            }
        };
        let image: Vec<u8> = (0..SIDE * SIDE).map(ink).collect();
        let mut varied = vec![0; SIDE * SIDE];
        for seed in 0..2 {
            augment.apply(&image, 7, Rng::new(seed, &[]), &mut varied);
        }
    }
}
