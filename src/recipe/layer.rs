//! The layers a recipe can list, with PyTorch's names and defaults.

use serde::Serialize;

use crate::schema::{SchemaError, Section};

/// One entry of `[model] layers`. Sizes that follow from what comes before (`in_channels`,
/// `in_features`, `num_features`) are inferred when the network is built.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[serde(tag = "kind", rename_all = "snake_case")]
pub enum LayerSpec {
    /// `torch.nn.Conv2d` with a square kernel.
    Conv {
        out_channels: usize,
        kernel_size: usize,
        stride: usize,
        padding: Padding,
        bias: bool,
    },
    /// `torch.nn.BatchNorm2d` after a conv, `torch.nn.BatchNorm1d` after a linear layer.
    BatchNorm { eps: f64, momentum: f64 },
    /// `torch.nn.ReLU`.
    Relu,
    /// `torch.nn.LeakyReLU`.
    LeakyRelu { negative_slope: f64 },
    /// `torch.nn.ELU`.
    Elu { alpha: f64 },
    /// `torch.nn.GELU`.
    Gelu,
    /// `torch.nn.Tanh`.
    Tanh,
    /// `torch.nn.Sigmoid`.
    Sigmoid,
    /// `torch.nn.MaxPool2d` with a square window.
    MaxPool { kernel_size: usize, stride: usize },
    /// `torch.nn.Flatten`.
    Flatten,
    /// `torch.nn.Linear`.
    Linear { out_features: usize, bias: bool },
    /// `torch.nn.Dropout`.
    Dropout { p: f64 },
    /// `torch.nn.Softmax(dim=1)`, only as the last layer: it turns logits into probabilities.
    Softmax,
}

/// A conv's padding.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
#[serde(untagged)]
pub enum Padding {
    /// Zeros on each side.
    Zeros(usize),
    /// `"same"`: the output is as large as the input.
    Same(SameWord),
}

/// The word `"same"`, for serde.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum SameWord {
    Same,
}

/// Every kind a recipe can name, in the order messages list them.
const KINDS: [&str; 13] = [
    "conv",
    "batch_norm",
    "relu",
    "leaky_relu",
    "elu",
    "gelu",
    "tanh",
    "sigmoid",
    "max_pool",
    "flatten",
    "linear",
    "dropout",
    "softmax",
];

/// Sizes beyond these can't be meant for 28x28 images and would only exhaust memory.
const MAX_WIDTH: u64 = 16_384;
const MAX_KERNEL: u64 = 28;
const MAX_LAYERS: usize = 200;

impl LayerSpec {
    /// The word a recipe uses for this layer.
    pub fn kind(&self) -> &'static str {
        match self {
            LayerSpec::Conv { .. } => "conv",
            LayerSpec::BatchNorm { .. } => "batch_norm",
            LayerSpec::Relu => "relu",
            LayerSpec::LeakyRelu { .. } => "leaky_relu",
            LayerSpec::Elu { .. } => "elu",
            LayerSpec::Gelu => "gelu",
            LayerSpec::Tanh => "tanh",
            LayerSpec::Sigmoid => "sigmoid",
            LayerSpec::MaxPool { .. } => "max_pool",
            LayerSpec::Flatten => "flatten",
            LayerSpec::Linear { .. } => "linear",
            LayerSpec::Dropout { .. } => "dropout",
            LayerSpec::Softmax => "softmax",
        }
    }
}

/// Reads `layers = [ ... ]`.
pub(super) fn read_layers(model: &Section<'_>) -> Result<Vec<LayerSpec>, SchemaError> {
    let layers = model.entries("layers", "layer", MAX_LAYERS, read_kind)?;
    let layers = layers.ok_or_else(|| model.missing("layers"))?;
    if layers.is_empty() {
        return Err(model.error("layers", "is empty; a network needs at least one layer"));
    }
    Ok(layers)
}

fn read_kind(kind: &str, section: &Section<'_>) -> Result<LayerSpec, SchemaError> {
    Ok(match kind {
        "conv" => LayerSpec::Conv {
            out_channels: section.required_integer("out_channels", 1..=MAX_WIDTH)?,
            kernel_size: section.required_integer("kernel_size", 1..=MAX_KERNEL)?,
            stride: section.integer("stride", 1, 1..=MAX_KERNEL)? as usize,
            padding: read_padding(section)?,
            bias: section.boolean("bias", true)?,
        },
        "batch_norm" => LayerSpec::BatchNorm {
            eps: section.positive("eps", 1e-5)?,
            momentum: section.number_where("momentum", 0.1, "between 0 and 1", |m| {
                (0.0..=1.0).contains(&m)
            })?,
        },
        "relu" => LayerSpec::Relu,
        "leaky_relu" => LayerSpec::LeakyRelu {
            negative_slope: section.number("negative_slope")?.unwrap_or(0.01),
        },
        "elu" => LayerSpec::Elu {
            alpha: section.number("alpha")?.unwrap_or(1.0),
        },
        "gelu" => LayerSpec::Gelu,
        "tanh" => LayerSpec::Tanh,
        "sigmoid" => LayerSpec::Sigmoid,
        "max_pool" => {
            let kernel_size = section.required_integer("kernel_size", 1..=MAX_KERNEL)?;
            LayerSpec::MaxPool {
                kernel_size,
                stride: section.integer("stride", kernel_size as u64, 1..=MAX_KERNEL)? as usize,
            }
        }
        "flatten" => LayerSpec::Flatten,
        "linear" => LayerSpec::Linear {
            out_features: section.required_integer("out_features", 1..=MAX_WIDTH)?,
            bias: section.boolean("bias", true)?,
        },
        "dropout" => LayerSpec::Dropout {
            p: section.number_where("p", 0.5, "at least 0 and less than 1", |p| {
                (0.0..1.0).contains(&p)
            })?,
        },
        "softmax" => LayerSpec::Softmax,
        _ => return Err(section.unknown_word("kind", kind, KINDS.into_iter())),
    })
}

fn read_padding(section: &Section<'_>) -> Result<Padding, SchemaError> {
    if let Ok(Some(word)) = section.string("padding") {
        return match word.as_str() {
            "same" => Ok(Padding::Same(SameWord::Same)),
            _ => Err(section.error("padding", "must be a whole number or \"same\"")),
        };
    }
    let zeros = section.integer("padding", 0, 0..=MAX_KERNEL)?;
    Ok(Padding::Zeros(zeros as usize))
}
