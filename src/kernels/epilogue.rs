//! The epilogue of a convolution or a linear layer: BatchNorm, pooling, activations and dropout,
//! forward in one pass and backward in two.
//!
//! The order is: `n = (z - mean) * scale + shift` for each channel, the largest `n` or the mean of
//! each window, then the pointwise functions.

use super::lanes::{Lanes, kernel};
use super::pointwise::{Chain, Draw, Place, Pointwise, chain};
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
    /// Where a row of a channel begins.
    #[inline(always)]
    pub fn at(&self, channel: usize, row: usize) -> usize {
        self.offset + self.channel * channel + self.row * row
    }
}

/// What pooling takes of a window.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum PoolKind {
    Max,
    Average,
}

/// Pooling with square windows.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Pool {
    pub kind: PoolKind,
    pub kernel_size: usize,
    pub stride: usize,
}

/// Shapes, layouts and functions of an epilogue.
#[derive(Debug, Clone, PartialEq)]
pub struct Epilogue<F> {
    pub channels: usize,
    /// Rows and columns of `z`.
    pub rows: usize,
    pub columns: usize,
    pub pool: Option<Pool>,
    /// Rows and columns after pooling.
    pub out_rows: usize,
    pub out_columns: usize,
    /// Functions of each value by itself, in order.
    pub chain: Vec<F>,
    /// How the whole input and the whole output of a block lie in memory.
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

/// What the backward pass of pooling needs of the forward pass, `[channel, out row, out column]`:
/// the value `z` that stands for its window, and with max-pooling where in the window it was.
#[derive(Debug)]
pub struct Pooled<'a> {
    pub z: &'a mut [f32],
    /// Empty with average pooling.
    pub argmax: &'a mut [u8],
}

/// The part of the output to compute: `z` then begins with its first channel and row.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Region {
    pub channel: usize,
    pub channels: usize,
    pub row: usize,
    pub rows: usize,
    /// How `z` lies in memory.
    pub z: Layout,
}

