//! Rotation, shift, scale and shear, as torchvision's `RandomAffine`.

use serde::Serialize;

use super::canvas::{Canvas, Matrix};
use super::{TransformKind, fraction, ordered, uniform};
use crate::dataset::SIDE;
use crate::rng::Rng;
use crate::schema::{SchemaError, Section};

/// The arguments of `torchvision.transforms.RandomAffine`, with bilinear interpolation, paper
/// around the image, and translations that are not rounded to whole pixels.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Affine {
    /// The largest angle, to both sides.
    degrees: f64,
    /// The largest shift as a fraction of the width and of the height, to both sides.
    translate: (f64, f64),
    /// The smallest and the largest factor.
    scale: (f64, f64),
    /// The largest angle of a shear along x, to both sides; in degrees.
    shear: f64,
}

impl TransformKind for Affine {
    fn read(section: &Section<'_>) -> Result<Self, SchemaError> {
        let angle = |largest| move |angle: f64| (0.0..=largest).contains(&angle);
        Ok(Self {
            degrees: section.number_where(
                "degrees",
                0.0,
                "between 0 and 180, the largest angle to either side",
                angle(180.0),
            )?,
            translate: section.pair_where(
                "translate",
                (0.0, 0.0),
                "two fractions between 0 and 1, of the width and of the height",
                |x, y| fraction(x) && fraction(y),
            )?,
            scale: ordered(section, "scale", (1.0, 1.0), "factors", (0.1, 10.0))?,
            // At 90 degrees a sheared image is a line.
            shear: section.number_where(
                "shear",
                0.0,
                "between 0 and 60, the largest angle to either side",
                angle(60.0),
            )?,
        })
    }

    fn apply(&self, rng: &mut Rng, canvas: &mut Canvas<'_>) {
        canvas.map(&self.draw(rng));
    }
}

impl Affine {
    fn draw(&self, rng: &mut Rng) -> Matrix {
        let mut to_both_sides = |largest: f64| uniform(rng, (-largest, largest));
        let angle = to_both_sides(self.degrees);
        let x = to_both_sides(self.translate.0) * SIDE as f64;
        let y = to_both_sides(self.translate.1) * SIDE as f64;
        let shear = to_both_sides(self.shear);
        inverse_matrix(angle, (x, y), uniform(rng, self.scale), shear)
    }
}

/// Where pixels come from when the image is sheared along x, scaled, rotated clockwise about its
/// centre and moved right and down. Degrees and pixels; torchvision's
/// `_get_inverse_affine_matrix` with the second angle of shear 0.
pub fn inverse_matrix(angle: f64, translate: (f64, f64), scale: f64, shear: f64) -> Matrix {
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
    use crate::dataset::augment::canvas::IDENTITY;

    const NOTHING: Affine = Affine {
        degrees: 0.0,
        translate: (0.0, 0.0),
        scale: (1.0, 1.0),
        shear: 0.0,
    };

    /// Draws numbers that must be spread evenly from `low` to `high`.
    fn spread(affine: &Affine, (low, high): (f64, f64), number: impl Fn([f64; 6]) -> f64) {
        const DRAWS: usize = 10_000;
        let mut quarters = [0i32; 4];
        for i in 0..DRAWS {
            let matrix = affine.draw(&mut Rng::new(1, &[i as u64]));
            let number = number(matrix.map(f64::from));
            let place = (number - low) / (high - low);
            assert!(
                (-1e-5..1.0 + 1e-5).contains(&place),
                "{number} in {affine:?}"
            );
            quarters[((place * 4.0) as usize).min(3)] += 1;
        }
        // The standard deviation is 43.
        let even = quarters.iter().all(|count| (count - 2500).abs() < 220);
        assert!(even, "{quarters:?} in {affine:?}");
    }

    #[test]
    fn every_part_is_spread_evenly_over_its_range() {
        let degrees = Affine {
            degrees: 20.0,
            ..NOTHING
        };
        spread(&degrees, (-20.0, 20.0), |m| m[1].atan2(m[0]).to_degrees());
        let translate = Affine {
            translate: (0.1, 0.25),
            ..NOTHING
        };
        spread(&translate, (-2.8, 2.8), |m| -m[2]);
        spread(&translate, (-7.0, 7.0), |m| -m[5]);
        let scale = Affine {
            scale: (0.75, 1.5),
            ..NOTHING
        };
        spread(&scale, (0.75, 1.5), |m| 1.0 / m[0]);
        spread(&scale, (0.75, 1.5), |m| 1.0 / m[4]);
        let shear = Affine {
            shear: 30.0,
            ..NOTHING
        };
        spread(&shear, (-30.0, 30.0), |m| m[1].atan().to_degrees());
    }

    #[test]
    fn nothing_is_the_identity() {
        let matrix = NOTHING.draw(&mut Rng::new(1, &[]));
        assert_eq!(matrix, IDENTITY);
    }
}
