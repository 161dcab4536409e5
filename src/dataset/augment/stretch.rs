//! Other proportions, as people write wider or narrower.

use super::affine::Matrix;
use super::{happens, uniform};
use crate::recipe::StretchSpec;
use crate::rng::Rng;

#[derive(Debug, Clone)]
pub(super) struct Stretch {
    p: f64,
    log_ratio: (f64, f64),
}

impl Stretch {
    pub fn new(spec: &StretchSpec) -> Self {
        let (low, high) = spec.ratio;
        Self {
            p: spec.p,
            log_ratio: (libm::log(low), libm::log(high)),
        }
    }

    /// Lets `matrix` take its pixels from an image that was stretched.
    pub fn draw(&self, rng: &mut Rng, matrix: &mut Matrix) {
        if !happens(rng, self.p) {
            return;
        }
        let width = libm::exp(uniform(rng, self.log_ratio) / 2.0) as f32;
        for (i, value) in matrix.iter_mut().enumerate() {
            *value *= if i < 3 { 1.0 / width } else { width };
        }
    }
}

#[cfg(test)]
mod tests {
    use super::super::affine::IDENTITY;
    use super::*;

    #[test]
    fn proportions_are_spread_evenly_and_the_area_stays() {
        let (low, high) = (0.8, 1.5);
        let stretch = Stretch::new(&StretchSpec {
            ratio: (low, high),
            p: 1.0,
        });
        let mut quarters = [0i32; 4];
        for i in 0..10_000 {
            // Something to see that the whole matrix is changed.
            let mut matrix = [1.0, 0.5, 3.0, -0.25, 1.0, -2.0];
            stretch.draw(&mut Rng::new(3, &[i]), &mut matrix);
            let [a, b, c, d, e, f] = matrix.map(f64::from);
            // A pixel comes from nearer to the middle of a wider image.
            let ratio = e / a;
            assert!((a * e - 1.0).abs() < 1e-6);
            assert!((b / a - 0.5).abs() < 1e-6 && (c / a - 3.0).abs() < 1e-6);
            assert!((d / e + 0.25).abs() < 1e-6 && (f / e + 2.0).abs() < 1e-6);
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
        let stretch = Stretch::new(&StretchSpec {
            ratio: (2.0, 2.0),
            p: 0.3,
        });
        let stretched = (0..4_000).filter(|&i| {
            let mut matrix = IDENTITY;
            stretch.draw(&mut Rng::new(4, &[i]), &mut matrix);
            matrix != IDENTITY
        });
        // The standard deviation is 29.
        let stretched = stretched.count();
        assert!(stretched.abs_diff(1200) < 150, "{stretched}");
    }
}
