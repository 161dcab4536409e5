//! Where a plan's tensors are: trained parameters in one vector, running statistics beside it.

use std::ops::Range;

use crate::kernels::Buffer;
use crate::network::{NamedTensor, Parameter, Plan, Role};

/// What a network has learned.
#[derive(Debug, Clone)]
pub struct Weights {
    /// All trained parameters, in the kernels' layout.
    pub values: Buffer,
    /// The running statistics, in the plan's order.
    pub running: Vec<Vec<f32>>,
}

/// The places of a plan's tensors.
#[derive(Debug)]
pub struct Parameters {
    tensors: Vec<Tensor>,
    /// Values of all trained parameters together, padding included.
    len: usize,
}

#[derive(Debug)]
struct Tensor {
    name: String,
    parameter: Parameter,
    place: Place,
}

#[derive(Debug, Clone)]
enum Place {
    /// A range of [`Weights::values`].
    Values(Range<usize>),
    /// One of [`Weights::running`].
    Running(usize),
}

impl Parameters {
    pub fn new(plan: &Plan) -> Self {
        let (mut len, mut running) = (0, 0);
        let mut tensors = Vec::new();
        for (name, parameter) in plan.parameters() {
            let place = if parameter.role == Role::Trained {
                let start = len;
                len += parameter.kernel_len();
                Place::Values(start..len)
            } else {
                running += 1;
                Place::Running(running - 1)
            };
            tensors.push(Tensor {
                name,
                parameter: parameter.clone(),
                place,
            });
        }
        Self { tensors, len }
    }

    /// Values of all trained parameters together, padding included.
    pub fn len(&self) -> usize {
        self.len
    }

    /// Where the plan's tensor of this number is among the trained parameters; nowhere for a running
    /// statistic.
    pub fn range(&self, number: usize) -> Range<usize> {
        match &self.tensors[number].place {
            Place::Values(range) => range.clone(),
            Place::Running(_) => 0..0,
        }
    }

    /// How many values the plan's tensor of this number has, without padding.
    pub fn elements(&self, number: usize) -> usize {
        self.tensors[number].parameter.elements()
    }

    /// Where the plan's tensor of this number is among the running statistics.
    pub fn running(&self, number: usize) -> usize {
        match self.tensors[number].place {
            Place::Running(place) => place,
            Place::Values(_) => unreachable!("the kernels' form knows what keeps statistics"),
        }
    }

    /// The trained parameters' numbers, in the order of the vector.
    pub fn trained(&self) -> impl Iterator<Item = usize> + '_ {
        let is_trained = |tensor: &Tensor| matches!(tensor.place, Place::Values(_));
        (0..self.tensors.len()).filter(move |&number| is_trained(&self.tensors[number]))
    }

    /// The name of the plan's tensor of this number.
    pub fn name(&self, number: usize) -> &str {
        &self.tensors[number].name
    }

    /// A trained parameter's part of a vector like that of all of them, in PyTorch's order.
    pub fn to_torch(&self, number: usize, values: &[f32]) -> Vec<f32> {
        let parameter = &self.tensors[number].parameter;
        parameter.to_torch(&values[self.range(number)])
    }

    /// Everything, as PyTorch has it.
    pub fn state(&self, weights: &Weights) -> Vec<NamedTensor> {
        let tensors = self.tensors.iter();
        tensors
            .map(|tensor| NamedTensor {
                name: tensor.name.clone(),
                shape: tensor.parameter.shape.clone(),
                values: match &tensor.place {
                    Place::Values(range) => {
                        tensor.parameter.to_torch(&weights.values[range.clone()])
                    }
                    Place::Running(place) => weights.running[*place].clone(),
                },
            })
            .collect()
    }

    /// Weights of tensors that [`Plan::check_state`] has found to be the plan's.
    pub fn weights(&self, state: &[&NamedTensor]) -> Weights {
        let mut weights = Weights {
            values: Buffer::zeros(self.len),
            running: Vec::new(),
        };
        for (tensor, found) in self.tensors.iter().zip(state) {
            match &tensor.place {
                Place::Values(range) => {
                    let to = &mut weights.values[range.clone()];
                    tensor.parameter.to_kernels(&found.values, to);
                }
                Place::Running(_) => weights.running.push(found.values.clone()),
            }
        }
        weights
    }

    /// Takes a vector like that of all trained parameters apart: each one's name, shape and values
    /// in PyTorch's order.
    pub fn export(&self, values: &[f32]) -> Vec<NamedTensor> {
        self.trained()
            .map(|number| {
                let tensor = &self.tensors[number];
                NamedTensor {
                    name: tensor.name.clone(),
                    shape: tensor.parameter.shape.clone(),
                    values: self.to_torch(number, values),
                }
            })
            .collect()
    }

    /// The inverse of [`export`](Self::export), of the values alone; what is missing stays zero.
    pub fn import<'a>(&self, parts: impl Iterator<Item = Option<&'a [f32]>>) -> Buffer {
        let mut values = Buffer::zeros(self.len);
        for (number, part) in self.trained().zip(parts) {
            if let Some(part) = part {
                let to = &mut values[self.range(number)];
                self.tensors[number].parameter.to_kernels(part, to);
            }
        }
        values
    }
}
