//! From a recipe's layer list to a checked plan: every layer's input and output shape and its
//! parameter count.

use std::fmt;

use thiserror::Error;

use crate::dataset::{CLASSES, SIDE};
use crate::recipe::{LayerSpec, Padding};

/// The shape of one image's activations between two layers.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Shape {
    /// Feature maps, as convolutions see them.
    Maps {
        channels: usize,
        height: usize,
        width: usize,
    },
    /// A vector, as linear layers see it.
    Features(usize),
}

impl Shape {
    /// What BatchNorm normalises over: the maps, or each feature by itself.
    pub fn channels(self) -> usize {
        match self {
            Shape::Maps { channels, .. } => channels,
            Shape::Features(features) => features,
        }
    }
}

impl fmt::Display for Shape {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Shape::Maps {
                channels,
                height,
                width,
            } => write!(f, "{channels}x{height}x{width}"),
            Shape::Features(features) => write!(f, "{features}"),
        }
    }
}

/// One layer of the plan.
#[derive(Debug, Clone, PartialEq)]
pub struct PlannedLayer {
    pub spec: LayerSpec,
    pub input: Shape,
    pub output: Shape,
    /// Trainable parameters; BatchNorm's running statistics are not among them.
    pub parameters: usize,
}

/// A layer list that fits together, from a 1x28x28 image to ten logits.
#[derive(Debug, Clone, PartialEq)]
pub struct Plan {
    pub layers: Vec<PlannedLayer>,
}

/// A layer list that does not fit together. `number` counts the recipe's layers from 1.
#[derive(Debug, Error, PartialEq)]
#[error("layer {number}, {kind}: {problem}")]
pub struct PlanError {
    pub number: usize,
    pub kind: &'static str,
    pub problem: String,
}

/// Beyond this a network can't be meant for MNIST and would only exhaust memory.
const MAX_PARAMETERS: usize = 50_000_000;
/// The same, for the activations of one image: what all layers give, and what convs pad.
const MAX_ACTIVATIONS: usize = 2_000_000;

impl Plan {
    /// Infers the shapes of `specs` one after the other.
    pub fn new(specs: &[LayerSpec]) -> Result<Self, PlanError> {
        let mut layers = Vec::with_capacity(specs.len());
        let mut total = 0;
        let mut activations = 0;
        let mut shape = Shape::Maps {
            channels: 1,
            height: SIDE,
            width: SIDE,
        };
        for (index, spec) in specs.iter().enumerate() {
            let fail = |problem| PlanError {
                number: index + 1,
                kind: spec.kind(),
                problem,
            };
            let last = index + 1 == specs.len();
            if *spec == LayerSpec::Softmax && !last {
                return Err(fail("can only be the last layer".into()));
            }
            let input = shape;
            let (output, parameters) = infer(spec, input).map_err(fail)?;
            total += parameters;
            activations += activations_of(spec, input, output);
            if total > MAX_PARAMETERS || activations > MAX_ACTIVATIONS {
                return Err(fail(format!(
                    "the network grows too large here; up to {MAX_PARAMETERS} parameters and \
                     {MAX_ACTIVATIONS} activations an image are supported, those of all layers \
                     and the zeros of their padding taken together"
                )));
            }
            if last && output != Shape::Features(CLASSES) {
                return Err(fail(format!(
                    "the network ends with {output} values, but must end with {CLASSES}, one for \
                     each digit"
                )));
            }
            shape = output;
            layers.push(PlannedLayer {
                spec: spec.clone(),
                input,
                output,
                parameters,
            });
        }
        Ok(Self { layers })
    }

    /// The activations of one image: what all layers give, and what convs pad.
    pub fn activations(&self) -> usize {
        let layers = self.layers.iter();
        layers
            .map(|layer| activations_of(&layer.spec, layer.input, layer.output))
            .sum()
    }

