//! `flatten`: feature maps to a vector.

use serde::Serialize;

use crate::network::burn_form::{Activations, BurnPass};
use crate::network::kernel_form::{KernelForm, Unsupported};
use crate::network::layer::Layer;
use crate::network::onnx_form::OnnxForm;
use crate::network::parameter::Parameter;
use crate::network::shape::Shape;
use crate::network::torch_form::{TorchForm, call};
use crate::schema::{SchemaError, Section};

/// `torch.nn.Flatten`: `[batch, channels, height, width]` to `[batch, features]`.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Flatten {}

impl Layer for Flatten {
    fn read(_section: &Section<'_>) -> Result<Self, SchemaError> {
        Ok(Self {})
    }

    fn describe(&self) -> String {
        "flatten".to_string()
    }

    fn output(&self, input: Shape) -> Result<Shape, String> {
        Ok(Shape::Features(input.elements()))
    }

    fn parameters(&self, _input: Shape) -> Vec<Parameter> {
        Vec::new()
    }

    fn on_burn(&self, _pass: &mut BurnPass<'_>, input: Activations) -> Activations {
        match input {
            Activations::Maps(x) => Activations::Features(x.flatten(1, 3)),
            vector => vector,
        }
    }

    fn on_kernels(&self, form: &mut KernelForm<'_>) -> Result<(), Unsupported> {
        form.flatten();
        Ok(())
    }

    fn on_onnx(&self, form: &mut OnnxForm<'_>, input: String) -> String {
        form.node("Flatten", [input], Vec::new())
    }

    fn in_torch(&self, _form: TorchForm<'_>) -> String {
        call("Flatten", &[], [])
    }
}
