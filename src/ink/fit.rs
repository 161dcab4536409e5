//! A digit that was found -> the 28x28 picture, with strokes as wide as MNIST's.

use super::Digit;
use super::find::Found;
use super::pen;
use super::plane::Plane;
use super::strokes::BoundingBox;
use crate::dataset::mnist_box;

/// The least length, in pixels, that a digit is drawn at before its stroke width is measured.
const DRAWN: f32 = 120.0;

/// A digit with wider strokes is drawn smaller, so that its strokes are this wide, in pixels.
const STROKE: f32 = 4.0;

pub fn fit(found: &Found) -> Option<Digit> {
    let longest = found.bounds.longest() as f32;
    let length = DRAWN.max(longest.min(longest * STROKE / found.stroke_width));
    let drawing = pen::adjusted(pen::drawn(found, length), length);
    let bounds = bounds_above(&drawing, 0.5)?;
    let rows = bounds.top..bounds.bottom;
    let rows = rows.map(|y| &drawing.row(y)[bounds.left..bounds.right]);
    Some(Digit {
        pixels: mnist_box::fitted(rows),
    })
}

/// The rectangle around what is above `level`.
pub fn bounds_above(plane: &Plane, level: f32) -> Option<BoundingBox> {
    let mut bounds: Option<BoundingBox> = None;
    for y in 0..plane.height() {
        for (x, _) in plane.row(y).iter().enumerate().filter(|(_, v)| **v > level) {
            let here = BoundingBox {
                left: x,
                top: y,
                right: x + 1,
                bottom: y + 1,
            };
            bounds = Some(bounds.map_or(here, |bounds| bounds.union(&here)));
        }
    }
    bounds
}
