//! A digit's ink -> the 28x28 picture, made the way MNIST's were.
//!
//! "The original black and white (bilevel) images from NIST were size normalized to fit in a 20x20
//! pixel box while preserving their aspect ratio. The resulting images contain grey levels as a
//! result of the anti-aliasing technique used by the normalization algorithm. The images were
//! centered in a 28x28 image by computing the center of mass of the pixels, and translating the
//! image so as to position this point at the center of the 28x28 field."
//! <http://yann.lecun.com/exdb/mnist/>

use std::ops::Range;

use super::{PIXELS, SIDE};

/// The box that a digit is scaled into, in pixels.
pub const BOX: usize = 20;

/// Where MNIST has the centre of mass, as a pixel index: its digits average (14.0, 14.0).
pub const CENTRE: f32 = 14.0;

/// The box's pixels; a digit narrower or lower than the box leaves the rest at 0.
type Scaled = [[f32; BOX]; BOX];

/// Scales ink into the box and puts the box into the picture. `rows` are equally long and reach to
/// the ink's edges; their levels may have any scale, 0 is paper.
///
/// # Panics
/// When there are no rows, or empty ones.
pub fn fitted<'a>(rows: impl ExactSizeIterator<Item = &'a [f32]> + Clone) -> [u8; PIXELS] {
    let (scaled, width, height) = scale(rows);
    place(&scaled, width, height)
}

/// Scales a drawing into the box, proportions kept; returns the width and height it has there too.
fn scale<'a>(rows: impl ExactSizeIterator<Item = &'a [f32]> + Clone) -> (Scaled, usize, usize) {
    let (width, height) = (rows.clone().next().map_or(0, <[f32]>::len), rows.len());
    let longest = width.max(height);
    // Rounded to whole pixels; the thinnest line keeps one.
    let fitted = |side: usize| ((side * BOX + longest / 2) / longest).max(1);
    let columns = Means::new(width, fitted(width));
    let lines = Means::new(height, fitted(height));
    let mut sums = [[0.0; BOX]; BOX];
    for (y, row) in rows.enumerate() {
        let mut narrow = [0.0; BOX];
        for (level, interval) in narrow.iter_mut().zip(columns.intervals()) {
            let covered = interval
                .touched
                .clone()
                .map(|x| interval.share(x) * f64::from(row[x]));
            *level = (covered.sum::<f64>() / columns.step) as f32;
        }
        for (sums, interval) in sums.iter_mut().zip(lines.intervals()) {
            if interval.touched.contains(&y) {
                let share = interval.share(y);
                for (sum, level) in sums.iter_mut().zip(narrow) {
                    *sum += share * f64::from(level);
                }
            }
        }
    }
    let scaled = sums.map(|line| line.map(|sum| (sum / lines.step) as f32));
    (scaled, columns.count, lines.count)
}

/// A line resampled to `count` pixels, each of which is the mean of the interval it covers.
struct Means {
    count: usize,
    /// How many pixels of the line one of them covers.
    step: f64,
    intervals: [Interval; BOX],
}

/// An interval of a line.
struct Interval {
    start: f64,
    end: f64,
    /// The pixels that it covers at least in part.
    touched: Range<usize>,
}

impl Means {
    fn new(length: usize, count: usize) -> Self {
        let step = length as f64 / count as f64;
        let interval = |i| {
            let (start, end) = (i as f64 * step, (i + 1) as f64 * step);
            Interval {
                start,
                end,
                touched: start as usize..(end.ceil() as usize).min(length),
            }
        };
        Self {
            count,
            step,
            intervals: std::array::from_fn(interval),
        }
    }

    fn intervals(&self) -> &[Interval] {
        &self.intervals[..self.count]
    }
}

impl Interval {
    /// How much of the line's pixel `i` it covers.
    fn share(&self, i: usize) -> f64 {
        self.end.min((i + 1) as f64) - self.start.max(i as f64)
    }
}

