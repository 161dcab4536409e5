//! The square windows of pooling layers.

use serde::Serialize;

use crate::kernels::{Pool, PoolKind};
use crate::network::layer::MAX_KERNEL;
use crate::network::onnx_form::OnnxAttribute;
use crate::network::shape::{Shape, windows};
use crate::network::torch_form::{call, keyword};
use crate::schema::{SchemaError, Section};

/// Square windows without padding.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Window {
    pub kernel_size: usize,
    pub stride: usize,
}

impl Window {
    /// Reads `kernel_size`, and `stride`, which is the same by default.
    pub fn read(section: &Section<'_>) -> Result<Self, SchemaError> {
        let kernel_size = section.required_integer("kernel_size", 1..=MAX_KERNEL)?;
        let stride = section.integer("stride", kernel_size as u64, 1..=MAX_KERNEL)? as usize;
        Ok(Self {
            kernel_size,
            stride,
        })
    }

    /// A layer with these windows in a few words.
    pub fn describe(&self, kind: &str) -> String {
        if self.kernel_size == self.stride {
            format!("{kind} {}", self.kernel_size)
        } else {
            format!("{kind} {}, stride {}", self.kernel_size, self.stride)
        }
    }

    /// A pool of these windows on our kernels.
    pub fn pool(&self, kind: PoolKind) -> Pool {
        Pool {
            kind,
            kernel_size: self.kernel_size,
            stride: self.stride,
        }
    }

    /// A value for each window.
    pub fn output(&self, input: Shape) -> Result<Shape, String> {
        let (channels, height, width) = input.maps()?;
        Ok(Shape::Maps {
            channels,
            height: windows(height, self.kernel_size, self.stride)?,
            width: windows(width, self.kernel_size, self.stride)?,
        })
    }

    /// The attributes of ONNX's operators of such windows.
    pub fn onnx_attributes(&self) -> Vec<(&'static str, OnnxAttribute)> {
        vec![
            ("kernel_shape", OnnxAttribute::sizes([self.kernel_size; 2])),
            ("strides", OnnxAttribute::sizes([self.stride; 2])),
        ]
    }

    /// PyTorch's module of such windows.
    pub fn in_torch(&self, module: &str) -> String {
        let stride = keyword("stride", self.stride, self.kernel_size);
        call(module, &[self.kernel_size], [stride])
    }
}
