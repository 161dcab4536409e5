//! `max_pool`: the largest value of each window.

use burn::nn::pool::MaxPool2dConfig;
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

/// `torch.nn.MaxPool2d` with a square window and no padding.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct MaxPool {
    #[serde(flatten)]
    pub window: Window,
}

/// The kernels remember in a byte where in its window a value was.
const LARGEST_WINDOW: usize = 16;

impl Layer for MaxPool {
    fn read(section: &Section<'_>) -> Result<Self, SchemaError> {
        let window = Window::read(section)?;
        Ok(Self { window })
    }

    fn describe(&self) -> String {
        self.window.describe("max_pool")
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
        let pool = MaxPool2dConfig::new([kernel_size; 2]).with_strides([stride; 2]);
        Activations::Maps(pool.init().forward(input.into_maps()))
    }

    fn on_kernels(&self, form: &mut KernelForm<'_>) -> Result<(), Unsupported> {
        if self.window.kernel_size > LARGEST_WINDOW {
            return Err(Unsupported(format!(
                "its {0}x{0} windows are larger than {LARGEST_WINDOW}x{LARGEST_WINDOW}",
                self.window.kernel_size
            )));
        }
        form.pool(self.window.pool(PoolKind::Max));
        Ok(())
    }

    fn on_onnx(&self, form: &mut OnnxForm<'_>, input: String) -> String {
        form.node("MaxPool", [input], self.window.onnx_attributes())
    }

    fn in_torch(&self, _form: TorchForm<'_>) -> String {
        self.window.in_torch("MaxPool2d")
    }
}
