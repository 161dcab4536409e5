//! Broken strokes, as a dry pen or a bad copy leaves them.

use std::f64::consts::PI;

use serde::Serialize;

use super::canvas::Canvas;
use super::segment::Segment;
use super::{TransformKind, happens, ordered, probability, uniform};
use crate::dataset::SIDE;
use crate::rng::Rng;
use crate::schema::{SchemaError, Section};

/// The length of a break in pixels: it crosses a stroke, and takes little away of one that it
/// happens to lie along.
const LENGTH: f64 = 6.0;

/// What counts as ink.
const INK: u8 = 128;

/// Broken strokes: short lines of paper through the ink.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Breaks {
    /// The largest number of them, at least 1.
    count: u64,
    /// The least and the largest width, in pixels.
    width: (f64, f64),
    /// The probability that an image has them.
    p: f64,
}

impl TransformKind for Breaks {
    fn read(section: &Section<'_>) -> Result<Self, SchemaError> {
        Ok(Self {
            count: section.integer("count", 3, 1..=100)?,
            width: ordered(
                section,
                "width",
                (0.5, 2.0),
                "widths in pixels",
                (0.0, 28.0),
            )?,
            p: probability(section, 0.5)?,
        })
    }

    fn apply(&self, rng: &mut Rng, canvas: &mut Canvas<'_>) {
        if !happens(rng, self.p) {
            return;
        }
        let image = canvas.pixels();
        for _ in 0..=rng.below(self.count) {
            let inked = image.iter().filter(|&&pixel| pixel >= INK).count() as u64;
            let chosen = rng.below(inked) as usize;
            let mut places = (0..image.len()).filter(|&at| image[at] >= INK);
            let Some(at) = places.nth(chosen) else {
                return;
            };
            let segment = Segment {
                centre: ((at % SIDE) as f64, (at / SIDE) as f64),
                angle: uniform(rng, (0.0, PI)),
                length: LENGTH,
                width: uniform(rng, self.width),
            };
            segment.erase(image);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::dataset::augment::vary;
    use crate::dataset::{PIXELS, Source, Split};

    #[test]
    fn strokes_lose_a_little_ink_at_a_few_places() {
        let digits = Source::Sample.load(Split::Train).unwrap().digits;
        let (count, widest) = (3, 2.0);
        let breaks = Breaks {
            count,
            width: (0.5, widest),
            p: 1.0,
        };
        let mass = |image: &[u8]| {
            image
                .iter()
                .map(|&pixel| f64::from(pixel) / 255.0)
                .sum::<f64>()
        };
        for i in 0..500 {
            let before = digits.image(i);
            let mut after = before.to_vec();
            vary(&breaks, &mut Rng::new(1, &[i as u64]), 0, &mut after);
            assert!(
                after
                    .iter()
                    .zip(before)
                    .all(|(after, before)| after <= before)
            );
            let lost = mass(before) - mass(&after);
            // The narrowest takes half a pixel of width from a stroke; no more than their area.
            let area = LENGTH * widest * 1.25;
            assert!(0.2 < lost && lost < count as f64 * area, "{lost}");
        }
    }

    #[test]
    fn there_are_one_to_count_of_them_with_probability_p() {
        // On nothing but ink each break takes away its area, if it doesn't leave the image.
        let breaks = Breaks {
            count: 4,
            width: (1.0, 1.0),
            p: 0.8,
        };
        let mut found = [0i32; 5];
        for i in 0..2_000 {
            let mut image = [0; PIXELS];
            for y in 8..20 {
                image[y * SIDE + 8..][..12].fill(255);
            }
            let full = 144.0;
            vary(&breaks, &mut Rng::new(2, &[i]), 0, &mut image);
            let left: f64 = image.iter().map(|&pixel| f64::from(pixel) / 255.0).sum();
            found[((full - left) / LENGTH).ceil().clamp(0.0, 4.0) as usize] += 1;
        }
        // 20 % have none; of those at the edge of the ink less is seen.
        assert!((found[0] - 400).abs() < 90, "{found:?}");
        assert!(found[1..].iter().all(|&count| count > 150), "{found:?}");
    }

    #[test]
    fn paper_stays_paper() {
        let breaks = Breaks {
            count: 9,
            width: (28.0, 28.0),
            p: 1.0,
        };
        let mut image = [INK - 1; PIXELS];
        vary(&breaks, &mut Rng::new(3, &[]), 0, &mut image);
        assert!(image == [INK - 1; PIXELS]);
        // And a digit of which nothing is left.
        image[400] = 255;
        vary(&breaks, &mut Rng::new(3, &[]), 0, &mut image);
        assert!(image[400] == 0);
    }
}
