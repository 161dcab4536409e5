//! From a recipe's layer list to a checked plan: every layer's input and output shape and its
//! parameters.

use std::fmt;

use thiserror::Error;

use super::layers::LayerSpec;
use super::parameter::{Parameter, Role};
use super::shape::Shape;
use crate::dataset::{CLASSES, SIDE};

/// One layer of the plan.
#[derive(Debug, Clone, PartialEq)]
pub struct PlannedLayer {
    pub spec: LayerSpec,
    /// Its name in PyTorch, which its tensors' names begin with: `3` or `3.layers.1`.
    pub name: String,
    /// Its place among all layers of the network, those inside of others included, from 0.
    pub place: usize,
    pub input: Shape,
    pub output: Shape,
    /// Its own tensors, and the place of the first among all of the plan's.
    pub parameters: Vec<Parameter>,
    pub first_parameter: usize,
    /// The layers inside of it, as lists.
    pub inner: Vec<Vec<PlannedLayer>>,
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
/// The same, for the activations of one image: what all layers give and keep.
const MAX_ACTIVATIONS: usize = 2_000_000;

/// What has been planned so far.
#[derive(Default)]
struct Totals {
    layers: usize,
    tensors: usize,
    parameters: usize,
    activations: usize,
}

impl Plan {
    /// Infers the shapes of `specs` one after the other.
    ///
    /// # Errors
    /// When a layer can't follow the ones before it, or the network is too large or ends with
    /// something else than ten values.
    pub fn new(specs: &[LayerSpec]) -> Result<Self, PlanError> {
        let image = Shape::Maps {
            channels: 1,
            height: SIDE,
            width: SIDE,
        };
        let layers = plan_list(specs, "", image, true, &mut Totals::default())?;
        Ok(Self { layers })
    }

    /// All layers, each before those inside of it.
    pub fn all_layers(&self) -> impl Iterator<Item = &PlannedLayer> {
        let mut waiting: Vec<&PlannedLayer> = self.layers.iter().rev().collect();
        std::iter::from_fn(move || {
            let layer = waiting.pop()?;
            let inner: Vec<_> = layer.inner.iter().flatten().collect();
            waiting.extend(inner.into_iter().rev());
            Some(layer)
        })
    }

    /// Every tensor with its name, in the order of PyTorch's `state_dict`.
    pub fn parameters(&self) -> impl Iterator<Item = (String, &Parameter)> {
        self.all_layers().flat_map(|layer| {
            let parameters = layer.parameters.iter();
            parameters.map(|parameter| (layer.tensor_name(parameter), parameter))
        })
    }

    /// The activations of one image: what all layers give and keep.
    pub fn activations(&self) -> usize {
        self.all_layers().map(PlannedLayer::activations).sum()
    }

    /// How many values the optimizer moves, those of all layers.
    pub fn parameter_count(&self) -> usize {
        self.all_layers().map(PlannedLayer::parameter_count).sum()
    }

