//! What follows a convolution or a linear layer: BatchNorm, max-pooling, activation and dropout,
//! forward in one pass and backward in two.
//!
//! The order is: `n = (z - mean) * scale + shift` for each channel, the largest `n` of each window,
//! then the pointwise functions.

use super::lanes::{Lanes, kernel};
use super::pointwise::{Draw, Place, Pointwise, apply, chain, derivative};
use super::{assert_inside, last};

/// Where the values of one block of images are: `channel * c + row * y + column * x + offset`,
/// each a register of images. All steps count f32 values.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Layout {
    pub offset: usize,
    pub channel: usize,
    pub row: usize,
    pub column: usize,
}

impl Layout {
    #[inline(always)]
    fn at(&self, channel: usize, row: usize) -> usize {
        self.offset + self.channel * channel + self.row * row
    }
}

/// A max-pooling window.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Pool {
    pub kernel_size: usize,
    pub stride: usize,
}

/// The sizes of it, and the functions.
#[derive(Debug, Clone, PartialEq)]
pub struct Finish {
    pub channels: usize,
    /// Rows and columns of `z`.
    pub rows: usize,
    pub columns: usize,
    pub pool: Option<Pool>,
    /// Rows and columns after pooling.
    pub out_rows: usize,
    pub out_columns: usize,
    pub chain: Vec<Pointwise>,
    /// Of a whole block.
    pub z: Layout,
    pub y: Layout,
}

/// A channel's BatchNorm: `n = (z - mean) * scale + shift`. The mean is subtracted first, because
/// the scale of a channel that is almost constant is large, and so would be its rounding errors.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Affine {
    pub mean: f32,
    pub scale: f32,
    pub shift: f32,
}

impl Affine {
    /// No BatchNorm.
    const NONE: Affine = Affine {
        mean: 0.0,
        scale: 1.0,
        shift: 0.0,
    };
}

/// How a channel's gradient passes through BatchNorm with the batch's statistics:
/// `dz = scale * dn + slope * (z - mean) + constant`.
#[derive(Debug, Clone, Copy, Default, PartialEq)]
pub struct Slope {
    pub scale: f32,
    pub slope: f32,
    pub mean: f32,
    pub constant: f32,
}

/// What the backward pass needs of the forward pass, `[channel, out row, out column]`: the value
/// `z` that won its window, and where in the window it was.
#[derive(Debug)]
pub struct Won<'a> {
    pub z: &'a mut [f32],
    pub place: &'a mut [u8],
}

/// The part of the output to compute: `z` then begins with its first channel and row.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Part {
    pub channel: usize,
    pub channels: usize,
    pub row: usize,
    pub rows: usize,
    /// How `z` lies in memory.
    pub z: Layout,
}

impl Finish {
    /// All of the output.
    pub fn whole(&self) -> Part {
        Part {
            channel: 0,
            channels: self.channels,
            row: 0,
            rows: self.out_rows,
            z: self.z,
        }
    }

    /// Values of one block after pooling.
    pub fn outputs(&self) -> usize {
        self.channels * self.out_rows * self.out_columns
    }

    /// The pooling's window and stride; 1 and 1 without.
    #[inline(always)]
    pub fn window(&self) -> (usize, usize) {
        match self.pool {
            Some(pool) => (pool.kernel_size, pool.stride),
            None => (1, 1),
        }
    }

    #[inline(always)]
    fn element(&self, channel: usize, row: usize) -> usize {
        (channel * self.out_rows + row) * self.out_columns
    }
}

kernel! {
    /// Computes the given part of `y` from `z`. `affine` holds one entry for each channel of the
    /// network's layer; `won` is filled in where there is pooling and a backward pass to come.
    pub fn finish(
        sizes: &Finish,
        part: Part,
        z: &[f32],
        affine: Option<&[Affine]>,
        won: Option<Won<'_>>,
        y: &mut [f32],
        draw: Draw,
    ) = finish_in
}

