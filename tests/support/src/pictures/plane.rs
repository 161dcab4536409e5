//! A grid of numbers, and what pictures need done with it.

use super::random::Random;

#[derive(Clone)]
pub struct Plane {
    pub width: usize,
    pub height: usize,
    /// Row by row.
    pub values: Vec<f32>,
}

impl Plane {
    pub fn new(width: usize, height: usize, value: f32) -> Self {
        Self {
            width,
            height,
            values: vec![value; width * height],
        }
    }

    pub fn from_fn(width: usize, height: usize, f: impl Fn(usize, usize) -> f32) -> Self {
        let mut plane = Self::new(width, height, 0.0);
        for (y, row) in plane.values.chunks_exact_mut(width).enumerate() {
            for (x, value) in row.iter_mut().enumerate() {
                *value = f(x, y);
            }
        }
        plane
    }

    pub fn at(&self, x: usize, y: usize) -> f32 {
        self.values[y * self.width + x]
    }

    /// Between the four nearest values; beyond the edges, the edge's value.
    pub fn sample(&self, x: f32, y: f32) -> f32 {
        let x = x.clamp(0.0, (self.width - 1) as f32);
        let y = y.clamp(0.0, (self.height - 1) as f32);
        let (left, top) = (x as usize, y as usize);
        let right = (left + 1).min(self.width - 1);
        let bottom = (top + 1).min(self.height - 1);
        let (fx, fy) = (x - left as f32, y - top as f32);
        let upper = self.at(left, top) * (1.0 - fx) + self.at(right, top) * fx;
        let lower = self.at(left, bottom) * (1.0 - fx) + self.at(right, bottom) * fx;
        upper * (1.0 - fy) + lower * fy
    }

    /// A Gaussian blur with standard deviation `sigma` in pixels; the edges' values go on.
    pub fn blurred(&self, sigma: f32) -> Self {
        if sigma < 0.1 {
            return self.clone();
        }
        let radius = (3.0 * sigma).ceil() as usize;
        let weight = |i: usize| (-0.5 * ((i as f32 - radius as f32) / sigma).powi(2)).exp();
        let kernel: Vec<f32> = (0..=2 * radius).map(weight).collect();
        let total: f32 = kernel.iter().sum();
        let kernel: Vec<f32> = kernel.iter().map(|weight| weight / total).collect();
        // Along the rows, written as columns, twice: the second pass turns it back.
        self.convolved_transposed(&kernel, radius)
            .convolved_transposed(&kernel, radius)
    }

    fn convolved_transposed(&self, kernel: &[f32], radius: usize) -> Self {
        let mut out = Self::new(self.height, self.width, 0.0);
        let mut padded = vec![0.0; self.width + 2 * radius];
        for (y, row) in self.values.chunks_exact(self.width).enumerate() {
            padded[..radius].fill(row[0]);
            padded[radius..][..self.width].copy_from_slice(row);
            padded[radius + self.width..].fill(row[self.width - 1]);
            for (x, window) in padded.windows(kernel.len()).enumerate() {
                let products = window
                    .iter()
                    .zip(kernel)
                    .map(|(value, weight)| value * weight);
                out.values[x * self.height + y] = products.sum();
            }
        }
        out
    }
}

/// Smooth random values, about -1 to 1, that change over `1 / cells` of a picture.
pub struct Clouds {
    grid: Plane,
}

impl Clouds {
    pub fn new(cells: usize, random: &mut Random) -> Self {
        Self::stretched(cells, cells, random)
    }

    /// Streaks, when there are many more cells one way than the other.
    pub fn stretched(across: usize, down: usize, random: &mut Random) -> Self {
        let mut grid = Plane::new(across + 1, down + 1, 0.0);
        grid.values.fill_with(|| random.within(-1.0..1.0));
        Self { grid }
    }

    /// The value at a place in a picture, both 0 to 1.
    pub fn at(&self, x: f32, y: f32) -> f32 {
        let x = smooth(x * (self.grid.width - 1) as f32);
        let y = smooth(y * (self.grid.height - 1) as f32);
        self.grid.sample(x, y)
    }
}

/// Bends a linear interpolation so that it has no kinks at whole numbers.
fn smooth(x: f32) -> f32 {
    let whole = x.floor();
    let part = x - whole;
    whole + part * part * (3.0 - 2.0 * part)
}
