//! `residual`: what some layers make of a value, added to the value itself.

use serde::Serialize;

use super::LayerSpec;
use crate::network::burn_form::{Activations, BurnPass};
use crate::network::kernel_form::{KernelForm, Unsupported};
use crate::network::layer::{Layer, read_layers, read_optional_layers};
use crate::network::onnx_form::OnnxForm;
use crate::network::parameter::Parameter;
use crate::network::shape::Shape;
use crate::network::torch_form::TorchForm;
use crate::schema::{SchemaError, Section};

/// `x + f(x)` (He and others, "Deep residual learning for image recognition", 2016), where `layers`
/// are f; with a `shortcut`, s(x) + f(x). In PyTorch it is a module with the two attributes
/// `layers` and `shortcut`, each an `nn.Sequential`.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Residual {
    pub layers: Vec<LayerSpec>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub shortcut: Vec<LayerSpec>,
}

/// The places of its lists among [`Layer::inner`].
const LAYERS: usize = 0;
const SHORTCUT: usize = 1;

/// The shape behind a list of layers.
fn behind(name: &str, layers: &[LayerSpec], input: Shape) -> Result<Shape, String> {
    layers
        .iter()
        .enumerate()
        .try_fold(input, |shape, (index, spec)| {
            let output = spec.as_layer().output(shape);
            output.map_err(|problem| {
                format!(
                    "layer {} of its `{name}`, {}: {problem}",
                    index + 1,
                    spec.kind()
                )
            })
        })
}

impl Layer for Residual {
    fn read(section: &Section<'_>) -> Result<Self, SchemaError> {
        Ok(Self {
            layers: read_layers(section, "layers")?,
            shortcut: read_optional_layers(section, "shortcut")?,
        })
    }

    fn describe(&self) -> String {
        "residual".to_string()
    }

    fn output(&self, input: Shape) -> Result<Shape, String> {
        let layers = behind("layers", &self.layers, input)?;
        let shortcut = behind("shortcut", &self.shortcut, input)?;
        if layers == shortcut {
            return Ok(layers);
        }
        Err(format!(
            "its `layers` make {layers} of their input and its `shortcut` {shortcut}, which can't \
             be added{}",
            if self.shortcut.is_empty() {
                "; a `shortcut`, such as a 1x1 conv with the stride of the layers, can change that"
            } else {
                ""
            }
        ))
    }

    /// Those of its layers are theirs.
    fn parameters(&self, _input: Shape) -> Vec<Parameter> {
        Vec::new()
    }

    fn on_burn(&self, pass: &mut BurnPass<'_>, input: Activations) -> Activations {
        let layers = pass.run_inner(LAYERS, input.clone());
        let shortcut = pass.run_inner(SHORTCUT, input);
        match (layers, shortcut) {
            (Activations::Maps(a), Activations::Maps(b)) => Activations::Maps(a + b),
            (a, b) => Activations::Features(a.into_features() + b.into_features()),
        }
    }

    fn on_kernels(&self, form: &mut KernelForm<'_>) -> Result<(), Unsupported> {
        form.sum_of_branches(LAYERS, SHORTCUT)
    }

    fn on_onnx(&self, form: &mut OnnxForm<'_>, input: String) -> String {
        let layers = form.run_inner(LAYERS, input.clone());
        let shortcut = form.run_inner(SHORTCUT, input);
        form.node("Add", [layers, shortcut], Vec::new())
    }

    fn in_torch(&self, form: TorchForm<'_>) -> String {
        let lists = [LAYERS, SHORTCUT].map(|list| form.inner(list).replace('\n', "\n    "));
        format!("Residual(\n    {},\n    {},\n)", lists[0], lists[1])
    }

    fn inner(&self) -> Vec<(&'static str, &[LayerSpec])> {
        vec![("layers", &self.layers), ("shortcut", &self.shortcut)]
    }
}
