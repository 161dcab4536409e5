//! Ones and sevens as they are written outside the United States.

use serde::Serialize;

use super::canvas::Canvas;
use super::segment::Segment;
use super::{TransformKind, happens, probability, uniform};
use crate::dataset::SIDE;
use crate::rng::Rng;
use crate::schema::{SchemaError, Section};

/// What counts as ink.
const INK: u8 = 128;

/// The flattest upstroke, in radians clockwise from right: with a flatter one a slanted one is a
/// seven.
const FLATTEST: f64 = 2.6;

/// How people write outside the United States, whose hands are MNIST's: a seven with a bar through
/// its stem, a one with an upstroke and perhaps a foot.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct European {
    /// The probability that a one or a seven is written so.
    p: f64,
}

impl TransformKind for European {
    fn read(section: &Section<'_>) -> Result<Self, SchemaError> {
        Ok(Self {
            p: probability(section, 0.5)?,
        })
    }

    fn apply(&self, rng: &mut Rng, canvas: &mut Canvas<'_>) {
        let write = match canvas.digit {
            1 => write_one,
            7 => bar_seven,
            _ => return,
        };
        if happens(rng, self.p) {
            write(rng, canvas.pixels());
        }
    }
}

/// Adds an upstroke to a one, and to every third a foot.
fn write_one(rng: &mut Rng, image: &mut [u8]) {
    let Some((top, bottom)) = ends(image) else {
        return;
    };
    let height = libm::hypot(bottom.0 - top.0, bottom.1 - top.1);
    let mass: f64 = image.iter().map(|&pixel| f64::from(pixel) / 255.0).sum();
    // A one is hardly more than its stem.
    let width = (mass / (height + 1.0)).clamp(1.0, 4.0);
    let stem = libm::atan2(bottom.1 - top.1, bottom.0 - top.0);
    // From the top down to the left.
    let angle = (stem + uniform(rng, (0.35, 1.15))).min(FLATTEST.max(stem));
    let length = height * uniform(rng, (0.2, 0.65));
    let (sin, cos) = libm::sincos(angle);
    let end = (top.0 + length * cos, top.1 + length * sin);
    Segment::between(top, end, width).ink(image, 1.0);
    if happens(rng, 1.0 / 3.0) {
        let foot = Segment {
            centre: bottom,
            angle: uniform(rng, (-0.15, 0.15)),
            length: height * uniform(rng, (0.25, 0.7)),
            width,
        };
        foot.ink(image, 1.0);
    }
}

/// Draws a bar through the stem of a seven.
fn bar_seven(rng: &mut Rng, image: &mut [u8]) {
    let Some((top, bottom)) = ends(image) else {
        return;
    };
    let height = bottom.1 - top.1;
    let y = (top.1 + height * uniform(rng, (0.4, 0.6))).round();
    let row = &image[y as usize * SIDE..][..SIDE];
    let Some((right, left)) = last_run(row) else {
        return;
    };
    let bar = Segment {
        centre: ((left + right) as f64 / 2.0 + uniform(rng, (-1.0, 1.0)), y),
        angle: uniform(rng, (-0.35, 0.15)),
        length: height * uniform(rng, (0.3, 0.65)),
        width: ((right - left + 1) as f64 * 0.9).clamp(1.0, 3.5),
    };
    bar.ink(image, 1.0);
}

/// The middle of the ink in its first and in its last row.
fn ends(image: &[u8]) -> Option<((f64, f64), (f64, f64))> {
    let middle = |(y, row): (usize, &[u8])| {
        let left = row.iter().position(|&pixel| pixel >= INK)?;
        let right = row.iter().rposition(|&pixel| pixel >= INK)?;
        Some(((left + right) as f64 / 2.0, y as f64))
    };
    let mut rows = image.chunks_exact(SIDE).enumerate();
    let first = rows.clone().find_map(middle)?;
    let last = rows.by_ref().rev().find_map(middle)?;
    Some((first, last))
}

