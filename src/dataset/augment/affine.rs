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
fn inverse_matrix(angle: f64, translate: (f64, f64), scale: f64, shear: f64) -> Matrix {
    // libm's are the same on every machine, the system's are not.
    let (sin, cos) = libm::sincos(angle.to_radians());
    let slope = libm::tan(shear.to_radians());
    let a = (cos - sin * slope) / scale;
    let b = (sin + cos * slope) / scale;
    let (d, e) = (-sin / scale, cos / scale);
    let (x, y) = translate;
    [a, b, -(a * x + b * y), d, e, -(d * x + e * y)].map(|value| value as f32)
}
