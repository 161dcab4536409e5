//! Sums of whole activations, as residual blocks and values with several readers need them.

use super::epilogue::Layout;
use super::lanes::{Lanes, kernel};
use super::{assert_inside, last};

/// Channels, rows and columns of activations.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Extent {
    pub channels: usize,
    pub rows: usize,
    pub columns: usize,
}

kernel! {
    /// Writes the sum of two activations of a block, each with its own layout, to `z`, which has
    /// neither borders nor gaps.
    ///
    /// Panics when a slice is too short.
    pub fn add(
        extent: Extent,
        a: (&[f32], Layout),
        b: (&[f32], Layout),
        z: &mut [f32],
    ) = add_in
}

#[inline(always)]
fn add_in<V: Lanes>(extent: Extent, a: (&[f32], Layout), b: (&[f32], Layout), z: &mut [f32]) {
    let row = extent.columns * V::N;
    for channel in 0..extent.channels {
        for y in 0..extent.rows {
            let a = &a.0[a.1.at(channel, y)..][..row];
            let b = &b.0[b.1.at(channel, y)..][..row];
            let z = &mut z[(channel * extent.rows + y) * row..][..row];
            for ((a, b), z) in a
                .chunks_exact(V::N)
                .zip(b.chunks_exact(V::N))
                .zip(z.chunks_exact_mut(V::N))
            {
                V::read(a).add(V::read(b)).write(z);
            }
        }
    }
}

kernel! {
    /// Adds `values` to `sums`. Both are equally long, a multiple of the register's lanes.
    ///
    /// Panics when they aren't.
    pub fn accumulate(sums: &mut [f32], values: &[f32]) = accumulate_in
}

#[inline(always)]
fn accumulate_in<V: Lanes>(sums: &mut [f32], values: &[f32]) {
    assert!(sums.len().is_multiple_of(V::N));
    assert_inside(&[last(sums.len(), 1)], 1, values.len());
    for (sum, value) in sums.chunks_exact_mut(V::N).zip(values.chunks_exact(V::N)) {
        V::read(sum).add(V::read(value)).write(sum);
    }
}
