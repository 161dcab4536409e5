//! Weights from elsewhere: read for a network, and kept as a checkpoint.

use std::path::Path;

use mnistctl::interchange::import::parse;
use mnistctl::recipe::Recipe;
use mnistctl::training::Checkpoint;

/// A network of few weights, with BatchNorm, so that a small file can hold it.
const RECIPE: &str = r#"
name = "fuzzed"
[model]
layers = [
  { kind = "conv", out_channels = 2, kernel_size = 3, stride = 9 },
  "batch_norm",
  "flatten",
  { kind = "linear", out_features = 10 },
]
[optimizer]
kind = "sgd"
lr = 0.1
[training]
epochs = 1
"#;

/// What readers take for themselves, and the values twice.
pub fn memory(data: &[u8]) -> usize {
    (4 << 20) + 64 * data.len()
}

pub fn check(data: &[u8]) {
    let recipe = Recipe::parse("fuzzed", RECIPE, &[]).expect("it is a recipe");
    let path = Path::new("fuzzed.pt");
    match parse(data, path, recipe) {
        Ok(imported) => {
            let again = Checkpoint::parse(&imported.checkpoint.to_bytes(), path);
            assert!(again.expect("it was just written") == imported.checkpoint);
        }
        Err(error) => assert!(!error.to_string().is_empty()),
    }
}
