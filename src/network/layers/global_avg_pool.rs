//! `global_avg_pool`: the mean of each feature map.

use burn::tensor::module;
use serde::Serialize;

use crate::kernels::{Pool, PoolKind};
use crate::network::burn_form::{Activations, BurnPass};
use crate::network::kernel_form::{KernelForm, Unsupported};
use crate::network::layer::Layer;
use crate::network::onnx_form::OnnxForm;
use crate::network::parameter::Parameter;
use crate::network::shape::Shape;
use crate::network::torch_form::{TorchForm, call};
use crate::schema::{SchemaError, Section};

/// `torch.nn.AdaptiveAvgPool2d(1)`: `[batch, channels, height, width]` to
/// `[batch, channels, 1, 1]`. A `flatten` behind it makes features of the channels.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct GlobalAvgPool {}

impl Layer for GlobalAvgPool {
    fn read(_section: &Section<'_>) -> Result<Self, SchemaError> {
        Ok(Self {})
    }

    fn describe(&self) -> String {
        "global_avg_pool".to_string()
    }

    fn output(&self, input: Shape) -> Result<Shape, String> {
        let (channels, height, width) = input.maps()?;
        if height != width {
            return Err(format!(
                "its input is {height}x{width}, which is not square"
            ));
        }
        Ok(Shape::Maps {
            channels,
            height: 1,
            width: 1,
        })
    }

    fn parameters(&self, _input: Shape) -> Vec<Parameter> {
        Vec::new()
    }

    fn on_burn(&self, _pass: &mut BurnPass<'_>, input: Activations) -> Activations {
        Activations::Maps(module::adaptive_avg_pool2d(input.into_maps(), [1, 1]))
    }

    fn on_kernels(&self, form: &mut KernelForm<'_>) -> Result<(), Unsupported> {
        let (_, side, _) = form.shape().maps().map_err(Unsupported)?;
        form.pool(Pool {
            kind: PoolKind::Average,
            kernel_size: side,
            stride: side,
        });
        Ok(())
    }

    fn on_onnx(&self, form: &mut OnnxForm<'_>, input: String) -> String {
        form.node("GlobalAveragePool", [input], Vec::new())
    }

    fn in_torch(&self, _form: TorchForm<'_>) -> String {
        call("AdaptiveAvgPool2d", &[1], [])
    }
}
