//! Where the tiles of a convolution are, and the transform of the pixels that they see.

use std::ops::Range;

use super::scheme::{Four, KERNEL, MAX_PIXELS, Scheme, Tile, Two};
use crate::kernels::lanes::{Lanes, kernel};
use crate::kernels::{assert_inside, last};

/// A convolution's input and the extent of its output. Steps count f32 values.
#[derive(Debug, Clone, PartialEq)]
pub struct Grid {
    pub ins: usize,
    /// Of the output; the input has two more of each.
    pub rows: usize,
    pub columns: usize,
    pub x_channel: usize,
    pub x_row: usize,
}

impl Grid {
    /// How many tiles so many rows take.
    pub fn tiles(&self, tile: Tile, rows: usize) -> usize {
        rows.div_ceil(tile.outputs()) * self.columns.div_ceil(tile.outputs())
    }

    /// Panics unless everything that these rows see lies inside `x`.
    pub fn check(&self, lanes: usize, x: &[f32], rows: &Range<usize>) {
        assert!(rows.end <= self.rows, "the convolution has fewer rows");
        let channels = last(self.ins, self.x_channel);
        let in_rows = last(rows.end + KERNEL - 1, self.x_row);
        let columns = last(self.columns + KERNEL - 1, lanes);
        assert_inside(&[channels, in_rows, columns], lanes, x.len());
    }
}

/// Some of the tiles of some rows, which are numbered row by row.
#[derive(Debug, Clone, Copy)]
pub struct Tiles {
    pub first: usize,
    pub count: usize,
    /// The first row, and the one after the last.
    pub rows: (usize, usize),
}

/// A tile's first output, and how many rows and columns there are from it on.
#[derive(Debug, Clone, Copy)]
pub struct Place {
    pub row: usize,
    pub column: usize,
    pub rows: usize,
    pub columns: usize,
}

impl Tiles {
    /// Where the tile of this number is.
    #[inline(always)]
    pub fn at<S: Scheme>(&self, grid: &Grid, number: usize) -> Place {
        let in_row = grid.columns.div_ceil(S::OUTPUTS);
        let number = self.first + number;
        let row = self.rows.0 + number / in_row * S::OUTPUTS;
        let column = number % in_row * S::OUTPUTS;
        Place {
            row,
            column,
            rows: S::OUTPUTS.min(self.rows.1 - row),
            columns: S::OUTPUTS.min(grid.columns - column),
        }
    }
}

/// Bytes of what a pass makes for one step and reads in the next that are worked on together: a part of
/// a second-level cache.
const TOGETHER: usize = 640 << 10;

/// Of `all` things that take so many bytes each, how many are worked on together, evened out.
pub fn together(all: usize, bytes: usize) -> usize {
    all.div_ceil(all.div_ceil((TOGETHER / bytes).clamp(1, all)))
}

/// How far apart places are that hold so many values each: not a multiple of a page, else all places of
/// a tile would fall into the same few places of the cache.
pub fn place_step(len: usize) -> usize {
    len + 16
}

kernel! {
    /// Transforms the pixels that tiles see, to `[place][in][tile]`, places `place_step` apart. `x`
    /// begins with the first pixel of row 0.
    ///
    /// Panics when a slice is too short.
    pub fn transform_pixels(
        tile: Tile,
        grid: &Grid,
        tiles: Tiles,
        x: &[f32],
        pixels: &mut [f32],
        place_step: usize,
    ) = transform_pixels_in
}

#[inline(always)]
fn transform_pixels_in<V: Lanes>(
    tile: Tile,
    grid: &Grid,
    tiles: Tiles,
    x: &[f32],
    pixels: &mut [f32],
    place_step: usize,
) {
    match tile {
        Tile::Two => pixels_by::<V, Two>(grid, tiles, x, pixels, place_step),
        Tile::Four => pixels_by::<V, Four>(grid, tiles, x, pixels, place_step),
    }
}

#[inline(always)]
fn pixels_by<V: Lanes, S: Scheme>(
    grid: &Grid,
    tiles: Tiles,
    x: &[f32],
    pixels: &mut [f32],
    place_step: usize,
) {
    let last_place = (S::PIXELS * S::PIXELS - 1) * place_step;
    assert!(pixels.len() >= last_place + grid.ins * tiles.count * V::N);
    for channel in 0..grid.ins {
        for tile in 0..tiles.count {
            let at = tiles.at::<S>(grid, tile);
            let from = channel * grid.x_channel + at.row * grid.x_row + at.column * V::N;
            let (rows, columns) = (at.rows + KERNEL - 1, at.columns + KERNEL - 1);
            let x = &x[from..];
            assert!((rows - 1) * grid.x_row + columns * V::N <= x.len());
            let pixels = &mut pixels[(channel * tiles.count + tile) * V::N..];
            assert!(last_place + V::N <= pixels.len());
            let (x, pixels) = (x.as_ptr(), pixels.as_mut_ptr());
            // SAFETY: the tile's last pixel and its last place lie inside, as asserted.
            unsafe {
                if at.rows == S::OUTPUTS && at.columns == S::OUTPUTS {
                    tile_pixels::<V, S, true>(x, grid.x_row, (rows, columns), pixels, place_step);
                } else {
                    tile_pixels::<V, S, false>(x, grid.x_row, (rows, columns), pixels, place_step);
                }
            }
        }
    }
}

/// Transforms what a tile sees of one channel. If it is not `WHOLE`, there are only so many rows and
/// columns; what lies beyond is for outputs that nobody asked for.
///
/// # Safety
/// From `x` on so many rows and columns can be read, and from `pixels` on every place written.
#[inline(always)]
unsafe fn tile_pixels<V: Lanes, S: Scheme, const WHOLE: bool>(
    x: *const f32,
    x_row: usize,
    (rows, columns): (usize, usize),
    pixels: *mut f32,
    place_step: usize,
) {
    let mut half = [[V::splat(0.0); MAX_PIXELS]; MAX_PIXELS];
    for r in 0..S::PIXELS {
        let mut line = [V::splat(0.0); MAX_PIXELS];
        if WHOLE || r < rows {
            for c in 0..S::PIXELS {
                if WHOLE || c < columns {
                    // SAFETY: the caller's promise; so for all below.
                    line[c] = unsafe { V::load(x.add(r * x_row + c * V::N)) };
                }
            }
        }
        half[r] = S::pixels(line);
    }
    for c in 0..S::PIXELS {
        let mut line = [V::splat(0.0); MAX_PIXELS];
        for r in 0..S::PIXELS {
            line[r] = half[r][c];
        }
        let line = S::pixels(line);
        for r in 0..S::PIXELS {
            unsafe { line[r].store(pixels.add((r * S::PIXELS + c) * place_step)) };
        }
    }
}
