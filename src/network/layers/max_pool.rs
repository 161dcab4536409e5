//! `max_pool`: the largest value of each window.

use burn::nn::pool::MaxPool2dConfig;
use serde::Serialize;

use crate::kernels::{Pool, PoolKind};
use crate::network::burn_form::{Activations, BurnPass};
use crate::network::kernel_form::{KernelForm, Unsupported};
use crate::network::layer::{Layer, MAX_KERNEL};
use crate::network::parameter::Parameter;
use crate::network::shape::{Shape, windows};
use crate::schema::{SchemaError, Section};

/// `torch.nn.MaxPool2d` with a square window.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct MaxPool {
    pub kernel_size: usize,
    pub stride: usize,
}

/// The kernels remember in a byte where in its window a value was.
const LARGEST_WINDOW: usize = 16;

impl Layer for MaxPool {
    fn read(section: &Section<'_>) -> Result<Self, SchemaError> {
        let kernel_size = section.required_integer("kernel_size", 1..=MAX_KERNEL)?;
        let stride = section.integer("stride", kernel_size as u64, 1..=MAX_KERNEL)? as usize;
        Ok(Self {
            kernel_size,
            stride,
        })
    }

    fn describe(&self) -> String {
        describe("max_pool", self.kernel_size, self.stride)
    }

    fn output(&self, input: Shape) -> Result<Shape, String> {
        output(input, self.kernel_size, self.stride)
    }

    fn parameters(&self, _input: Shape) -> Vec<Parameter> {
        Vec::new()
    }

    fn on_burn(&self, _pass: &mut BurnPass<'_>, input: Activations) -> Activations {
        let pool = MaxPool2dConfig::new([self.kernel_size; 2]).with_strides([self.stride; 2]);
        Activations::Maps(pool.init().forward(input.into_maps()))
    }

    fn on_kernels(&self, form: &mut KernelForm<'_>) -> Result<(), Unsupported> {
        if self.kernel_size > LARGEST_WINDOW {
            return Err(Unsupported(format!(
                "its {0}x{0} windows are larger than {LARGEST_WINDOW}x{LARGEST_WINDOW}",
                self.kernel_size
            )));
        }
        form.pool(Pool {
            kind: PoolKind::Max,
            kernel_size: self.kernel_size,
            stride: self.stride,
        });
        Ok(())
    }
}

/// A pooling layer in a few words.
pub(super) fn describe(kind: &str, kernel_size: usize, stride: usize) -> String {
    if kernel_size == stride {
        format!("{kind} {kernel_size}")
    } else {
        format!("{kind} {kernel_size}, stride {stride}")
    }
}

/// The output of pooling with square windows.
pub(super) fn output(input: Shape, kernel_size: usize, stride: usize) -> Result<Shape, String> {
    let (channels, height, width) = input.maps()?;
    Ok(Shape::Maps {
        channels,
        height: windows(height, kernel_size, stride)?,
        width: windows(width, kernel_size, stride)?,
    })
}
