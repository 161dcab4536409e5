//! The transforms of minimal filtering in one dimension; each is done for columns and then for rows.

use crate::kernels::lanes::Lanes;

/// Taps of a kernel's row.
pub const KERNEL: usize = 3;
/// The largest tile's pixels and outputs in one dimension.
pub const MAX_PIXELS: usize = 6;
pub const MAX_OUTPUTS: usize = 4;

/// How many outputs are computed together.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Tile {
    /// F(2x2, 3x3).
    Two,
    /// F(4x4, 3x3).
    Four,
}

impl Tile {
    /// The tile by which a convolution of so many channels to so many others is faster than directly; `None`
    /// if none is, or the kernel is not 3x3 or the stride not 1. `cargo bench --bench convolutions` measures all three.
    ///
    /// Transforms are worth their time where each value that they make is used by many channels, and
    /// tiles where few of them reach beyond the output.
    pub fn of(
        (kernel_size, stride): (usize, usize),
        (ins, outs): (usize, usize),
        (rows, columns): (usize, usize),
    ) -> Option<Self> {
        /// Channels on either side from which on a tile pays.
        const CHANNELS: usize = 16;
        if kernel_size != KERNEL || stride != 1 || ins.min(outs) < CHANNELS {
            return None;
        }
        let products = |tile: Self| {
            let side = tile.outputs();
            rows.div_ceil(side) * columns.div_ceil(side) * tile.places()
        };
        // Of two equally fast ones that with the smaller error.
        let tile = if products(Tile::Four) < products(Tile::Two) {
            Tile::Four
        } else {
            Tile::Two
        };
        (2 * products(tile) <= rows * columns * KERNEL * KERNEL).then_some(tile)
    }

    /// Outputs in one dimension.
    pub fn outputs(self) -> usize {
        match self {
            Tile::Two => Two::OUTPUTS,
            Tile::Four => Four::OUTPUTS,
        }
    }

    /// Products for each pair of channels: one for each pixel that a tile's outputs see.
    pub fn places(self) -> usize {
        (self.outputs() + KERNEL - 1).pow(2)
    }
}

/// The matrices A, B and G of the paper, as sums. What an array has beyond a scheme's size stays
/// unused.
pub trait Scheme {
    const OUTPUTS: usize;
    const PIXELS: usize = Self::OUTPUTS + KERNEL - 1;

    /// B^T d: of the pixels of a tile.
    fn pixels<V: Lanes>(d: [V; MAX_PIXELS]) -> [V; MAX_PIXELS];
    /// G g: of a kernel.
    fn weights<V: Lanes>(g: [V; KERNEL]) -> [V; MAX_PIXELS];
    /// A^T m: from products to outputs.
    fn outputs<V: Lanes>(m: [V; MAX_PIXELS]) -> [V; MAX_OUTPUTS];
    /// A y, the way back of [`outputs`](Self::outputs): of the gradients of a tile's outputs.
    fn gradients<V: Lanes>(y: [V; MAX_OUTPUTS]) -> [V; MAX_PIXELS];
    /// G^T u, the way back of [`weights`](Self::weights): to the gradients of a kernel.
    fn weight_gradients<V: Lanes>(u: [V; MAX_PIXELS]) -> [V; KERNEL];
}

/// F(2, 3), by the points 0, 1, -1 and infinity.
pub struct Two;

impl Scheme for Two {
    const OUTPUTS: usize = 2;

    #[inline(always)]
    fn pixels<V: Lanes>([d0, d1, d2, d3, unused, _]: [V; MAX_PIXELS]) -> [V; MAX_PIXELS] {
        [
            d0.sub(d2),
            d1.add(d2),
            d2.sub(d1),
            d1.sub(d3),
            unused,
            unused,
        ]
    }

    #[inline(always)]
    fn weights<V: Lanes>([g0, g1, g2]: [V; KERNEL]) -> [V; MAX_PIXELS] {
        let half = V::splat(0.5);
        let (even, odd) = (g0.add(g2).mul(half), g1.mul(half));
        [g0, even.add(odd), even.sub(odd), g2, g0, g0]
    }

    #[inline(always)]
    fn outputs<V: Lanes>([m0, m1, m2, m3, unused, _]: [V; MAX_PIXELS]) -> [V; MAX_OUTPUTS] {
        [m0.add(m1).add(m2), m1.sub(m2).sub(m3), unused, unused]
    }

