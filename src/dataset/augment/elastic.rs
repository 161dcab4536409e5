//! Elastic distortion: each pixel comes from a place that is moved at random, nearly as its
//! neighbours' are.

use crate::dataset::SIDE;
use crate::kernels::{Fields, Isa, Noise, smooth};
use crate::recipe::ElasticSpec;
use crate::rng::Rng;

/// How many standard deviations of the Gaussian are kept, to either side.
const TRUNCATE: f64 = 3.0;

#[derive(Debug, Clone)]
pub(super) struct Elastic {
    p: f64,
    /// The Gaussian, centre in the middle, times the square root of alpha: it is applied twice,
    /// along the rows and along the columns.
    weights: [f32; 2 * SIDE - 1],
}

impl Elastic {
    pub fn new(spec: &ElasticSpec) -> Self {
        let radius = (TRUNCATE * spec.sigma).ceil();
        let density = |distance: f64| {
            let deviations = distance / spec.sigma;
            libm::exp(-0.5 * deviations * deviations)
        };
        let one_side: f64 = (1..=radius as usize).map(|i| density(i as f64)).sum();
        let scale = spec.alpha.sqrt() / (density(0.0) + 2.0 * one_side);
        let weight = |place: usize| {
            let distance = place.abs_diff(SIDE - 1) as f64;
            match distance <= radius {
                true => (density(distance) * scale) as f32,
                false => 0.0,
            }
        };
        Self {
            p: spec.p,
            weights: std::array::from_fn(weight),
        }
    }

    /// Fills `displacement` with how many pixels right and down of each place its pixel comes
    /// from. With probability 1 - p leaves it as it is and returns false.
    pub fn draw(&self, isa: Isa, rng: &mut Rng, displacement: &mut Fields) -> bool {
        if f64::from(rng.next_f32()) >= self.p {
            return false;
        }
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
        true
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const DRAWS: u64 = 4_000;

    fn draws(spec: &ElasticSpec) -> Vec<Fields> {
        let elastic = Elastic::new(spec);
        (0..DRAWS)
            .filter_map(|i| {
                let mut displacement = Fields::zeros();
                let mut rng = Rng::new(2, &[i]);
                let drawn = elastic.draw(Isa::best(), &mut rng, &mut displacement);
                assert!(drawn || displacement.0 == Fields::zeros().0);
                drawn.then_some(displacement)
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
        let fields = draws(&ElasticSpec {
            alpha,
            sigma,
            p: 1.0,
        });
        assert_eq!(fields.len() as u64, DRAWS);
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
        let fields = draws(&ElasticSpec {
            alpha: 34.0,
            sigma: 4.0,
            p: 0.3,
        });
        // The standard deviation is 29.
        assert!(fields.len().abs_diff(1200) < 150, "{}", fields.len());
    }
}
