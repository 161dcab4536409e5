//! Setting validation digits apart: the same ones for the same seed, on every machine.

use crate::dataset::DatasetError;
use crate::rng::{Rng, Stream};

/// The random stream of this module.
const STREAM: u64 = Stream::Split as u64;

/// Draws `validation` of the digits for validation and leaves the rest to train on: `(train,
/// validation)`.
///
/// Both hold indices into `labels`, in random order; each index is in exactly one of them. Each
/// class has the same share of both, to the nearest digit: the counts are rounded by largest
/// remainder, so their sum is exact. With `validation = 0` nothing is set apart, and `train` is all
/// digits in random order. Labels may be any bytes; at most `u32::MAX` of them are looked at.
///
/// # Errors
/// When `validation` is as much as there is, or more: there would be nothing to train on.
pub fn stratified_split(
    labels: &[u8],
    validation: usize,
    seed: u64,
) -> Result<(Vec<u32>, Vec<u32>), DatasetError> {
    let labels = &labels[..labels.len().min(u32::MAX as usize)];
    if validation > 0 && validation >= labels.len() {
        return Err(DatasetError::Validation {
            validation,
            available: labels.len(),
        });
    }
    let mut classes = vec![Vec::new(); 256];
    for (i, &label) in (0..u32::MAX).zip(labels) {
        classes[usize::from(label)].push(i);
    }
    let sizes: Vec<usize> = classes.iter().map(Vec::len).collect();
    let mut train = Vec::with_capacity(labels.len() - validation);
    let mut apart = Vec::with_capacity(validation);
    for ((label, mut class), quota) in (0..).zip(classes).zip(quotas(&sizes, validation)) {
        shuffle(&mut class, &mut Rng::new(seed, &[STREAM, label]));
        train.extend_from_slice(&class[quota..]);
        apart.extend_from_slice(&class[..quota]);
    }
    shuffle(&mut train, &mut Rng::new(seed, &[STREAM, 256]));
    shuffle(&mut apart, &mut Rng::new(seed, &[STREAM, 257]));
    Ok((train, apart))
}

/// Puts `items` in random order, each order equally likely (Fisher and Yates, as written by
/// Durstenfeld).
pub fn shuffle(items: &mut [u32], rng: &mut Rng) {
    for last in (1..items.len()).rev() {
        // At most `last`, so it fits.
        let chosen = rng.below(last as u64 + 1) as usize;
        items.swap(last, chosen);
    }
}

/// How many of each class to draw so that the shares are kept and the sum is exactly `wanted`:
/// every class gets its share rounded down, and what is then lacking goes, one each, to the largest
/// remainders (the lower class on a tie).
fn quotas(sizes: &[usize], wanted: usize) -> Vec<usize> {
    let total: usize = sizes.iter().sum();
    if total == 0 {
        return vec![0; sizes.len()];
    }
    // In u128, where no product overflows; a share is at most its class's size, so it fits back.
    let share = |size: usize| size as u128 * wanted as u128;
    let mut quotas: Vec<usize> = sizes
        .iter()
        .map(|&size| (share(size) / total as u128) as usize)
        .collect();
    let mut by_remainder: Vec<usize> = (0..sizes.len()).collect();
    by_remainder.sort_by_key(|&class| std::cmp::Reverse(share(sizes[class]) % total as u128));
    let lacking = wanted - quotas.iter().sum::<usize>();
    for &class in by_remainder.iter().take(lacking) {
        quotas[class] += 1;
    }
    quotas
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn quotas_go_to_the_largest_remainders() {
        // Shares of 10: 3.33 and 3.33 and 3.33: the one that is lacking goes to the lowest class.
        assert_eq!(quotas(&[100, 100, 100], 10), [4, 3, 3]);
        // Shares of 4: 0.8, 1.2, 2.0.
        assert_eq!(quotas(&[2, 3, 5], 4), [1, 1, 2]);
        assert_eq!(quotas(&[0, 7, 0], 3), [0, 3, 0]);
        assert_eq!(quotas(&[0, 0], 0), [0, 0]);
    }

    #[test]
    fn shuffling_reaches_every_order_equally_often() {
        let mut rng = Rng::new(9, &[]);
        let mut seen = std::collections::BTreeMap::new();
        for _ in 0..6_000 {
            let mut items = [0, 1, 2];
            shuffle(&mut items, &mut rng);
            *seen.entry(items).or_insert(0u32) += 1;
        }
        assert_eq!(seen.len(), 6);
        assert!(seen.values().all(|n| n.abs_diff(1_000) < 150), "{seen:?}");
    }
}
