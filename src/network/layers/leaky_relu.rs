//! `leaky_relu`: a value, or a small multiple of it below zero.

use burn::tensor::{Tensor, activation};
use serde::Serialize;

use super::Activation;
use crate::kernels::Lanes;
use crate::network::onnx_form::{OnnxAttribute, OnnxForm};
use crate::network::torch_form::keyword;
use crate::schema::{SchemaError, Section};

/// `torch.nn.LeakyReLU`: `x` above zero, `negative_slope * x` below.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
pub struct LeakyRelu {
    pub negative_slope: f64,
}

impl Activation for LeakyRelu {
    const TORCH_NAME: &'static str = "LeakyReLU";

    fn read(section: &Section<'_>) -> Result<Self, SchemaError> {
        Ok(Self {
            negative_slope: section.number("negative_slope")?.unwrap_or(0.01),
        })
    }

    fn describe(&self) -> String {
        format!("leaky_relu {}", self.negative_slope)
    }

    fn is_monotone(self) -> bool {
        self.negative_slope >= 0.0
    }

    fn on_burn<const D: usize>(self, x: Tensor<D>) -> Tensor<D> {
        activation::leaky_relu(x, self.negative_slope)
    }

    fn on_onnx(self, form: &mut OnnxForm<'_>, input: String) -> String {
        let alpha = OnnxAttribute::Float(self.negative_slope as f32);
        form.node("LeakyRelu", [input], vec![("alpha", alpha)])
    }

    fn torch_argument(self) -> Option<String> {
        keyword("negative_slope", self.negative_slope, 0.01)
    }

    #[inline(always)]
    fn apply<V: Lanes>(self, x: V) -> V {
        let slope = V::splat(self.negative_slope as f32);
        x.where_greater(V::splat(0.0), x, x.mul(slope))
    }

    #[inline(always)]
    fn derivative<V: Lanes>(self, x: V, _y: V) -> V {
        let slope = V::splat(self.negative_slope as f32);
        x.where_greater(V::splat(0.0), V::splat(1.0), slope)
    }
}
