//! `avg_pool`: the mean of each window.

use burn::nn::pool::AvgPool2dConfig;
use serde::Serialize;

use super::max_pool::{describe, output};
use crate::kernels::{Pool, PoolKind};
use crate::network::burn_form::{Activations, BurnPass};
use crate::network::kernel_form::{KernelForm, Unsupported};
use crate::network::layer::{Layer, MAX_KERNEL};
use crate::network::parameter::Parameter;
use crate::network::shape::Shape;
use crate::schema::{SchemaError, Section};

/// `torch.nn.AvgPool2d` with a square window and no padding.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct AvgPool {
    pub kernel_size: usize,
    pub stride: usize,
}

impl Layer for AvgPool {
    fn read(section: &Section<'_>) -> Result<Self, SchemaError> {
        let kernel_size = section.required_integer("kernel_size", 1..=MAX_KERNEL)?;
        let stride = section.integer("stride", kernel_size as u64, 1..=MAX_KERNEL)? as usize;
        Ok(Self {
            kernel_size,
            stride,
        })
    }

    fn describe(&self) -> String {
        describe("avg_pool", self.kernel_size, self.stride)
    }

    fn output(&self, input: Shape) -> Result<Shape, String> {
        output(input, self.kernel_size, self.stride)
    }

    fn parameters(&self, _input: Shape) -> Vec<Parameter> {
        Vec::new()
    }

    fn on_burn(&self, _pass: &mut BurnPass<'_>, input: Activations) -> Activations {
        let pool = AvgPool2dConfig::new([self.kernel_size; 2]).with_strides([self.stride; 2]);
        Activations::Maps(pool.init().forward(input.into_maps()))
    }

    fn on_kernels(&self, form: &mut KernelForm<'_>) -> Result<(), Unsupported> {
        form.pool(Pool {
            kind: PoolKind::Average,
            kernel_size: self.kernel_size,
            stride: self.stride,
        });
        Ok(())
    }
}
