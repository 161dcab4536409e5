//! A page of single values: grey levels, amounts of ink, distances.

use image::GrayImage;

/// Rows of `width` values, one after another.
#[derive(Debug, Clone, PartialEq)]
pub struct Plane {
    pub width: usize,
    pub values: Vec<f32>,
}

impl Plane {
    pub fn new(width: usize, height: usize, value: f32) -> Self {
        Self {
            width,
            values: vec![value; width * height],
        }
    }

    pub fn from_levels(levels: &GrayImage) -> Self {
        Self {
            width: levels.width() as usize,
            values: levels.iter().copied().map(f32::from).collect(),
        }
    }

    pub fn height(&self) -> usize {
        self.values.len() / self.width.max(1)
    }

    pub fn row(&self, y: usize) -> &[f32] {
        &self.values[y * self.width..][..self.width]
    }

    pub fn at(&self, x: usize, y: usize) -> f32 {
        self.values[y * self.width + x]
    }

    /// Applies `f` to every value.
    pub fn map(mut self, f: impl Fn(f32) -> f32) -> Self {
        self.values.iter_mut().for_each(|value| *value = f(*value));
        self
    }

    /// The transpose.
    pub fn transposed(&self) -> Self {
        // In blocks, so that neither side runs out of the cache.
        const BLOCK: usize = 32;
        let (width, height) = (self.width, self.height());
        let mut turned = Self::new(height, width, 0.0);
        for top in (0..height).step_by(BLOCK) {
            for left in (0..width).step_by(BLOCK) {
                for y in top..(top + BLOCK).min(height) {
                    for x in left..(left + BLOCK).min(width) {
                        turned.values[x * height + y] = self.values[y * width + x];
                    }
                }
            }
        }
        turned
    }

    /// The largest value in the square of `2 * reach + 1` around each one (beyond the edges is
    /// nothing): the morphological dilation by a square.
    pub fn dilated(&self, reach: usize) -> Self {
        self.rows_dilated(reach)
            .transposed()
            .rows_dilated(reach)
            .transposed()
    }

    /// The smallest value in the square of `2 * reach + 1` around each one: the erosion.
    pub fn eroded(self, reach: usize) -> Self {
        self.map(|v| -v).dilated(reach).map(|v| -v)
    }

    /// Each row without the dark parts narrower than `2 * reach + 1`.
    pub fn rows_closed(&self, reach: usize) -> Self {
        let dilated = self.rows_dilated(reach).map(|v| -v);
        dilated.rows_dilated(reach).map(|v| -v)
    }

    /// Each row's largest value within `reach`, by van Herk's method: with the maxima from both ends
    /// of blocks of the window's length, a window takes two of them, however long it is.
    fn rows_dilated(&self, reach: usize) -> Self {
        let window = 2 * reach + 1;
        let mut result = self.clone();
        let mut padded = vec![f32::NEG_INFINITY; self.width + 2 * reach];
        let mut backwards = padded.clone();
        for (row, to) in self
            .values
            .chunks(self.width.max(1))
            .zip(result.values.chunks_mut(self.width.max(1)))
        {
            padded.fill(f32::NEG_INFINITY);
            padded[reach..][..row.len()].copy_from_slice(row);
            backwards.copy_from_slice(&padded);
            for (forwards, backwards) in padded.chunks_mut(window).zip(backwards.chunks_mut(window))
            {
                for i in 1..forwards.len() {
                    forwards[i] = forwards[i].max(forwards[i - 1]);
                }
                for i in (1..backwards.len()).rev() {
                    backwards[i - 1] = backwards[i - 1].max(backwards[i]);
                }
            }
            for (x, to) in to.iter_mut().enumerate() {
                *to = backwards[x].max(padded[x + window - 1]);
            }
        }
        result
    }

    /// The mean of the square of `2 * reach + 1` around each value, of what of it is on the page.
    pub fn averaged(&self, reach: usize) -> Self {
        if reach == 0 {
            return self.clone();
        }
        self.rows_averaged(reach)
            .transposed()
            .rows_averaged(reach)
            .transposed()
    }

    fn rows_averaged(&self, reach: usize) -> Self {
        let mut result = self.clone();
        let width = self.width.max(1);
        for (row, to) in self
            .values
            .chunks(width)
            .zip(result.values.chunks_mut(width))
        {
            let mut sum: f64 = row.iter().take(reach).map(|&v| f64::from(v)).sum();
            for (x, to) in to.iter_mut().enumerate() {
                if let Some(&enters) = row.get(x + reach) {
                    sum += f64::from(enters);
                }
                if x > reach {
                    sum -= f64::from(row[x - reach - 1]);
                }
                let count = (x + reach + 1).min(width) - x.saturating_sub(reach);
                *to = (sum / count as f64) as f32;
            }
        }
        result
    }

    /// The value below which a share of all values lies, 0 to 1.
    pub fn quantile(&self, share: f64) -> f32 {
        let mut values = self.values.clone();
        if values.is_empty() {
            return 0.0;
        }
        let at = ((values.len() - 1) as f64 * share) as usize;
        *values.select_nth_unstable_by(at, f32::total_cmp).1
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::rng::Rng;

    fn noise(width: usize, height: usize) -> Plane {
        let mut rng = Rng::new(3, &[]);
        let mut plane = Plane::new(width, height, 0.0);
        for value in &mut plane.values {
            *value = (rng.next_f32() * 100.0).round();
        }
        plane
    }

    /// What is made of the values around each one, the plain way.
    fn around(plane: &Plane, reach: usize, f: impl Fn(&[f32]) -> f32) -> Vec<f32> {
        let mut result = Vec::new();
        for y in 0..plane.height() {
            for x in 0..plane.width {
                let rows = y.saturating_sub(reach)..(y + reach + 1).min(plane.height());
                let columns = x.saturating_sub(reach)..(x + reach + 1).min(plane.width);
                let near: Vec<f32> = rows
                    .flat_map(|y| plane.row(y)[columns.clone()].to_vec())
                    .collect();
                result.push(f(&near));
            }
        }
        result
    }

    #[test]
    fn windows_are_as_the_plain_way_has_them() {
        for (width, height) in [(1, 1), (37, 20), (3, 50)] {
            let plane = noise(width, height);
            for reach in [0, 1, 4, 60] {
                let largest = around(&plane, reach, |near| {
                    near.iter().copied().fold(f32::MIN, f32::max)
                });
                assert!(
                    plane.dilated(reach).values == largest,
                    "{width}x{height}, {reach}"
                );
                let least = around(&plane, reach, |near| {
                    near.iter().copied().fold(f32::MAX, f32::min)
                });
                assert!(
                    plane.clone().eroded(reach).values == least,
                    "{width}x{height}, {reach}"
                );
                let means = around(&plane, reach, |near| {
                    near.iter().sum::<f32>() / near.len() as f32
                });
                let averaged = plane.averaged(reach).values;
                // Of rows first, then of columns: the same where all of the window is on the page.
                let differences = averaged.iter().zip(&means).map(|(a, b)| (a - b).abs());
                assert!(
                    differences.fold(0.0, f32::max) < 0.01,
                    "{width}x{height}, {reach}"
                );
            }
        }
    }
}
