//! Training images varied at random: a recipe's `[augment]`.
//!
//! The order is that of [`AugmentSpec`]'s fields. The affine map, the stretch and the elastic
//! distortion are one resampling, so that the image is interpolated only once: a pixel comes from
//! where the affine map says, moved by the pixel's displacement.

mod affine;
mod breaks;
mod clutter;
mod downscale;
mod elastic;
mod erase;
mod european;
#[cfg(test)]
mod golden;
mod pen;
mod refit;
mod segment;
mod stretch;

use self::affine::RandomAffine;
use self::breaks::Breaks;
use self::clutter::Clutter;
use self::downscale::Downscale;
use self::elastic::Elastic;
use self::erase::RandomErasing;
use self::european::European;
use self::pen::Pen;
use self::refit::Refit;
use self::stretch::Stretch;
use super::PIXELS;
use crate::kernels::{Fields, Isa, resample};
use crate::recipe::AugmentSpec;
use crate::rng::Rng;

/// Varies images as a recipe says.
#[derive(Debug, Clone)]
pub struct Augment {
    isa: Isa,
    european: Option<European>,
    affine: Option<RandomAffine>,
    stretch: Option<Stretch>,
    elastic: Option<Elastic>,
    pen: Option<Pen>,
    breaks: Option<Breaks>,
    clutter: Option<Clutter>,
    downscale: Option<Downscale>,
    refit: Option<Refit>,
    erasing: Option<RandomErasing>,
}

impl Augment {
    /// `None` when the recipe augments nothing.
    pub fn new(spec: &AugmentSpec) -> Option<Self> {
        (!spec.is_empty()).then(|| Self {
            isa: Isa::best(),
            european: spec.european.as_ref().map(European::new),
            affine: spec.affine.as_ref().map(RandomAffine::new),
            stretch: spec.stretch.as_ref().map(Stretch::new),
            elastic: spec.elastic.as_ref().map(Elastic::new),
            pen: spec.pen.as_ref().map(Pen::new),
            breaks: spec.breaks.as_ref().map(Breaks::new),
            clutter: spec.clutter.as_ref().map(Clutter::new),
            downscale: spec.downscale.as_ref().map(Downscale::new),
            refit: spec.refit.as_ref().map(Refit::new),
            erasing: spec.random_erasing.as_ref().map(RandomErasing::new),
        })
    }

    /// Writes a variation of `image`, which shows `digit`, to `out`; both have 784 bytes. `rng`
    /// decides which, alone; derive it from seed, [`Stream::Augment`](crate::rng::Stream), epoch
    /// and image, and an epoch's images are the same whatever the threads and the order.
    ///
    /// # Panics
    /// When one of them is not 784 bytes.
    pub fn apply(&self, image: &[u8], digit: u8, mut rng: Rng, out: &mut [u8]) {
        assert!(image.len() == PIXELS && out.len() == PIXELS);
        let rng = &mut rng;
        out.copy_from_slice(image);
        if let Some(european) = &self.european {
            european.apply(rng, digit, out);
        }
        self.distort(rng, out);
        if let Some(pen) = &self.pen {
            pen.apply(rng, out);
        }
        if let Some(breaks) = &self.breaks {
            breaks.apply(rng, out);
        }
        if let Some(clutter) = &self.clutter {
            clutter.apply(rng, out);
        }
        if let Some(downscale) = &self.downscale {
            downscale.apply(rng, out);
        }
        if let Some(refit) = &self.refit {
            refit.apply(self.isa, rng, out);
        }
        if let Some(erasing) = &self.erasing {
            erasing.apply(rng, out);
        }
    }

    /// The affine map, the stretch and the elastic distortion, in one resampling.
    fn distort(&self, rng: &mut Rng, image: &mut [u8]) {
        let affine = self.affine.as_ref().map(|affine| affine.draw(rng));
        let mut matrix = affine.unwrap_or(affine::IDENTITY);
        if let Some(stretch) = &self.stretch {
            stretch.draw(rng, &mut matrix);
        }
        let mut displacement = Fields::zeros();
        let displaced = self
            .elastic
            .as_ref()
            .is_some_and(|elastic| elastic.draw(self.isa, rng, &mut displacement));
        if matrix != affine::IDENTITY || displaced {
            let mut out = [0; PIXELS];
            resample(self.isa, image, &matrix, &displacement, &mut out);
            image.copy_from_slice(&out);
        }
    }
}

