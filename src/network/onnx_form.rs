//! A network as the operations of an ONNX graph (<https://onnx.ai/onnx/operators/>, opset 17).

use super::named_tensor::NamedTensor;
use super::plan::{Plan, PlannedLayer};

/// An operation with one output.
#[derive(Debug, Clone, PartialEq)]
pub struct OnnxNode {
    /// The operator's name, such as `Conv`.
    pub operator: &'static str,
    pub inputs: Vec<String>,
    /// The name of its output, which is also its own.
    pub output: String,
    pub attributes: Vec<(&'static str, OnnxAttribute)>,
}

/// What an operator's attribute is set to.
#[derive(Debug, Clone, PartialEq)]
pub enum OnnxAttribute {
    Int(i64),
    Ints(Vec<i64>),
    Float(f32),
}

impl OnnxAttribute {
    /// Sizes, of which none comes near what an `i64` can't hold.
    pub fn sizes(sizes: impl IntoIterator<Item = usize>) -> Self {
        Self::Ints(sizes.into_iter().map(|size| size as i64).collect())
    }
}

/// A graph that grows layer by layer.
#[derive(Debug)]
pub struct OnnxForm<'a> {
    /// Begins the names of all that is added, where several networks share a graph.
    prefix: String,
    /// The network's tensors in its plan's order.
    state: &'a [NamedTensor],
    /// The layer that is being added.
    current: Option<&'a PlannedLayer>,
    pub nodes: Vec<OnnxNode>,
    pub constants: Vec<NamedTensor>,
}

impl<'a> OnnxForm<'a> {
    /// An empty graph for a network with the tensors `state`, in its plan's order.
    pub fn new(prefix: &str, state: &'a [NamedTensor]) -> Self {
        Self {
            prefix: prefix.to_string(),
            state,
            current: None,
            nodes: Vec::new(),
            constants: Vec::new(),
        }
    }

    /// Adds the network; `images` names normalised images `[batch, 1, 28, 28]`. Returns the name of
    /// the logits.
    pub fn logits(&mut self, plan: &'a Plan, images: String) -> String {
        self.run(&plan.layers, images)
    }

    /// Adds layers one after the other.
    fn run(&mut self, layers: &'a [PlannedLayer], input: String) -> String {
        layers.iter().fold(input, |x, planned| {
            let outer = self.current.replace(planned);
            let output = planned.spec.as_layer().on_onnx(self, x);
            self.current = outer;
            output
        })
    }

    /// Adds one of the lists of layers inside the current one.
    pub fn run_inner(&mut self, list: usize, input: String) -> String {
        let inner = self.current.map_or(&[][..], |layer| &layer.inner[list]);
        self.run(inner, input)
    }

    /// The layer that is being added.
    pub fn layer(&self) -> &'a PlannedLayer {
        self.current.expect("only layers that are added ask")
    }

    /// The name of the current layer's tensor at this place among its parameters, in its own shape
    /// or in `shape`.
    pub fn parameter(&mut self, place: usize, shape: Option<Vec<usize>>) -> String {
        let tensor = &self.state[self.layer().first_parameter + place];
        let name = format!("{}{}", self.prefix, tensor.name);
        self.constants.push(NamedTensor {
            name: name.clone(),
            shape: shape.unwrap_or_else(|| tensor.shape.clone()),
            values: tensor.values.clone(),
        });
        name
    }

    /// A number; returns its name.
    pub fn number(&mut self, what: &str, value: f32) -> String {
        let name = self.unused(what);
        self.constants.push(NamedTensor {
            name: name.clone(),
            shape: Vec::new(),
            values: vec![value],
        });
        name
    }

    /// Adds an operation; returns the name of its output.
    pub fn node(
        &mut self,
        operator: &'static str,
        inputs: impl IntoIterator<Item = String>,
        attributes: Vec<(&'static str, OnnxAttribute)>,
    ) -> String {
        let output = self.unused(operator);
        self.named_node(operator, inputs, attributes, &output);
        output
    }

    /// Adds an operation with an output of this name.
    pub fn named_node(
        &mut self,
        operator: &'static str,
        inputs: impl IntoIterator<Item = String>,
        attributes: Vec<(&'static str, OnnxAttribute)>,
        output: &str,
    ) {
        self.nodes.push(OnnxNode {
            operator,
            inputs: inputs.into_iter().collect(),
            output: output.to_string(),
            attributes,
        });
    }

    /// A name that nothing in the graph has: that of the current layer and `what`, with a number if
    /// need be.
    fn unused(&self, what: &str) -> String {
        let layer = self.current.map_or("", |layer| &layer.name);
        let dot = if layer.is_empty() { "" } else { "." };
        let name = format!("{}{layer}{dot}{what}", self.prefix);
        let taken = |name: &str| {
            self.nodes.iter().any(|node| node.output == name)
                || self.constants.iter().any(|tensor| tensor.name == name)
        };
        let numbered = (2..).map(|number| format!("{name}_{number}"));
        let mut names = std::iter::once(name.clone()).chain(numbered);
        names
            .find(|name| !taken(name))
            .expect("there are more numbers than names")
    }
}
