//! `elu`: a value, or an exponential that levels off below zero.

use burn::tensor::{Tensor, activation};
use serde::Serialize;

use super::Activation;
use crate::kernels::Lanes;
use crate::network::onnx_form::{OnnxAttribute, OnnxForm};
use crate::network::torch_form::keyword;
use crate::schema::{SchemaError, Section};

/// `torch.nn.ELU`: `x` above zero, `alpha * (exp(x) - 1)` below.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
pub struct Elu {
    pub alpha: f64,
}

impl Activation for Elu {
    const TORCH_NAME: &'static str = "ELU";

    fn read(section: &Section<'_>) -> Result<Self, SchemaError> {
        Ok(Self {
            alpha: section.number("alpha")?.unwrap_or(1.0),
        })
    }

    fn describe(&self) -> String {
        format!("elu {}", self.alpha)
    }

    fn is_monotone(self) -> bool {
        self.alpha >= 0.0
    }

    fn on_burn<const D: usize>(self, x: Tensor<D>) -> Tensor<D> {
        activation::elu(x, self.alpha)
    }

    fn on_onnx(self, form: &mut OnnxForm<'_>, input: String) -> String {
        let alpha = OnnxAttribute::Float(self.alpha as f32);
        form.node("Elu", [input], vec![("alpha", alpha)])
    }

    fn torch_argument(self) -> Option<String> {
        keyword("alpha", self.alpha, 1.0)
    }

    #[inline(always)]
    fn apply<V: Lanes>(self, x: V) -> V {
        let below = x.exp().sub(V::splat(1.0)).mul(V::splat(self.alpha as f32));
        x.where_greater(V::splat(0.0), x, below)
    }

    #[inline(always)]
    fn derivative<V: Lanes>(self, x: V, y: V) -> V {
        let below = y.add(V::splat(self.alpha as f32));
        x.where_greater(V::splat(0.0), V::splat(1.0), below)
    }
}
