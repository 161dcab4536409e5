//! Fewer pixels: what a tiny or a blurred picture leaves of a digit.

use serde::Serialize;

use super::canvas::Canvas;
use super::{TransformKind, happens, ordered, probability, uniform};
use crate::dataset::SIDE;
use crate::rng::Rng;
use crate::schema::{SchemaError, Section};

/// Fewer pixels: an image is shrunk and enlarged again, by blocks or smoothly, as Albumentations'
/// `Downscale`. What it is shrunk by need not divide 28.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Downscale {
    /// The least and the largest factor that the image is shrunk by.
    scale: (f64, f64),
    /// The probability that an image is shrunk.
    p: f64,
}

impl TransformKind for Downscale {
    fn read(section: &Section<'_>) -> Result<Self, SchemaError> {
        Ok(Self {
            scale: ordered(section, "scale", (0.35, 0.8), "factors", (0.1, 1.0))?,
            p: probability(section, 0.5)?,
        })
    }

    fn apply(&self, rng: &mut Rng, canvas: &mut Canvas<'_>) {
        if !happens(rng, self.p) {
            return;
        }
        let image = canvas.pixels();
        let size = 1.0 / uniform(rng, self.scale);
        let smooth = happens(rng, 0.5);
        // Where the grid of large pixels begins.
        let mut axis = || Axis {
            size,
            first: -size * f64::from(rng.next_f32()),
            smooth,
        };
        let (columns, rows) = (axis(), axis());
        let mut field = [[0.0; SIDE]; SIDE];
        for (to, from) in field.iter_mut().zip(image.chunks_exact(SIDE)) {
            for x in 0..SIDE {
                to[x] = f32::from(from[x]);
            }
        }
        // Down and up along the columns, where whole rows are added up; then transposed, and again.
        let field = transposed(&rows.apply(&field));
        let field = transposed(&columns.apply(&field));
        for (to, from) in image.chunks_exact_mut(SIDE).zip(&field) {
            for x in 0..SIDE {
                to[x] = from[x].round() as u8;
            }
        }
    }
}

type Field = [[f32; SIDE]; SIDE];

/// The large pixels along one axis of the image.
#[derive(Debug, Clone)]
struct Axis {
    /// How many small pixels one is long, at least 1.
    size: f64,
    /// Where the first begins: at most `size` before the image.
    first: f64,
    /// Whether they are interpolated when the image is enlarged again.
    smooth: bool,
}

impl Axis {
    fn apply(&self, field: &Field) -> Field {
        // The last one ends at or behind the image's end.
        let mut large = [[0.0f32; SIDE]; SIDE + 2];
        let count = ((SIDE as f64 - self.first) / self.size).ceil() as usize;
        for (i, sum) in large[..count].iter_mut().enumerate() {
            let start = self.first + i as f64 * self.size;
            let end = start + self.size;
            let touched = start.max(0.0) as usize..(end.ceil() as usize).min(SIDE);
            for y in touched {
                let covered = end.min(y as f64 + 1.0) - start.max(y as f64);
                add(sum, &field[y], (covered / self.size) as f32);
            }
        }
        let mut out = [[0.0; SIDE]; SIDE];
        for (y, sum) in out.iter_mut().enumerate() {
            let place = (y as f64 + 0.5 - self.first) / self.size;
            if self.smooth {
                let place = (place - 0.5).clamp(0.0, count as f64 - 1.0);
                let below = place.fract();
                add(sum, &large[place as usize], (1.0 - below) as f32);
                add(sum, &large[place as usize + 1], below as f32);
            } else {
                *sum = large[place as usize];
            }
        }
        out
    }
}

fn add(sum: &mut [f32; SIDE], row: &[f32; SIDE], weight: f32) {
    for (sum, value) in sum.iter_mut().zip(row) {
        *sum += value * weight;
    }
}

