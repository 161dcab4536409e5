//! `linear`: fully connected layers.

use burn::tensor::Tensor;
use serde::Serialize;

use crate::network::burn_form::{Activations, BurnPass};
use crate::network::kernel_form::{KernelForm, LinearSource, Unsupported};
use crate::network::layer::{Layer, MAX_WIDTH};
use crate::network::onnx_form::{OnnxAttribute, OnnxForm};
use crate::network::parameter::{Init, PAD, Parameter, Role, WeightLayout};
use crate::network::shape::Shape;
use crate::network::torch_form::{TorchForm, call, without_bias};
use crate::schema::{SchemaError, Section};

/// `torch.nn.Linear`.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Linear {
    pub out_features: usize,
    pub bias: bool,
}

impl Layer for Linear {
    fn read(section: &Section<'_>) -> Result<Self, SchemaError> {
        Ok(Self {
            out_features: section.required_integer("out_features", 1..=MAX_WIDTH)?,
            bias: section.boolean("bias", true)?,
        })
    }

    fn describe(&self) -> String {
        "linear".to_string()
    }

    fn output(&self, input: Shape) -> Result<Shape, String> {
        match input {
            Shape::Features(_) => Ok(Shape::Features(self.out_features)),
            Shape::Maps { .. } => Err(format!(
                "its input is {input} feature maps; put a `flatten` layer before it"
            )),
        }
    }

    fn parameters(&self, input: Shape) -> Vec<Parameter> {
        let features = input.elements();
        let init = Init::Uniform { fan_in: features };
        let weight = Parameter {
            name: "weight",
            shape: vec![self.out_features, features],
            role: Role::Trained,
            init,
            layout: WeightLayout::Taps {
                groups: 1,
                outputs: self.out_features,
                taps: features,
                step: self.out_features.next_multiple_of(PAD),
            },
        };
        let bias = self
            .bias
            .then(|| Parameter::per_channel("bias", self.out_features, init));
        [weight].into_iter().chain(bias).collect()
    }

    fn on_burn(&self, pass: &mut BurnPass<'_>, input: Activations) -> Activations {
        let weight: Tensor<2> = pass.tensor(0);
        let output = input.into_features().matmul(weight.transpose());
        Activations::Features(if self.bias {
            output + pass.tensor::<1>(1).unsqueeze()
        } else {
            output
        })
    }

    fn on_kernels(&self, form: &mut KernelForm<'_>) -> Result<(), Unsupported> {
        form.linear(LinearSource {
            weight: form.parameter(0),
            bias: self.bias.then(|| form.parameter(1)),
        });
        Ok(())
    }

    fn on_onnx(&self, form: &mut OnnxForm<'_>, input: String) -> String {
        let weight = form.parameter(0, None);
        let bias = self.bias.then(|| form.parameter(1, None));
        let inputs = [input, weight].into_iter().chain(bias);
        form.node("Gemm", inputs, vec![("transB", OnnxAttribute::Int(1))])
    }

    fn in_torch(&self, form: TorchForm<'_>) -> String {
        let sizes = [form.input().elements(), self.out_features];
        call("Linear", &sizes, [without_bias(self.bias)])
    }
}
