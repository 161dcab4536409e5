//! Elastic distortion: each pixel comes from a place that is moved at random, nearly as its
//! neighbours' are.

use serde::Serialize;

use super::canvas::Canvas;
use super::{TransformKind, happens, probability};
use crate::dataset::SIDE;
use crate::kernels::{Fields, Isa, Noise, smooth};
use crate::rng::Rng;
use crate::schema::{SchemaError, Section};

/// How many standard deviations of the Gaussian are kept, to either side.
const TRUNCATE: f64 = 3.0;

/// Elastic distortion (Simard, Steinkraus and Platt, "Best practices for convolutional neural
/// networks applied to visual document analysis", 2003), with their values as defaults.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Elastic {
    /// What the smoothed displacements, uniform in -1..1 before, are multiplied by: pixels.
    /// torchvision's `ElasticTransform` has half pixels here.
    alpha: f64,
    /// The standard deviation of the Gaussian that smooths them, in pixels.
    sigma: f64,
    /// The probability that an image is distorted.
    p: f64,
    /// The Gaussian, centre in the middle, times the square root of alpha: it is applied twice,
    /// along the rows and along the columns.
    #[serde(skip)]
    weights: [f32; 2 * SIDE - 1],
}

impl TransformKind for Elastic {
    fn read(section: &Section<'_>) -> Result<Self, SchemaError> {
        let alpha = section.number_where("alpha", 34.0, "between 0 and 1000 pixels", |alpha| {
            (0.0..=1000.0).contains(&alpha)
        })?;
        let sigma = section.number_where(
            "sigma",
            4.0,
            "greater than 0 and at most 28 pixels",
            |sigma| sigma > 0.0 && sigma <= 28.0,
        )?;
        Ok(Self::new(alpha, sigma, probability(section, 1.0)?))
    }

    fn apply(&self, rng: &mut Rng, canvas: &mut Canvas<'_>) {
        if happens(rng, self.p) {
            canvas.displace(|isa, displacement| self.draw(isa, rng, displacement));
        }
    }
}

impl Elastic {
    fn new(alpha: f64, sigma: f64, p: f64) -> Self {
        let radius = (TRUNCATE * sigma).ceil();
        let density = |distance: f64| {
            let deviations = distance / sigma;
            libm::exp(-0.5 * deviations * deviations)
        };
        let one_side: f64 = (1..=radius as usize).map(|i| density(i as f64)).sum();
        let scale = alpha.sqrt() / (density(0.0) + 2.0 * one_side);
        let weight = |place: usize| {
            let distance = place.abs_diff(SIDE - 1) as f64;
            if distance <= radius {
                (density(distance) * scale) as f32
            } else {
                0.0
            }
        };
        Self {
            alpha,
            sigma,
            p,
            weights: std::array::from_fn(weight),
        }
    }

    /// Fills `displacement` with how many pixels right and down of each place its pixel comes from.
    fn draw(&self, isa: Isa, rng: &mut Rng, displacement: &mut Fields) {
        // A byte a number: 256 steps are as good as more once hundreds of them are added up.
        let mut noise: Noise = [[[0; _]; 2]; SIDE];
        for eight in noise
            .as_flattened_mut()
            .as_flattened_mut()
            .as_chunks_mut()
            .0
        {
            *eight = rng.next_u64().to_le_bytes();
        }
        // Transposed, which noise is as well as not.
        smooth(isa, &self.weights, &noise, displacement);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::dataset::PIXELS;
    use crate::dataset::augment::assert_changes_three_in_ten;

    const DRAWS: u64 = 4_000;

    fn draws(elastic: &Elastic) -> Vec<Fields> {
        (0..DRAWS)
            .map(|i| {
                let mut displacement = Fields::zeros();
                elastic.draw(Isa::best(), &mut Rng::new(2, &[i]), &mut displacement);
                displacement
            })
            .collect()
    }

    fn mean(values: impl ExactSizeIterator<Item = f32>) -> f64 {
        let count = values.len() as f64;
        values.map(f64::from).sum::<f64>() / count
    }

    #[test]
    fn displacements_are_as_large_as_the_formula_says() {
        let (alpha, sigma) = (34.0, 4.0);
        let fields = draws(&Elastic::new(alpha, sigma, 1.0));
        // Numbers spread evenly over -1..1 have the variance 1/3, and the squares of a Gaussian's
        // weights have the sum 1 / (2 sigma sqrt(pi)) along each of two axes.
        let expected = alpha * (1.0f64 / 3.0).sqrt() / (2.0 * sigma * std::f64::consts::PI.sqrt());
        for field in 0..2 {
            let at = |y: usize, x: usize| fields.iter().map(move |f| f.0[y][field][x]);
            let deviation = mean(at(13, 14).map(|value| value * value)).sqrt();
            assert!(
                (deviation / expected - 1.0).abs() < 0.05,
                "{deviation} {expected}"
            );
            assert!(mean(at(13, 14)).abs() < 5.0 * expected / (DRAWS as f64).sqrt());
            // Neighbours move together: exp(-1 / (4 sigma^2)) of it.
            let products = at(13, 14).zip(at(13, 15)).map(|(a, b)| a * b);
            let together = products.map(f64::from).sum::<f64>() / DRAWS as f64;
            assert!(together / deviation.powi(2) > 0.95);
        }
        // Right and down have nothing to do with each other.
        let products = fields.iter().map(|f| f.0[13][0][14] * f.0[13][1][14]);
        assert!(mean(products).abs() / expected.powi(2) < 0.1);
    }

    #[test]
    fn p_is_the_share_of_distorted_images() {
        let elastic = Elastic::new(34.0, 4.0, 0.3);
        // Uneven, so that every distortion shows.
        let image: [u8; PIXELS] = std::array::from_fn(|i| (i * i) as u8);
        assert_changes_three_in_ten(&elastic, 0, &image);
    }
}