/// The last pixels of ink beside each other in a row: the right one and the left one.
fn last_run(row: &[u8]) -> Option<(usize, usize)> {
    let right = row.iter().rposition(|&pixel| pixel >= INK)?;
    let paper = row[..right].iter().rposition(|&pixel| pixel < INK);
    Some((right, paper.map_or(0, |paper| paper + 1)))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::dataset::augment::{assert_changes_three_in_ten, vary};
    use crate::dataset::{Digits, PIXELS, Source, Split};

    fn digits() -> Digits {
        Source::Sample.load(Split::Train).unwrap().digits
    }

    fn written(digits: &Digits, i: usize) -> Vec<u8> {
        let european = European { p: 1.0 };
        let mut image = digits.image(i).to_vec();
        vary(
            &european,
            &mut Rng::new(1, &[i as u64]),
            digits.label(i),
            &mut image,
        );
        image
    }

    #[test]
    fn only_ones_and_sevens_are_written_otherwise_and_no_ink_is_lost() {
        let digits = digits();
        let mut changed = [0; 10];
        for i in 0..1_000 {
            let image = written(&digits, i);
            let pairs = || image.iter().zip(digits.image(i));
            assert!(pairs().all(|(after, before)| after >= before));
            changed[usize::from(digits.label(i))] += usize::from(pairs().any(|(a, b)| a != b));
        }
        let others = changed.iter().sum::<usize>() - changed[1] - changed[7];
        assert_eq!(others, 0);
        assert!(changed[1] > 90 && changed[7] > 90, "{changed:?}");
    }

    /// Where ink was added: the mean column and row, relative to the digit's own.
    fn added(before: &[u8], after: &[u8]) -> (f64, f64) {
        let mean = |level: &dyn Fn(usize) -> f64| {
            let mass: f64 = (0..PIXELS).map(level).sum();
            let x: f64 = (0..PIXELS).map(|i| level(i) * (i % SIDE) as f64).sum();
            let y: f64 = (0..PIXELS).map(|i| level(i) * (i / SIDE) as f64).sum();
            (x / mass, y / mass)
        };
        let new = mean(&|i| f64::from(after[i]) - f64::from(before[i]));
        let old = mean(&|i| f64::from(before[i]));
        (new.0 - old.0, new.1 - old.1)
    }

    fn stem() -> [u8; PIXELS] {
        let mut image = [0; PIXELS];
        (5..23).for_each(|y| image[y * SIDE + 13..][..2].fill(255));
        image
    }

    #[test]
    fn a_one_has_an_upstroke_to_the_left_and_some_have_a_foot() {
        let european = European { p: 1.0 };
        let (mut feet, images) = (0, 600);
        for i in 0..images {
            let mut image = stem();
            vary(&european, &mut Rng::new(1, &[i]), 1, &mut image);
            assert!(added(&stem(), &image).0 < 0.0);
            // Right of the stem there is at most a foot.
            let right = |rows: std::ops::Range<usize>| {
                let ink = rows.map(|y| &image[y * SIDE + 17..][..11]);
                ink.flatten().any(|&pixel| pixel > INK)
            };
            assert!(!right(0..19));
            feet += usize::from(right(19..SIDE));
        }
        // The standard deviation is 12; small feet are not seen.
        assert!((120..240).contains(&feet), "{feet}");
    }

    #[test]
    fn a_seven_has_a_bar_below_its_head() {
        let digits = digits();
        let (mut below, mut sevens) = (0, 0);
        for i in (0..2_000).filter(|&i| digits.label(i) == 7) {
            let after = written(&digits, i);
            if after != digits.image(i) {
                sevens += 1;
                below += usize::from(added(digits.image(i), &after).1 > -2.0);
            }
        }
        assert!(sevens > 180, "{sevens}");
        assert!(below * 10 >= sevens * 9, "{below} of {sevens}");
    }

    #[test]
    fn p_is_the_share_and_paper_stays_paper() {
        let european = European { p: 0.3 };
        for digit in [1, 7] {
            assert_changes_three_in_ten(&european, digit, &stem());
            let mut paper = [INK - 1; PIXELS];
            (0..100).for_each(|i| vary(&european, &mut Rng::new(3, &[i]), digit, &mut paper));
            assert!(paper == [INK - 1; PIXELS]);
        }
    }
}
