//! A network: a recipe's list of layers, checked, with what each layer knows of itself.
//!
//! [`LayerSpec`] is one layer with its settings, and [`layers`] has a file for each kind with all that
//! is known about it. A [`Plan`] is a list that fits together. It gives the network's tensors their
//! names, shapes and first values, and takes two forms that the engines run: burn's operations
//! ([`BurnPass`]), and groups of operations for our kernels ([`KernelGraph`]). Others are for export: an
//! ONNX graph ([`OnnxForm`]), and modules of PyTorch ([`TorchForm`]).

mod burn_form;
mod kernel_form;
mod layer;
mod layers;
mod named_tensor;
mod onnx_form;
mod parameter;
mod plan;
mod shape;
mod state;
mod torch_form;

pub use burn_form::{Activations, BurnPass, DeviceState, to_device};
pub use kernel_form::{
    ConvSource, Group, GroupSource, KernelForm, KernelGraph, LinearSource, NormForm, Unsupported,
    UnsupportedLayer,
};
pub use layer::{Layer, read_layers};
pub use layers::{Activation, Function, LayerSpec, Padding};
pub use named_tensor::NamedTensor;
pub use onnx_form::{OnnxAttribute, OnnxForm, OnnxNode};
pub use parameter::{Init, PAD, Parameter, Role, WeightLayout, conv_step};
pub use plan::{Plan, PlanError, PlannedLayer};
pub use shape::Shape;
pub use state::StateError;
pub use torch_form::TorchForm;