#[inline(always)]
fn finish_in<V: Lanes>(
    sizes: &Finish,
    part: Part,
    z: &[f32],
    affine: Option<&[Affine]>,
    mut won: Option<Won<'_>>,
    y: &mut [f32],
    draw: Draw,
) {
    let (window, stride) = sizes.window();
    let chain = chain::kind(&sizes.chain);
    for c in 0..part.channels {
        let channel = part.channel + c;
        let affine = affine.map_or(Affine::NONE, |affine| affine[channel]);
        for r in 0..part.rows {
            let row = part.row + r;
            let z = &z[part.z.at(c, r * stride)..];
            let y = &mut y[sizes.y.at(channel, row)..];
            let first = sizes.element(channel, row);
            let columns = last(sizes.out_columns, stride).saturating_add(window);
            let z_end = [last(window, part.z.row), last(columns, part.z.column)];
            assert_inside(&z_end, V::N, z.len());
            assert_inside(&[last(sizes.out_columns, sizes.y.column)], V::N, y.len());
            let won = won.as_mut().map(|won| {
                let range = first * V::N..(first + sizes.out_columns) * V::N;
                let (z, place) = (&mut won.z[range.clone()], &mut won.place[range]);
                (z.as_mut_ptr(), place.as_mut_ptr())
            });
            let tile = Row {
                sizes,
                first,
                z: z.as_ptr(),
                z_layout: part.z,
                affine,
                won,
                y: y.as_mut_ptr(),
                draw,
            };
            // SAFETY: the row of `y`, the rows of `z` that its windows see and, of `won`, as many
            // values as the row has were all checked to be there.
            unsafe {
                match (window, chain) {
                    // The order among `z` is the order among `n`.
                    (2, chain::RELU) if affine.scale > 0.0 => match won {
                        Some(_) => finish_row::<V, 2, { BY_Z }, { chain::RELU }>(tile),
                        None => finish_row::<V, 2, { LARGEST_Z }, { chain::RELU }>(tile),
                    },
                    (1, chain::EMPTY) => finish_row::<V, 1, { BY_Z }, { chain::EMPTY }>(tile),
                    (1, chain::RELU) => finish_row::<V, 1, { BY_Z }, { chain::RELU }>(tile),
                    (1, _) => finish_row::<V, 1, { BY_Z }, { chain::ANY }>(tile),
                    _ => finish_row::<V, 0, { BY_N }, { chain::ANY }>(tile),
                }
            }
        }
    }
}

/// An [`Affine`] in registers.
#[derive(Clone, Copy)]
pub(super) struct Norm<V> {
    mean: V,
    scale: V,
    shift: V,
}

impl<V: Lanes> Norm<V> {
    #[inline(always)]
    pub fn new(affine: Affine) -> Self {
        Self {
            mean: V::splat(affine.mean),
            scale: V::splat(affine.scale),
            shift: V::splat(affine.shift),
        }
    }

    #[inline(always)]
    pub fn apply(&self, z: V) -> V {
        z.sub(self.mean).mul_add(self.scale, self.shift)
    }
}

/// One row of the output: pointers to the first of what belongs to it.
#[derive(Clone, Copy)]
struct Row<'a> {
    sizes: &'a Finish,
    /// The number of the first value among the block's outputs.
    first: usize,
    z: *const f32,
    z_layout: Layout,
    affine: Affine,
    won: Option<(*mut f32, *mut u8)>,
    y: *mut f32,
    draw: Draw,
}

/// How a window's winner is found: by the largest `n`, by the largest `z`, or by the largest `z`
/// when nobody asks where it was.
const BY_N: u8 = 0;
const BY_Z: u8 = 1;
const LARGEST_Z: u8 = 2;

