//! The ink fitted into the image again, as MNIST's digits were and as `predict` does it.

use super::affine::Matrix;
use super::happens;
use crate::dataset::{PIXELS, SIDE};
use crate::kernels::{Fields, Isa, resample};
use crate::recipe::RefitSpec;
use crate::rng::Rng;

/// The box that the ink is scaled into, in pixels.
const BOX: f32 = 20.0;

/// Where MNIST's digits have their centre of mass: the mean over the training images, in pixels
/// from the middle of the top left one.
const CENTRE: f32 = 14.0;

/// What counts as ink at the edge of the box.
const INK: u8 = 64;

#[derive(Debug, Clone)]
pub(super) struct Refit {
    p: f64,
}

impl Refit {
    pub fn new(spec: &RefitSpec) -> Self {
        Self { p: spec.p }
    }

    pub fn apply(&self, isa: Isa, rng: &mut Rng, image: &mut [u8]) {
        if !happens(rng, self.p) {
            return;
        }
        // No ink, nothing to fit.
        let Some(matrix) = fitting(image) else {
            return;
        };
        let mut out = [0; PIXELS];
        resample(isa, image, &matrix, &Fields::zeros(), &mut out);
        // A thin stroke that has become grey is made full ink again.
        let peak = u16::from(out.iter().copied().max().unwrap_or(0)).max(1);
        for (to, from) in image.iter_mut().zip(out) {
            *to = (u16::from(from) * 255 / peak) as u8;
        }
    }
}

/// Where the pixels of the fitted image come from; `None` for an image without ink.
fn fitting(image: &[u8]) -> Option<Matrix> {
    let (mut rows, mut columns) = ([0u32; SIDE], [0u32; SIDE]);
    let (mut inked_rows, mut inked) = ([0u8; SIDE], [0u8; SIDE]);
    for (y, row) in image.chunks_exact(SIDE).enumerate() {
        for x in 0..SIDE {
            rows[y] += u32::from(row[x]);
            columns[x] += u32::from(row[x]);
            inked_rows[y] = inked_rows[y].max(row[x]);
            inked[x] = inked[x].max(row[x]);
        }
    }
    let extent = |levels: &[u8; SIDE]| {
        let first = levels.iter().position(|&level| level >= INK)?;
        let last = levels.iter().rposition(|&level| level >= INK)?;
        Some(last - first + 1)
    };
    let longest = extent(&inked_rows)?.max(extent(&inked)?);
    let mean = |sums: &[u32; SIDE]| {
        let mass: u32 = sums.iter().sum();
        let moment: u32 = (0..).zip(sums).map(|(i, sum)| i * sum).sum();
        moment as f32 / mass as f32
    };
    let step = longest as f32 / BOX;
    // The matrix counts from the image's middle.
    let middle = (SIDE as f32 - 1.0) / 2.0;
    let shift = |mean: f32| mean - middle - step * (CENTRE - middle);
    let (x, y) = (shift(mean(&columns)), shift(mean(&rows)));
    Some([step, 0.0, x, 0.0, step, y])
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::dataset::{Digits, Part, Source};

    fn digits() -> Digits {
        Source::Sample.load(Part::Train).unwrap().digits
    }

    /// The longest side of the ink's box and its centre of mass.
    fn measure(image: &[u8]) -> (usize, f64, f64) {
        let at = |i: usize| ((i % SIDE) as f64, (i / SIDE) as f64);
        let inked: Vec<usize> = (0..PIXELS).filter(|&i| image[i] >= INK).collect();
        let side = |along: &dyn Fn(&usize) -> usize| {
            let places = || inked.iter().map(along);
            places().max().unwrap() - places().min().unwrap() + 1
        };
        let mass: f64 = image.iter().map(|&pixel| f64::from(pixel)).sum();
        let mean = |place: &dyn Fn(usize) -> f64| {
            let sum: f64 = (0..PIXELS).map(|i| f64::from(image[i]) * place(i)).sum();
            sum / mass
        };
        (
            side(&|i| i % SIDE).max(side(&|i| i / SIDE)),
            mean(&|i| at(i).0),
            mean(&|i| at(i).1),
        )
    }

    #[test]
    fn a_digit_of_any_size_anywhere_comes_back_into_its_box() {
        let refit = Refit::new(&RefitSpec { p: 1.0 });
        let digits = digits();
        for isa in Isa::available() {
            for i in 0..200 {
                let size = 0.6 + 0.1 * (i % 8) as f32;
                let matrix = [1.0 / size, 0.0, -2.0, 0.0, 1.0 / size, 1.5];
                let mut image = [0; PIXELS];
                let digit = digits.image(i);
                resample(isa, digit, &matrix, &Fields::zeros(), &mut image);
                refit.apply(isa, &mut Rng::new(1, &[]), &mut image);
                let (side, x, y) = measure(&image);
                // Edges are found to a pixel of the image before.
                assert!((18..=22).contains(&side), "digit {i}, {size}: {side}");
                let off = (x - f64::from(CENTRE)).hypot(y - f64::from(CENTRE));
                assert!(off < 0.25, "digit {i}: {x} {y}");
                assert_eq!(image.iter().max(), Some(&255));
            }
        }
    }

    #[test]
    fn mnist_is_fitted_already() {
        let refit = Refit::new(&RefitSpec { p: 1.0 });
        let digits = digits();
        let mut change = 0.0;
        for i in 0..500 {
            let mut image = digits.image(i).to_vec();
            refit.apply(Isa::best(), &mut Rng::new(1, &[]), &mut image);
            let differences = image.iter().zip(digits.image(i));
            change += differences
                .map(|(a, b)| f64::from(a.abs_diff(*b)))
                .sum::<f64>();
        }
        // MNIST places digits by whole pixels: what half a pixel changes, and no more.
        let mean = change / 500.0 / PIXELS as f64;
        assert!(mean < 12.0, "{mean}");
    }

    #[test]
    fn paper_stays_paper() {
        let refit = Refit::new(&RefitSpec { p: 1.0 });
        let mut image = [INK - 1; PIXELS];
        refit.apply(Isa::best(), &mut Rng::new(1, &[]), &mut image);
        assert!(image == [INK - 1; PIXELS]);
    }

    #[test]
    fn p_is_the_share_of_fitted_images() {
        let refit = Refit::new(&RefitSpec { p: 0.3 });
        let mut small = [0; PIXELS];
        small[200..210].fill(100);
        let fitted = (0..4_000).filter(|&i| {
            let mut image = small;
            refit.apply(Isa::best(), &mut Rng::new(2, &[i]), &mut image);
            image != small
        });
        // The standard deviation is 29.
        let fitted = fitted.count();
        assert!(fitted.abs_diff(1200) < 150, "{fitted}");
    }
}