    #[inline(always)]
    fn gradients<V: Lanes>([y0, y1, unused, _]: [V; MAX_OUTPUTS]) -> [V; MAX_PIXELS] {
        let minus_y1 = V::splat(0.0).sub(y1);
        [y0, y0.add(y1), y0.sub(y1), minus_y1, unused, unused]
    }

    #[inline(always)]
    fn weight_gradients<V: Lanes>([u0, u1, u2, u3, ..]: [V; MAX_PIXELS]) -> [V; KERNEL] {
        let half = V::splat(0.5);
        let (even, odd) = (u1.add(u2).mul(half), u1.sub(u2).mul(half));
        [u0.add(even), odd, even.add(u3)]
    }
}

/// F(4, 3), by the points 0, 1, -1, 2, -2 and infinity.
pub struct Four;

impl Scheme for Four {
    const OUTPUTS: usize = 4;

    #[inline(always)]
    fn pixels<V: Lanes>([d0, d1, d2, d3, d4, d5]: [V; MAX_PIXELS]) -> [V; MAX_PIXELS] {
        let s = V::splat;
        let (even, odd) = (d2.mul_add(s(-4.0), d4), d1.mul_add(s(-4.0), d3));
        let (far_even, far_odd) = (d4.sub(d2), d3.sub(d1).mul(s(2.0)));
        [
            d0.mul_add(s(4.0), d2.mul_add(s(-5.0), d4)),
            even.add(odd),
            even.sub(odd),
            far_even.add(far_odd),
            far_even.sub(far_odd),
            d1.mul_add(s(4.0), d3.mul_add(s(-5.0), d5)),
        ]
    }

    #[inline(always)]
    fn weights<V: Lanes>([g0, g1, g2]: [V; KERNEL]) -> [V; MAX_PIXELS] {
        let s = V::splat;
        let (even, odd) = (g0.add(g2).mul(s(-1.0 / 6.0)), g1.mul(s(-1.0 / 6.0)));
        let far_even = g0.mul_add(s(1.0 / 24.0), g2.mul(s(1.0 / 6.0)));
        let far_odd = g1.mul(s(1.0 / 12.0));
        [
            g0.mul(s(0.25)),
            even.add(odd),
            even.sub(odd),
            far_even.add(far_odd),
            far_even.sub(far_odd),
            g2,
        ]
    }

    #[inline(always)]
    fn outputs<V: Lanes>([m0, m1, m2, m3, m4, m5]: [V; MAX_PIXELS]) -> [V; MAX_OUTPUTS] {
        let s = V::splat;
        let (even, odd) = (m1.add(m2), m1.sub(m2));
        let (far_even, far_odd) = (m3.add(m4), m3.sub(m4));
        [
            m0.add(even).add(far_even),
            far_odd.mul_add(s(2.0), odd),
            far_even.mul_add(s(4.0), even),
            far_odd.mul_add(s(8.0), odd).add(m5),
        ]
    }

    #[inline(always)]
    fn gradients<V: Lanes>([y0, y1, y2, y3]: [V; MAX_OUTPUTS]) -> [V; MAX_PIXELS] {
        let s = V::splat;
        let (even, odd) = (y0.add(y2), y1.add(y3));
        let far_even = y2.mul_add(s(4.0), y0);
        let far_odd = y3.mul_add(s(4.0), y1).mul(s(2.0));
        [
            y0,
            even.add(odd),
            even.sub(odd),
            far_even.add(far_odd),
            far_even.sub(far_odd),
            y3,
        ]
    }

    #[inline(always)]
    fn weight_gradients<V: Lanes>([u0, u1, u2, u3, u4, u5]: [V; MAX_PIXELS]) -> [V; KERNEL] {
        let s = V::splat;
        let (even, odd) = (u1.add(u2).mul(s(-1.0 / 6.0)), u2.sub(u1).mul(s(1.0 / 6.0)));
        let (far_even, far_odd) = (u3.add(u4), u3.sub(u4));
        [
            u0.mul_add(s(0.25), far_even.mul_add(s(1.0 / 24.0), even)),
            far_odd.mul_add(s(1.0 / 12.0), odd),
            far_even.mul_add(s(1.0 / 6.0), even.add(u5)),
        ]
    }
}