/// Computes a row of outputs, with windows of `WINDOW` (0: of any size). `SEARCH` is one of the
/// three above, `CHAIN` the chain's kind, or `ANY`.
///
/// # Safety
/// From `row.z` all that the row's windows see can be read, and a row's values can be written at
/// `row.y` and at both of `row.won`.
#[inline(always)]
unsafe fn finish_row<V: Lanes, const WINDOW: usize, const SEARCH: u8, const CHAIN: u8>(
    row: Row<'_>,
) {
    let (any, stride) = row.sizes.window();
    let window = if WINDOW == 0 { any } else { WINDOW };
    let norm = Norm::<V>::new(row.affine);
    for column in 0..row.sizes.out_columns {
        // SAFETY: the caller's promise; so for all below.
        let corner = unsafe { row.z.add(column * stride * row.z_layout.column) };
        let mut value = unsafe { V::load(corner) };
        let mut best = norm.apply(value);
        let mut place = V::splat(0.0);
        for at in 1..window * window {
            let (i, j) = (at / window, at % window);
            let step = i * row.z_layout.row + j * row.z_layout.column;
            let other = unsafe { V::load(corner.add(step)) };
            let here = V::splat(at as f32);
            if SEARCH == LARGEST_Z {
                value = other.max(value);
            } else if SEARCH == BY_Z {
                place = other.where_greater(value, here, place);
                value = other.where_greater(value, other, value);
            } else {
                let n = norm.apply(other);
                place = n.where_greater(best, here, place);
                value = n.where_greater(best, other, value);
                best = n.where_greater(best, n, best);
            }
        }
        if SEARCH != BY_N {
            best = norm.apply(value);
        }
        if let Some((won, places)) = row.won {
            unsafe {
                value.store(won.add(column * V::N));
                place.store_bytes(places.add(column * V::N));
            }
        }
        let place = Place {
            draw: row.draw,
            element: (row.first + column) as u32,
        };
        let y = apply::<V, CHAIN>(&row.sizes.chain, best, place);
        unsafe { y.store(row.y.add(column * row.sizes.y.column)) };
    }
}

kernel! {
    /// Adds up each channel of `z` in the first `images` lanes: `sums[c] = [sum of d, sum of d^2]`
    /// with `d = z - near[c]`. The nearer `near` is to the mean, the less is lost to rounding.
    pub fn moments(
        sizes: &Finish,
        z: &[f32],
        images: usize,
        near: &[f32],
        sums: &mut [[f32; 2]],
    ) = moments_in
}

#[inline(always)]
fn moments_in<V: Lanes>(
    sizes: &Finish,
    z: &[f32],
    images: usize,
    near: &[f32],
    sums: &mut [[f32; 2]],
) {
    let mask = mask::<V>(images);
    for channel in 0..sizes.channels {
        let near = V::splat(near[channel]);
        // Two of each, so that no addition waits for the one before.
        let mut sum = [V::splat(0.0); 2];
        let mut squares = sum;
        for row in 0..sizes.rows {
            let z_row = &z[sizes.z.at(channel, row)..];
            for pair in (0..sizes.columns).step_by(2) {
                let d = V::read(&z_row[pair * sizes.z.column..]).sub(near);
                let d = d.mul(mask);
                sum[0] = sum[0].add(d);
                squares[0] = d.mul_add(d, squares[0]);
                if pair + 1 < sizes.columns {
                    let d = V::read(&z_row[(pair + 1) * sizes.z.column..]).sub(near);
                    let d = d.mul(mask);
                    sum[1] = sum[1].add(d);
                    squares[1] = d.mul_add(d, squares[1]);
                }
            }
        }
        sums[channel] = [sum[0].add(sum[1]).sum(), squares[0].add(squares[1]).sum()];
    }
}

kernel! {
    /// The first pass backward: turns `dy` `[channel, out row, out column]` into `dn`, the
    /// gradient of the winning `n`, and adds up each channel: `sums[c] = [sum of dn,
    /// sum of dn * (z - mean)]`. `z` is what won, laid out like `dy`.
    pub fn finish_backward(
        sizes: &Finish,
        z: &[f32],
        affine: Option<&[Affine]>,
        dy: &mut [f32],
        sums: &mut [[f32; 2]],
        draw: Draw,
    ) = finish_backward_in
}

#[inline(always)]
fn finish_backward_in<V: Lanes>(
    sizes: &Finish,
    z: &[f32],
    affine: Option<&[Affine]>,
    dy: &mut [f32],
    sums: &mut [[f32; 2]],
    draw: Draw,
) {
    let values = sizes.out_rows * sizes.out_columns;
    for channel in 0..sizes.channels {
        let first = channel * values;
        let range = first * V::N..(first + values) * V::N;
        let run = Run {
            chain: &sizes.chain,
            affine: affine.map_or(Affine::NONE, |affine| affine[channel]),
            draw,
            first,
        };
        let (z, dy) = (&z[range.clone()], &mut dy[range]);
        sums[channel] = match chain::kind(&sizes.chain) {
            chain::EMPTY => run_backward::<V, { chain::EMPTY }>(run, z, dy),
            chain::RELU => run_backward::<V, { chain::RELU }>(run, z, dy),
            _ => run_backward::<V, { chain::ANY }>(run, z, dy),
        };
    }
}

