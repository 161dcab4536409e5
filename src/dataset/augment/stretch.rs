//! Other proportions, as people write wider or narrower.

use serde::Serialize;

use super::canvas::{Canvas, Matrix};
use super::{TransformKind, happens, ordered, probability, uniform};
use crate::rng::Rng;
use crate::schema::{SchemaError, Section};

/// Other proportions: the width divided by the height becomes another, the area stays.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Stretch {
    /// The least and the largest factor of the width divided by the height, as RandomResizedCrop's
    /// `ratio`; their logarithms are equally likely.
    ratio: (f64, f64),
    /// The probability that an image is stretched.
    p: f64,
}

impl TransformKind for Stretch {
    fn read(section: &Section<'_>) -> Result<Self, SchemaError> {
        let default = (0.75, 4.0 / 3.0);
        Ok(Self {
            ratio: ordered(section, "ratio", default, "factors", (0.1, 10.0))?,
            p: probability(section, 1.0)?,
        })
    }

    fn apply(&self, rng: &mut Rng, canvas: &mut Canvas<'_>) {
        if let Some(matrix) = self.draw(rng) {
            canvas.map(&matrix);
        }
    }
}

impl Stretch {
    fn draw(&self, rng: &mut Rng) -> Option<Matrix> {
        if !happens(rng, self.p) {
            return None;
        }
        let (low, high) = self.ratio;
        let ratio = uniform(rng, (libm::log(low), libm::log(high)));
        let width = libm::exp(ratio / 2.0) as f32;
        Some([1.0 / width, 0.0, 0.0, 0.0, width, 0.0])
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn proportions_are_spread_evenly_and_the_area_stays() {
        let (low, high) = (0.8, 1.5);
        let stretch = Stretch {
            ratio: (low, high),
            p: 1.0,
        };
        let mut quarters = [0i32; 4];
        for i in 0..10_000 {
            let matrix = stretch.draw(&mut Rng::new(3, &[i])).unwrap();
            let [a, b, c, d, e, f] = matrix.map(f64::from);
            assert_eq!([b, c, d, f], [0.0; 4]);
            // A pixel comes from nearer to the middle of a wider image.
            let ratio = e / a;
            assert!((a * e - 1.0).abs() < 1e-6);
            let place = (ratio / low).ln() / (high / low).ln();
            assert!((-1e-5..1.0 + 1e-5).contains(&place), "{ratio}");
            quarters[((place * 4.0) as usize).min(3)] += 1;
        }
        // The standard deviation is 43.
        let even = quarters.iter().all(|count| (count - 2500).abs() < 220);
        assert!(even, "{quarters:?}");
    }

    #[test]
    fn p_is_the_share_of_stretched_images() {
        let stretch = Stretch {
            ratio: (2.0, 2.0),
            p: 0.3,
        };
        let stretched = (0..4_000).filter(|&i| stretch.draw(&mut Rng::new(4, &[i])).is_some());
        // The standard deviation is 29.
        let stretched = stretched.count();
        assert!(stretched.abs_diff(1200) < 150, "{stretched}");
    }
}
