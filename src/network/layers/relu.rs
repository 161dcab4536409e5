//! `relu`: the larger of a value and zero.

use burn::tensor::{Tensor, activation};
use serde::Serialize;

use super::Activation;
use crate::kernels::Lanes;
use crate::network::onnx_form::OnnxForm;
use crate::schema::{SchemaError, Section};

/// `torch.nn.ReLU`: `max(x, 0)`.
#[derive(Debug, Default, Clone, Copy, PartialEq, Serialize)]
pub struct Relu {}

impl Activation for Relu {
    const TORCH_NAME: &'static str = "ReLU";

    fn read(_section: &Section<'_>) -> Result<Self, SchemaError> {
        Ok(Self {})
    }

    fn describe(&self) -> String {
        "relu".to_string()
    }

    fn is_monotone(self) -> bool {
        true
    }

    fn on_burn<const D: usize>(self, x: Tensor<D>) -> Tensor<D> {
        activation::relu(x)
    }

    fn on_onnx(self, form: &mut OnnxForm<'_>, input: String) -> String {
        form.node("Relu", [input], Vec::new())
    }

    /// Like PyTorch's, it leaves not-a-number what it is, so that a run that went wrong shows it.
    #[inline(always)]
    fn apply<V: Lanes>(self, x: V) -> V {
        V::splat(0.0).max(x)
    }

    #[inline(always)]
    fn derivative<V: Lanes>(self, x: V, _y: V) -> V {
        x.where_greater(V::splat(0.0), V::splat(1.0), V::splat(0.0))
    }

    #[inline(always)]
    fn is_relu(self) -> bool {
        true
    }
}