impl<F: Pointwise> Epilogue<F> {
    /// All of the output.
    pub fn whole(&self) -> Region {
        Region {
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

    fn pools_average(&self) -> bool {
        self.pool.is_some_and(|pool| pool.kind == PoolKind::Average)
    }

    #[inline(always)]
    fn element(&self, channel: usize, row: usize) -> usize {
        (channel * self.out_rows + row) * self.out_columns
    }
}

/// What the functions of an epilogue's chain need beside the values.
#[derive(Debug, Clone, Copy, Default)]
pub struct ChainInputs<'a> {
    pub draw: Draw,
    /// The learned weights of the first function: one for all channels or one for each. Empty where
    /// it has none.
    pub weights: &'a [f32],
}

impl<'a> ChainInputs<'a> {
    #[inline(always)]
    fn chain<F>(&self, functions: &'a [F], channel: usize) -> Chain<'a, F> {
        let weight = match self.weights {
            [] => None,
            [weight] => Some(*weight),
            weights => Some(weights[channel]),
        };
        Chain { functions, weight }
    }
}

kernel! {
    /// Computes the given region of `y` from `z`. `affine` holds one entry for each channel of the
    /// network's layer; `pooled` is filled in where there is pooling and a backward pass to come.
    pub fn epilogue<F: Pointwise>(
        epilogue: &Epilogue<F>,
        region: Region,
        z: &[f32],
        affine: Option<&[Affine]>,
        pooled: Option<Pooled<'_>>,
        y: &mut [f32],
        inputs: ChainInputs<'_>,
    ) = epilogue_in
}

#[inline(always)]
fn epilogue_in<V: Lanes, F: Pointwise>(
    epilogue: &Epilogue<F>,
    region: Region,
    z: &[f32],
    affine: Option<&[Affine]>,
    mut pooled: Option<Pooled<'_>>,
    y: &mut [f32],
    inputs: ChainInputs<'_>,
) {
    let (window, stride) = epilogue.window();
    let kind = chain::kind(&epilogue.chain);
    let is_average = epilogue.pools_average();
    for c in 0..region.channels {
        let channel = region.channel + c;
        let affine = affine.map_or(Affine::NONE, |affine| affine[channel]);
        let chain = inputs.chain(&epilogue.chain, channel);
        for r in 0..region.rows {
            let row = region.row + r;
            let z = &z[region.z.at(c, r * stride)..];
            let y = &mut y[epilogue.y.at(channel, row)..];
            let first = epilogue.element(channel, row);
            let columns = last(epilogue.out_columns, stride).saturating_add(window);
            let z_end = [last(window, region.z.row), last(columns, region.z.column)];
            assert_inside(&z_end, V::N, z.len());
            assert_inside(
                &[last(epilogue.out_columns, epilogue.y.column)],
                V::N,
                y.len(),
            );
            let pooled = pooled.as_mut().map(|pooled| {
                let range = first * V::N..(first + epilogue.out_columns) * V::N;
                let argmax = if is_average {
                    std::ptr::null_mut()
                } else {
                    pooled.argmax[range.clone()].as_mut_ptr()
                };
                (pooled.z[range].as_mut_ptr(), argmax)
            });
            let tile = Row {
                epilogue,
                chain,
                first,
                z: z.as_ptr(),
                z_layout: region.z,
                affine,
                pooled,
                y: y.as_mut_ptr(),
                draw: inputs.draw,
            };
            // SAFETY: the row of `y`, the rows of `z` that its windows see and, of `pooled`, as many
            // values as the row has were all checked to be there.
            unsafe {
                match (window, kind) {
                    _ if is_average => run_row::<V, F, 0, { MEAN }, { chain::ANY }>(tile),
                    (1, chain::EMPTY) => run_row::<V, F, 1, { BY_Z }, { chain::EMPTY }>(tile),
                    (1, chain::RELU) => run_row::<V, F, 1, { BY_Z }, { chain::RELU }>(tile),
                    (1, _) => run_row::<V, F, 1, { BY_Z }, { chain::ANY }>(tile),
                    // The order among `z` is the order among `n`.
                    (2, chain::RELU) if affine.scale > 0.0 => match pooled {
                        Some(_) => run_row::<V, F, 2, { BY_Z }, { chain::RELU }>(tile),
                        None => run_row::<V, F, 2, { LARGEST_Z }, { chain::RELU }>(tile),
                    },
                    _ => run_row::<V, F, 0, { BY_N }, { chain::ANY }>(tile),
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
struct Row<'a, F> {
    epilogue: &'a Epilogue<F>,
    chain: Chain<'a, F>,
    /// The number of the first value among the block's outputs.
    first: usize,
    z: *const f32,
    z_layout: Layout,
    affine: Affine,
    pooled: Option<(*mut f32, *mut u8)>,
    y: *mut f32,
    draw: Draw,
}

/// What stands for a window: the value with the largest `n`, with the largest `z`, the largest `z`
/// when nobody asks where it was, or the mean.
const BY_N: u8 = 0;
const BY_Z: u8 = 1;
const LARGEST_Z: u8 = 2;
const MEAN: u8 = 3;

/// Computes a row of outputs, with windows of `WINDOW` (0: of any size). `TAKE` is one of the four
/// above, `CHAIN` the chain's kind, or `ANY`.
///
/// # Safety
/// From `row.z` all that the row's windows see can be read, and a row's values can be written at
/// `row.y` and at both of `row.pooled` (at the second only with max-pooling).
#[inline(always)]
unsafe fn run_row<V: Lanes, F: Pointwise, const WINDOW: usize, const TAKE: u8, const CHAIN: u8>(
    row: Row<'_, F>,
) {
    let (any, stride) = row.epilogue.window();
    let window = if WINDOW == 0 { any } else { WINDOW };
    let norm = Norm::<V>::new(row.affine);
    let share = V::splat(1.0 / (window * window) as f32);
    for column in 0..row.epilogue.out_columns {
        // SAFETY: the caller's promise; so for all below.
        let corner = unsafe { row.z.add(column * stride * row.z_layout.column) };
        let mut value = unsafe { V::load(corner) };
        let mut best = norm.apply(value);
        let mut argmax = V::splat(0.0);
        for at in 1..window * window {
            let (i, j) = (at / window, at % window);
            let step = i * row.z_layout.row + j * row.z_layout.column;
            let other = unsafe { V::load(corner.add(step)) };
            let here = V::splat(at as f32);
            if TAKE == MEAN {
                value = value.add(other);
            } else if TAKE == LARGEST_Z {
                value = other.max(value);
            } else if TAKE == BY_Z {
                argmax = other.where_greater(value, here, argmax);
                value = other.where_greater(value, other, value);
            } else {
                let n = norm.apply(other);
                argmax = n.where_greater(best, here, argmax);
                value = n.where_greater(best, other, value);
                best = n.where_greater(best, n, best);
            }
        }
        if TAKE == MEAN {
            value = value.mul(share);
        }
        if TAKE != BY_N {
            best = norm.apply(value);
        }
        if let Some((z, places)) = row.pooled {
            unsafe { value.store(z.add(column * V::N)) };
            if TAKE != MEAN {
                unsafe { argmax.store_bytes(places.add(column * V::N)) };
            }
        }
        let place = Place {
            draw: row.draw,
            element: (row.first + column) as u32,
        };
        let y = row.chain.apply::<V, CHAIN>(best, place);
        unsafe { y.store(row.y.add(column * row.epilogue.y.column)) };
    }
}

kernel! {
    /// Adds up each channel of `z` in the first `images` lanes: `sums[c] = [sum of d, sum of d^2]`
    /// with `d = z - near[c]`. The nearer `near` is to the mean, the less is lost to rounding.
    pub fn statistics<F: Pointwise>(
        epilogue: &Epilogue<F>,
        z: &[f32],
        images: usize,
        near: &[f32],
        sums: &mut [[f32; 2]],
    ) = statistics_in
}

#[inline(always)]
fn statistics_in<V: Lanes, F: Pointwise>(
    epilogue: &Epilogue<F>,
    z: &[f32],
    images: usize,
    near: &[f32],
    sums: &mut [[f32; 2]],
) {
    let mask = mask::<V>(images);
    for channel in 0..epilogue.channels {
        let near = V::splat(near[channel]);
        // Two of each, so that no addition waits for the one before.
        let mut sum = [V::splat(0.0); 2];
        let mut squares = sum;
        for row in 0..epilogue.rows {
            let z_row = &z[epilogue.z.at(channel, row)..];
            for pair in (0..epilogue.columns).step_by(2) {
                let d = V::read(&z_row[pair * epilogue.z.column..]).sub(near);
                let d = d.mul(mask);
                sum[0] = sum[0].add(d);
                squares[0] = d.mul_add(d, squares[0]);
                if pair + 1 < epilogue.columns {
                    let d = V::read(&z_row[(pair + 1) * epilogue.z.column..]).sub(near);
                    let d = d.mul(mask);
                    sum[1] = sum[1].add(d);
                    squares[1] = d.mul_add(d, squares[1]);
                }
            }
        }
        sums[channel] = [sum[0].add(sum[1]).sum(), squares[0].add(squares[1]).sum()];
    }
}

/// What the first pass backward adds up for a channel.
#[derive(Debug, Clone, Copy, Default, PartialEq)]
pub struct GradientSums {
    /// Of `dn`.
    pub dn: f32,
    /// Of `dn * (z - mean)`.
    pub product: f32,
    /// The gradient of the chain's learned weight.
    pub weight: f32,
}

kernel! {
    /// The first pass backward: turns `dy` `[channel, out row, out column]` into `dn`, the gradient
    /// of the `n` that stands for its window, and adds up each channel. `z` is that window's value;
    /// without pooling it is the whole input, which lies as `z_layout` says.
    pub fn epilogue_backward<F: Pointwise>(
        epilogue: &Epilogue<F>,
        z: &[f32],
        z_layout: Layout,
        affine: Option<&[Affine]>,
        dy: &mut [f32],
        sums: &mut [GradientSums],
        inputs: ChainInputs<'_>,
    ) = epilogue_backward_in
}

#[inline(always)]
fn epilogue_backward_in<V: Lanes, F: Pointwise>(
    epilogue: &Epilogue<F>,
    z: &[f32],
    z_layout: Layout,
    affine: Option<&[Affine]>,
    dy: &mut [f32],
    sums: &mut [GradientSums],
    inputs: ChainInputs<'_>,
) {
    let (rows, columns) = (epilogue.out_rows, epilogue.out_columns);
    // Where rows follow one another without a gap, a channel is one long row.
    let (rows, columns) = if z_layout.row == columns * V::N && z_layout.column == V::N {
        (1, rows * columns)
    } else {
        (rows, columns)
    };
    assert!(z_layout.column == V::N, "columns lie side by side");
    let kind = chain::kind(&epilogue.chain);
    for channel in 0..epilogue.channels {
        let mut total = [V::splat(0.0); 3];
        for row in 0..rows {
            let first = channel * rows * columns + row * columns;
            let part = BackwardRow {
                chain: inputs.chain(&epilogue.chain, channel),
                affine: affine.map_or(Affine::NONE, |affine| affine[channel]),
                draw: inputs.draw,
                first,
            };
            let z = &z[z_layout.at(channel, row)..][..columns * V::N];
            let dy = &mut dy[first * V::N..][..columns * V::N];
            total = match kind {
                chain::EMPTY => run_backward::<V, F, { chain::EMPTY }>(part, z, dy, total),
                chain::RELU => run_backward::<V, F, { chain::RELU }>(part, z, dy, total),
                _ => run_backward::<V, F, { chain::ANY }>(part, z, dy, total),
            };
        }
        let [dn, product, weight] = total.map(V::sum);
        sums[channel] = GradientSums {
            dn,
            product,
            weight,
        };
    }
}

/// A row of the output, on the way back.
#[derive(Clone, Copy)]
struct BackwardRow<'a, F> {
    chain: Chain<'a, F>,
    affine: Affine,
    draw: Draw,
    /// The number of the first value among the block's outputs.
    first: usize,
}

#[inline(always)]
fn run_backward<V: Lanes, F: Pointwise, const CHAIN: u8>(
    row: BackwardRow<'_, F>,
    z: &[f32],
    dy: &mut [f32],
    [mut sum, mut product, mut weight]: [V; 3],
) -> [V; 3] {
    let norm = Norm::<V>::new(row.affine);
    let pairs = z.chunks_exact(V::N).zip(dy.chunks_exact_mut(V::N));
    for (element, (z, dy)) in (row.first..).zip(pairs) {
        let z = V::read(z);
        let place = Place {
            draw: row.draw,
            element: element as u32,
        };
        let n = norm.apply(z);
        let gradient = V::read(dy);
        if CHAIN == chain::ANY && row.chain.weight.is_some() {
            weight = row
                .chain
                .weight_derivative(n, place)
                .mul_add(gradient, weight);
        }
        let dn = row.chain.derivative::<V, CHAIN>(n, place).mul(gradient);
        dn.write(dy);
        sum = sum.add(dn);
        product = z.sub(norm.mean).mul_add(dn, product);
    }
    [sum, product, weight]
}

kernel! {
    /// The second pass backward, through pooling and BatchNorm: the gradient of `z`, laid out as
    /// `dz_layout` says, from `dn`. With BatchNorm there are `slopes` and the whole `z`; lanes from
    /// `images` on get zeros.
    pub fn norm_backward<F: Pointwise>(
        epilogue: &Epilogue<F>,
        dn: &[f32],
        argmax: &[u8],
        norm: Option<(&[Slope], &[f32])>,
        images: usize,
        dz: &mut [f32],
        dz_layout: Layout,
    ) = norm_backward_in
}

#[inline(always)]
fn norm_backward_in<V: Lanes, F: Pointwise>(
    epilogue: &Epilogue<F>,
    dn: &[f32],
    argmax: &[u8],
    norm: Option<(&[Slope], &[f32])>,
    images: usize,
    dz: &mut [f32],
    dz_layout: Layout,
) {
    let (window, stride) = epilogue.window();
    let is_average = epilogue.pools_average();
    let share = V::splat(1.0 / (window * window) as f32);
    for channel in 0..epilogue.channels {
        let pass = Pass::new(norm.map(|(slopes, _)| slopes[channel]), images);
        for row in 0..epilogue.rows {
            let z = norm.map(|(_, z)| &z[epilogue.z.at(channel, row)..]);
            let dz = &mut dz[dz_layout.at(channel, row)..];
            if let Some(z) = z {
                assert_inside(&[last(epilogue.columns, epilogue.z.column)], V::N, z.len());
            }
            // A row of windows may be as long as the row itself, but not longer.
            assert!(window != stride || epilogue.out_columns * window <= epilogue.columns);
            assert_inside(&[last(epilogue.columns, dz_layout.column)], V::N, dz.len());
            // The row of windows that this row of values belongs to: none where windows overlap
            // or leave gaps, which comes later.
            let out_row = row / window;
            let pooled = (window == stride && out_row < epilogue.out_rows).then(|| {
                let first = epilogue.element(channel, out_row) * V::N;
                let range = first..first + epilogue.out_columns * V::N;
                let argmax = match epilogue.pool {
                    Some(_) if !is_average => argmax[range.clone()].as_ptr(),
                    _ => std::ptr::null(),
                };
                (dn[range].as_ptr(), argmax)
            });
            let row = NormRow {
                epilogue,
                pooled,
                in_window: row % window,
                z: z.map(<[f32]>::as_ptr),
                dz: dz.as_mut_ptr(),
                dz_column: dz_layout.column,
                pass,
            };
            // SAFETY: the rows of `z` and `dz`, and those of `dn` and `argmax` that belong to
            // their windows, were all checked to be there.
            unsafe {
                match window {
                    1 => norm_row::<V, F, 1, false>(row),
                    _ if is_average => norm_row::<V, F, 0, true>(row),
                    2 => norm_row::<V, F, 2, false>(row),
                    _ => norm_row::<V, F, 0, false>(row),
                }
            }
        }
        if window == stride {
            continue;
        }
        // Values of several windows, or of none: each window adds its part.
        for row in 0..epilogue.out_rows {
            for column in 0..epilogue.out_columns {
                let at = (epilogue.element(channel, row) + column) * V::N;
                let gradient = V::read(&dn[at..]).mul(pass.scale);
                let mut places = [0.0f32; 16];
                if !is_average {
                    for (to, &from) in places.iter_mut().zip(&argmax[at..at + V::N]) {
                        *to = f32::from(from);
                    }
                }
                let places = V::read(&places);
                for i in 0..window {
                    let dz = &mut dz[dz_layout.at(channel, row * stride + i)..];
                    for j in 0..window {
                        let to = &mut dz[(column * stride + j) * dz_layout.column..];
                        let part = if is_average {
                            gradient.mul(share)
                        } else {
                            let here = V::splat((i * window + j) as f32);
                            places.where_equal(here, gradient, V::splat(0.0))
                        };
                        V::read(to).add(part).write(to);
                    }
                }
            }
        }
    }
}

/// One row of `dz`: pointers to the first of what belongs to it.
#[derive(Clone, Copy)]
struct NormRow<'a, V, F> {
    epilogue: &'a Epilogue<F>,
    /// The gradients of the windows this row is part of, and where in them their largest values are.
    pooled: Option<(*const f32, *const u8)>,
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

/// Computes a row of `dz`, with windows of `WINDOW` (0: of any size) and average or max-pooling.
///
/// # Safety
/// A row's values can be read at `row.z` and written at `row.dz`, and at both of `row.pooled` (at
/// the second only with max-pooling) a row of windows' can be read.
#[inline(always)]
unsafe fn norm_row<V: Lanes, F: Pointwise, const WINDOW: usize, const AVERAGE: bool>(
    row: NormRow<'_, V, F>,
) {
    let window = match WINDOW {
        0 => row.epilogue.window().0,
        known => known,
    };
    let share = V::splat(1.0 / (window * window) as f32);
    let mut column = 0;
    if let Some((gradients, places)) = row.pooled {
        for out_column in 0..row.epilogue.out_columns {
            // SAFETY: the caller's promise; so for all below.
            let gradient = unsafe { V::load(gradients.add(out_column * V::N)) };
            let place = if WINDOW == 1 || AVERAGE {
                V::splat(0.0)
            } else {
                unsafe { V::load_bytes(places.add(out_column * V::N)) }
            };
            for j in 0..window {
                let here = V::splat((row.in_window * window + j) as f32);
                let dn = if AVERAGE {
                    gradient.mul(share)
                } else if WINDOW == 1 {
                    gradient
                } else {
                    place.where_equal(here, gradient, V::splat(0.0))
                };
                unsafe { norm_value(&row, column, dn) };
                column += 1;
            }
        }
    }
    for column in column..row.epilogue.columns {
        unsafe { norm_value(&row, column, V::splat(0.0)) };
    }
}

/// # Safety
/// As for [`norm_row`]; `column` is one of the row's.
#[inline(always)]
unsafe fn norm_value<V: Lanes, F: Pointwise>(row: &NormRow<'_, V, F>, column: usize, dn: V) {
    // SAFETY: the caller's promise.
    unsafe {
        let dz = match row.z {
            Some(z) => row
                .pass
                .apply(dn, V::load(z.add(column * row.epilogue.z.column))),
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
