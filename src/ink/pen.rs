//! The stroke width of a digit, and strokes made as wide as MNIST's.

use image::imageops::{self, FilterType};
use image::{ImageBuffer, Luma};

use super::find::Found;
use super::plane::Plane;
use super::strokes::BoundingBox;
use crate::dataset::mnist_box::BOX;

/// MNIST's stroke widths: nine tenths of its digits lie between these, in pixels of the 20x20 box.
pub const WIDTHS: (f32, f32) = (1.7, 3.6);

/// How much of the way from paper to full ink an edge takes: strokes are nearly black or white, as the
/// scans were that MNIST was made of.
const EDGE: f32 = 0.7;

/// The digit with paper around it, `length` pixels long, from 0 (paper) to 1 (ink).
pub fn drawn(found: &Found, length: f32) -> Plane {
    let bounds = found.bounds;
    // Whole-number steps down keep thin strokes' mass; up is smooth.
    let factor = length / bounds.longest() as f32;
    // Room for a wider pen.
    let margin = (bounds.longest() as f32 * 0.15).ceil() as usize + 2;
    let crop = cropped(&found.ink, &bounds, margin).map(|v| (v / found.peak).clamp(0.0, 1.2));
    let resized = |side: usize| ((side as f32 * factor).round() as u32).max(1);
    let (width, height) = (resized(crop.width), resized(crop.height()));
    let image: ImageBuffer<Luma<f32>, Vec<f32>> =
        ImageBuffer::from_raw(crop.width as u32, crop.height() as u32, crop.values)
            .expect("a plane has width times height values");
    let filter = if factor > 1.0 {
        FilterType::CatmullRom
    } else {
        FilterType::Triangle
    };
    let image = imageops::resize(&image, width, height, filter);
    Plane {
        width: width as usize,
        values: image.into_raw(),
    }
    .map(|v| ((v - 0.5) / EDGE + 0.5).clamp(0.0, 1.0))
}

fn cropped(plane: &Plane, bounds: &BoundingBox, margin: usize) -> Plane {
    let mut crop = Plane::new(
        bounds.width() + 2 * margin,
        bounds.height() + 2 * margin,
        0.0,
    );
    for y in 0..crop.height() {
        for x in 0..crop.width {
            let from = (
                (bounds.left + x).wrapping_sub(margin),
                (bounds.top + y).wrapping_sub(margin),
            );
            if from.0 < plane.width && from.1 < plane.height() {
                crop.values[y * crop.width + x] = plane.at(from.0, from.1);
            }
        }
    }
    crop
}

/// Brings the stroke width into MNIST's range, for a digit that is `length` pixels long.
pub fn adjusted(drawing: Plane, length: f32) -> Plane {
    let inside = distances(&drawing, |v| v > 0.5);
    let Some(width) = stroke_width(&inside) else {
        return drawing;
    };
    let unit = length / BOX as f32;
    let wanted = width.clamp(WIDTHS.0 * unit, WIDTHS.1 * unit);
    let change = (wanted - width) / 2.0;
    if change.abs() < 0.5 {
        return drawing;
    }
    let outside = distances(&drawing, |v| v <= 0.5);
    let mut result = drawing;
    for ((value, &inside), &outside) in result
        .values
        .iter_mut()
        .zip(&inside.values)
        .zip(&outside.values)
    {
        // Half a pixel from the last of the ink to the edge.
        let signed = if inside > 0.0 {
            inside - 0.5
        } else {
            0.5 - outside
        };
        *value = (signed + change + 0.5).clamp(0.0, 1.0);
    }
    result
}

/// The mean stroke width: in a stroke, distances to its edge rise evenly to half its width.
pub fn stroke_width(inside: &Plane) -> Option<f32> {
    let (mut sum, mut count) = (0.0_f64, 0_u32);
    for &distance in inside.values.iter().filter(|&&d| d > 0.0) {
        sum += f64::from(distance) - 0.5;
        count += 1;
    }
    (count > 0).then(|| (4.0 * sum / f64::from(count)) as f32)
}

/// The distance of each pixel that `is_in` to the nearest one that isn't; 0 for the others.
/// Exact (P. Felzenszwalb, D. Huttenlocher, "Distance transforms of sampled functions", 2012).
pub fn distances(plane: &Plane, is_in: impl Fn(f32) -> bool) -> Plane {
    const FAR: f32 = 1e9;
    let start = plane.clone().map(|v| if is_in(v) { FAR } else { 0.0 });
    let columns = lower_envelopes(&start.transposed());
    lower_envelopes(&columns.transposed()).map(f32::sqrt)
}

/// Each row of squared distances: the least of the parabolas that stand on its values.
fn lower_envelopes(plane: &Plane) -> Plane {
    let mut result = plane.clone();
    let width = plane.width.max(1);
    let mut vertices = vec![0_usize; width];
    let mut bounds = vec![0.0_f32; width + 1];
    for (row, to) in plane
        .values
        .chunks(width)
        .zip(result.values.chunks_mut(width))
    {
        // Where all are 0 they stay so, as in many rows of a digit's box.
        if row.iter().all(|&value| value == 0.0) {
            continue;
        }
        let mut count = 0;
        for (q, &value) in row.iter().enumerate() {
            let meet = |v: usize| {
                let (q, v_at) = (q as f32, v as f32);
                ((value + q * q) - (row[v] + v_at * v_at)) / (2.0 * (q - v_at))
            };
            while count > 0 && meet(vertices[count - 1]) <= bounds[count - 1] {
                count -= 1;
            }
            bounds[count] = if count == 0 {
                f32::NEG_INFINITY
            } else {
                meet(vertices[count - 1])
            };
            vertices[count] = q;
            count += 1;
        }
        let mut at = 0;
        for (x, to) in to.iter_mut().enumerate() {
            while at + 1 < count && bounds[at + 1] < x as f32 {
                at += 1;
            }
            let apart = x as f32 - vertices[at] as f32;
            *to = row[vertices[at]] + apart * apart;
        }
    }
    result
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::rng::Rng;

    #[test]
    fn distances_are_as_the_plain_way_has_them() {
        let mut rng = Rng::new(4, &[]);
        let (width, height) = (23_usize, 17_usize);
        let mut plane = Plane::new(width, height, 0.0);
        for value in &mut plane.values {
            *value = if rng.next_f32() < 0.9 { 1.0 } else { 0.0 };
        }
        let found = distances(&plane, |v| v > 0.5);
        for (i, &distance) in found.values.iter().enumerate() {
            let nearest = (0..width * height)
                .filter(|&j| plane.values[j] < 0.5)
                .map(|j| {
                    let (dx, dy) = (
                        (i % width).abs_diff(j % width),
                        (i / width).abs_diff(j / width),
                    );
                    ((dx * dx + dy * dy) as f32).sqrt()
                });
            let nearest = nearest.fold(f32::INFINITY, f32::min);
            assert!(
                (distance - nearest).abs() < 1e-3,
                "{i}: {distance}, {nearest}"
            );
        }
    }

    #[test]
    fn a_stroke_is_as_wide_as_it_is() {
        for wide in [4, 7, 12] {
            let mut plane = Plane::new(60, 200, 0.0);
            for y in 10..190 {
                plane.values[y * 60 + 20..][..wide].fill(1.0);
            }
            let width = stroke_width(&distances(&plane, |v| v > 0.5)).unwrap();
            assert!(
                (width - wide as f32).abs() < 0.15 * wide as f32,
                "{wide}: {width}"
            );
        }
    }
}
