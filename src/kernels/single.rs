//! A single image: its pixels, not images, lie side by side in a register.
//!
//! Sums of products are [`product`](super::product)'s here too, with other steps: a row of pixels
//! fills whole registers, and the last ones hold nothing of use.

use super::epilogue::{Affine, Epilogue, Norm};
use super::lanes::{Lanes, kernel};
use super::pointwise::{Chain, Draw, Place, Pointwise, chain};

kernel! {
    /// Writes each byte, times `scale` plus `shift`, to `x`.
    pub fn pixels(bytes: &[u8], scale: f32, shift: f32, x: &mut [f32]) = pixels_in
}

#[inline(always)]
fn pixels_in<V: Lanes>(bytes: &[u8], scale: f32, shift: f32, x: &mut [f32]) {
    let (scale, shift) = (V::splat(scale), V::splat(shift));
    for (bytes, x) in bytes.chunks(V::N).zip(x.chunks_mut(V::N)) {
        let mut padded = [0u8; 16];
        padded[..bytes.len()].copy_from_slice(bytes);
        // SAFETY: no register has more than 16 lanes.
        let pixels = unsafe { V::load_bytes(padded.as_ptr()) };
        pixels
            .mul_add(scale, shift)
            .write_some(&mut x[..bytes.len()]);
    }
}

kernel! {
    /// BatchNorm, max-pooling and functions of each value that learn nothing, for one image. `z` `[channel, row,
    /// column]`, with rows `z_row` values apart (a multiple of the register's lanes), is
    /// overwritten; where each channel is a single feature they follow one another, and `z_row` is
    /// 1. `y`'s rows are `y_row` values apart and its channels `y_channel`.
    pub fn single_epilogue<F: Pointwise>(
        epilogue: &Epilogue<F>,
        z: &mut [f32],
        z_row: usize,
        affine: Option<&[Affine]>,
        y: &mut [f32],
        y_row: usize,
        y_channel: usize,
    ) = single_epilogue_in
}

#[inline(always)]
fn single_epilogue_in<V: Lanes, F: Pointwise>(
    epilogue: &Epilogue<F>,
    z: &mut [f32],
    z_row: usize,
    affine: Option<&[Affine]>,
    y: &mut [f32],
    y_row: usize,
    y_channel: usize,
) {
    let (window, stride) = epilogue.window();
    let place = Place {
        draw: Draw::default(),
        element: 0,
    };
    let chain = Chain {
        functions: &epilogue.chain,
        weight: None,
    };
    if z_row == 1 {
        features::<V, F>(epilogue, z, affine, y);
        return;
    }
    for channel in 0..epilogue.channels {
        let z = &mut z[channel * epilogue.rows * z_row..][..epilogue.rows * z_row];
        if let Some(affine) = affine {
            let norm = Norm::<V>::new(affine[channel]);
            for z in z.chunks_exact_mut(V::N) {
                norm.apply(V::read(z)).write(z);
            }
        }
        for out_row in 0..epilogue.out_rows {
            let (first, below) = z[out_row * stride * z_row..].split_at_mut(z_row);
            // The largest of each column of the windows ...
            for row in 0..window - 1 {
                let other = &below[row * z_row..][..z_row];
                for (first, other) in first.chunks_exact_mut(V::N).zip(other.chunks_exact(V::N)) {
                    let (a, b) = (V::read(first), V::read(other));
                    b.max(a).write(first);
                }
            }
            // ... then of these in each window, which end further left than they begin.
            if window == 2 && stride == 2 {
                for column in 0..epilogue.out_columns {
                    let (a, b) = (first[2 * column], first[2 * column + 1]);
                    first[column] = if b > a { b } else { a };
                }
            } else if window > 1 || stride > 1 {
                for column in 0..epilogue.out_columns {
                    let mut best = first[column * stride];
                    for &other in &first[column * stride + 1..column * stride + window] {
                        best = if other > best { other } else { best };
                    }
                    first[column] = best;
                }
            }
            for first in first.chunks_exact_mut(V::N) {
                let n = V::read(first);
                chain.apply::<V, { chain::ANY }>(n, place).write(first);
            }
            y[channel * y_channel + out_row * y_row..][..epilogue.out_columns]
                .copy_from_slice(&first[..epilogue.out_columns]);
        }
    }
}

/// The same for features, each with a BatchNorm of its own.
#[inline(always)]
fn features<V: Lanes, F: Pointwise>(
    epilogue: &Epilogue<F>,
    z: &[f32],
    affine: Option<&[Affine]>,
    y: &mut [f32],
) {
    let place = Place {
        draw: Draw::default(),
        element: 0,
    };
    let chain = Chain {
        functions: &epilogue.chain,
        weight: None,
    };
    for first in (0..epilogue.channels).step_by(V::N) {
        let count = V::N.min(epilogue.channels - first);
        let (mut means, mut scales, mut shifts) = ([0.0; 16], [1.0; 16], [0.0; 16]);
        let affine = affine.iter().flat_map(|a| &a[first..first + count]);
        for (lane, affine) in affine.enumerate() {
            means[lane] = affine.mean;
            scales[lane] = affine.scale;
            shifts[lane] = affine.shift;
        }
        let n = V::read_some(&z[first..first + count]).sub(V::read(&means));
        let n = n.mul_add(V::read(&scales), V::read(&shifts));
        chain
            .apply::<V, { chain::ANY }>(n, place)
            .write_some(&mut y[first..first + count]);
    }
}
