//! The network's parameters in the order the kernels read them, and back to PyTorch's.

use std::ops::Range;

use crate::network::{NamedTensor, StateError};

/// Rows are padded to a multiple of this, the widest register's lanes.
pub(super) const PAD: usize = 16;

/// All parameters, and of the same shape their gradients or an optimizer's moments, are one vector
/// of values; this says where each one is in it.
#[derive(Debug, Clone)]
pub(super) struct Parameter {
    /// As in PyTorch's `state_dict`: `0.weight`.
    pub name: String,
    pub kind: Kind,
    /// Where it begins, a multiple of [`PAD`].
    pub start: usize,
}

#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) enum Kind {
    /// `[in, kernel row, kernel column, out]`, rows padded as [`conv_step`] says; PyTorch has
    /// `[out, in, row, column]`.
    Conv {
        outs: usize,
        ins: usize,
        kernel_size: usize,
    },
    /// `[in, out]`, rows padded; PyTorch has `[out, in]`.
    Linear {
        outs: usize,
        ins: usize,
    },
    Vector(usize),
}

/// The order in which values leave and enter.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) enum Order {
    /// PyTorch's.
    Torch,
    /// burn's, in which checkpoints hold optimizer state: PyTorch's but for a linear layer's
    /// weight, which is `[in, out]`.
    Burn,
}

/// How far apart a conv's weights for neighbouring taps are, where each has `channels` of them. Of
/// many, an odd number of cache lines: an even one would put most taps in the same few places of
/// the cache.
pub(super) fn conv_step(channels: usize) -> usize {
    match channels <= PAD {
        true => channels,
        false => (channels.div_ceil(PAD) | 1) * PAD,
    }
}

impl Kind {
    /// Values in the kernels' order, padding included.
    pub fn len(self) -> usize {
        match self {
            Kind::Conv {
                outs,
                ins,
                kernel_size,
            } => (conv_step(outs) * ins * kernel_size * kernel_size).next_multiple_of(PAD),
            Kind::Linear { outs, ins } => ins * outs.next_multiple_of(PAD),
            Kind::Vector(len) => len.next_multiple_of(PAD),
        }
    }

    /// PyTorch's shape.
    pub fn shape(self) -> Vec<usize> {
        match self {
            Kind::Conv {
                outs,
                ins,
                kernel_size,
            } => vec![outs, ins, kernel_size, kernel_size],
            Kind::Linear { outs, ins } => vec![outs, ins],
            Kind::Vector(len) => vec![len],
        }
    }

    /// Where in the kernels' order each value of `order` is.
    fn places(self, order: Order) -> Box<dyn Iterator<Item = usize>> {
        match self {
            Kind::Conv {
                outs,
                ins,
                kernel_size,
            } => {
                let taps = ins * kernel_size * kernel_size;
                let step = conv_step(outs);
                Box::new((0..outs * taps).map(move |i| (i % taps) * step + i / taps))
            }
            Kind::Linear { outs, ins } => {
                let step = outs.next_multiple_of(PAD);
                match order {
                    Order::Torch => {
                        Box::new((0..outs * ins).map(move |i| (i % ins) * step + i / ins))
                    }
                    Order::Burn => {
                        Box::new((0..outs * ins).map(move |i| (i / outs) * step + i % outs))
                    }
                }
            }
            Kind::Vector(len) => Box::new(0..len),
        }
    }
}

impl Parameter {
    pub fn range(&self) -> Range<usize> {
        self.start..self.start + self.kind.len()
    }

    /// This parameter's values out of all of them.
    pub fn export(&self, all: &[f32], order: Order) -> Vec<f32> {
        let values = &all[self.range()];
        self.kind.places(order).map(|at| values[at]).collect()
    }

    /// Overwrites this parameter's values among all of them.
    pub fn import(&self, all: &mut [f32], values: &[f32], order: Order) {
        let all = &mut all[self.range()];
        for (at, &value) in self.kind.places(order).zip(values) {
            all[at] = value;
        }
    }

    /// The tensor of this name out of a network's state, checked.
    pub fn find<'a>(&self, tensors: &'a [NamedTensor]) -> Result<&'a NamedTensor, StateError> {
        super::super::state::find(tensors, self.name.clone(), &self.kind.shape())
    }
}
