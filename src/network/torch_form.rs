//! A network as Python code that makes its modules in PyTorch.

use super::plan::{Plan, PlannedLayer};
use super::shape::Shape;

/// The layer that is being written as Python.
#[derive(Debug, Clone, Copy)]
pub struct TorchForm<'a> {
    layer: &'a PlannedLayer,
}

impl TorchForm<'_> {
    /// The shape of the layer's input.
    pub fn input(&self) -> Shape {
        self.layer.input
    }

    /// One of the lists of layers inside the layer, as an `nn.Sequential`.
    pub fn inner(&self, list: usize) -> String {
        sequential(&self.layer.inner[list])
    }
}

impl Plan {
    /// The network as an expression in Python, an `nn.Sequential` with a line for each layer. Its
    /// `state_dict` has the names of this plan's tensors. Residual blocks are a module `Residual`.
    pub fn to_torch(&self) -> String {
        sequential(&self.layers)
    }
}

fn sequential(layers: &[PlannedLayer]) -> String {
    if layers.is_empty() {
        return "nn.Sequential()".to_string();
    }
    let lines = layers.iter().map(|layer| {
        let module = layer.spec.as_layer().in_torch(TorchForm { layer });
        format!("    {},\n", module.replace('\n', "\n    "))
    });
    format!("nn.Sequential(\n{})", lines.collect::<String>())
}

/// A call with a module's required arguments, and those of `others` that are not PyTorch's defaults.
pub fn call<const N: usize>(
    module: &str,
    required: &[usize],
    others: [Option<String>; N],
) -> String {
    let required = required.iter().map(usize::to_string);
    let arguments: Vec<String> = required.chain(others.into_iter().flatten()).collect();
    format!("nn.{module}({})", arguments.join(", "))
}

/// `name=value` for [`call`], unless the value is PyTorch's `default`.
pub fn keyword<T: PartialEq + std::fmt::Debug>(name: &str, value: T, default: T) -> Option<String> {
    (value != default).then(|| format!("{name}={value:?}"))
}

/// `bias=False` for [`call`], unless there is one.
pub fn without_bias(bias: bool) -> Option<String> {
    (!bias).then(|| "bias=False".to_string())
}