fn transposed(field: &Field) -> Field {
    let mut out = [[0.0; SIDE]; SIDE];
    for y in 0..SIDE {
        for x in 0..SIDE {
            out[x][y] = field[y][x];
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::dataset::augment::{assert_changes_three_in_ten, vary};
    use crate::dataset::{PIXELS, Source, Split};

    /// Points along a pixel, for an integral.
    const POINTS: usize = 200;

    /// What an axis makes of one line, by its definition: the image is 0 outside.
    fn reference(axis: &Axis, line: &[f64; SIDE]) -> [f64; SIDE] {
        let value = |place: f64| {
            if (0.0..SIDE as f64).contains(&place) {
                line[place as usize]
            } else {
                0.0
            }
        };
        let large = |i: f64| {
            let start = axis.first + i * axis.size;
            let points = (0..POINTS * SIDE).map(|j| {
                let part = (j as f64 + 0.5) / (POINTS * SIDE) as f64;
                value(start + part * axis.size)
            });
            points.sum::<f64>() / (POINTS * SIDE) as f64
        };
        let last = ((SIDE as f64 - axis.first) / axis.size).ceil() - 1.0;
        std::array::from_fn(|y| {
            let place = (y as f64 + 0.5 - axis.first) / axis.size;
            if !axis.smooth {
                return large(place.floor());
            }
            let place = (place - 0.5).clamp(0.0, last);
            let (above, below) = (place.floor(), (place.floor() + 1.0).min(last));
            large(above) * (1.0 - place.fract()) + large(below) * place.fract()
        })
    }

    #[test]
    fn an_axis_is_a_mean_and_an_interpolation() {
        let digits = Source::Sample.load(Split::Train).unwrap().digits;
        for (i, (size, offset)) in [(1.0, 0.0), (1.3, 0.7), (2.0, 0.0), (2.57, 0.4), (10.0, 0.9)]
            .into_iter()
            .enumerate()
        {
            for smooth in [false, true] {
                let axis = Axis {
                    size,
                    first: -offset * size,
                    smooth,
                };
                let mut field = [[0.0; SIDE]; SIDE];
                for (at, &pixel) in digits.image(i).iter().enumerate() {
                    field[at / SIDE][at % SIDE] = f32::from(pixel);
                }
                let found = axis.apply(&field);
                for x in [9, 13, 17] {
                    let line = std::array::from_fn(|y| f64::from(field[y][x]));
                    for (y, exact) in reference(&axis, &line).into_iter().enumerate() {
                        let ours = f64::from(found[y][x]);
                        assert!((ours - exact).abs() < 0.5, "{axis:?}, {y}: {ours} {exact}");
                    }
                }
            }
        }
    }

    #[test]
    fn rows_and_columns_are_shrunk_and_a_scale_of_one_changes_nothing() {
        let digits = Source::Sample.load(Split::Train).unwrap().digits;
        let with = |scale: f64, i: usize| {
            let downscale = Downscale {
                scale: (scale, scale),
                p: 1.0,
            };
            let mut image = digits.image(i).to_vec();
            vary(&downscale, &mut Rng::new(1, &[i as u64]), 0, &mut image);
            image
        };
        for i in 0..100 {
            // No detail of a pixel is left in either direction: neighbours are alike.
            let rough = |image: &[u8], step: usize| {
                let pairs = image.iter().zip(&image[step..]);
                pairs.map(|(a, b)| u32::from(a.abs_diff(*b))).sum::<u32>()
            };
            let small = with(0.25, i);
            for step in [1, SIDE] {
                let (before, after) = (rough(digits.image(i), step), rough(&small, step));
                assert!(
                    f64::from(after) < 0.75 * f64::from(before),
                    "{after} {before}"
                );
            }
            let mass = |image: &[u8]| image.iter().map(|&p| f64::from(p)).sum::<f64>();
            assert!((mass(&small) / mass(digits.image(i)) - 1.0).abs() < 0.1);
        }
    }

    #[test]
    fn p_is_the_share_of_shrunken_images() {
        let downscale = Downscale {
            scale: (0.3, 0.5),
            p: 0.3,
        };
        let mut digit = [0; PIXELS];
        digit[300..500].fill(255);
        assert_changes_three_in_ten(&downscale, 0, &digit);
    }
}