    /// The names and shapes of every parameter and buffer, in layer order: those of
    /// [`Network::state`](super::Network::state).
    pub fn state_shapes(&self) -> Vec<(String, Vec<usize>)> {
        let mut shapes = Vec::new();
        for (index, layer) in self.layers.iter().enumerate() {
            let mut add = |name: &str, shape: &[usize]| {
                shapes.push((format!("{index}.{name}"), shape.to_vec()));
            };
            match (&layer.spec, layer.input) {
                (
                    LayerSpec::Conv {
                        out_channels,
                        kernel_size,
                        bias,
                        ..
                    },
                    input,
                ) => {
                    let [outs, side] = [*out_channels, *kernel_size];
                    add("weight", &[outs, input.channels(), side, side]);
                    if *bias {
                        add("bias", &[outs]);
                    }
                }
                (LayerSpec::BatchNorm { .. }, input) => {
                    for name in ["weight", "bias", "running_mean", "running_var"] {
                        add(name, &[input.channels()]);
                    }
                }
                (LayerSpec::Linear { out_features, bias }, input) => {
                    add("weight", &[*out_features, input.channels()]);
                    if *bias {
                        add("bias", &[*out_features]);
                    }
                }
                _ => {}
            }
        }
        shapes
    }

    /// Trainable parameters of all layers.
    pub fn parameters(&self) -> usize {
        self.layers.iter().map(|layer| layer.parameters).sum()
    }

    /// The number, counted from 1, of a BatchNorm layer that sees one value of each channel an
    /// image, and so has no variance in a batch of one image.
    pub fn single_value_norm(&self) -> Option<usize> {
        let sees_one = |layer: &PlannedLayer| {
            matches!(layer.spec, LayerSpec::BatchNorm { .. })
                && elements(layer.input) == layer.input.channels()
        };
        self.layers.iter().position(sees_one).map(|index| index + 1)
    }
}

/// The output shape and parameter count of `spec` behind an `input`.
fn infer(spec: &LayerSpec, input: Shape) -> Result<(Shape, usize), String> {
    match spec {
        LayerSpec::Conv {
            out_channels,
            kernel_size,
            stride,
            padding,
            bias,
        } => {
            let (channels, height, width) = maps(input)?;
            let (before, after) = pads(*padding, *kernel_size, *stride)?;
            let size = |side: usize| window(side + before + after, *kernel_size, *stride);
            let output = Shape::Maps {
                channels: *out_channels,
                height: size(height)?,
                width: size(width)?,
            };
            let weights = out_channels * channels * kernel_size * kernel_size;
            Ok((output, weights + if *bias { *out_channels } else { 0 }))
        }
        LayerSpec::BatchNorm { .. } => Ok((input, 2 * input.channels())),
        LayerSpec::MaxPool {
            kernel_size,
            stride,
        } => {
            let (channels, height, width) = maps(input)?;
            let output = Shape::Maps {
                channels,
                height: window(height, *kernel_size, *stride)?,
                width: window(width, *kernel_size, *stride)?,
            };
            Ok((output, 0))
        }
        LayerSpec::Flatten => Ok((Shape::Features(elements(input)), 0)),
        LayerSpec::Linear { out_features, bias } => match input {
            Shape::Features(features) => {
                let biases = if *bias { *out_features } else { 0 };
                let parameters = features * out_features + biases;
                Ok((Shape::Features(*out_features), parameters))
            }
            Shape::Maps { .. } => Err(format!(
                "its input is {input} feature maps; put a `flatten` layer before it"
            )),
        },
        LayerSpec::Softmax => match input {
            Shape::Features(_) => Ok((input, 0)),
            Shape::Maps { .. } => Err(format!(
                "its input is {input} feature maps; it needs one value for each digit"
            )),
        },
        LayerSpec::Relu
        | LayerSpec::LeakyRelu { .. }
        | LayerSpec::Elu { .. }
        | LayerSpec::Gelu
        | LayerSpec::Tanh
        | LayerSpec::Sigmoid
        | LayerSpec::Dropout { .. } => Ok((input, 0)),
    }
}

