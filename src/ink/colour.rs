//! A page in colour -> one level a pixel, in which the ink stands out.
//!
//! Luma alone loses red ink on paper of the same lightness. What separates ink from paper is the
//! direction in colour space along which neighbouring pixels differ most: the first principal axis
//! of the differences.

use image::{GrayImage, RgbImage};

/// The lightness of red, green and blue (Rec. 709): the axis of a page that has no colour.
const LUMA: [f64; 3] = [0.2126, 0.7152, 0.0722];

/// Levels along the axis of the strongest edges, light above dark. A grey page keeps its levels.
pub fn levels(page: &RgbImage) -> GrayImage {
    let axis = strongest_axis(page);
    let total: f64 = axis.iter().map(|weight| weight.abs()).sum();
    let least: f64 = axis.iter().map(|weight| weight.min(0.0) * 255.0).sum();
    let weights = axis.map(|weight| (weight / total) as f32);
    let offset = (-least / total) as f32;
    let raw: Vec<u8> = page
        .as_raw()
        .chunks_exact(3)
        .map(|pixel| {
            let sum: f32 = weights
                .iter()
                .zip(pixel)
                .map(|(weight, &level)| weight * f32::from(level))
                .sum();
            (sum + offset).round() as u8
        })
        .collect();
    GrayImage::from_raw(page.width(), page.height(), raw).expect("there is one level a pixel")
}

fn strongest_axis(page: &RgbImage) -> [f64; 3] {
    let covariance = differences(page);
    let trace: f64 = (0..3).map(|i| covariance[i][i]).sum();
    if trace == 0.0 {
        return LUMA;
    }
    // Power iteration; from luma, so that what is even stays near it.
    let mut axis = LUMA;
    for _ in 0..50 {
        let next = covariance.map(|row| row.iter().zip(axis).map(|(c, a)| c * a).sum::<f64>());
        let length = next.iter().map(|v| v * v).sum::<f64>().sqrt();
        if length < 1e-12 * trace {
            return LUMA;
        }
        axis = next.map(|v| v / length);
    }
    // Light is up. Little weights of the other sign are noise.
    if axis.iter().sum::<f64>() < 0.0 {
        axis = axis.map(|v| -v);
    }
    let largest = axis.iter().fold(0.0_f64, |m, v| m.max(v.abs()));
    axis.map(|v| {
        if v < 0.0 && v > -0.25 * largest {
            0.0
        } else {
            v
        }
    })
}

/// The second moments of the colour differences between pixels some way apart.
fn differences(page: &RgbImage) -> [[f64; 3]; 3] {
    let (width, height) = (page.width() as usize, page.height() as usize);
    let pixels = page.as_raw();
    // As far apart as the edge of a stroke is wide on a blurred photo.
    let step = (width.max(height) / 256).max(1);
    let mut sums = [[0.0_f64; 3]; 3];
    let mut add = |one: usize, other: usize| {
        let difference: [f64; 3] = std::array::from_fn(|c| {
            f64::from(pixels[3 * one + c]) - f64::from(pixels[3 * other + c])
        });
        // Weighted by their squares: the ink's strong edges count, not the many faint ones of ruled
        // paper.
        let weight: f64 = difference.iter().map(|d| d * d).sum();
        for i in 0..3 {
            for j in 0..3 {
                sums[i][j] += weight * difference[i] * difference[j];
            }
        }
    };
    for y in (0..height).step_by(step) {
        for x in (0..width).step_by(step) {
            let at = y * width + x;
            if x + step < width {
                add(at, at + step);
            }
            if y + step < height {
                add(at, at + step * width);
            }
        }
    }
    sums
}
