//! `silu`: a value times its sigmoid.

use burn::tensor::{Tensor, activation};
use serde::Serialize;

use super::Activation;
use crate::kernels::Lanes;
use crate::network::onnx_form::OnnxForm;
use crate::schema::{SchemaError, Section};

/// `torch.nn.SiLU`: `x * sigmoid(x)` (Hendrycks and Gimpel, 2016; also called swish).
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
pub struct Silu {}

impl Activation for Silu {
    const TORCH_NAME: &'static str = "SiLU";

    fn read(_section: &Section<'_>) -> Result<Self, SchemaError> {
        Ok(Self {})
    }

    fn describe(&self) -> String {
        "silu".to_string()
    }

    fn is_monotone(self) -> bool {
        false
    }

    fn on_burn<const D: usize>(self, x: Tensor<D>) -> Tensor<D> {
        activation::silu(x)
    }

    fn on_onnx(self, form: &mut OnnxForm<'_>, input: String) -> String {
        let sigmoid = form.node("Sigmoid", [input.clone()], Vec::new());
        form.node("Mul", [input, sigmoid], Vec::new())
    }

    #[inline(always)]
    fn apply<V: Lanes>(self, x: V) -> V {
        x.mul(x.sigmoid())
    }

    /// `s + x * s * (1 - s)` with the sigmoid s.
    #[inline(always)]
    fn derivative<V: Lanes>(self, x: V, _y: V) -> V {
        let s = x.sigmoid();
        let rest = V::splat(1.0).sub(s);
        x.mul(s).mul_add(rest, s)
    }
}
