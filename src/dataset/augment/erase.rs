//! A rectangle erased, as torchvision's `RandomErasing` (Zhong et al., "Random erasing data
//! augmentation", 2017).

use super::uniform;
use crate::dataset::{PIXELS, SIDE};
use crate::recipe::RandomErasingSpec;
use crate::rng::Rng;

/// How often a rectangle is drawn until one fits; if none does, nothing is erased.
const TRIES: usize = 10;

#[derive(Debug, Clone)]
pub(super) struct RandomErasing {
    p: f64,
    /// In pixels.
    area: (f64, f64),
    log_ratio: (f64, f64),
    value: u8,
}

/// From the top left corner; all in pixels.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Rectangle {
    pub left: usize,
    pub top: usize,
    pub width: usize,
    pub height: usize,
}

impl RandomErasing {
    pub fn new(spec: &RandomErasingSpec) -> Self {
        let pixels = PIXELS as f64;
        Self {
            p: spec.p,
            area: (spec.scale.0 * pixels, spec.scale.1 * pixels),
            log_ratio: (libm::log(spec.ratio.0), libm::log(spec.ratio.1)),
            value: (spec.value * 255.0).round() as u8,
        }
    }

    pub fn apply(&self, rng: &mut Rng, image: &mut [u8]) {
        let Some(Rectangle {
            left,
            width,
            top,
            height,
        }) = self.draw(rng)
        else {
            return;
        };
        for row in image.chunks_exact_mut(SIDE).skip(top).take(height) {
            row[left..][..width].fill(self.value);
        }
    }

    pub fn draw(&self, rng: &mut Rng) -> Option<Rectangle> {
        if f64::from(rng.next_f32()) >= self.p {
            return None;
        }
        (0..TRIES).find_map(|_| {
            let area = uniform(rng, self.area);
            let ratio = libm::exp(uniform(rng, self.log_ratio));
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

    const SPEC: RandomErasingSpec = RandomErasingSpec {
        p: 0.25,
        scale: (0.05, 0.3),
        ratio: (0.5, 2.5),
        value: 0.6,
    };

    #[test]
    fn rectangles_keep_to_their_area_and_ratio() {
        let erasing = RandomErasing::new(&SPEC);
        let mut drawn = 0;
        for i in 0..20_000 {
            let Some(rectangle) = erasing.draw(&mut Rng::new(1, &[i])) else {
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
        let erasing = RandomErasing::new(&SPEC);
        let mut erased = 0;
        for i in 0..200 {
            let mut image = [7; PIXELS];
            erasing.apply(&mut Rng::new(1, &[i]), &mut image);
            let rectangle = erasing.draw(&mut Rng::new(1, &[i]));
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
        let spec = RandomErasingSpec {
            p: 1.0,
            scale: (1.0, 1.0),
            ..SPEC
        };
        let erasing = RandomErasing::new(&spec);
        assert!((0..100).all(|i| erasing.draw(&mut Rng::new(1, &[i])).is_none()));
    }
}
