//! `gelu`: a value times the probability that a standard normal variable is below it.

use burn::tensor::{Tensor, activation};
use serde::Serialize;

use super::Activation;
use crate::kernels::Lanes;
use crate::network::onnx_form::OnnxForm;
use crate::schema::{SchemaError, Section};

/// `torch.nn.GELU`: `x * Phi(x)` with the normal distribution function Phi, not approximated.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
pub struct Gelu {}

impl Activation for Gelu {
    const TORCH_NAME: &'static str = "GELU";

    fn read(_section: &Section<'_>) -> Result<Self, SchemaError> {
        Ok(Self {})
    }

    fn describe(&self) -> String {
        "gelu".to_string()
    }

    fn is_monotone(self) -> bool {
        false
    }

    fn on_burn<const D: usize>(self, x: Tensor<D>) -> Tensor<D> {
        activation::gelu(x)
    }

    fn on_onnx(self, form: &mut OnnxForm<'_>, input: String) -> String {
        // ONNX has it as one operator from opset 20 on only.
        let scale = form.number("scale", std::f32::consts::FRAC_1_SQRT_2);
        let [one, half] = [("one", 1.0), ("half", 0.5)].map(|(name, n)| form.number(name, n));
        let scaled = form.node("Mul", [input.clone(), scale], Vec::new());
        let erf = form.node("Erf", [scaled], Vec::new());
        let twice = form.node("Add", [erf, one], Vec::new());
        let product = form.node("Mul", [input, twice], Vec::new());
        form.node("Mul", [product, half], Vec::new())
    }

    #[inline(always)]
    fn apply<V: Lanes>(self, x: V) -> V {
        x.map(|x| x * normal_below(x))
    }

    #[inline(always)]
    fn derivative<V: Lanes>(self, x: V, _y: V) -> V {
        x.map(|x| {
            let density = (-0.5 * x * x).exp() * 0.398_942_3;
            normal_below(x) + x * density
        })
    }
}

/// The probability that a standard normal variable is below `x`.
fn normal_below(x: f32) -> f32 {
    0.5 * libm::erfcf(-x * std::f32::consts::FRAC_1_SQRT_2)
}
