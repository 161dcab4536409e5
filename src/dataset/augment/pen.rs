//! Wider and narrower strokes: morphology on grey levels.

use serde::Serialize;

use super::canvas::Canvas;
use super::{TransformKind, happens, ordered, probability, uniform};
use crate::dataset::SIDE;
use crate::rng::Rng;
use crate::schema::{SchemaError, Section};

/// A frame of one pixel around the image, for its neighbours.
const FRAMED: usize = SIDE + 2;

/// How much one step changes the width of a stroke: a pixel on each of its sides.
const STEP: f64 = 2.0;

/// Another pen: strokes become wider or thinner.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Pen {
    /// What is added to the width of strokes, in pixels: the least, negative for a finer pen, and
    /// the most.
    width: (f64, f64),
    /// The probability that an image is written with another pen.
    p: f64,
}

impl TransformKind for Pen {
    fn read(section: &Section<'_>) -> Result<Self, SchemaError> {
        Ok(Self {
            width: ordered(
                section,
                "width",
                (-1.0, 1.0),
                "widths in pixels",
                (-4.0, 4.0),
            )?,
            p: probability(section, 1.0)?,
        })
    }

    fn apply(&self, rng: &mut Rng, canvas: &mut Canvas<'_>) {
        if happens(rng, self.p) {
            change_width(canvas.pixels(), uniform(rng, self.width));
        }
    }
}

/// Makes strokes wider by `width` pixels; narrower if it is negative.
fn change_width(image: &mut [u8], width: f64) {
    // A finer pen is more paper.
    let invert = |image: &mut [u8]| image.iter_mut().for_each(|pixel| *pixel = 255 - *pixel);
    if width < 0.0 {
        invert(image);
    }
    let mut left = width.abs();
    while left > 0.0 {
        // Where an edge lies between pixels, it is the grey level that says where: part of a step
        // is that part of the way to the new level.
        let part = ((left / STEP).min(1.0) * 256.0).round() as u16;
        grow(image, part, if width < 0.0 { 255 } else { 0 });
        left -= STEP;
    }
    if width < 0.0 {
        invert(image);
    }
}

/// Takes every pixel `part` 256ths of the way to what it is after a step: the mean of the largest
/// of five pixels in a cross and of the largest of nine in a square, which moves slanted edges as
/// far as upright ones. Outside the image is `outside`.
fn grow(image: &mut [u8], part: u16, outside: u8) {
    let mut framed = [[outside; FRAMED]; FRAMED];
    for (to, from) in framed[1..].iter_mut().zip(image.chunks_exact(SIDE)) {
        to[1..=SIDE].copy_from_slice(from);
    }
    // The largest of three beside each other.
    let mut threes = [[0; SIDE]; FRAMED];
    for (to, from) in threes.iter_mut().zip(&framed) {
        for x in 0..SIDE {
            to[x] = from[x].max(from[x + 1]).max(from[x + 2]);
        }
    }
    for (y, row) in image.chunks_exact_mut(SIDE).enumerate() {
        let (above, below) = (&framed[y][1..=SIDE], &framed[y + 2][1..=SIDE]);
        for x in 0..SIDE {
            let cross = threes[y + 1][x].max(above[x]).max(below[x]);
            let square = threes[y + 1][x].max(threes[y][x]).max(threes[y + 2][x]);
            let grown = (u16::from(cross) + u16::from(square)).div_ceil(2);
            // At most 255 * 256.
            let mixed = u16::from(row[x]) * (256 - part) + grown * part;
            row[x] = (mixed >> 8) as u8;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::dataset::augment::assert_changes_three_in_ten;
    use crate::dataset::{PIXELS, Source, Split};

    /// A stroke through the middle whose normal has this angle: what it covers of each pixel.
    fn stroke(width: f64, angle: f64) -> [u8; PIXELS] {
        let (sin, cos) = angle.sin_cos();
        std::array::from_fn(|at| {
            let (x, y) = ((at % SIDE) as f64 - 13.5, (at / SIDE) as f64 - 13.5);
            let covered = width / 2.0 + 0.5 - (x * cos + y * sin).abs();
            (covered.clamp(0.0, 1.0) * 255.0).round() as u8
        })
    }

    /// The width of that stroke, from the ink in the middle rows.
    fn width_of(image: &[u8], angle: f64) -> f64 {
        let rows = &image[10 * SIDE..18 * SIDE];
        let ink: f64 = rows.iter().map(|&pixel| f64::from(pixel) / 255.0).sum();
        ink / 8.0 * angle.cos()
    }

    #[test]
    fn strokes_of_every_direction_change_by_the_width() {
        for angle in [0.0f64, 0.2, 0.45, 0.7] {
            for change in [-2.0, -1.3, -0.5, 0.0, 0.4, 1.0, 1.7, 2.0, 3.0] {
                let mut image = stroke(4.0, angle);
                let before = width_of(&image, angle);
                change_width(&mut image, change);
                let changed = width_of(&image, angle) - before;
                // Morphology on a grid knows angles only roughly: a quarter of the change.
                let near = 0.05 + 0.25 * change.abs();
                assert!(
                    (changed - change).abs() < near,
                    "{changed}, not {change}, at {angle}"
                );
            }
            let mut upright = stroke(4.0, 0.0);
            change_width(&mut upright, 1.5);
            assert!((width_of(&upright, 0.0) - 5.5).abs() < 0.03);
        }
    }

    /// One step as its comment says it, pixel by pixel.
    fn reference(image: &[u8], part: f64, finer: bool) -> Vec<f64> {
        let at = |x: i32, y: i32| {
            if (0..28).contains(&x) && (0..28).contains(&y) {
                f64::from(image[(y * 28 + x) as usize])
            } else {
                0.0
            }
        };
        let better = |a: f64, b: f64| if finer { a.min(b) } else { a.max(b) };
        let one = |i: i32| {
            let (x, y) = (i % 28, i / 28);
            let (mut cross, mut square) = (at(x, y), at(x, y));
            for (dx, dy) in (-1..=1).flat_map(|dy| (-1..=1).map(move |dx| (dx, dy))) {
                square = better(square, at(x + dx, y + dy));
                if dx == 0 || dy == 0 {
                    cross = better(cross, at(x + dx, y + dy));
                }
            }
            at(x, y) * (1.0 - part) + (cross + square) / 2.0 * part
        };
        (0..784).map(one).collect()
    }

    #[test]
    fn a_step_is_the_mean_of_a_cross_and_a_square() {
        let digits = Source::Sample.load(Split::Train).unwrap().digits;
        for i in 0..200 {
            let width = [-2.0f64, -1.0, -0.3, 0.25, 1.0, 2.0][i % 6];
            let mut image = digits.image(i).to_vec();
            let expected = reference(&image, width.abs() / 2.0, width < 0.0);
            change_width(&mut image, width);
            for (at, (ours, exact)) in image.iter().zip(expected).enumerate() {
                let difference = (f64::from(*ours) - exact).abs();
                // Part of 256, and rounded twice.
                assert!(difference <= 2.0, "digit {i}, {at}: {ours} {exact}");
            }
        }
    }

    #[test]
    fn p_is_the_share_of_changed_images() {
        let pen = Pen {
            width: (0.5, 1.0),
            p: 0.3,
        };
        assert_changes_three_in_ten(&pen, 0, &stroke(4.0, 0.0));
    }
}
