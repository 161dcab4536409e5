//! Smooth random fields of the size of an image, for elastic distortion.

use super::lanes::{Lanes, kernel};

/// The width and height of an image, and of a field.
const SIDE: usize = 28;
/// A field's row is padded to whole registers.
const ROW: usize = 32;
/// The rows of one tile of sums.
const TILE: usize = 4;

/// Random bytes for two fields: `[row][field][column]`, with rows padded to 32.
pub type Noise = [[[u8; ROW]; 2]; SIDE];

/// Two fields of 28x28 values: `[row][field][column]`, with rows of 32 values. What is in the
/// padding means nothing.
#[derive(Debug, Clone)]
#[repr(align(64))]
pub struct Fields(pub [[[f32; ROW]; 2]; ROW]);

impl Fields {
    pub const fn zeros() -> Self {
        Self([[[0.0; ROW]; 2]; ROW])
    }

    #[inline(always)]
    fn row(&self, row: usize) -> &[f32] {
        self.0[row].as_flattened()
    }
}

kernel! {
    /// Fills `smoothed[field][column][row]` with the sum of `weights[27 + i] * weights[27 + j] *
    /// noise[field][row + i][column + j]` over what lies inside the field: a separable convolution
    /// with zeros outside, transposed. A byte of noise stands for `(byte - 127.5) / 128`: evenly
    /// spread from -1 to 1, with a mean of 0.
    pub fn smooth(weights: &[f32; 2 * SIDE - 1], noise: &Noise, smoothed: &mut Fields) = smooth_in
}

#[inline(always)]
fn smooth_in<V: Lanes>(weights: &[f32; 2 * SIDE - 1], noise: &Noise, smoothed: &mut Fields) {
    let mut fields = Fields::zeros();
    let values = fields.0.as_flattened_mut().as_flattened_mut();
    let bytes = noise.as_flattened().as_flattened();
    for (to, from) in values.chunks_exact_mut(V::N).zip(bytes.chunks_exact(V::N)) {
        // SAFETY: a chunk has N bytes.
        let byte = unsafe { V::load_bytes(from.as_ptr()) };
        byte.sub(V::splat(127.5))
            .mul(V::splat(1.0 / 128.0))
            .write(to);
    }
    // Across rows only, where whole registers are added up; then transposed, and again.
    across_rows::<V>(weights, &fields, smoothed);
    transpose::<V>(smoothed, &mut fields);
    across_rows::<V>(weights, &fields, smoothed);
}

/// Each field by itself.
#[inline(always)]
fn transpose<V: Lanes>(from: &Fields, to: &mut Fields) {
    const STEP: usize = 2 * ROW;
    let from = from.0.as_flattened().as_flattened();
    let to = to.0.as_flattened_mut().as_flattened_mut();
    for field in [0, ROW] {
        for row in (0..ROW).step_by(V::N) {
            for column in (0..ROW).step_by(V::N) {
                let from = &from[row * STEP + field + column..];
                let to = &mut to[column * STEP + field + row..];
                let reach = (V::N - 1) * STEP + V::N;
                assert!(from.len() >= reach && to.len() >= reach);
                // SAFETY: the last of N rows, STEP values apart, ends at `reach`.
                unsafe { V::transpose(from.as_ptr(), STEP, to.as_mut_ptr(), STEP) }
            }
        }
    }
}

/// `to[row]` becomes the sum of `weights[27 + i] * from[row + i]` over the rows there are.
#[inline(always)]
fn across_rows<V: Lanes>(weights: &[f32; 2 * SIDE - 1], from: &Fields, to: &mut Fields) {
    let radius = (0..SIDE)
        .rev()
        .find(|&i| weights[SIDE - 1 + i] != 0.0 || weights[SIDE - 1 - i] != 0.0)
        .unwrap_or(0);
    for top in (0..SIDE).step_by(TILE) {
        let first = top.saturating_sub(radius);
        let end = (top + TILE + radius).min(SIDE);
        for column in (0..2 * ROW).step_by(2 * V::N) {
            let mut sums = [[V::splat(0.0); 2]; TILE];
            for row in first..end {
                let values = &from.row(row)[column..];
                let values = [V::read(values), V::read(&values[V::N..])];
                // The weight of `row` in the tile's last row, and backwards to its first.
                let weights = &weights[SIDE - 1 + row - (top + TILE - 1)..][..TILE];
                for i in 0..TILE {
                    let weight = V::splat(weights[TILE - 1 - i]);
                    for half in 0..2 {
                        sums[i][half] = values[half].mul_add(weight, sums[i][half]);
                    }
                }
            }
            for i in 0..TILE {
                let to = &mut to.0[top + i].as_flattened_mut()[column..];
                sums[i][0].write(to);
                sums[i][1].write(&mut to[V::N..]);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::kernels::Isa;
    use crate::rng::Rng;

    /// The convolution as it is defined, in double precision.
    fn reference(weights: &[f32; 55], noise: &Noise, field: usize, y: usize, x: usize) -> f64 {
        let weight = |to: usize, from: usize| f64::from(weights[27 + from - to]);
        let mut sum = 0.0;
        for row in 0..SIDE {
            for column in 0..SIDE {
                let value = (f64::from(noise[row][field][column]) - 127.5) / 128.0;
                sum += weight(y, row) * weight(x, column) * value;
            }
        }
        sum
    }

    #[test]
    fn it_is_a_convolution_with_zeros_outside() {
        let mut rng = Rng::new(1, &[]);
        for radius in [0usize, 1, 6, 12, 27] {
            // In the padding too, where it must not matter.
            let mut noise: Noise = [[[0; ROW]; 2]; SIDE];
            for byte in noise.as_flattened_mut().as_flattened_mut() {
                *byte = rng.next_u64() as u8;
            }
            // Not symmetric, so that a mirrored one is told apart.
            let weights: [f32; 55] = std::array::from_fn(|i| {
                if i.abs_diff(27) <= radius {
                    rng.next_f32() / (2 * radius + 1) as f32
                } else {
                    0.0
                }
            });
            for isa in Isa::available() {
                let mut smoothed = Fields::zeros();
                smooth(isa, &weights, &noise, &mut smoothed);
                for field in 0..2 {
                    for (y, x) in (0..SIDE).flat_map(|y| (0..SIDE).map(move |x| (y, x))) {
                        let exact = reference(&weights, &noise, field, y, x);
                        let ours = f64::from(smoothed.0[x][field][y]);
                        let difference = (ours - exact).abs();
                        assert!(difference < 1e-6, "{isa}, {radius}: {ours} {exact}");
                    }
                }
            }
        }
    }
}