/// A channel of the output, on the way back.
#[derive(Clone, Copy)]
struct Run<'a> {
    chain: &'a [Pointwise],
    affine: Affine,
    draw: Draw,
    /// The number of the first value among the block's outputs.
    first: usize,
}

#[inline(always)]
fn run_backward<V: Lanes, const CHAIN: u8>(run: Run<'_>, z: &[f32], dy: &mut [f32]) -> [f32; 2] {
    let norm = Norm::<V>::new(run.affine);
    let (mut sum, mut product) = (V::splat(0.0), V::splat(0.0));
    let pairs = z.chunks_exact(V::N).zip(dy.chunks_exact_mut(V::N));
    for (element, (z, dy)) in (run.first..).zip(pairs) {
        let z = V::read(z);
        let place = Place {
            draw: run.draw,
            element: element as u32,
        };
        let n = norm.apply(z);
        let dn = derivative::<V, CHAIN>(run.chain, n, place).mul(V::read(dy));
        dn.write(dy);
        sum = sum.add(dn);
        product = z.sub(norm.mean).mul_add(dn, product);
    }
    [sum.sum(), product.sum()]
}

kernel! {
    /// The second pass backward: the gradient of `z`, laid out as `dz_layout` says, from `dn`.
    /// With BatchNorm there are `slopes` and the whole `z`; lanes from `images` on get zeros.
    pub fn spread(
        sizes: &Finish,
        dn: &[f32],
        place: &[u8],
        norm: Option<(&[Slope], &[f32])>,
        images: usize,
        dz: &mut [f32],
        dz_layout: Layout,
    ) = spread_in
}

#[inline(always)]
fn spread_in<V: Lanes>(
    sizes: &Finish,
    dn: &[f32],
    place: &[u8],
    norm: Option<(&[Slope], &[f32])>,
    images: usize,
    dz: &mut [f32],
    dz_layout: Layout,
) {
    let (window, stride) = sizes.window();
    for channel in 0..sizes.channels {
        let pass = Pass::new(norm.map(|(slopes, _)| slopes[channel]), images);
        for row in 0..sizes.rows {
            let z = norm.map(|(_, z)| &z[sizes.z.at(channel, row)..]);
            let dz = &mut dz[dz_layout.at(channel, row)..];
            if let Some(z) = z {
                assert_inside(&[last(sizes.columns, sizes.z.column)], V::N, z.len());
            }
            // A row of windows may be as long as the row itself, but not longer.
            assert!(window != stride || sizes.out_columns * window <= sizes.columns);
            assert_inside(&[last(sizes.columns, dz_layout.column)], V::N, dz.len());
            // The row of windows that this row of values belongs to: none where windows overlap
            // or leave gaps, which comes later.
            let out_row = row / window;
            let won = (window == stride && out_row < sizes.out_rows).then(|| {
                let first = sizes.element(channel, out_row) * V::N;
                let range = first..first + sizes.out_columns * V::N;
                let place = match sizes.pool {
                    Some(_) => place[range.clone()].as_ptr(),
                    None => std::ptr::null(),
                };
                (dn[range].as_ptr(), place)
            });
            let row = SpreadRow {
                sizes,
                won,
                in_window: row % window,
                z: z.map(<[f32]>::as_ptr),
                dz: dz.as_mut_ptr(),
                dz_column: dz_layout.column,
                pass,
            };
            // SAFETY: the rows of `z` and `dz`, and those of `dn` and `place` that belong to
            // their windows, were all checked to be there.
            unsafe {
                match window {
                    1 => spread_row::<V, 1>(row),
                    2 => spread_row::<V, 2>(row),
                    _ => spread_row::<V, 0>(row),
                }
            }
        }
        if window == stride {
            continue;
        }
        // Values of several windows, or of none: each winner adds its part.
        for row in 0..sizes.out_rows {
            for column in 0..sizes.out_columns {
                let at = (sizes.element(channel, row) + column) * V::N;
                let won = V::read(&dn[at..]).mul(pass.scale);
                let mut places = [0.0f32; 16];
                for (to, &from) in places.iter_mut().zip(&place[at..at + V::N]) {
                    *to = f32::from(from);
                }
                let places = V::read(&places);
                for i in 0..window {
                    let dz = &mut dz[dz_layout.at(channel, row * stride + i)..];
                    for j in 0..window {
                        let to = &mut dz[(column * stride + j) * dz_layout.column..];
                        let here = V::splat((i * window + j) as f32);
                        let won = places.where_equal(here, won, V::splat(0.0));
                        V::read(to).add(won).write(to);
                    }
                }
            }
        }
    }
}

