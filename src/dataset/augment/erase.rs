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
struct Rectangle {
    left: usize,
    top: usize,
    width: usize,
    height: usize,
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

    fn draw(&self, rng: &mut Rng) -> Option<Rectangle> {
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