/// A layer's output and, where a conv pads its input, that too.
fn activations_of(spec: &LayerSpec, input: Shape, output: Shape) -> usize {
    let padded = match (spec, input) {
        (
            LayerSpec::Conv {
                kernel_size,
                stride,
                padding,
                ..
            },
            Shape::Maps {
                channels,
                height,
                width,
            },
        ) => match pads(*padding, *kernel_size, *stride) {
            Ok((0, 0)) | Err(_) => 0,
            Ok((before, after)) => channels * (height + before + after) * (width + before + after),
        },
        _ => 0,
    };
    elements(output) + padded
}

fn maps(input: Shape) -> Result<(usize, usize, usize), String> {
    match input {
        Shape::Maps {
            channels,
            height,
            width,
        } => Ok((channels, height, width)),
        Shape::Features(features) => Err(format!(
            "needs feature maps, but its input is a vector of {features}; it must come before \
             `flatten`"
        )),
    }
}

fn elements(shape: Shape) -> usize {
    match shape {
        Shape::Maps {
            channels,
            height,
            width,
        } => channels * height * width,
        Shape::Features(features) => features,
    }
}

/// The zeros before and after each row and column. `"same"` puts the odd one behind, as PyTorch
/// does, and like PyTorch's takes no stride.
pub(super) fn pads(
    padding: Padding,
    kernel_size: usize,
    stride: usize,
) -> Result<(usize, usize), String> {
    match padding {
        Padding::Zeros(zeros) => Ok((zeros, zeros)),
        Padding::Same(_) if stride != 1 => {
            Err("padding \"same\" needs a stride of 1, as in PyTorch".into())
        }
        Padding::Same(_) => Ok(((kernel_size - 1) / 2, kernel_size / 2)),
    }
}

/// How many windows fit on one side.
fn window(side: usize, kernel_size: usize, stride: usize) -> Result<usize, String> {
    match side.checked_sub(kernel_size) {
        Some(room) => Ok(room / stride + 1),
        None => Err(format!(
            "its {kernel_size}x{kernel_size} window is larger than its input's side of {side}"
        )),
    }
}

/// The table that `train` starts with: number, layer, output shape, parameters.
impl fmt::Display for Plan {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "  #  layer                     output   parameters")?;
        for (index, layer) in self.layers.iter().enumerate() {
            writeln!(
                f,
                "{:>3}  {:<22} {:>9} {:>12}",
                index + 1,
                describe(&layer.spec),
                layer.output.to_string(),
                layer.parameters,
            )?;
        }
        write!(f, "{:>49} trainable parameters", self.parameters())
    }
}

/// A layer in a few words, such as `conv 3x3 1 padding 2`.
fn describe(spec: &LayerSpec) -> String {
    match spec {
        LayerSpec::Conv {
            kernel_size: k,
            stride,
            padding,
            ..
        } => {
            let mut text = format!("conv {k}x{k}");
            match padding {
                Padding::Zeros(0) => {}
                Padding::Zeros(zeros) => text += &format!(", padding {zeros}"),
                Padding::Same(_) => text += ", same",
            }
            if *stride != 1 {
                text += &format!(", stride {stride}");
            }
            text
        }
        LayerSpec::MaxPool {
            kernel_size,
            stride,
        } if kernel_size == stride => format!("max_pool {kernel_size}"),
        LayerSpec::MaxPool {
            kernel_size,
            stride,
        } => format!("max_pool {kernel_size}, stride {stride}"),
        LayerSpec::Dropout { p } => format!("dropout {p}"),
        LayerSpec::LeakyRelu { negative_slope } => format!("leaky_relu {negative_slope}"),
        LayerSpec::Elu { alpha } => format!("elu {alpha}"),
        other => other.kind().to_string(),
    }
}
