//! A rectangle erased, as torchvision's `RandomErasing` (Zhong et al., "Random erasing data
//! augmentation", 2017).

use serde::Serialize;

use super::canvas::Canvas;
use super::{TransformKind, fraction, happens, ordered, probability, uniform};
use crate::dataset::{PIXELS, SIDE};
use crate::rng::Rng;
use crate::schema::{SchemaError, Section};

/// How often a rectangle is drawn until one fits; if none does, nothing is erased.
const TRIES: usize = 10;

/// The arguments of `torchvision.transforms.RandomErasing`.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct RandomErasing {
    /// The probability that a rectangle is erased.
    pub p: f64,
    /// The least and the largest area, as a fraction of the image's.
    pub scale: (f64, f64),
    /// The least and the largest height divided by width.
    pub ratio: (f64, f64),
    /// What takes its place: from 0 (paper) to 1 (ink).
    pub value: f64,
}

/// A rectangle, placed by its top left corner; all in pixels.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Rectangle {
    pub left: usize,
    pub top: usize,
    pub width: usize,
    pub height: usize,
}

impl TransformKind for RandomErasing {
    fn read(section: &Section<'_>) -> Result<Self, SchemaError> {
        Ok(Self {
            p: probability(section, 0.5)?,
            scale: ordered(
                section,
                "scale",
                (0.02, 0.33),
                "fractions of the image's area",
                (0.0, 1.0),
            )?,
            ratio: ordered(section, "ratio", (0.3, 3.3), "numbers", (0.01, 100.0))?,
            value: section.number_where("value", 0.0, "between 0 (paper) and 1 (ink)", fraction)?,
        })
    }

    fn apply(&self, rng: &mut Rng, canvas: &mut Canvas<'_>) {
        let Some(Rectangle {
            left,
            top,
            width,
            height,
        }) = self.draw(rng)
        else {
            return;
        };
        let value = (self.value * 255.0).round() as u8;
        let rows = canvas.pixels().chunks_exact_mut(SIDE);
        for row in rows.skip(top).take(height) {
            row[left..][..width].fill(value);
        }
    }
}

impl RandomErasing {
    /// The rectangle to erase, if any.
    pub fn draw(&self, rng: &mut Rng) -> Option<Rectangle> {
        if !happens(rng, self.p) {
            return None;
        }
        let (smallest, largest) = self.scale;
        let area = (smallest * PIXELS as f64, largest * PIXELS as f64);
        let log_ratio = (libm::log(self.ratio.0), libm::log(self.ratio.1));
        (0..TRIES).find_map(|_| {
            let area = uniform(rng, area);
            let ratio = libm::exp(uniform(rng, log_ratio));
            // Ties to even, as Python rounds.
            let height = (area * ratio).sqrt().round_ties_even() as usize;
            let width = (area / ratio).sqrt().round_ties_even() as usize;
            (height < SIDE && width < SIDE).then(|| Rectangle {
                left: rng.below((SIDE - width + 1) as u64) as usize,
                top: rng.below((SIDE - height + 1) as u64) as usize,
                width,
                height,
            })
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::dataset::augment::vary;

    const SPEC: RandomErasing = RandomErasing {
        p: 0.25,
        scale: (0.05, 0.3),
        ratio: (0.5, 2.5),
        value: 0.6,
    };

    #[test]
    fn rectangles_keep_to_their_area_and_ratio() {
        let mut drawn = 0;
        for i in 0..20_000 {
            let Some(rectangle) = SPEC.draw(&mut Rng::new(1, &[i])) else {
                continue;
            };
            drawn += 1;
            assert!(rectangle.left + rectangle.width <= SIDE);
            assert!(rectangle.top + rectangle.height <= SIDE);
            // Both sides were rounded.
            let (height, width) = (rectangle.height as f64, rectangle.width as f64);
            let (tall, wide) = (height + 0.5, width + 0.5);
            let (low, narrow) = (height - 0.5, width - 0.5);
            let pixels = PIXELS as f64;
            assert!(tall * wide >= SPEC.scale.0 * pixels, "{rectangle:?}");
            assert!(low * narrow <= SPEC.scale.1 * pixels, "{rectangle:?}");
            assert!(tall / narrow >= SPEC.ratio.0, "{rectangle:?}");
            assert!(low / wide <= SPEC.ratio.1, "{rectangle:?}");
        }
        // The standard deviation is 61.
        assert!((drawn - 5000i32).abs() < 300, "{drawn}");
    }

    #[test]
    fn the_rectangle_and_nothing_else_is_erased() {
        let mut erased = 0;
        for i in 0..200 {
            let mut image = [7; PIXELS];
            vary(&SPEC, &mut Rng::new(1, &[i]), 0, &mut image);
            let rectangle = SPEC.draw(&mut Rng::new(1, &[i]));
            for (at, &pixel) in image.iter().enumerate() {
                let inside = rectangle.is_some_and(|r| {
                    (r.left..r.left + r.width).contains(&(at % SIDE))
                        && (r.top..r.top + r.height).contains(&(at / SIDE))
                });
                assert_eq!(pixel, if inside { 153 } else { 7 });
                erased += usize::from(inside);
            }
        }
        assert!(erased > 0);
    }

    #[test]
    fn what_never_fits_is_not_done() {
        let spec = RandomErasing {
            p: 1.0,
            scale: (1.0, 1.0),
            ..SPEC
        };
        assert!((0..100).all(|i| spec.draw(&mut Rng::new(1, &[i])).is_none()));
    }
}