/// True with probability `p`.
fn happens(rng: &mut Rng, p: f64) -> bool {
    f64::from(rng.next_f32()) < p
}

/// A number between `low` and `high`, each equally likely.
fn uniform(rng: &mut Rng, (low, high): (f64, f64)) -> f64 {
    low + (high - low) * f64::from(rng.next_f32())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::dataset::{Digits, Part, Source};
    use crate::recipe::{
        AffineSpec, BreaksSpec, ClutterSpec, DownscaleSpec, ElasticSpec, EuropeanSpec, PenSpec,
        RandomErasingSpec, RefitSpec, StretchSpec,
    };

    fn digits() -> Digits {
        Source::Sample.load(Part::Train).unwrap().digits
    }

    fn everything() -> AugmentSpec {
        AugmentSpec {
            european: Some(EuropeanSpec { p: 0.5 }),
            affine: Some(AffineSpec {
                degrees: 15.0,
                translate: (0.1, 0.1),
                scale: (0.8, 1.2),
                shear: 10.0,
            }),
            stretch: Some(StretchSpec {
                ratio: (0.8, 1.25),
                p: 0.5,
            }),
            elastic: Some(ElasticSpec {
                alpha: 34.0,
                sigma: 4.0,
                p: 0.5,
            }),
            pen: Some(PenSpec {
                width: (-1.0, 2.0),
                p: 0.5,
            }),
            breaks: Some(BreaksSpec {
                count: 3,
                width: (0.5, 2.0),
                p: 0.5,
            }),
            clutter: Some(ClutterSpec {
                count: 3,
                level: (0.1, 0.6),
                p: 0.5,
            }),
            downscale: Some(DownscaleSpec {
                scale: (0.4, 0.8),
                p: 0.5,
            }),
            refit: Some(RefitSpec { p: 0.5 }),
            random_erasing: Some(RandomErasingSpec {
                p: 0.5,
                scale: (0.02, 0.33),
                ratio: (0.3, 3.3),
                value: 1.0,
            }),
        }
    }

    fn varied(augment: &Augment, image: &[u8], word: u64) -> [u8; PIXELS] {
        // Not 0, so that what isn't written shows.
        let mut out = [77; PIXELS];
        augment.apply(image, (word % 10) as u8, Rng::new(5, &[word]), &mut out);
        out
    }

    #[test]
    fn a_recipe_that_names_nothing_augments_nothing() {
        assert!(Augment::new(&AugmentSpec::default()).is_none());
    }

    #[test]
    fn magnitudes_of_zero_leave_every_byte_as_it_is() {
        let mut never = everything();
        never.affine = None;
        never.european.as_mut().unwrap().p = 0.0;
        never.stretch.as_mut().unwrap().p = 0.0;
        never.elastic.as_mut().unwrap().p = 0.0;
        never.pen.as_mut().unwrap().p = 0.0;
        never.breaks.as_mut().unwrap().p = 0.0;
        never.downscale.as_mut().unwrap().p = 0.0;
        never.refit.as_mut().unwrap().p = 0.0;
        never.clutter.as_mut().unwrap().p = 0.0;
        never.random_erasing.as_mut().unwrap().p = 0.0;
        let zero = AugmentSpec {
            affine: Some(AffineSpec {
                degrees: 0.0,
                translate: (0.0, 0.0),
                scale: (1.0, 1.0),
                shear: 0.0,
            }),
            stretch: Some(StretchSpec {
                ratio: (1.0, 1.0),
                p: 1.0,
            }),
            elastic: Some(ElasticSpec {
                alpha: 0.0,
                sigma: 4.0,
                p: 1.0,
            }),
            pen: Some(PenSpec {
                width: (0.0, 0.0),
                p: 1.0,
            }),
            breaks: Some(BreaksSpec {
                count: 3,
                width: (0.0, 0.0),
                p: 1.0,
            }),
            clutter: Some(ClutterSpec {
                count: 3,
                level: (0.0, 0.0),
                p: 1.0,
            }),
            ..never.clone()
        };
        let digits = digits();
        // Any byte anywhere, up to the edges.
        let mut rng = Rng::new(1, &[]);
        let noise: Vec<u8> = (0..PIXELS).map(|_| rng.next_u64() as u8).collect();
        for spec in [zero, never] {
            for isa in Isa::available() {
                let augment = Augment {
                    isa,
                    ..Augment::new(&spec).unwrap()
                };
                for i in 0..50 {
                    assert_eq!(varied(&augment, digits.image(i), i as u64), digits.image(i));
                }
                assert_eq!(varied(&augment, &noise, 0), noise[..]);
            }
        }
    }

    #[test]
    fn the_generator_decides_every_bit() {
        let augment = Augment::new(&everything()).unwrap();
        let digits = digits();
        let once: Vec<_> = (0..100)
            .map(|i| varied(&augment, digits.image(i), i as u64))
            .collect();
        // Another instance, another order, another thread.
        let again = std::thread::spawn(move || {
            let augment = Augment::new(&everything()).unwrap();
            let digits = self::digits();
            let mut all: Vec<_> = (0..100)
                .rev()
                .map(|i| varied(&augment, digits.image(i), i as u64))
                .collect();
            all.reverse();
            all
        });
        assert!(once == again.join().unwrap());
        let others = (0..100).filter(|&i| varied(&augment, digits.image(i), 1000) != once[i]);
        assert_eq!(others.count(), 100);
    }

    #[test]
    fn instruction_sets_agree() {
        let digits = digits();
        // Where ink begins is one level more or less: with that a break is elsewhere, a box larger.
        let spec = AugmentSpec {
            breaks: None,
            refit: None,
            ..everything()
        };
        let best = Augment::new(&spec).unwrap();
        for isa in Isa::available() {
            let augment = Augment {
                isa,
                ..best.clone()
            };
            for i in 0..500 {
                let expected = varied(&best, digits.image(i), i as u64);
                let found = varied(&augment, digits.image(i), i as u64);
                let largest = found.iter().zip(expected).map(|(a, b)| a.abs_diff(b)).max();
                assert!(largest <= Some(1), "{isa}, digit {i}: {largest:?}");
            }
        }
    }

    /// The largest values a recipe may ask for: nothing panics, and every byte is written.
    #[test]
    fn the_wildest_recipe_is_done() {
        let spec = AugmentSpec {
            european: Some(EuropeanSpec { p: 1.0 }),
            affine: Some(AffineSpec {
                degrees: 180.0,
                translate: (1.0, 1.0),
                scale: (0.1, 10.0),
                shear: 60.0,
            }),
            stretch: Some(StretchSpec {
                ratio: (0.1, 10.0),
                p: 1.0,
            }),
            elastic: Some(ElasticSpec {
                alpha: 1000.0,
                sigma: f64::MIN_POSITIVE,
                p: 1.0,
            }),
            pen: Some(PenSpec {
                width: (-4.0, 4.0),
                p: 1.0,
            }),
            breaks: Some(BreaksSpec {
                count: 100,
                width: (0.0, 28.0),
                p: 1.0,
            }),
            clutter: Some(ClutterSpec {
                count: 100,
                level: (0.0, 1.0),
                p: 1.0,
            }),
            downscale: Some(DownscaleSpec {
                scale: (0.1, 1.0),
                p: 1.0,
            }),
            refit: Some(RefitSpec { p: 1.0 }),
            random_erasing: Some(RandomErasingSpec {
                p: 1.0,
                scale: (0.0, 1.0),
                ratio: (0.01, 100.0),
                value: 0.0,
            }),
        };
        let mut flat = spec.clone();
        flat.elastic.as_mut().unwrap().sigma = 28.0;
        let digits = digits();
        for spec in [spec, flat] {
            let augment = Augment::new(&spec).unwrap();
            for i in 0..500 {
                let image = varied(&augment, digits.image(i), i as u64);
                // 77 is what it was before; a digit has that value in some places only.
                let unwritten = image.iter().filter(|&&pixel| pixel == 77).count();
                assert!(unwritten < 50, "digit {i}: {unwritten}");
            }
        }
    }
}
