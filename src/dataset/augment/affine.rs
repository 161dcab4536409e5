//! Rotation, shift, scale and shear, as torchvision's `RandomAffine`.

use super::uniform;
use crate::dataset::SIDE;
use crate::recipe::AffineSpec;
use crate::rng::Rng;

/// Where pixels come from, in coordinates that count from the image's centre: `[a, b, c, d, e, f]`
/// takes (x, y) to (a x + b y + c, d x + e y + f).
pub(super) type Matrix = [f32; 6];

pub(super) const IDENTITY: Matrix = [1.0, 0.0, 0.0, 0.0, 1.0, 0.0];

#[derive(Debug, Clone)]
pub(super) struct RandomAffine(AffineSpec);

impl RandomAffine {
    pub fn new(spec: &AffineSpec) -> Self {
        Self(spec.clone())
    }

    pub fn draw(&self, rng: &mut Rng) -> Matrix {
        let Self(spec) = self;
        let mut to_both_sides = |largest: f64| uniform(rng, (-largest, largest));
        let angle = to_both_sides(spec.degrees);
        let x = to_both_sides(spec.translate.0) * SIDE as f64;
        let y = to_both_sides(spec.translate.1) * SIDE as f64;
        let shear = to_both_sides(spec.shear);
        inverse_matrix(angle, (x, y), uniform(rng, spec.scale), shear)
    }
}

/// Where pixels come from when the image is sheared along x, scaled, rotated clockwise about its
/// centre and moved right and down. Degrees and pixels; torchvision's
/// `_get_inverse_affine_matrix` with the second angle of shear 0.
pub(super) fn inverse_matrix(angle: f64, translate: (f64, f64), scale: f64, shear: f64) -> Matrix {
    // libm's are the same on every machine, the system's are not.
    let (sin, cos) = libm::sincos(angle.to_radians());
    let slope = libm::tan(shear.to_radians());
    let a = (cos - sin * slope) / scale;
    let b = (sin + cos * slope) / scale;
    let (d, e) = (-sin / scale, cos / scale);
    let (x, y) = translate;
    [a, b, -(a * x + b * y), d, e, -(d * x + e * y)].map(|value| value as f32)
}

#[cfg(test)]
mod tests {
    use super::*;

    const NOTHING: AffineSpec = AffineSpec {
        degrees: 0.0,
        translate: (0.0, 0.0),
        scale: (1.0, 1.0),
        shear: 0.0,
    };

    /// Draws numbers that must be spread evenly from `low` to `high`.
    fn spread(spec: AffineSpec, (low, high): (f64, f64), number: impl Fn([f64; 6]) -> f64) {
        const DRAWS: usize = 10_000;
        let affine = RandomAffine::new(&spec);
        let mut quarters = [0i32; 4];
        for i in 0..DRAWS {
            let matrix = affine.draw(&mut Rng::new(1, &[i as u64]));
            let number = number(matrix.map(f64::from));
            let place = (number - low) / (high - low);
            assert!((-1e-5..1.0 + 1e-5).contains(&place), "{number} in {spec:?}");
            quarters[((place * 4.0) as usize).min(3)] += 1;
        }
        // The standard deviation is 43.
        let even = quarters.iter().all(|count| (count - 2500).abs() < 220);
        assert!(even, "{quarters:?} in {spec:?}");
    }

    #[test]
    fn every_part_is_spread_evenly_over_its_range() {
        let degrees = AffineSpec {
            degrees: 20.0,
            ..NOTHING
        };
        spread(degrees, (-20.0, 20.0), |m| m[1].atan2(m[0]).to_degrees());
        let translate = AffineSpec {
            translate: (0.1, 0.25),
            ..NOTHING
        };
        spread(translate.clone(), (-2.8, 2.8), |m| -m[2]);
        spread(translate, (-7.0, 7.0), |m| -m[5]);
        let scale = AffineSpec {
            scale: (0.75, 1.5),
            ..NOTHING
        };
        spread(scale.clone(), (0.75, 1.5), |m| 1.0 / m[0]);
        spread(scale, (0.75, 1.5), |m| 1.0 / m[4]);
        let shear = AffineSpec {
            shear: 30.0,
            ..NOTHING
        };
        spread(shear, (-30.0, 30.0), |m| m[1].atan().to_degrees());
    }

    #[test]
    fn nothing_is_the_identity() {
        let matrix = RandomAffine::new(&NOTHING).draw(&mut Rng::new(1, &[]));
        assert_eq!(matrix, IDENTITY);
    }
}
