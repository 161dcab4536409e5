//! `prelu`: a value, or a learned multiple of it below zero.

use burn::tensor::activation;
use serde::Serialize;

use crate::kernels::{Lanes, Place, Pointwise};
use crate::network::burn_form::{Activations, BurnPass};
use crate::network::kernel_form::{KernelForm, Unsupported};
use crate::network::layer::{Layer, MAX_WIDTH};
use crate::network::onnx_form::OnnxForm;
use crate::network::parameter::{Init, Parameter};
use crate::network::shape::Shape;
use crate::network::torch_form::{TorchForm, call, keyword};
use crate::schema::{SchemaError, Section};

/// `torch.nn.PReLU`: `x` above zero, `weight * x` below, with one weight for all channels or one for
/// each (He and others, "Delving deep into rectifiers", 2015).
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Prelu {
    /// 1, or the number of channels (of features, behind a `flatten`).
    pub num_parameters: usize,
    /// What every weight starts with.
    pub init: f64,
}

/// The function with the weight of one channel.
#[derive(Debug, Clone, Copy, PartialEq, Default)]
pub struct Slope {
    weight: f32,
}

impl Layer for Prelu {
    fn read(section: &Section<'_>) -> Result<Self, SchemaError> {
        Ok(Self {
            num_parameters: section.integer("num_parameters", 1, 1..=MAX_WIDTH * 49)? as usize,
            init: section.number("init")?.unwrap_or(0.25),
        })
    }

    fn describe(&self) -> String {
        "prelu".to_string()
    }

    fn output(&self, input: Shape) -> Result<Shape, String> {
        let channels = input.channels();
        if self.num_parameters == 1 || self.num_parameters == channels {
            Ok(input)
        } else {
            Err(format!(
                "num_parameters is {}, but must be 1 or the number of its channels, {channels}",
                self.num_parameters
            ))
        }
    }

    fn parameters(&self, _input: Shape) -> Vec<Parameter> {
        let init = Init::Constant(self.init as f32);
        vec![Parameter::per_channel("weight", self.num_parameters, init)]
    }

    fn activation(&self) -> Option<&'static str> {
        Some("PReLU")
    }

    fn on_burn(&self, pass: &mut BurnPass<'_>, input: Activations) -> Activations {
        let weight = pass.tensor::<1>(0);
        match input {
            Activations::Maps(x) => Activations::Maps(activation::prelu(x, weight)),
            Activations::Features(x) => Activations::Features(activation::prelu(x, weight)),
        }
    }

    fn on_kernels(&self, form: &mut KernelForm<'_>) -> Result<(), Unsupported> {
        form.learned_pointwise(Slope::default().into(), form.parameter(0));
        Ok(())
    }

    fn on_onnx(&self, form: &mut OnnxForm<'_>, input: String) -> String {
        // ONNX lines shapes up from the last dimension, PyTorch's weights belong to the first.
        let shape = match form.layer().input {
            Shape::Maps { .. } => vec![self.num_parameters, 1, 1],
            Shape::Features(_) => vec![self.num_parameters],
        };
        let slope = form.parameter(0, Some(shape));
        form.node("PRelu", [input, slope], Vec::new())
    }

    fn in_torch(&self, _form: TorchForm<'_>) -> String {
        call(
            "PReLU",
            &[],
            [keyword("num_parameters", self.num_parameters, 1)],
        )
    }
}

impl Pointwise for Slope {
    #[inline(always)]
    fn with_weight(self, weight: f32) -> Self {
        Self { weight }
    }

    #[inline(always)]
    fn apply<V: Lanes>(self, x: V, _place: Place) -> V {
        x.where_greater(V::splat(0.0), x, x.mul(V::splat(self.weight)))
    }

    #[inline(always)]
    fn derivative<V: Lanes>(self, x: V, _y: V, _place: Place) -> V {
        x.where_greater(V::splat(0.0), V::splat(1.0), V::splat(self.weight))
    }

    #[inline(always)]
    fn weight_derivative<V: Lanes>(self, x: V) -> V {
        x.where_greater(V::splat(0.0), V::splat(0.0), x)
    }
}
