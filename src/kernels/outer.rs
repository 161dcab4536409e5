//! The gradient of a linear layer's weights (backward-weights): the sum over images of their inputs times the
//! gradients of their outputs.

use super::lanes::{Lanes, kernel};
use super::{assert_inside, last};

/// The inputs of a block of images, `[in][lane]`, and the gradients of their outputs,
/// `[image][out]`, one row for each image of the block.
#[derive(Debug, Clone, Copy)]
pub struct Block<'a> {
    pub x: &'a [f32],
    pub dy: &'a [f32],
    /// Images in the block; the lanes after them are left out.
    pub images: usize,
}

/// Rows of inputs and registers of outputs in one tile; with the operands they fill the registers
/// of AVX-512, and halved those of AVX2.
const MAX_INS: usize = 6;

kernel! {
    /// Overwrites `dw` `[in, out_step]` for some of the inputs: the sum over all blocks and images
    /// of `x[in] * dy[out]`. `first_in` is the first input that `dw` is for; `out_step`, a multiple
    /// of the register's lanes, is how far apart rows of `dw` and of `dy` are.
    ///
    /// Panics when a slice is too short.
    pub fn outer(
        blocks: &[Block<'_>],
        first_in: usize,
        out_step: usize,
        dw: &mut [f32],
    ) = outer_in
}

kernel! {
    /// Writes `dz` `[out][lane]` by image: to `rows` `[lane][out]`, rows `out_step` values apart.
    pub fn by_image(dz: &[f32], rows: &mut [f32], out_step: usize) = by_image_in
}

#[inline(always)]
fn by_image_in<V: Lanes>(dz: &[f32], rows: &mut [f32], out_step: usize) {
    let outs = dz.len() / V::N;
    assert!(outs <= out_step);
    assert_inside(&[last(V::N, out_step)], out_step, rows.len());
    let whole = outs / V::N * V::N;
    for out in (0..whole).step_by(V::N) {
        // SAFETY: N rows of N values from `out` on lie inside `dz`; each of the N rows of `rows`
        // has `out_step` values, of which `out + N` are not the last.
        unsafe {
            let from = dz.as_ptr().add(out * V::N);
            V::transpose(from, V::N, rows.as_mut_ptr().add(out), out_step);
        }
    }
    for out in whole..outs {
        for lane in 0..V::N {
            rows[lane * out_step + out] = dz[out * V::N + lane];
        }
    }
}

#[inline(always)]
fn outer_in<V: Lanes>(blocks: &[Block<'_>], first_in: usize, out_step: usize, dw: &mut [f32]) {
    let ins = dw.len() / out_step;
    assert!(out_step.is_multiple_of(V::N));
    for block in blocks {
        assert!(block.images <= V::N);
        assert_inside(
            &[first_in.saturating_mul(V::N), last(ins, V::N)],
            V::N,
            block.x.len(),
        );
        assert_inside(&[last(block.images, out_step)], out_step, block.dy.len());
    }
    let (max_ins, max_outs) = match V::REGISTERS {
        32 => (MAX_INS, 4),
        _ => (4, 2),
    };
    let vectors = out_step / V::N;
    let out_tiles = vectors.div_ceil(max_outs);
    let in_tiles = ins.div_ceil(max_ins);
    let mut row = 0;
    for in_tile in 0..in_tiles {
        let rows = (ins - row).div_ceil(in_tiles - in_tile);
        let mut vector = 0;
        for out_tile in 0..out_tiles {
            let outs = (vectors - vector).div_ceil(out_tiles - out_tile);
            let tile = OuterTile {
                blocks,
                x_offset: (first_in + row) * V::N,
                dy_offset: vector * V::N,
                out_step,
                // SAFETY: row < ins and vector < vectors, so this is inside `dw`.
                dw: unsafe { dw.as_mut_ptr().add(row * out_step + vector * V::N) },
            };
            // SAFETY: the slices were checked above; the tile ends with the last input and the
            // last vector of outputs at most.
            unsafe { run_any::<V>(tile, rows, outs) };
            vector += outs;
        }
        row += rows;
    }
}

#[derive(Clone, Copy)]
struct OuterTile<'a> {
    blocks: &'a [Block<'a>],
    x_offset: usize,
    dy_offset: usize,
    out_step: usize,
    dw: *mut f32,
}

/// Calls [`run_tile`] compiled for this many inputs and vectors of outputs.
///
/// # Safety
/// As for [`run_tile`].
#[inline(always)]
unsafe fn run_any<V: Lanes>(tile: OuterTile<'_>, ins: usize, outs: usize) {
    macro_rules! sizes {
        ($($i:literal: $($o:literal)*;)*) => {
            match (ins, outs) {
                // SAFETY: the caller's promise.
                $($(($i, $o) => unsafe { run_tile::<V, $i, $o>(tile) },)*)*
                _ => unreachable!("`outer` chooses one of these"),
            }
        };
    }
    sizes! {
        1: 1 2 3 4;
        2: 1 2 3 4;
        3: 1 2 3 4;
        4: 1 2 3 4;
        5: 1 2 3 4;
        6: 1 2 3 4;
    }
}

/// Computes one tile of `I` inputs by `O` vectors of outputs.
///
/// # Safety
/// Each block's `x` from `x_offset` on holds `I` registers, its `dy` from `dy_offset` on `O`
/// registers in each of its images' rows, and `dw` points to `I` rows of `O` registers.
#[inline(always)]
unsafe fn run_tile<V: Lanes, const I: usize, const O: usize>(tile: OuterTile<'_>) {
    let mut sums = [[V::splat(0.0); O]; I];
    for block in tile.blocks {
        // SAFETY: the caller's promise; so for all below.
        let mut x = unsafe { block.x.as_ptr().add(tile.x_offset) };
        let mut dy = unsafe { block.dy.as_ptr().add(tile.dy_offset) };
        for _ in 0..block.images {
            let mut gradients = [V::splat(0.0); O];
            for o in 0..O {
                gradients[o] = unsafe { V::load(dy.add(o * V::N)) };
            }
            for i in 0..I {
                let input = V::splat(unsafe { *x.add(i * V::N) });
                for o in 0..O {
                    sums[i][o] = gradients[o].mul_add(input, sums[i][o]);
                }
            }
            x = x.wrapping_add(1);
            dy = dy.wrapping_add(tile.out_step);
        }
    }
    for i in 0..I {
        for o in 0..O {
            unsafe { sums[i][o].store(tile.dw.add(i * tile.out_step + o * V::N)) };
        }
    }
}
