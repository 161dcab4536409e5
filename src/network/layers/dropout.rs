//! `dropout`: zeros at random while training.

use burn::nn::DropoutConfig;
use serde::Serialize;

use crate::kernels::{Lanes, Place, Pointwise};
use crate::network::burn_form::{Activations, BurnPass};
use crate::network::kernel_form::{KernelForm, Unsupported};
use crate::network::layer::Layer;
use crate::network::onnx_form::OnnxForm;
use crate::network::parameter::Parameter;
use crate::network::shape::Shape;
use crate::network::torch_form::{TorchForm, call, keyword};
use crate::schema::{SchemaError, Section};

/// `torch.nn.Dropout`: each value by itself becomes zero with probability `p` while training, and is
/// otherwise scaled by `1 / (1 - p)`.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Dropout {
    pub p: f64,
}

/// What dropout multiplies each value with.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Mask {
    p: f32,
    /// Sets the network's dropout layers apart.
    salt: u32,
}

impl Layer for Dropout {
    fn read(section: &Section<'_>) -> Result<Self, SchemaError> {
        let p = section.number_where("p", 0.5, "at least 0 and less than 1", |p| {
            (0.0..1.0).contains(&p)
        })?;
        Ok(Self { p })
    }

    fn describe(&self) -> String {
        format!("dropout {}", self.p)
    }

    fn output(&self, input: Shape) -> Result<Shape, String> {
        Ok(input)
    }

    fn parameters(&self, _input: Shape) -> Vec<Parameter> {
        Vec::new()
    }

    /// burn's drops only on a device with autodiff, which is where training runs.
    fn on_burn(&self, _pass: &mut BurnPass<'_>, input: Activations) -> Activations {
        let dropout = DropoutConfig::new(self.p).init();
        match input {
            Activations::Maps(x) => Activations::Maps(dropout.forward(x)),
            Activations::Features(x) => Activations::Features(dropout.forward(x)),
        }
    }

    fn on_kernels(&self, form: &mut KernelForm<'_>) -> Result<(), Unsupported> {
        let salt = (form.layer_number() as u32).wrapping_mul(0x85eb_ca6b);
        let p = self.p as f32;
        form.pointwise(Mask { p, salt }.into());
        Ok(())
    }

    /// Nothing, outside of training.
    fn on_onnx(&self, _form: &mut OnnxForm<'_>, input: String) -> String {
        input
    }

    fn in_torch(&self, _form: TorchForm<'_>) -> String {
        call("Dropout", &[], [keyword("p", self.p, 0.5)])
    }
}

impl Pointwise for Mask {
    #[inline(always)]
    fn only_in_training(self) -> bool {
        true
    }

    #[inline(always)]
    fn apply<V: Lanes>(self, x: V, place: Place) -> V {
        x.mul(place.dropout(self.p, self.salt))
    }

    #[inline(always)]
    fn derivative<V: Lanes>(self, _x: V, _y: V, place: Place) -> V {
        place.dropout(self.p, self.salt)
    }
}
