//! Elastic distortion: each pixel comes from a place that is moved at random, nearly as its
//! neighbours' are.

use crate::dataset::SIDE;
use crate::kernels::{Fields, Isa, smooth};
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

    /// By how many pixels each place is moved, right and down; `None` with probability 1 - p.
    pub fn draw(&self, isa: Isa, rng: &mut Rng) -> Option<Fields> {
        if f64::from(rng.next_f32()) >= self.p {
            return None;
        }
        let mut noise = Fields::zeros();
        for row in &mut noise.0[..SIDE] {
            for four in row.as_flattened_mut().as_chunks_mut::<4>().0 {
                let bits = rng.next_u64();
                for (i, value) in four.iter_mut().enumerate() {
                    // 2^16 steps from -1 to 1 are finer than a smoothed sum of them shows.
                    *value = f32::from((bits >> (16 * i)) as i16) * (1.0 / 32_768.0);
                }
            }
        }
        let mut displacement = Fields::zeros();
        // Transposed, which noise is as well as not.
        smooth(isa, &self.weights, &noise, &mut displacement);
        Some(displacement)
    }
}