    /// A BatchNorm layer's number, counted from 1, that sees one value of each channel an image, and
    /// so has no variance in a batch of one image.
    pub fn single_value_norm(&self) -> Option<String> {
        let sees_one = |layer: &&PlannedLayer| {
            layer.parameters.iter().any(|p| p.role == Role::Variance)
                && layer.input.elements() == layer.input.channels()
        };
        self.all_layers().find(sees_one).map(PlannedLayer::number)
    }
}

/// Plans layers that follow each other. `prefix` begins their names; `ends_network` tells whether the
/// last of them gives the logits.
fn plan_list(
    specs: &[LayerSpec],
    prefix: &str,
    input: Shape,
    ends_network: bool,
    totals: &mut Totals,
) -> Result<Vec<PlannedLayer>, PlanError> {
    let mut layers: Vec<PlannedLayer> = Vec::with_capacity(specs.len());
    for (index, spec) in specs.iter().enumerate() {
        let input = layers.last().map_or(input, |layer| layer.output);
        let is_end = ends_network && index + 1 == specs.len();
        let planned = plan_layer(spec, format!("{prefix}{index}"), input, is_end, totals);
        layers.push(planned.map_err(|problem| PlanError {
            number: index + 1,
            kind: spec.kind(),
            problem,
        })?);
    }
    Ok(layers)
}

fn plan_layer(
    spec: &LayerSpec,
    name: String,
    input: Shape,
    is_end: bool,
    totals: &mut Totals,
) -> Result<PlannedLayer, String> {
    if matches!(spec, LayerSpec::Softmax(_)) && !is_end {
        return Err("can only be the last layer of the network".into());
    }
    let layer = spec.as_layer();
    let mut planned = PlannedLayer {
        spec: spec.clone(),
        name,
        place: totals.layers,
        input,
        output: layer.output(input)?,
        parameters: layer.parameters(input),
        first_parameter: totals.tensors,
        inner: Vec::new(),
    };
    totals.layers += 1;
    totals.tensors += planned.parameters.len();
    totals.parameters += planned.parameter_count();
    totals.activations += planned.activations();
    if totals.parameters > MAX_PARAMETERS || totals.activations > MAX_ACTIVATIONS {
        return Err(format!(
            "the network grows too large here; up to {MAX_PARAMETERS} parameters and \
             {MAX_ACTIVATIONS} activations an image are supported, those of all layers and the \
             zeros of their padding taken together"
        ));
    }
    for (list, specs) in layer.inner() {
        let prefix = format!("{}.{list}.", planned.name);
        let layers = plan_list(specs, &prefix, input, false, totals).map_err(|error| {
            format!(
                "layer {} of its `{list}`, {}: {}",
                error.number, error.kind, error.problem
            )
        })?;
        planned.inner.push(layers);
    }
    if is_end && planned.output != Shape::Features(CLASSES) {
        return Err(format!(
            "the network ends with {} values, but must end with {CLASSES}, one for each digit",
            planned.output
        ));
    }
    Ok(planned)
}

impl PlannedLayer {
    /// How many values the optimizer moves; a running mean is not among them.
    fn parameter_count(&self) -> usize {
        let trained = self.parameters.iter().filter(|p| p.role == Role::Trained);
        trained.map(Parameter::elements).sum()
    }

    /// The values of one image that it gives and keeps.
    fn activations(&self) -> usize {
        self.output.elements() + self.spec.as_layer().workspace(self.input)
    }

    /// The name of one of its own tensors, as in PyTorch's `state_dict`.
    pub fn tensor_name(&self, parameter: &Parameter) -> String {
        format!("{}.{}", self.name, parameter.name)
    }

    /// Its number as people count: `4`, or `4.layers.2` inside of another.
    pub fn number(&self) -> String {
        let parts = self
            .name
            .split('.')
            .map(|part| match part.parse::<usize>() {
                Ok(index) => (index + 1).to_string(),
                Err(_) => part.to_string(),
            });
        parts.collect::<Vec<_>>().join(".")
    }
}

/// The table that `train` starts with: number, layer, output shape, parameters. The layers inside of
/// another follow it, indented.
impl fmt::Display for Plan {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "  #  layer                     output   parameters")?;
        for layer in self.all_layers() {
            let parts: Vec<&str> = layer.name.split('.').collect();
            let (number, what) = match parts[..] {
                [index] => (
                    index.parse::<usize>().map_or(0, |i| i + 1).to_string(),
                    String::new(),
                ),
                [.., list, _] => {
                    let indent = "  ".repeat(parts.len() / 2);
                    let sign = if list == "shortcut" { "+ " } else { "" };
                    (String::new(), format!("{indent}{sign}"))
                }
                [] => (String::new(), String::new()),
            };
            writeln!(
                f,
                "{number:>3}  {:<22} {:>9} {:>12}",
                what + &layer.spec.as_layer().describe(),
                layer.output.to_string(),
                layer.parameter_count(),
            )?;
        }
        write!(f, "{:>49} trainable parameters", self.parameter_count())
    }
}
