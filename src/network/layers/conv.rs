//! `conv`: convolutions with square kernels, dense, grouped or depthwise.

use burn::tensor::{Tensor, module, ops::ConvOptions};
use serde::Serialize;

use super::padding::Padding;
use crate::network::burn_form::{Activations, BurnPass};
use crate::network::kernel_form::{ConvSource, KernelForm, Unsupported};
use crate::network::layer::{Layer, MAX_KERNEL, MAX_WIDTH};
use crate::network::onnx_form::{OnnxAttribute, OnnxForm};
use crate::network::parameter::{Init, Parameter, Role, WeightLayout, conv_step};
use crate::network::shape::{Shape, windows};
use crate::network::torch_form::{TorchForm, call, keyword, without_bias};
use crate::schema::{SchemaError, Section};

/// `torch.nn.Conv2d` with a square kernel.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Conv {
    pub out_channels: usize,
    pub kernel_size: usize,
    pub stride: usize,
    pub padding: Padding,
    /// Input and output channels are divided into so many groups, each of which sees only its own.
    #[serde(skip_serializing_if = "is_one")]
    pub groups: usize,
    pub bias: bool,
}

/// A recipe that names no groups is written out without them, as before there were any.
fn is_one(groups: &usize) -> bool {
    *groups == 1
}

impl Conv {
    /// The zeros before and after each row and column.
    fn pads(&self) -> Result<(usize, usize), String> {
        self.padding.around(self.kernel_size, self.stride)
    }

    /// [`pads`](Self::pads) of a layer that a plan holds, which has checked them.
    fn checked_pads(&self) -> (usize, usize) {
        self.pads().unwrap_or((0, 0))
    }
}

impl Layer for Conv {
    fn read(section: &Section<'_>) -> Result<Self, SchemaError> {
        Ok(Self {
            out_channels: section.required_integer("out_channels", 1..=MAX_WIDTH)?,
            kernel_size: section.required_integer("kernel_size", 1..=MAX_KERNEL)?,
            stride: section.integer("stride", 1, 1..=MAX_KERNEL)? as usize,
            padding: Padding::read(section)?,
            groups: section.integer("groups", 1, 1..=MAX_WIDTH)? as usize,
            bias: section.boolean("bias", true)?,
        })
    }

    fn describe(&self) -> String {
        let mut text = format!("conv {0}x{0}", self.kernel_size);
        match self.padding {
            Padding::Zeros(0) => {}
            Padding::Zeros(zeros) => text += &format!(", padding {zeros}"),
            Padding::Same(_) => text += ", same",
        }
        if self.stride != 1 {
            text += &format!(", stride {}", self.stride);
        }
        if self.groups != 1 {
            text += &format!(", {} groups", self.groups);
        }
        text
    }

    fn output(&self, input: Shape) -> Result<Shape, String> {
        let (channels, height, width) = input.maps()?;
        for (what, count) in [("input", channels), ("output", self.out_channels)] {
            if count % self.groups != 0 {
                return Err(format!(
                    "its {count} {what} channels can't be divided into {} groups of equal size",
                    self.groups
                ));
            }
        }
        let (before, after) = self.pads()?;
        let size = |side: usize| windows(side + before + after, self.kernel_size, self.stride);
        Ok(Shape::Maps {
            channels: self.out_channels,
            height: size(height)?,
            width: size(width)?,
        })
    }

    fn parameters(&self, input: Shape) -> Vec<Parameter> {
        let ins = input.channels() / self.groups;
        let outputs = self.out_channels / self.groups;
        let taps = ins * self.kernel_size * self.kernel_size;
        let init = Init::Uniform { fan_in: taps };
        let weight = Parameter {
            name: "weight",
            shape: vec![self.out_channels, ins, self.kernel_size, self.kernel_size],
            role: Role::Trained,
            init,
            layout: WeightLayout::Taps {
                groups: self.groups,
                outputs,
                taps,
                step: conv_step(outputs),
            },
        };
        let bias = self
            .bias
            .then(|| Parameter::per_channel("bias", self.out_channels, init));
        [weight].into_iter().chain(bias).collect()
    }

    fn on_burn(&self, pass: &mut BurnPass<'_>, input: Activations) -> Activations {
        let (before, after) = self.checked_pads();
        let padding = [(before, after); 2];
        let options = ConvOptions::new_with_padding([self.stride; 2], padding, [1, 1], self.groups);
        let weight = pass.tensor::<4>(0);
        let bias = self.bias.then(|| pass.tensor::<1>(1));
        let convolve = |x| module::conv2d(x, weight.clone(), bias.clone(), options.clone());
        let x = input.into_maps();
        Activations::Maps(match pass.images_together() {
            Some(together) if x.dims()[0] > together => {
                let chunks = x.split(together, 0).into_iter();
                Tensor::cat(chunks.map(convolve).collect(), 0)
            }
            _ => convolve(x),
        })
    }

    fn on_kernels(&self, form: &mut KernelForm<'_>) -> Result<(), Unsupported> {
        form.conv(ConvSource {
            weight: form.parameter(0),
            bias: self.bias.then(|| form.parameter(1)),
            kernel_size: self.kernel_size,
            stride: self.stride,
            pads: self.checked_pads(),
            groups: self.groups,
        });
        Ok(())
    }

    fn on_onnx(&self, form: &mut OnnxForm<'_>, input: String) -> String {
        let (before, after) = self.checked_pads();
        let weight = form.parameter(0, None);
        let bias = self.bias.then(|| form.parameter(1, None));
        let inputs = [input, weight].into_iter().chain(bias);
        let attributes = vec![
            ("kernel_shape", OnnxAttribute::sizes([self.kernel_size; 2])),
            ("strides", OnnxAttribute::sizes([self.stride; 2])),
            ("pads", OnnxAttribute::sizes([before, before, after, after])),
            ("group", OnnxAttribute::Int(self.groups as i64)),
        ];
        form.node("Conv", inputs, attributes)
    }

    fn in_torch(&self, form: TorchForm<'_>) -> String {
        let padding = match self.padding {
            Padding::Zeros(zeros) => keyword("padding", zeros, 0),
            Padding::Same(_) => keyword("padding", "same", ""),
        };
        let sizes = [form.input().channels(), self.out_channels, self.kernel_size];
        let others = [
            keyword("stride", self.stride, 1),
            padding,
            keyword("groups", self.groups, 1),
            without_bias(self.bias),
        ];
        call("Conv2d", &sizes, others)
    }

    /// The padded input.
    fn workspace(&self, input: Shape) -> usize {
        match (self.pads(), input.maps()) {
            (Ok((before, after)), Ok((channels, height, width))) if before + after > 0 => {
                channels * (height + before + after) * (width + before + after)
            }
            _ => 0,
        }
    }
}
