//! What a layer learns or keeps: names, shapes, initial values, and how the kernels lay them out.

use crate::rng::Rng;

/// Rows of weights are padded to a multiple of this, the widest register's lanes.
pub const PAD: usize = 16;

/// One tensor of a layer, as PyTorch's `state_dict` has it.
#[derive(Debug, Clone, PartialEq)]
pub struct Parameter {
    /// PyTorch's name within the layer's module: `weight`.
    pub name: &'static str,
    /// PyTorch's shape.
    pub shape: Vec<usize>,
    pub role: Role,
    pub init: Init,
    pub layout: WeightLayout,
}

/// What a tensor is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Role {
    /// The optimizer moves it against its gradient.
    Trained,
    /// A running mean, which the forward pass of training moves.
    Mean,
    /// A running variance, which is never negative.
    Variance,
}

/// What a tensor starts with.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Init {
    /// `U(-1/sqrt(fan_in), 1/sqrt(fan_in))`, which is what `kaiming_uniform_(a=sqrt(5))` and the
    /// bias rule in PyTorch's `reset_parameters` come to.
    Uniform {
        fan_in: usize,
    },
    Constant(f32),
}

/// How a tensor lies in the kernels' vector of all parameters.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum WeightLayout {
    /// As in PyTorch.
    Vector,
    /// `[group][tap][output]`, where PyTorch has `[group][output][tap]`; the outputs of neighbouring
    /// taps are `step` values apart.
    Taps {
        groups: usize,
        /// Outputs of each group.
        outputs: usize,
        /// Input channels of a group times the kernel's area, or a linear layer's inputs.
        taps: usize,
        step: usize,
    },
}

impl Parameter {
    /// One value for each channel that the optimizer moves.
    pub fn per_channel(name: &'static str, channels: usize, init: Init) -> Self {
        Self {
            name,
            shape: vec![channels],
            role: Role::Trained,
            init,
            layout: WeightLayout::Vector,
        }
    }

    /// One value for each channel that training keeps track of.
    pub fn running(name: &'static str, channels: usize, role: Role, init: f32) -> Self {
        Self {
            role,
            ..Self::per_channel(name, channels, Init::Constant(init))
        }
    }

    pub fn elements(&self) -> usize {
        self.shape.iter().product()
    }

    /// How many values it takes in the kernels' vector, padding included.
    pub fn kernel_len(&self) -> usize {
        let values = match self.layout {
            WeightLayout::Vector => self.elements(),
            WeightLayout::Taps {
                groups, taps, step, ..
            } => groups * taps * step,
        };
        values.next_multiple_of(PAD)
    }

    /// Where in the kernels' vector each value is, in PyTorch's order.
    fn places(&self) -> Box<dyn Iterator<Item = usize>> {
        match self.layout {
            WeightLayout::Vector => Box::new(0..self.elements()),
            WeightLayout::Taps {
                outputs,
                taps,
                step,
                ..
            } => Box::new((0..self.elements()).map(move |i| {
                let (row, tap) = (i / taps, i % taps);
                let (group, output) = (row / outputs, row % outputs);
                (group * taps + tap) * step + output
            })),
        }
    }

    /// Values in PyTorch's order out of the kernels' order.
    pub fn to_torch(&self, kernels: &[f32]) -> Vec<f32> {
        self.places().map(|at| kernels[at]).collect()
    }

    /// Writes values in PyTorch's order to the kernels' order; the padding stays as it is.
    pub fn to_kernels(&self, torch: &[f32], kernels: &mut [f32]) {
        for (at, &value) in self.places().zip(torch) {
            kernels[at] = value;
        }
    }

    /// The values it starts with, in PyTorch's order.
    pub fn initial(&self, rng: &mut Rng) -> Vec<f32> {
        match self.init {
            Init::Constant(value) => vec![value; self.elements()],
            Init::Uniform { fan_in } => {
                let bound = 1.0 / (fan_in as f32).sqrt();
                (0..self.elements())
                    .map(|_| (2.0 * rng.next_f32() - 1.0) * bound)
                    .collect()
            }
        }
    }
}

/// How far apart a conv's weights for neighbouring taps are, where each tap has `channels` of them.
/// Of many channels, an odd number of cache lines: an even one would put most taps into the same few
/// places of the cache.
pub fn conv_step(channels: usize) -> usize {
    if channels <= PAD {
        channels
    } else {
        (channels.div_ceil(PAD) | 1) * PAD
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn values_come_back_from_the_kernels_order() {
        let shapes = [(1, 3, 10, 3), (2, 3, 4, 3), (5, 1, 9, 1), (1, 20, 18, 48)];
        for (groups, outputs, taps, step) in shapes {
            let parameter = Parameter {
                name: "weight",
                shape: vec![groups * outputs, taps],
                role: Role::Trained,
                init: Init::Constant(0.0),
                layout: WeightLayout::Taps {
                    groups,
                    outputs,
                    taps,
                    step,
                },
            };
            let torch: Vec<f32> = (1..=parameter.elements()).map(|i| i as f32).collect();
            let mut kernels = vec![0.0; parameter.kernel_len()];
            parameter.to_kernels(&torch, &mut kernels);
            assert_eq!(parameter.to_torch(&kernels), torch);
            let used = kernels.iter().filter(|&&value| value != 0.0).count();
            assert_eq!(used, torch.len(), "no two values share a place");
            // The second output's first tap stands beside the first output's.
            if outputs > 1 {
                assert_eq!(kernels[1], torch[taps]);
            }
        }
    }
}
