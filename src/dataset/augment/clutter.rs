//! What is left on the paper beside the digit: ruled lines and dust.

use std::f64::consts::FRAC_PI_2;

use serde::Serialize;

use super::canvas::Canvas;
use super::segment::Segment;
use super::{TransformKind, happens, ordered, probability, uniform};
use crate::dataset::SIDE;
use crate::rng::Rng;
use crate::schema::{SchemaError, Section};

/// Lengths and widths in pixels; lines lie along the rows or columns but for some radians.
const LINE_LENGTH: (f64, f64) = (4.0, 28.0);
const LINE_WIDTH: (f64, f64) = (0.4, 1.4);
const LINE_TILT: (f64, f64) = (-0.15, 0.15);
const SPECK_LENGTH: (f64, f64) = (0.5, 2.0);
const SPECK_WIDTH: (f64, f64) = (0.5, 1.5);

/// What is left of ruled lines and dust: faint lines along the rows or columns, and specks.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Clutter {
    /// The largest number of them, at least 1.
    count: u64,
    /// The least and the largest level, from 0 (paper) to 1 (ink).
    level: (f64, f64),
    /// The probability that an image has them.
    p: f64,
}

impl TransformKind for Clutter {
    fn read(section: &Section<'_>) -> Result<Self, SchemaError> {
        Ok(Self {
            count: section.integer("count", 3, 1..=100)?,
            level: ordered(
                section,
                "level",
                (0.1, 0.6),
                "levels from paper to ink",
                (0.0, 1.0),
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
            let anywhere = (0.0, SIDE as f64 - 1.0);
            let centre = (uniform(rng, anywhere), uniform(rng, anywhere));
            let quarter_turns = rng.below(2) as f64;
            let angle = quarter_turns * FRAC_PI_2 + uniform(rng, LINE_TILT);
            let (length, width) = if happens(rng, 0.5) {
                (LINE_LENGTH, LINE_WIDTH)
            } else {
                (SPECK_LENGTH, SPECK_WIDTH)
            };
            let segment = Segment {
                centre,
                angle,
                length: uniform(rng, length),
                width: uniform(rng, width),
            };
            segment.ink(image, uniform(rng, self.level));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::dataset::PIXELS;
    use crate::dataset::augment::vary;

    fn drawn(spec: &Clutter, i: u64) -> [u8; PIXELS] {
        let mut image = [20; PIXELS];
        vary(spec, &mut Rng::new(1, &[i]), 0, &mut image);
        image
    }

    #[test]
    fn marks_are_added_everywhere_and_no_darker_than_they_may_be() {
        let spec = Clutter {
            count: 3,
            level: (0.2, 0.6),
            p: 0.5,
        };
        let mut marked = [0u32; PIXELS];
        let mut images = 0;
        for i in 0..4_000 {
            let image = drawn(&spec, i);
            assert!(image.iter().all(|pixel| (20..=153).contains(pixel)));
            images += u32::from(image != [20; PIXELS]);
            for (count, pixel) in marked.iter_mut().zip(image) {
                *count += u32::from(pixel > 20);
            }
        }
        // The standard deviation is 32, and some marks are hardly seen.
        assert!((1750..2100).contains(&images), "{images}");
        let (fewest, most) = (marked.iter().min().unwrap(), marked.iter().max().unwrap());
        assert!(*fewest > 8 && *most < 400, "{fewest} {most}");
    }

    #[test]
    fn lines_lie_along_rows_and_along_columns() {
        let spec = Clutter {
            count: 1,
            level: (1.0, 1.0),
            p: 1.0,
        };
        let (mut along_rows, mut along_columns, mut specks) = (0, 0, 0);
        for i in 0..2_000 {
            let image = drawn(&spec, i);
            let touched = |at: &dyn Fn(usize, usize) -> usize| {
                let line = |a: usize| (0..SIDE).any(|b| image[at(a, b)] > 20);
                (0..SIDE).filter(|&a| line(a)).count()
            };
            let (high, wide) = (touched(&|y, x| y * SIDE + x), touched(&|x, y| y * SIDE + x));
            match (wide, high) {
                (0..=5, 0..=5) => specks += 1,
                _ if wide > high => along_rows += 1,
                _ => along_columns += 1,
            }
        }
        // Half are specks, and so are lines of which the image's edge leaves little.
        assert!((1000..1300).contains(&specks), "{specks}");
        assert!(
            along_rows > 300 && along_columns > 300,
            "{along_rows} {along_columns}"
        );
    }
}
