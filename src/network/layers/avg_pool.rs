//! `avg_pool`: the mean of each window.

use burn::nn::pool::AvgPool2dConfig;
use serde::Serialize;

use super::window::Window;
use crate::kernels::PoolKind;
use crate::network::burn_form::{Activations, BurnPass};
use crate::network::kernel_form::{KernelForm, Unsupported};
use crate::network::layer::Layer;
use crate::network::onnx_form::OnnxForm;
use crate::network::parameter::Parameter;
use crate::network::shape::Shape;
use crate::network::torch_form::TorchForm;
use crate::schema::{SchemaError, Section};

/// `torch.nn.AvgPool2d` with a square window and no padding.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct AvgPool {
    #[serde(flatten)]
    pub window: Window,
}

impl Layer for AvgPool {
    fn read(section: &Section<'_>) -> Result<Self, SchemaError> {
        let window = Window::read(section)?;
        Ok(Self { window })
    }

    fn describe(&self) -> String {
        self.window.describe("avg_pool")
    }

    fn output(&self, input: Shape) -> Result<Shape, String> {
        self.window.output(input)
    }

    fn parameters(&self, _input: Shape) -> Vec<Parameter> {
        Vec::new()
    }

    fn on_burn(&self, _pass: &mut BurnPass<'_>, input: Activations) -> Activations {
        let Window {
            kernel_size,
            stride,
        } = self.window;
        let pool = AvgPool2dConfig::new([kernel_size; 2]).with_strides([stride; 2]);
        Activations::Maps(pool.init().forward(input.into_maps()))
    }

    fn on_kernels(&self, form: &mut KernelForm<'_>) -> Result<(), Unsupported> {
        form.pool(self.window.pool(PoolKind::Average));
        Ok(())
    }

    fn on_onnx(&self, form: &mut OnnxForm<'_>, input: String) -> String {
        form.node("AveragePool", [input], self.window.onnx_attributes())
    }

    fn in_torch(&self, _form: TorchForm<'_>) -> String {
        self.window.in_torch("AvgPool2d")
    }
}
