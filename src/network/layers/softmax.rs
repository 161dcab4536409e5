//! `softmax`: logits to probabilities, as the last layer.

use serde::Serialize;

use crate::network::burn_form::{Activations, BurnPass};
use crate::network::kernel_form::{KernelForm, Unsupported};
use crate::network::layer::Layer;
use crate::network::onnx_form::OnnxForm;
use crate::network::parameter::Parameter;
use crate::network::shape::Shape;
use crate::network::torch_form::{TorchForm, call};
use crate::schema::{SchemaError, Section};

/// `torch.nn.Softmax(dim=1)`, only as the last layer: it turns logits into probabilities.
///
/// What runs leaves it out: the loss and the probabilities are computed from the logits, which is
/// exact where a softmax has underflowed.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Softmax {}

impl Layer for Softmax {
    fn read(_section: &Section<'_>) -> Result<Self, SchemaError> {
        Ok(Self {})
    }

    fn describe(&self) -> String {
        "softmax".to_string()
    }

    fn output(&self, input: Shape) -> Result<Shape, String> {
        match input {
            Shape::Features(_) => Ok(input),
            Shape::Maps { .. } => Err(format!(
                "its input is {input} feature maps; it needs one value for each digit"
            )),
        }
    }

    fn parameters(&self, _input: Shape) -> Vec<Parameter> {
        Vec::new()
    }

    fn on_burn(&self, _pass: &mut BurnPass<'_>, input: Activations) -> Activations {
        input
    }

    fn on_kernels(&self, _form: &mut KernelForm<'_>) -> Result<(), Unsupported> {
        Ok(())
    }

    /// Left out here too: the graph has probabilities beside the logits anyway.
    fn on_onnx(&self, _form: &mut OnnxForm<'_>, input: String) -> String {
        input
    }

    /// In its place stands a module that does nothing, so that the network gives logits.
    fn in_torch(&self, _form: TorchForm<'_>) -> String {
        call("Identity", &[], [])
    }
}
