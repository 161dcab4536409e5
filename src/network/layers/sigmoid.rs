//! `sigmoid`: the logistic function.

use burn::tensor::{Tensor, activation};
use serde::Serialize;

use super::Activation;
use crate::kernels::Lanes;
use crate::network::onnx_form::OnnxForm;
use crate::schema::{SchemaError, Section};

/// `torch.nn.Sigmoid`: `1 / (1 + exp(-x))`.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
pub struct Sigmoid {}

impl Activation for Sigmoid {
    const TORCH_NAME: &'static str = "Sigmoid";

    fn read(_section: &Section<'_>) -> Result<Self, SchemaError> {
        Ok(Self {})
    }

    fn describe(&self) -> String {
        "sigmoid".to_string()
    }

    fn is_monotone(self) -> bool {
        true
    }

    fn on_burn<const D: usize>(self, x: Tensor<D>) -> Tensor<D> {
        activation::sigmoid(x)
    }

    fn on_onnx(self, form: &mut OnnxForm<'_>, input: String) -> String {
        form.node("Sigmoid", [input], Vec::new())
    }

    #[inline(always)]
    fn apply<V: Lanes>(self, x: V) -> V {
        x.sigmoid()
    }

    #[inline(always)]
    fn derivative<V: Lanes>(self, _x: V, y: V) -> V {
        y.mul(V::splat(1.0).sub(y))
    }
}
