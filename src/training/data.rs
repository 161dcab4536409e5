//! Which images a run learns from, validates on and is tested with.

use crate::dataset::{DatasetError, Digits, Source, Split, shuffle, stratified_split};
use crate::rng::{Rng, Stream};

/// MNIST's own size, which a recipe's `validation` counts from.
const MNIST_TRAIN_IMAGES: usize = 60_000;

/// The training images, divided into those learned from and those validated on.
#[derive(Debug)]
pub struct TrainingData {
    pub digits: Digits,
    /// Indices of `digits` to learn from, shuffled by the seed.
    pub train: Vec<u32>,
    /// Indices of `digits` to validate on; never learned from.
    pub val: Vec<u32>,
    /// The source as `--data` names it, the sha256 of its training images, and `--limit`.
    pub source: String,
    pub sha256: String,
    pub limit: Option<u64>,
}

/// The test images a run is measured with once, at its end.
#[derive(Debug)]
pub struct TestData {
    pub digits: Digits,
    pub indices: Vec<u32>,
}

/// Loads the training images, holds out the same share of them for validation that `validation`
/// is of MNIST's 60,000 (stratified, seeded), and keeps the first `limit` of the rest.
///
/// With a limit the validation images are cut too, to a quarter of it but at least 250, so that
/// a quick try does not spend its time on validation.
pub fn training_data(
    source: &Source,
    validation: usize,
    seed: u64,
    limit: Option<u64>,
) -> Result<TrainingData, DatasetError> {
    let split = source.load(Split::Train)?;
    let digits = split.digits;
    let held_out = match digits.len() {
        MNIST_TRAIN_IMAGES => validation,
        // Rounded, but at least one image when any validation is asked for.
        images => (images * validation + MNIST_TRAIN_IMAGES / 2)
            .checked_div(MNIST_TRAIN_IMAGES)
            .unwrap_or(0)
            .max(usize::from(validation > 0)),
    };
    let (mut train, mut val) = stratified_split(digits.labels(), held_out, seed)?;
    if let Some(limit) = limit {
        train.truncate(usize::try_from(limit).unwrap_or(usize::MAX));
        val.truncate(quarter(limit));
    }
    Ok(TrainingData {
        digits,
        train,
        val,
        source: source.describe(),
        sha256: split.sha256,
        limit,
    })
}

/// Loads the test images; with a limit, a quarter of it but at least 250 of them, chosen by the
/// seed.
pub fn test_data(source: &Source, seed: u64, limit: Option<u64>) -> Result<TestData, DatasetError> {
    let digits = source.load(Split::Test)?.digits;
    let mut indices: Vec<u32> = (0..digits.len() as u32).collect();
    if let Some(limit) = limit {
        shuffle(&mut indices, &mut Rng::new(seed, &[Stream::Test as u64]));
        indices.truncate(quarter(limit));
    }
    Ok(TestData { digits, indices })
}

fn quarter(limit: u64) -> usize {
    usize::try_from(limit / 4).unwrap_or(usize::MAX).max(250)
}
