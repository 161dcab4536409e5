//! Functions of each value by itself, as the epilogue runs them: what they must tell the kernels, and
//! chains of them.

use std::fmt::Debug;

use super::lanes::Lanes;

/// A function of each value by itself. The kernels are compiled for one type that implements it,
/// which knows all functions there are.
pub trait Pointwise: Debug + Copy + Send + Sync {
    /// Whether it is exactly ReLU, for which there are loops of their own.
    fn is_relu(self) -> bool {
        false
    }

    /// Whether a larger input never gives a smaller output.
    fn is_monotone(self) -> bool {
        false
    }

    /// Whether evaluation leaves it out.
    fn only_in_training(self) -> bool {
        false
    }

    /// The function with a learned weight, for those that have one.
    #[inline(always)]
    fn with_weight(self, _weight: f32) -> Self {
        self
    }

    fn apply<V: Lanes>(self, x: V, place: Place) -> V;

    /// The derivative at `x`, where the function's value is `y`.
    fn derivative<V: Lanes>(self, x: V, y: V, place: Place) -> V;

    /// The derivative by the learned weight at `x`, for functions that have one.
    #[inline(always)]
    fn weight_derivative<V: Lanes>(self, _x: V) -> V {
        V::splat(0.0)
    }
}

/// Which numbers dropout draws: the same for the same key, image and element, whatever the
/// threads and however wide the registers.
#[derive(Debug, Clone, Copy, Default)]
pub struct Draw {
    /// Chosen anew for each step.
    pub key: u32,
    /// The place in the batch of the image in lane 0.
    pub first_image: u32,
}

/// The place of a value within its layer's output.
#[derive(Debug, Clone, Copy)]
pub struct Place {
    pub(super) draw: Draw,
    pub(super) element: u32,
}

impl Place {
    /// What dropout multiplies each lane with: 0 with probability `p`, else `1 / (1 - p)`. `salt`
    /// sets a network's dropout layers apart.
    #[inline(always)]
    pub fn dropout<V: Lanes>(self, p: f32, salt: u32) -> V {
        // Compared as signed numbers, for which there are vector instructions everywhere.
        let threshold = (f64::from(p) * f64::from(1u32 << 31)) as i32;
        let scale = 1.0 / (1.0 - p);
        let first = self
            .element
            .wrapping_mul(0x9E37_79B1)
            .wrapping_add(self.draw.first_image);
        let key = self.draw.key ^ salt;
        let mut factors = [0.0; 16];
        for (lane, factor) in factors[..V::N].iter_mut().enumerate() {
            let random = (mix(first.wrapping_add(lane as u32) ^ key) >> 1) as i32;
            *factor = if random >= threshold { scale } else { 0.0 };
        }
        V::read(&factors)
    }
}

/// What the loops are compiled for: chains that are so common and so short that looking at them
/// anew for each register would take longer than what they do.
pub(super) mod chain {
    use super::Pointwise;

    pub const EMPTY: u8 = 0;
    pub const RELU: u8 = 1;
    pub const ANY: u8 = 2;

    /// Which one it is.
    pub fn kind<F: Pointwise>(functions: &[F]) -> u8 {
        match functions {
            [] => EMPTY,
            [only] if only.is_relu() => RELU,
            _ => ANY,
        }
    }
}

/// Functions that follow one another.
#[derive(Debug, Clone, Copy)]
pub(super) struct Chain<'a, F> {
    pub functions: &'a [F],
    /// The learned weight of the first one, where it has one.
    pub weight: Option<f32>,
}

impl<F: Pointwise> Chain<'_, F> {
    /// The function at this place, with its weight.
    #[inline(always)]
    fn function(&self, place: usize) -> F {
        match self.weight {
            Some(weight) if place == 0 => self.functions[0].with_weight(weight),
            _ => self.functions[place],
        }
    }

    /// All functions, one after the other. `KIND` is the chain's [`chain::kind`], or `ANY`.
    #[inline(always)]
    pub fn apply<V: Lanes, const KIND: u8>(&self, mut x: V, place: Place) -> V {
        match KIND {
            chain::EMPTY => return x,
            // In this order, not-a-number stays what it is.
            chain::RELU => return V::splat(0.0).max(x),
            _ => {}
        }
        for index in 0..self.functions.len() {
            x = self.function(index).apply(x, place);
        }
        x
    }

    /// The derivative of [`apply`](Self::apply) at `x`.
    #[inline(always)]
    pub fn derivative<V: Lanes, const KIND: u8>(&self, x: V, place: Place) -> V {
        match KIND {
            chain::EMPTY => V::splat(1.0),
            chain::RELU => x.where_greater(V::splat(0.0), V::splat(1.0), V::splat(0.0)),
            _ => self.derivative_from(0, x, place),
        }
    }

    /// The derivative by the first function's learned weight.
    #[inline(always)]
    pub fn weight_derivative<V: Lanes>(&self, x: V, place: Place) -> V {
        let first = self.function(0);
        let behind = self.derivative_from(1, first.apply(x, place), place);
        first.weight_derivative(x).mul(behind)
    }

    /// The derivative of the functions from this place on.
    #[inline(always)]
    fn derivative_from<V: Lanes>(&self, from: usize, mut x: V, place: Place) -> V {
        let mut product = V::splat(1.0);
        for index in from..self.functions.len() {
            let function = self.function(index);
            let y = function.apply(x, place);
            product = product.mul(function.derivative(x, y, place));
            x = y;
        }
        product
    }
}

/// A mixing function of 32 bits: `lowbias32` of Wellons, "Prospecting for hash functions" (2018).
#[inline(always)]
fn mix(mut x: u32) -> u32 {
    x ^= x >> 16;
    x = x.wrapping_mul(0x7feb_352d);
    x ^= x >> 15;
    x = x.wrapping_mul(0x846c_a68b);
    x ^ (x >> 16)
}

#[cfg(test)]
mod tests {
    use super::super::lanes::{Isa, kernel};
    use super::*;

    #[inline(always)]
    fn draw_in<V: Lanes>(element: u32, first_image: u32, factors: &mut [f32]) {
        let draw = Draw {
            key: 77,
            first_image,
        };
        let place = Place { draw, element };
        place.dropout::<V>(0.4, 5).write(factors);
    }

    kernel! {
        pub fn draw(element: u32, first_image: u32, factors: &mut [f32]) = draw_in
    }

    #[test]
    fn dropout_is_the_same_on_every_instruction_set() {
        let all: Vec<Vec<f32>> = Isa::available()
            .into_iter()
            .map(|isa| {
                let mut factors = vec![0.0; 100 * 48];
                for (element, factors) in factors.chunks_exact_mut(48).enumerate() {
                    for (block, factors) in factors.chunks_exact_mut(isa.lanes()).enumerate() {
                        let first_image = (block * isa.lanes()) as u32;
                        draw(isa, element as u32, first_image, factors);
                    }
                }
                factors
            })
            .collect();
        let dropped = all[0].iter().filter(|&&factor| factor == 0.0).count();
        assert!((1700..2140).contains(&dropped), "{dropped} of 4800");
        assert!(all.iter().all(|factors| *factors == all[0]));
    }
}
