//! The data loader: an epoch's batches, shuffled, and augmented where the recipe says so.

use std::ops::Range;

use rayon::prelude::*;

use crate::dataset::{Augment, Digits, PIXELS, shuffle};
use crate::recipe::Recipe;
use crate::rng::{Rng, Stream};

use super::data::TrainingData;

/// How many images are augmented at a time: enough that starting the threads costs next to nothing.
const AHEAD: usize = 1024;

/// Hands out the batches of one epoch.
pub(super) struct DataLoader<'a> {
    digits: &'a Digits,
    /// All images of the epoch, shuffled.
    order: Vec<u32>,
    batch_size: usize,
    seed: u64,
    epoch: u64,
    augment: Option<Augment>,
    /// Augmented images, and the range of `order` that they belong to.
    augmented: Vec<u8>,
    ready: Range<usize>,
}

impl<'a> DataLoader<'a> {
    /// The batches of epoch `epoch`, counted from 1.
    pub fn new(recipe: &Recipe, data: &'a TrainingData, epoch: u64) -> Self {
        let seed = recipe.training.seed;
        let mut order = data.train.clone();
        shuffle(
            &mut order,
            &mut Rng::new(seed, &[Stream::Shuffle as u64, epoch]),
        );
        Self {
            digits: &data.digits,
            order,
            batch_size: recipe.training.batch_size,
            seed,
            epoch,
            augment: Augment::new(&recipe.augment),
            augmented: Vec::new(),
            ready: 0..0,
        }
    }

    /// The images and labels of batch `step`, counted from 0; `None` after the last.
    pub fn batch(&mut self, step: u64) -> Option<(Vec<&[u8]>, Vec<u8>)> {
        let start = usize::try_from(step).ok()?.checked_mul(self.batch_size)?;
        if start >= self.order.len() {
            return None;
        }
        let places = start..(start + self.batch_size).min(self.order.len());
        let (images, labels) = self.digits.select(&self.order[places.clone()]);
        let Some(augment) = &self.augment else {
            return Some((images, labels));
        };
        // Whole batches are augmented together, so one that has begun is ready to its end.
        if !self.ready.contains(&start) {
            let batches = AHEAD.div_ceil(self.batch_size);
            let end = (start + batches * self.batch_size).min(self.order.len());
            self.ready = start..end;
            augment_images(
                augment,
                self.digits,
                &self.order[start..end],
                (self.seed, self.epoch),
                &mut self.augmented,
            );
        }
        let first = (start - self.ready.start) * PIXELS;
        let augmented = self.augmented[first..].chunks_exact(PIXELS);
        Some((augmented.take(places.len()).collect(), labels))
    }
}

/// Fills `augmented` with the images at `indices`. Each one's random numbers follow from the seed,
/// the epoch and its index in the dataset, so neither threads nor batches change a bit.
fn augment_images(
    augment: &Augment,
    digits: &Digits,
    indices: &[u32],
    (seed, epoch): (u64, u64),
    augmented: &mut Vec<u8>,
) {
    augmented.resize(indices.len() * PIXELS, 0);
    let images = augmented.par_chunks_exact_mut(PIXELS).with_min_len(16);
    images.zip(indices).for_each(|(augmented, &index)| {
        let rng = Rng::new(seed, &[Stream::Augment as u64, epoch, u64::from(index)]);
        let (image, label) = (digits.image(index as usize), digits.label(index as usize));
        augment.apply(image, label, rng, augmented);
    });
}
