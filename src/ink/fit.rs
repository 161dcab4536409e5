//! A digit's ink -> the 28x28 picture, made the way MNIST's were.
//!
//! "The original black and white (bilevel) images from NIST were size normalized to fit in a 20x20
//! pixel box while preserving their aspect ratio. The resulting images contain grey levels as a
//! result of the anti-aliasing technique used by the normalization algorithm. The images were
//! centered in a 28x28 image by computing the center of mass of the pixels, and translating the
//! image so as to position this point at the center of the 28x28 field."
//! <http://yann.lecun.com/exdb/mnist/>

use super::find::Found;
use super::pen;
use super::plane::Plane;
use super::strokes::Extent;
use super::{BOX, Digit, SIDE};

/// Where MNIST has the centre of mass, as a pixel index: its digits average (14.0, 14.0).
pub const CENTRE: f32 = 14.0;

/// How many pixels long a digit is made at least before its pen is measured.
const DRAWN: f32 = 120.0;

/// How many pixels wide a thin pen's stroke stays, if it was.
const STROKE: f32 = 4.0;

pub fn fit(found: &Found) -> Option<Digit> {
    let longest = found.extent.longest() as f32;
    let length = DRAWN.max(longest.min(longest * STROKE / found.pen));
    let drawing = pen::adjusted(pen::drawn(found, length), length);
    let extent = extent_above(&drawing, 0.5)?;
    Some(place(&scale(&drawing, extent)))
}

/// The rectangle around what is above `level`.
pub fn extent_above(plane: &Plane, level: f32) -> Option<Extent> {
    let mut extent: Option<Extent> = None;
    for y in 0..plane.height() {
        for (x, _) in plane.row(y).iter().enumerate().filter(|(_, v)| **v > level) {
            let here = Extent {
                left: x,
                top: y,
                right: x + 1,
                bottom: y + 1,
            };
            extent = Some(extent.map_or(here, |extent| extent.union(&here)));
        }
    }
    extent
}

/// Scales what is inside `extent` into the 20x20 box, proportions kept.
fn scale(drawing: &Plane, extent: Extent) -> Plane {
    let longest = extent.longest();
    // Rounded to whole pixels; the thinnest line keeps one.
    let fitted = |side: usize| ((side * BOX + longest / 2) / longest).max(1);
    let (width, height) = (fitted(extent.width()), fitted(extent.height()));
    let mut rows = Plane::new(width, 0, 0.0);
    for y in extent.top..extent.bottom {
        let row = &drawing.row(y)[extent.left..extent.right];
        rows.values.extend(average(row, width));
    }
    let columns = rows.transposed();
    let mut scaled = Plane::new(height, 0, 0.0);
    for x in 0..width {
        scaled.values.extend(average(columns.row(x), height));
    }
    scaled.transposed()
}

/// Stretches or shrinks a line to `length` pixels: each is the mean of the part it covers.
fn average(line: &[f32], length: usize) -> Vec<f32> {
    let step = line.len() as f64 / length as f64;
    (0..length)
        .map(|i| {
            let (start, end) = (i as f64 * step, (i + 1) as f64 * step);
            let last = (end.ceil() as usize).min(line.len());
            let covered: f64 = (start as usize..last)
                .map(|j| {
                    let share = end.min((j + 1) as f64) - start.max(j as f64);
                    share * f64::from(line[j])
                })
                .sum();
            (covered / step) as f32
        })
        .collect()
}

/// Puts a drawing into the 28x28 field, centre of mass in the middle, never over the edge.
fn place(drawing: &Plane) -> Digit {
    let (width, height) = (drawing.width, drawing.height());
    let (x, y) = centre_of_mass(drawing);
    let peak = drawing.values.iter().fold(0.0_f32, |a, &b| a.max(b));
    // A negative float becomes 0.
    let offset = |centre: f32, side: usize| ((CENTRE - centre).round() as usize).min(SIDE - side);
    let (left, top) = (offset(x, width), offset(y, height));

    let mut pixels = [0; SIDE * SIDE];
    for (y, row) in drawing.values.chunks(width).enumerate() {
        for (x, level) in row.iter().enumerate() {
            pixels[(top + y) * SIDE + left + x] = (level / peak * 255.0).round() as u8;
        }
    }
    Digit { pixels }
}

/// The centre of mass, as fractional column and row.
pub fn centre_of_mass(plane: &Plane) -> (f32, f32) {
    let (mut mass, mut across, mut down) = (0.0, 0.0, 0.0);
    for (i, &value) in plane.values.iter().enumerate() {
        mass += value;
        across += value * (i % plane.width) as f32;
        down += value * (i / plane.width) as f32;
    }
    (across / mass, down / mass)
}
