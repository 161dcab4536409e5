//! What these tests share: IDX files made by hand, and their hashes.

use std::fs;
use std::io::Write;
use std::path::Path;

use mnistctl::dataset::{Source, Split};
use sha2::{Digest, Sha256};

pub const NAMES: [&str; 4] = [
    "train-images-idx3-ubyte",
    "train-labels-idx1-ubyte",
    "t10k-images-idx3-ubyte",
    "t10k-labels-idx1-ubyte",
];

/// An images file of any header, with `bytes` bytes of pixels.
pub fn images_with(magic: u32, count: u32, rows: u32, columns: u32, bytes: usize) -> Vec<u8> {
    let mut file: Vec<u8> = [magic, count, rows, columns]
        .iter()
        .flat_map(|word| word.to_be_bytes())
        .collect();
    file.extend((0..bytes).map(|i| (i % 251) as u8));
    file
}

/// A sound images file.
pub fn images(count: u32) -> Vec<u8> {
    images_with(0x803, count, 28, 28, count as usize * 784)
}

/// A labels file of any header.
pub fn labels_with(magic: u32, count: u32, labels: &[u8]) -> Vec<u8> {
    let mut file: Vec<u8> = [magic, count]
        .iter()
        .flat_map(|word| word.to_be_bytes())
        .collect();
    file.extend_from_slice(labels);
    file
}

/// A sound labels file.
pub fn labels(count: u32) -> Vec<u8> {
    let labels: Vec<u8> = (0..count).map(|i| (i % 10) as u8).collect();
    labels_with(0x801, count, &labels)
}

pub fn gzip(bytes: &[u8]) -> Vec<u8> {
    let mut encoder = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::best());
    encoder.write_all(bytes).unwrap();
    encoder.finish().unwrap()
}

pub fn sha256(bytes: &[u8]) -> String {
    Sha256::digest(bytes)
        .iter()
        .map(|byte| format!("{byte:02x}"))
        .collect()
}

/// A folder with four sound, plain files: 12 digits to train, 5 to test.
pub fn folder() -> tempfile::TempDir {
    let folder = tempfile::tempdir().unwrap();
    for (name, bytes) in NAMES
        .iter()
        .zip([images(12), labels(12), images(5), labels(5)])
    {
        fs::write(folder.path().join(name), bytes).unwrap();
    }
    folder
}

/// Asserts that a message names all of `words` and is a sentence.
pub fn assert_says(message: &str, words: &[&str]) {
    for word in words {
        assert!(message.contains(word), "`{word}` is missing in: {message}");
    }
    let end = message.lines().next().unwrap();
    assert!(end.ends_with('.'), "not a sentence: {message}");
    assert!(!message.contains(".."), "{message}");
}

/// The message of a load that must fail.
pub fn load_error(folder: &Path, split: Split) -> String {
    Source::Folder(folder.to_path_buf())
        .load(split)
        .unwrap_err()
        .to_string()
}
