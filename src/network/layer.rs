//! What a layer kind is, and how lists of them are read from a recipe.

use std::fmt::Debug;

use super::burn_form::{Activations, BurnPass};
use super::kernel_form::{KernelForm, Unsupported};
use super::layers::LayerSpec;
use super::onnx_form::OnnxForm;
use super::parameter::Parameter;
use super::shape::Shape;
use super::torch_form::TorchForm;
use crate::schema::{SchemaError, Section};

/// Sizes beyond these can't be meant for 28x28 images and would only exhaust memory.
pub const MAX_WIDTH: u64 = 16_384;
pub const MAX_KERNEL: u64 = 28;
/// Layers of a network, those inside residual blocks included.
pub const MAX_LAYERS: usize = 200;
/// How deep residual blocks may be nested.
const MAX_DEPTH: usize = 8;

/// All that is known about one kind of layer. Each kind implements it in a file of its own in
/// `network/layers`; everything else works with this trait.
pub trait Layer: Debug {
    /// Reads the layer's keys, with their defaults and checks.
    fn read(section: &Section<'_>) -> Result<Self, SchemaError>
    where
        Self: Sized;

    /// The layer in a few words for the table that `train` prints, such as `conv 3x3, same`.
    fn describe(&self) -> String;

    /// The shape of its output.
    ///
    /// # Errors
    /// When it can't follow what gives `input`: a sentence that completes "layer 3, conv: ...".
    fn output(&self, input: Shape) -> Result<Shape, String>;

    /// What it learns and keeps, in the order of PyTorch's `state_dict`. Called only with an input
    /// that [`output`](Self::output) has accepted.
    fn parameters(&self, input: Shape) -> Vec<Parameter>;

    /// Runs it with burn's operations.
    fn on_burn(&self, pass: &mut BurnPass<'_>, input: Activations) -> Activations;

    /// Adds it to what our kernels run.
    ///
    /// # Errors
    /// When the kernels can't run it with these settings.
    fn on_kernels(&self, form: &mut KernelForm<'_>) -> Result<(), Unsupported>;

    /// Adds it to an ONNX graph; returns the name of its output.
    fn on_onnx(&self, form: &mut OnnxForm<'_>, input: String) -> String;

    /// The Python expression that makes it in PyTorch, such as `nn.Conv2d(1, 32, 3)`.
    fn in_torch(&self, form: TorchForm<'_>) -> String;

    /// Whole numbers that PyTorch keeps in the layer's state, behind its parameters, and that nothing
    /// here depends on.
    fn counters(&self) -> &'static [&'static str] {
        &[]
    }

    /// Activations of one image that it keeps beside its output, such as a padded input.
    fn workspace(&self, _input: Shape) -> usize {
        0
    }

    /// PyTorch's name of the function, for a layer that is a network's nonlinearity.
    fn activation(&self) -> Option<&'static str> {
        None
    }

    /// The layers inside of it, as lists with the names of PyTorch's modules.
    fn inner(&self) -> Vec<(&'static str, &[LayerSpec])> {
        Vec::new()
    }
}

/// Reads a list of layers, such as `layers = [ ... ]` in `[model]`: each entry a table with a `kind`,
/// or just the kind's name when the defaults will do.
///
/// # Errors
/// When the list is missing, holds something else, or holds too much.
pub fn read_layers(
    section: &Section<'_>,
    key: &'static str,
) -> Result<Vec<LayerSpec>, SchemaError> {
    let layers = read_optional_layers(section, key)?;
    if section.has(key) && layers.is_empty() {
        return Err(section.error(key, "is empty; it needs at least one layer"));
    }
    if layers.is_empty() {
        return Err(section.missing(key));
    }
    Ok(layers)
}

/// [`read_layers`] for a list that may be left out or empty.
pub fn read_optional_layers(
    section: &Section<'_>,
    key: &'static str,
) -> Result<Vec<LayerSpec>, SchemaError> {
    // Each list inside of another adds this to what messages call its entries.
    if section.name().matches(" of `").count() >= MAX_DEPTH {
        return Err(section.error(key, format!("is nested more than {MAX_DEPTH} times")));
    }
    let layers = section.entries(key, "layer", MAX_LAYERS, LayerSpec::read)?;
    let layers = layers.unwrap_or_default();
    let count: usize = layers.iter().map(|layer| 1 + inner_count(layer)).sum();
    if count > MAX_LAYERS {
        return Err(section.error(key, format!("lists more than {MAX_LAYERS} layers")));
    }
    Ok(layers)
}

/// How many layers there are inside of one.
fn inner_count(layer: &LayerSpec) -> usize {
    let inner = layer.as_layer().inner().into_iter();
    inner
        .flat_map(|(_, layers)| layers)
        .map(|layer| 1 + inner_count(layer))
        .sum()
}
