//! Whether a picture already is what the network was trained on.

use image::GrayImage;

use super::plane::Plane;
use super::{Digit, SIDE, fit};
use crate::dataset::mnist_box::{BOX, CENTRE, centre_of_mass};

/// How far the centre of mass of a digit of MNIST's lies from the middle at most, in pixels: 0.52 in
/// all 70,000 of them.
const OFF_CENTRE: f32 = 0.6;

/// A page that is a digit as MNIST has them, to be left exactly as it is: 28x28, light on black, in
/// a box of 20x20 with its centre of mass in the middle.
pub fn original(page: &GrayImage) -> Option<Digit> {
    let pixels: [u8; SIDE * SIDE] = page.as_raw().as_slice().try_into().ok()?;
    if page.width() as usize != SIDE {
        return None;
    }
    let levels = Plane::from_levels(page);
    let bounds = fit::bounds_above(&levels, 0.0)?;
    // One side of the box is filled, but for a pixel.
    let fills = (BOX - 1..=BOX).contains(&bounds.longest());
    let (x, y) = centre_of_mass(levels.values.chunks_exact(SIDE));
    let centred = (x - CENTRE).abs().max((y - CENTRE).abs()) <= OFF_CENTRE;
    (fills && centred).then_some(Digit { pixels })
}
