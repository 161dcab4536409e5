//! What a product computes: extents and steps, which [`product`](super::product()) takes.

use std::ops::Range;

use super::{assert_inside, last};

/// One dimension of the taps.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Taps {
    pub count: usize,
    /// How far apart neighbouring taps' inputs and weights are.
    pub x_step: usize,
    pub w_step: usize,
}

impl Taps {
    /// A dimension of one.
    pub const ONE: Taps = Taps {
        count: 1,
        x_step: 0,
        w_step: 0,
    };
}

/// `out[o][r][c] = bias[o] + sum over taps t of w[t][o] * x[t][r][c]`, each of them a register of
/// images: its extents and steps, which count f32 values.
#[derive(Debug, Clone, PartialEq)]
pub struct Product {
    pub outs: usize,
    pub out_step: usize,
    /// How far apart the weights of neighbouring outs are.
    pub out_w_step: usize,
    /// Columns of a row, and how far apart they are in `x` and in `out`.
    pub columns: usize,
    pub column_x_step: usize,
    pub column_out_step: usize,
    /// How far apart rows are in `out`, and how many of `x`'s rows lie between them (a
    /// convolution's stride).
    pub row_out_step: usize,
    pub row_stride: usize,
    /// From the outermost to the innermost; the middle one steps through rows of `x`.
    pub taps: [Taps; 3],
    /// The rows of `x` that aren't zeros all over; taps on others are left out.
    pub x_rows: Range<usize>,
    /// How many outs by how many columns at most are computed together; see [`tiled`](Self::tiled).
    pub tile: (usize, usize),
}

/// What the sums start from.
#[derive(Debug, Clone, Copy)]
pub enum Start<'a> {
    Zero,
    /// One value for each out.
    Bias(&'a [f32]),
    /// What `out` holds already.
    Out,
}

impl Product {
    /// A product of these sizes with nothing to skip; see the fields.
    pub fn new(outs: usize, columns: usize, taps: [Taps; 3]) -> Self {
        Self {
            outs,
            out_step: 0,
            out_w_step: 1,
            columns,
            column_x_step: 0,
            column_out_step: 0,
            row_out_step: 0,
            row_stride: 1,
            taps,
            x_rows: 0..taps[1].count,
            tile: (1, 1),
        }
    }

    /// The taps of the middle dimension that a row's `x` has anything for.
    #[inline(always)]
    pub(super) fn middle(&self, row: usize) -> Range<usize> {
        let first = row * self.row_stride;
        let from = self.x_rows.start.saturating_sub(first);
        let to = self.x_rows.end.saturating_sub(first);
        from..to.min(self.taps[1].count)
    }

    /// Panics unless everything that computing `rows` touches lies inside the slices.
    pub(super) fn check(
        &self,
        lanes: usize,
        w: &[f32],
        x: &[f32],
        rows: &Range<usize>,
        out: &[f32],
    ) {
        let [outer, middle, inner] = self.taps.map(|taps| last(taps.count, taps.w_step));
        let outs = last(self.outs, self.out_w_step);
        assert_inside(&[outer, middle, inner, outs], 1, w.len());
        // The rows' own steps in `x`, and the middle taps', are bounded together by `x_rows`.
        let [outer, _, inner] = self.taps.map(|taps| last(taps.count, taps.x_step));
        let rows_in = last(self.x_rows.end, self.taps[1].x_step);
        let columns = last(self.columns, self.column_x_step);
        assert_inside(&[outer, rows_in, inner, columns], lanes, x.len());
        let outs = last(self.outs, self.out_step);
        let rows_out = last(rows.len(), self.row_out_step);
        let columns = last(self.columns, self.column_out_step);
        assert_inside(&[outs, rows_out, columns], lanes, out.len());
    }
}
