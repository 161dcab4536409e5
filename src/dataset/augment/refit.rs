//! The ink fitted into the image again, as MNIST's digits were and as `predict` does it.

use serde::Serialize;

use super::canvas::Canvas;
use super::{TransformKind, happens, probability};
use crate::dataset::{SIDE, mnist_box};
use crate::rng::Rng;
use crate::schema::{SchemaError, Section};

/// What counts as ink at the edge of the box.
const INK: u8 = 64;

/// The ink scaled back into MNIST's box of 20x20 pixels and placed by its centre of mass, as
/// `predict` does it with the ink it finds in a picture, after all that has moved or changed it.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Refit {
    /// The probability that an image is refitted.
    p: f64,
}

impl TransformKind for Refit {
    fn read(section: &Section<'_>) -> Result<Self, SchemaError> {
        Ok(Self {
            p: probability(section, 1.0)?,
        })
    }

    fn apply(&self, rng: &mut Rng, canvas: &mut Canvas<'_>) {
        if happens(rng, self.p) {
            fit(canvas.pixels());
        }
    }
}

/// Fits the ink into the image; without ink, leaves it as it is.
fn fit(image: &mut [u8]) {
    let (mut darkest_in_row, mut darkest_in_column) = ([0; SIDE], [0; SIDE]);
    let mut levels = [[0.0; SIDE]; SIDE];
    for (y, row) in image.chunks_exact(SIDE).enumerate() {
        for (x, &pixel) in row.iter().enumerate() {
            darkest_in_row[y] = pixel.max(darkest_in_row[y]);
            darkest_in_column[x] = pixel.max(darkest_in_column[x]);
            levels[y][x] = f32::from(pixel);
        }
    }
    let extent = |darkest: [u8; SIDE]| {
        let first = darkest.iter().position(|&pixel| pixel >= INK)?;
        let last = darkest.iter().rposition(|&pixel| pixel >= INK)?;
        Some(first..last + 1)
    };
    if let (Some(rows), Some(columns)) = (extent(darkest_in_row), extent(darkest_in_column)) {
        let inked = levels[rows].iter().map(|row| &row[columns.clone()]);
        image.copy_from_slice(&mnist_box::fitted(inked));
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::dataset::augment::assert_changes_three_in_ten;
    use crate::dataset::mnist_box::{BOX, CENTRE};
    use crate::dataset::{Digits, PIXELS, Source, Split};
    use crate::kernels::{Fields, Isa, resample};

    fn digits() -> Digits {
        Source::Sample.load(Split::Train).unwrap().digits
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
        let digits = digits();
        for i in 0..400 {
            let size = 0.6 + 0.1 * (i % 8) as f32;
            let matrix = [1.0 / size, 0.0, -2.0, 0.0, 1.0 / size, 1.5];
            let mut image = [0; PIXELS];
            let digit = digits.image(i);
            resample(Isa::best(), digit, &matrix, &Fields::zeros(), &mut image);
            fit(&mut image);
            let (side, x, y) = measure(&image);
            // The box is filled, though its edge may have become fainter than ink.
            assert!((BOX - 1..=BOX).contains(&side), "digit {i}, {size}: {side}");
            // Placed by whole pixels.
            let off = |place: f64| (place - f64::from(CENTRE)).abs();
            assert!(off(x) < 0.51 && off(y) < 0.51, "digit {i}: {x} {y}");
            assert_eq!(image.iter().max(), Some(&255));
        }
    }

    /// MNIST's own normalisation leaves no more to do than a pixel here or there.
    #[test]
    fn mnist_is_fitted_already() {
        let digits = digits();
        let (mut unchanged, mut change) = (0, 0.0);
        for i in 0..1_000 {
            let before = digits.image(i);
            let mut image = before.to_vec();
            fit(&mut image);
            let differences = image.iter().zip(before).map(|(a, b)| a.abs_diff(*b));
            change += differences.clone().map(f64::from).sum::<f64>();
            // What is too faint for ink is cut off at the edges of the box.
            unchanged += usize::from(differences.max() <= Some(INK));
        }
        let mean = change / 1_000.0 / PIXELS as f64;
        assert!(unchanged > 970 && mean < 0.5, "{unchanged}, {mean}");
    }

    #[test]
    fn paper_stays_paper() {
        let mut image = [INK - 1; PIXELS];
        fit(&mut image);
        assert!(image == [INK - 1; PIXELS]);
    }

    #[test]
    fn p_is_the_share_of_fitted_images() {
        let refit = Refit { p: 0.3 };
        let mut small = [0; PIXELS];
        small[200..210].fill(100);
        assert_changes_three_in_ten(&refit, 0, &small);
    }
}
