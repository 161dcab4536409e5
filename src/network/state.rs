//! A network's parameters and buffers as named host tensors: PyTorch's `state_dict`.
//!
//! Names and shapes are those of `torch.nn.Sequential` over the recipe's layers, counted from 0:
//! `0.weight`, `1.running_var`, `3.layers.0.weight`, ...

use thiserror::Error;

use super::named_tensor::NamedTensor;
use super::parameter::Role;
use super::plan::Plan;
use crate::rng::{Rng, Stream};

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
    /// The tensors of a network of this plan, in its order, out of `tensors`, which must be exactly
    /// these, with values that training can come to. Takes no memory for a network that they don't
    /// fill.
    pub fn check_state<'a>(
        &self,
        tensors: &'a [NamedTensor],
    ) -> Result<Vec<&'a NamedTensor>, StateError> {
        let mut found = Vec::new();
        for (name, parameter) in self.parameters() {
            let tensor = find(tensors, &name, &parameter.shape)?;
            let negative = tensor.values.iter().any(|&value| value < 0.0);
            if parameter.role == Role::Variance && negative {
                return Err(StateError::NegativeVariance(name));
            }
            found.push(tensor);
        }
        if found.len() == tensors.len() {
            Ok(found)
        } else {
            Err(StateError::Count {
                found: tensors.len(),
                expected: found.len(),
            })
        }
    }

    /// The tensors with the values that PyTorch's default initialisation gives them. They follow
    /// from `seed` alone, so they are the same on every backend.
    pub fn initial_state(&self, seed: u64) -> Vec<NamedTensor> {
        let mut rng = Rng::new(seed, &[Stream::Weights as u64]);
        let parameters = self.parameters();
        parameters
            .map(|(name, parameter)| NamedTensor {
                name,
                shape: parameter.shape.clone(),
                values: parameter.initial(&mut rng),
            })
            .collect()
    }
}

/// The tensor of a name, with its shape and its values checked.
fn find<'a>(
    tensors: &'a [NamedTensor],
    name: &str,
    expected: &[usize],
) -> Result<&'a NamedTensor, StateError> {
    let Some(tensor) = tensors.iter().find(|tensor| tensor.name == name) else {
        return Err(StateError::Missing(name.to_string()));
    };
    if tensor.shape != expected || tensor.values.len() != expected.iter().product::<usize>() {
        return Err(StateError::Shape {
            name: name.to_string(),
            found: tensor.shape.clone(),
            expected: expected.to_vec(),
        });
    }
    if tensor.values.iter().all(|value| value.is_finite()) {
        Ok(tensor)
    } else {
        Err(StateError::NotFinite(name.to_string()))
    }
}