/// One row of `dz`: pointers to the first of what belongs to it.
#[derive(Clone, Copy)]
struct SpreadRow<'a, V> {
    sizes: &'a Finish,
    /// The gradients of the windows this row is part of, and where their winners are.
    won: Option<(*const f32, *const u8)>,
    /// Which of the windows' rows this is.
    in_window: usize,
    z: Option<*const f32>,
    dz: *mut f32,
    dz_column: usize,
    pass: Pass<V>,
}

/// How a channel's gradients pass BatchNorm.
#[derive(Clone, Copy)]
struct Pass<V> {
    scale: V,
    slope: V,
    mean: V,
    constant: V,
}

impl<V: Lanes> Pass<V> {
    /// Without BatchNorm, as they are; and nothing to lanes from `images` on.
    #[inline(always)]
    fn new(slope: Option<Slope>, images: usize) -> Self {
        let none = Slope {
            scale: 1.0,
            ..Slope::default()
        };
        let slope = slope.unwrap_or(none);
        let mask = mask::<V>(images);
        Self {
            scale: V::splat(slope.scale),
            slope: V::splat(slope.slope).mul(mask),
            mean: V::splat(slope.mean),
            constant: V::splat(slope.constant).mul(mask),
        }
    }

    #[inline(always)]
    fn apply(&self, dn: V, z: V) -> V {
        let rest = z.sub(self.mean).mul_add(self.slope, self.constant);
        dn.mul_add(self.scale, rest)
    }
}

/// Computes a row of `dz`, with windows of `WINDOW` (0: of any size).
///
/// # Safety
/// A row's values can be read at `row.z` and written at `row.dz`, and at both of `row.won` (the
/// second only with pooling) a row of windows' can be read.
#[inline(always)]
unsafe fn spread_row<V: Lanes, const WINDOW: usize>(row: SpreadRow<'_, V>) {
    let window = match WINDOW {
        0 => row.sizes.window().0,
        known => known,
    };
    let mut column = 0;
    if let Some((won, places)) = row.won {
        for out_column in 0..row.sizes.out_columns {
            // SAFETY: the caller's promise; so for all below.
            let won = unsafe { V::load(won.add(out_column * V::N)) };
            let place = match WINDOW {
                1 => V::splat(0.0),
                _ => unsafe { V::load_bytes(places.add(out_column * V::N)) },
            };
            for j in 0..window {
                let here = V::splat((row.in_window * window + j) as f32);
                let dn = match WINDOW {
                    1 => won,
                    _ => place.where_equal(here, won, V::splat(0.0)),
                };
                unsafe { spread_value(&row, column, dn) };
                column += 1;
            }
        }
    }
    for column in column..row.sizes.columns {
        unsafe { spread_value(&row, column, V::splat(0.0)) };
    }
}

/// # Safety
/// As for [`spread_row`]; `column` is one of the row's.
#[inline(always)]
unsafe fn spread_value<V: Lanes>(row: &SpreadRow<'_, V>, column: usize, dn: V) {
    // SAFETY: the caller's promise.
    unsafe {
        let dz = match row.z {
            Some(z) => row
                .pass
                .apply(dn, V::load(z.add(column * row.sizes.z.column))),
            None => dn,
        };
        dz.store(row.dz.add(column * row.dz_column));
    }
}

/// 1 in the lanes that hold images, 0 after them.
#[inline(always)]
fn mask<V: Lanes>(images: usize) -> V {
    let mut values = [0.0; 16];
    for value in &mut values[..images.min(V::N)] {
        *value = 1.0;
    }
    V::read(&values)
}
