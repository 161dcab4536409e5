//! `tanh`: the hyperbolic tangent.

use burn::tensor::{Tensor, activation};
use serde::Serialize;

use super::Activation;
use crate::kernels::Lanes;
use crate::network::onnx_form::OnnxForm;
use crate::schema::{SchemaError, Section};

/// `torch.nn.Tanh`.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
pub struct Tanh {}

impl Activation for Tanh {
    const TORCH_NAME: &'static str = "Tanh";

    fn read(_section: &Section<'_>) -> Result<Self, SchemaError> {
        Ok(Self {})
    }

    fn describe(&self) -> String {
        "tanh".to_string()
    }

    fn is_monotone(self) -> bool {
        true
    }

    fn on_burn<const D: usize>(self, x: Tensor<D>) -> Tensor<D> {
        activation::tanh(x)
    }

    fn on_onnx(self, form: &mut OnnxForm<'_>, input: String) -> String {
        form.node("Tanh", [input], Vec::new())
    }

    #[inline(always)]
    fn apply<V: Lanes>(self, x: V) -> V {
        x.map(f32::tanh)
    }

    #[inline(always)]
    fn derivative<V: Lanes>(self, _x: V, y: V) -> V {
        V::splat(1.0).sub(y.mul(y))
    }
}
