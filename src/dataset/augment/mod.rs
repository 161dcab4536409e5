//! Training images varied at random: a recipe's `[augment]`.
//!
//! The affine map and the elastic distortion are one resampling, so that the image is interpolated
//! once; a rectangle is erased after that.

mod affine;
mod elastic;
mod erase;

use self::affine::RandomAffine;
use self::elastic::Elastic;
use self::erase::RandomErasing;
use super::PIXELS;
use crate::kernels::{Fields, Isa, resample};
use crate::recipe::AugmentSpec;
use crate::rng::Rng;

/// Varies images as a recipe says.
#[derive(Debug, Clone)]
pub struct Augment {
    isa: Isa,
    affine: Option<RandomAffine>,
    elastic: Option<Elastic>,
    erasing: Option<RandomErasing>,
}

impl Augment {
    /// `None` when the recipe augments nothing.
    pub fn new(spec: &AugmentSpec) -> Option<Self> {
        (!spec.is_empty()).then(|| Self {
            isa: Isa::best(),
            affine: spec.affine.as_ref().map(RandomAffine::new),
            elastic: spec.elastic.as_ref().map(Elastic::new),
            erasing: spec.random_erasing.as_ref().map(RandomErasing::new),
        })
    }

    /// Writes a variation of `image` to `out`, both 784 bytes. `rng` decides which, alone; derive
    /// it from seed, [`Stream::Augment`](crate::rng::Stream), epoch and image, and an epoch's
    /// images are the same whatever the threads and the order.
    ///
    /// # Panics
    /// When one of them is not 784 bytes.
    pub fn apply(&self, image: &[u8], mut rng: Rng, out: &mut [u8]) {
        assert!(image.len() == PIXELS && out.len() == PIXELS);
        let matrix = self.affine.as_ref().map(|affine| affine.draw(&mut rng));
        let displacement = self
            .elastic
            .as_ref()
            .and_then(|elastic| elastic.draw(self.isa, &mut rng));
        if matrix.is_some() || displacement.is_some() {
            let matrix = matrix.unwrap_or(affine::IDENTITY);
            let displacement = displacement.unwrap_or_else(Fields::zeros);
            resample(self.isa, image, &matrix, &displacement, out);
        } else {
            out.copy_from_slice(image);
        }
        if let Some(erasing) = &self.erasing {
            erasing.apply(&mut rng, out);
        }
    }
}

/// A number between `low` and `high`, each equally likely.
fn uniform(rng: &mut Rng, (low, high): (f64, f64)) -> f64 {
    low + (high - low) * f64::from(rng.next_f32())
}
