//! What the tests and benchmarks share: the program in a [`World`] of its own, the sample's files,
//! [`pictures`] of handwritten digits, and looking into what the program wrote.

pub mod pictures;
mod world;

use std::fs;
use std::io::Read;
use std::path::{Path, PathBuf};
use std::process::Command;

use flate2::read::GzDecoder;
use serde_json::Value;

pub use world::{Finished, TINY, Trained, World, assert_same_contents, lenet};

pub const TRAIN_IMAGES: &str = "train-images-idx3-ubyte";
pub const TRAIN_LABELS: &str = "train-labels-idx1-ubyte";
pub const TEST_IMAGES: &str = "t10k-images-idx3-ubyte";
pub const TEST_LABELS: &str = "t10k-labels-idx1-ubyte";

/// The program that is tested; `cargo test` says where it is.
pub fn program() -> PathBuf {
    let path = std::env::var_os("CARGO_BIN_EXE_mnistctl");
    path.expect("the tests have to be run by `cargo test`")
        .into()
}

/// Sends a signal such as `-INT` to a process, or to a group of them that has a minus before it.
pub fn kill(signal: &str, process: impl std::fmt::Display) {
    let process = process.to_string();
    let sent = Command::new("kill").args([signal, "--", &process]).status();
    assert!(sent.unwrap().success(), "kill {signal} {process}");
}

/// The names of all that is in a folder, sorted.
pub fn listing(folder: &Path) -> Vec<String> {
    let entries = fs::read_dir(folder).unwrap();
    let mut names: Vec<String> = entries
        .map(|entry| entry.unwrap().file_name().into_string().unwrap())
        .collect();
    names.sort();
    names
}

/// A file of the sample, uncompressed.
pub fn sample(name: &str) -> Vec<u8> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../data/sample");
    let file = fs::File::open(folder.join(format!("{name}.gz"))).unwrap();
    let mut bytes = Vec::new();
    GzDecoder::new(file).read_to_end(&mut bytes).unwrap();
    bytes
}

/// Each line of a text as JSON.
pub fn json_lines(text: &str) -> Vec<Value> {
    let lines = text.lines();
    lines
        .map(|line| serde_json::from_str(line).unwrap_or_else(|_| panic!("no JSON: {line}")))
        .collect()
}

/// The keys of a JSON object, sorted.
pub fn keys(object: &Value) -> Vec<&str> {
    let mut keys: Vec<&str> = object.as_object().unwrap().keys().map(|k| &**k).collect();
    keys.sort();
    keys
}

/// The number at a JSON pointer, such as `/val/loss`.
pub fn number(value: &Value, pointer: &str) -> f64 {
    let found = value.pointer(pointer).and_then(Value::as_f64);
    found.unwrap_or_else(|| panic!("no number at {pointer} in {value}"))
}

/// The sample's test digits, with their labels.
pub fn test_digits() -> Vec<([u8; 784], u8)> {
    let images = sample(TEST_IMAGES)[16..].to_vec();
    let images = images
        .chunks_exact(784)
        .map(|image| image.try_into().unwrap());
    let labels = sample(TEST_LABELS)[8..].to_vec();
    images.zip(labels).collect()
}