/// Puts the box into the 28x28 field, centre of mass in the middle, never over the edge.
fn place(scaled: &Scaled, width: usize, height: usize) -> [u8; PIXELS] {
    let rows = scaled[..height].iter().map(|row| &row[..width]);
    let (x, y) = centre_of_mass(rows.clone());
    let peak = rows.clone().flatten().fold(0.0_f32, |a, &b| a.max(b));
    // A negative float becomes 0.
    let offset = |centre: f32, side: usize| ((CENTRE - centre).round() as usize).min(SIDE - side);
    let (left, top) = (offset(x, width), offset(y, height));

    let mut pixels = [0; PIXELS];
    for (row, to) in rows.zip(pixels.chunks_exact_mut(SIDE).skip(top)) {
        for (level, to) in row.iter().zip(&mut to[left..]) {
            // Rounded to the nearest: in double precision the sum is exact.
            *to = (f64::from(level / peak * 255.0) + 0.5) as u8;
        }
    }
    pixels
}

/// The centre of mass, as fractional column and row.
pub fn centre_of_mass<'a>(rows: impl Iterator<Item = &'a [f32]>) -> (f32, f32) {
    let (mut mass, mut across, mut down) = (0.0, 0.0, 0.0);
    for (y, row) in rows.enumerate() {
        for (x, &level) in row.iter().enumerate() {
            mass += level;
            across += level * x as f32;
            down += level * y as f32;
        }
    }
    (across / mass, down / mass)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::rng::Rng;

    /// Ink of any size: a stroke of `width` pixels along the diagonal of a drawing.
    fn stroke(across: usize, down: usize, width: f32) -> Vec<f32> {
        let at = |i: usize| {
            let (x, y) = ((i % across) as f32 + 0.5, (i / across) as f32 + 0.5);
            let (x, y) = (x / across as f32, y / down as f32);
            let off = (x - y).abs() * across.min(down) as f32;
            (width / 2.0 + 0.5 - off).clamp(0.0, 1.0)
        };
        (0..across * down).map(at).collect()
    }

    #[test]
    fn ink_of_any_size_fills_the_box_around_its_centre_of_mass() {
        for (across, down) in [(120, 90), (28, 28), (7, 13), (20, 20), (333, 1000), (1, 1)] {
            let drawing = stroke(across, down, 3.0 + across as f32 / 10.0);
            let pixels = fitted(drawing.chunks_exact(across));
            let inked = |i: &usize| pixels[*i] > 0;
            let side = |along: &dyn Fn(usize) -> usize| {
                let places = || (0..PIXELS).filter(inked).map(along);
                places().max().unwrap() - places().min().unwrap() + 1
            };
            let (width, height) = (side(&|i| i % SIDE), side(&|i| i / SIDE));
            let size = format!("{across}x{down}: {width}x{height}");
            assert_eq!(width.max(height), BOX, "{size}");
            let exact = across as f32 / down as f32;
            assert!(
                (width as f32 - height as f32 * exact).abs() <= 0.5 * (1.0 + exact),
                "{size}"
            );
            assert_eq!(pixels.iter().max(), Some(&255));
            let levels = pixels.map(f32::from);
            let (x, y) = centre_of_mass(levels.chunks_exact(SIDE));
            assert!(
                (x - CENTRE).abs() < 0.51 && (y - CENTRE).abs() < 0.51,
                "{size}: {x} {y}"
            );
        }
    }

    #[test]
    fn each_pixel_is_the_mean_of_what_it_covers() {
        let mut rng = Rng::new(1, &[]);
        let drawing: Vec<f32> = (0..30 * 50).map(|_| rng.next_f32()).collect();
        let (scaled, width, height) = scale(drawing.chunks_exact(30));
        assert_eq!((width, height), (12, 20));
        for (y, x) in (0..20).flat_map(|y| (0..12).map(move |x| (y, x))) {
            // Two and a half pixels to either side: five halves.
            let halves = |i: usize| 5 * i..5 * (i + 1);
            let levels = halves(y).flat_map(|y| halves(x).map(move |x| (y, x)));
            let sum: f32 = levels.map(|(y, x)| drawing[y / 2 * 30 + x / 2]).sum();
            assert!((scaled[y][x] - sum / 25.0).abs() < 1e-6);
        }
    }
}
