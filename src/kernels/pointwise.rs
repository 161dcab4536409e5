//! Activation functions and dropout: functions of each value by itself.

use super::lanes::Lanes;

/// One function. Formulas and defaults are PyTorch's.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Pointwise {
    Relu,
    LeakyRelu {
        negative_slope: f32,
    },
    Elu {
        alpha: f32,
    },
    Gelu,
    Tanh,
    Sigmoid,
    /// Zero with probability `p`, otherwise scaled by `1 / (1 - p)`. `salt` sets the network's
    /// dropout layers apart.
    Dropout {
        p: f32,
        salt: u32,
    },
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

/// The place of a value within its layer's output, for dropout.
#[derive(Debug, Clone, Copy)]
pub(super) struct Place {
    pub draw: Draw,
    pub element: u32,
}

impl Pointwise {
    /// Whether a larger input never gives a smaller output: then it can trade places with
    /// max-pooling.
    pub fn is_monotone(self) -> bool {
        match self {
            Pointwise::Relu | Pointwise::Tanh | Pointwise::Sigmoid => true,
            Pointwise::LeakyRelu { negative_slope } => negative_slope >= 0.0,
            Pointwise::Elu { alpha } => alpha >= 0.0,
            Pointwise::Gelu | Pointwise::Dropout { .. } => false,
        }
    }

    #[inline(always)]
    fn apply<V: Lanes>(self, x: V, place: Place) -> V {
        let s = V::splat;
        match self {
            Pointwise::Relu => relu(x),
            Pointwise::LeakyRelu { negative_slope } => {
                x.where_greater(s(0.0), x, x.mul(s(negative_slope)))
            }
            Pointwise::Elu { alpha } => {
                x.where_greater(s(0.0), x, x.exp().sub(s(1.0)).mul(s(alpha)))
            }
            Pointwise::Gelu => each(x, |x| x * normal_below(x)),
            Pointwise::Tanh => each(x, f32::tanh),
            Pointwise::Sigmoid => s(1.0).div(s(1.0).add(s(0.0).sub(x).exp())),
            Pointwise::Dropout { p, salt } => x.mul(kept::<V>(p, salt, place)),
        }
    }

    /// The derivative at `x`, where the function's value is `y`.
    #[inline(always)]
    fn derivative<V: Lanes>(self, x: V, y: V, place: Place) -> V {
        let s = V::splat;
        let (zero, one) = (s(0.0), s(1.0));
        match self {
            Pointwise::Relu => x.where_greater(zero, one, zero),
            Pointwise::LeakyRelu { negative_slope } => {
                x.where_greater(zero, one, s(negative_slope))
            }
            Pointwise::Elu { alpha } => x.where_greater(zero, one, y.add(s(alpha))),
            Pointwise::Gelu => each(x, |x| {
                let density = (-0.5 * x * x).exp() * 0.398_942_3;
                normal_below(x) + x * density
            }),
            Pointwise::Tanh => one.sub(y.mul(y)),
            Pointwise::Sigmoid => y.mul(one.sub(y)),
            Pointwise::Dropout { p, salt } => kept::<V>(p, salt, place),
        }
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
    pub fn kind(chain: &[Pointwise]) -> u8 {
        match chain {
            [] => EMPTY,
            [Pointwise::Relu] => RELU,
            _ => ANY,
        }
    }
}

/// All functions of `chain`, one after the other. `KIND` is its [`chain::kind`], or `ANY`.
#[inline(always)]
pub(super) fn apply<V: Lanes, const KIND: u8>(chain: &[Pointwise], mut x: V, place: Place) -> V {
    match KIND {
        chain::EMPTY => return x,
        chain::RELU => return relu(x),
        _ => {}
    }
    for function in chain {
        x = function.apply(x, place);
    }
    x
}

/// The derivative of [`apply`] at `x`.
#[inline(always)]
pub(super) fn derivative<V: Lanes, const KIND: u8>(
    chain: &[Pointwise],
    mut x: V,
    place: Place,
) -> V {
    match KIND {
        chain::EMPTY => return V::splat(1.0),
        chain::RELU => return Pointwise::Relu.derivative(x, x, place),
        _ => {}
    }
    let mut product = V::splat(1.0);
    for function in chain {
        let y = function.apply(x, place);
        product = product.mul(function.derivative(x, y, place));
        x = y;
    }
    product
}

/// Like PyTorch's, it leaves not-a-number what it is, so that a run that went wrong shows it.
#[inline(always)]
fn relu<V: Lanes>(x: V) -> V {
    V::splat(0.0).max(x)
}

/// A function of one value for all lanes.
#[inline(always)]
fn each<V: Lanes>(x: V, function: impl Fn(f32) -> f32) -> V {
    let mut values = [0.0; 16];
    x.write(&mut values);
    for value in &mut values[..V::N] {
        *value = function(*value);
    }
    V::read(&values)
}

/// The probability that a standard normal variable is below `x`.
fn normal_below(x: f32) -> f32 {
    0.5 * libm::erfcf(-x * std::f32::consts::FRAC_1_SQRT_2)
}

/// What dropout multiplies each lane with: 0 or `1 / (1 - p)`.
#[inline(always)]
fn kept<V: Lanes>(p: f32, salt: u32, place: Place) -> V {
    // Compared as signed numbers, for which there are vector instructions everywhere.
    let threshold = (f64::from(p) * f64::from(1u32 << 31)) as i32;
    let scale = 1.0 / (1.0 - p);
    let first = place
        .element
        .wrapping_mul(0x9E37_79B1)
        .wrapping_add(place.draw.first_image);
    let key = place.draw.key ^ salt;
    let mut factors = [0.0; 16];
    for (lane, factor) in factors[..V::N].iter_mut().enumerate() {
        let random = (mix(first.wrapping_add(lane as u32) ^ key) >> 1) as i32;
        *factor = if random >= threshold { scale } else { 0.0 };
    }
    V::read(&factors)
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
        kept::<V>(0.4, 5, Place { draw, element }).write(factors);
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
