//! A network's parameters and buffers as named host tensors and back: PyTorch's `state_dict`.
//!
//! Names and shapes are those of `torch.nn.Sequential` over the recipe's layers, counted from 0:
//! `0.weight`, `1.running_var`, ... A linear layer's weight is `[out, in]` here, as in PyTorch,
//! and `[in, out]` inside burn.

use burn::module::Param;
use burn::tensor::{Device, Tensor, TensorData};
use thiserror::Error;

use super::{Layer, Network, Plan};

/// A tensor on the host: row-major f32.
#[derive(Debug, Clone, PartialEq)]
pub struct NamedTensor {
    pub name: String,
    pub shape: Vec<usize>,
    pub values: Vec<f32>,
}

/// A state that does not belong to the network.
#[derive(Debug, Error, PartialEq)]
pub enum StateError {
    #[error("the tensor {0} is missing")]
    Missing(String),
    #[error("the tensor {name} has the shape {found:?}, but its layer needs {expected:?}")]
    Shape {
        name: String,
        found: Vec<usize>,
        expected: Vec<usize>,
    },
    #[error("it holds {found} tensors, but the network has {expected}")]
    Count { found: usize, expected: usize },
    #[error("the tensor {0} holds values that are not finite")]
    NotFinite(String),
    #[error("the tensor {0} holds negative variances")]
    NegativeVariance(String),
}

impl Plan {
    /// Whether `tensors` are exactly the ones that a network of this plan has, with values that
    /// training can come to. Takes no memory for a network that they don't fill.
    pub fn check_state(&self, tensors: &[NamedTensor]) -> Result<(), StateError> {
        let shapes = self.state_shapes();
        for (name, shape) in &shapes {
            let tensor = find(tensors, name.clone(), shape)?;
            let negative = tensor.values.iter().any(|&value| value < 0.0);
            if name.ends_with(".running_var") && negative {
                return Err(StateError::NegativeVariance(name.clone()));
            }
        }
        match shapes.len() == tensors.len() {
            true => Ok(()),
            false => Err(StateError::Count {
                found: tensors.len(),
                expected: shapes.len(),
            }),
        }
    }

    /// The elements of each trainable parameter, in layer order.
    pub fn parameter_sizes(&self) -> Vec<usize> {
        let shapes = self.state_shapes().into_iter();
        shapes
            .filter(|(name, _)| !name.contains(".running_"))
            .map(|(_, shape)| shape.iter().product())
            .collect()
    }
}

impl Network {
    /// Every parameter and buffer, in layer order.
    pub fn state(&self) -> Vec<NamedTensor> {
        let mut tensors = Vec::new();
        for (index, layer) in self.layers.iter().enumerate() {
            let mut add = |name: &str, (shape, values)| {
                tensors.push(NamedTensor {
                    name: format!("{index}.{name}"),
                    shape,
                    values,
                });
            };
            match layer {
                Layer::Conv(conv) => {
                    add("weight", host(conv.weight.val()));
                    if let Some(bias) = &conv.bias {
                        add("bias", host(bias.val()));
                    }
                }
                Layer::BatchNorm(norm) => {
                    add("weight", host(norm.weight.val()));
                    add("bias", host(norm.bias.val()));
                    add("running_mean", host(norm.running_mean.clone()));
                    add("running_var", host(norm.running_var.clone()));
                }
                Layer::Linear(linear) => {
                    add("weight", host(linear.weight.val().transpose()));
                    if let Some(bias) = &linear.bias {
                        add("bias", host(bias.val()));
                    }
                }
                Layer::MaxPool(_)
                | Layer::Flatten(_)
                | Layer::Dropout(_)
                | Layer::Activation(_) => {}
            }
        }
        tensors
    }

    /// Replaces every parameter and buffer by the tensors of those names, which must be exactly
    /// the ones [`Network::state`] gives.
    pub fn load_state(
        mut self,
        tensors: &[NamedTensor],
        device: &Device,
    ) -> Result<Self, StateError> {
        let inner = device.clone().without_autodiff();
        let mut used = 0;
        for (index, layer) in self.layers.iter_mut().enumerate() {
            let mut find = |name: &str, expected: &[usize]| {
                used += 1;
                find(tensors, format!("{index}.{name}"), expected)
            };
            match layer {
                Layer::Conv(conv) => {
                    let weight = find("weight", &conv.weight.dims())?;
                    conv.weight = Param::from_tensor(tensor(weight, device));
                    if let Some(bias) = &mut conv.bias {
                        let values = find("bias", &bias.dims())?;
                        *bias = Param::from_tensor(tensor(values, device));
                    }
                }
                Layer::BatchNorm(norm) => {
                    let channels = norm.weight.dims();
                    let weight = find("weight", &channels)?;
                    norm.weight = Param::from_tensor(tensor(weight, device));
                    let bias = find("bias", &channels)?;
                    norm.bias = Param::from_tensor(tensor(bias, device));
                    norm.running_mean = tensor(find("running_mean", &channels)?, &inner);
                    norm.running_var = tensor(find("running_var", &channels)?, &inner);
                }
                Layer::Linear(linear) => {
                    let [features, out] = linear.weight.dims();
                    let weight = find("weight", &[out, features])?;
                    linear.weight = linear_weight(tensor(weight, device));
                    if let Some(bias) = &mut linear.bias {
                        let values = find("bias", &bias.dims())?;
                        *bias = Param::from_tensor(tensor(values, device));
                    }
                }
                Layer::MaxPool(_)
                | Layer::Flatten(_)
                | Layer::Dropout(_)
                | Layer::Activation(_) => {}
            }
        }
        match used == tensors.len() {
            true => Ok(self),
            false => Err(StateError::Count {
                found: tensors.len(),
                expected: used,
            }),
        }
    }
}

/// PyTorch's `[out, in]` weight as the `[in, out]` one burn multiplies with, laid out row-major
/// so that the optimizer, the matrix product and a resumed run all see the same memory order.
pub(super) fn linear_weight(weight: Tensor<2>) -> Param<Tensor<2>> {
    let device = weight.device();
    let (shape, values) = host(weight.transpose());
    Param::from_tensor(Tensor::from_data(TensorData::new(values, shape), &device))
}

pub(super) fn find<'a>(
    tensors: &'a [NamedTensor],
    name: String,
    expected: &[usize],
) -> Result<&'a NamedTensor, StateError> {
    let Some(tensor) = tensors.iter().find(|tensor| tensor.name == name) else {
        return Err(StateError::Missing(name));
    };
    if tensor.shape != expected || tensor.values.len() != expected.iter().product::<usize>() {
        return Err(StateError::Shape {
            name,
            found: tensor.shape.clone(),
            expected: expected.to_vec(),
        });
    }
    match tensor.values.iter().all(|value| value.is_finite()) {
        true => Ok(tensor),
        false => Err(StateError::NotFinite(name)),
    }
}

fn tensor<const D: usize>(named: &NamedTensor, device: &Device) -> Tensor<D> {
    let data = TensorData::new(named.values.clone(), named.shape.clone());
    Tensor::from_data(data, device)
}

/// A tensor's shape and values, row-major.
fn host<const D: usize>(tensor: Tensor<D>) -> (Vec<usize>, Vec<f32>) {
    let shape = tensor.dims().to_vec();
    let values = tensor
        .into_data()
        .try_into_vec()
        .expect("networks are f32 on every backend");
    (shape, values)
}
