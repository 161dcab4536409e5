//! A network as our kernels run it: layers grouped into what one pass over memory can do.
//!
//! A group is a source (a convolution, a linear layer, the sum of two values, or just its input),
//! then BatchNorm, pooling and functions of each value, any of which may be missing. Groups read and
//! write *values*, the activations of a block of images; a residual block's input is a value that two
//! groups read. Layers add themselves through [`KernelForm`], which decides what joins which group.

use thiserror::Error;

use super::layers::Function;
use super::plan::{Plan, PlannedLayer};
use super::shape::Shape;
use crate::kernels::{Pointwise, Pool, PoolKind};

/// Why the kernels can't run a layer: completes "layer 3, max_pool: ...".
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Unsupported(pub String);

/// A layer that our kernels can't run.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
#[error("layer {number}, {kind}: {problem}")]
pub struct UnsupportedLayer {
    /// The layer's number in the recipe, with those of the layers around it: `3` or `3.layers.1`.
    pub number: String,
    pub kind: &'static str,
    pub problem: String,
}

/// Everything the kernels run for one batch, in order.
#[derive(Debug, Clone, PartialEq)]
pub struct KernelGraph {
    pub groups: Vec<Group>,
    /// The shape of each value for one image. The first one is the image, and the last group writes
    /// the logits.
    pub values: Vec<Shape>,
}

/// What one pass over memory does. Numbers of parameters count the plan's.
#[derive(Debug, Clone, PartialEq)]
pub struct Group {
    pub source: GroupSource,
    pub norm: Option<NormForm>,
    pub pool: Option<Pool>,
    pub chain: Vec<Function>,
    /// The parameter with the weights of the chain's first function, where that learns.
    pub chain_weight: Option<usize>,
    /// The values it reads and writes.
    pub input: usize,
    pub output: usize,
    /// The shape behind its source.
    pub middle: Shape,
    /// Whether its output is read as a vector although its source gives feature maps.
    is_flattened: bool,
}

/// What a group begins with.
#[derive(Debug, Clone, PartialEq)]
pub enum GroupSource {
    Conv(ConvSource),
    Linear(LinearSource),
    /// The group's input and a second value, added.
    Sum {
        other: usize,
    },
    /// The group's input as it is.
    Input,
}

#[derive(Debug, Clone, PartialEq)]
pub struct ConvSource {
    pub weight: usize,
    pub bias: Option<usize>,
    pub kernel_size: usize,
    pub stride: usize,
    /// Zeros before and after each row and column.
    pub pads: (usize, usize),
    pub groups: usize,
}

#[derive(Debug, Clone, PartialEq)]
pub struct LinearSource {
    pub weight: usize,
    pub bias: Option<usize>,
}

#[derive(Debug, Clone, PartialEq)]
pub struct NormForm {
    pub weight: usize,
    pub bias: usize,
    /// The running statistics.
    pub mean: usize,
    pub variance: usize,
    pub eps: f64,
    pub momentum: f64,
}

impl Group {
    /// Whether there is nothing behind its source yet.
    fn is_bare(&self) -> bool {
        self.norm.is_none() && self.pool.is_none() && self.chain.is_empty() && !self.is_flattened
    }

    /// Whether pooling can be done by this group, although it comes before the chain there.
    fn can_pool(&self, pool: &Pool) -> bool {
        let commutes = match pool.kind {
            // Of values that never change their order the largest is the same before and after, so
            // pooling may go first, which leaves fewer of them to compute.
            PoolKind::Max => self.chain.iter().all(|function| function.is_monotone()),
            PoolKind::Average => self.chain.is_empty(),
        };
        self.pool.is_none() && !self.is_flattened && commutes
    }
}

/// Where layers add themselves, one after the other.
#[derive(Debug)]
pub struct KernelForm<'a> {
    graph: KernelGraph,
    /// The value that the next layer reads.
    head: usize,
    /// Whether the last group writes that value and nothing else reads it, so that layers may join
    /// the group.
    is_open: bool,
    /// Whether anything else reads that value.
    is_shared: bool,
    /// The layer that is being added.
    current: Option<&'a PlannedLayer>,
}

impl KernelGraph {
    /// The groups of a plan.
    ///
    /// # Errors
    /// When there is a layer that the kernels can't run.
    pub fn new(plan: &Plan) -> Result<Self, UnsupportedLayer> {
        let image = plan.layers.first().map(|layer| layer.input);
        let mut form = KernelForm {
            graph: KernelGraph {
                groups: Vec::new(),
                values: image.into_iter().collect(),
            },
            head: 0,
            is_open: false,
            is_shared: false,
            current: None,
        };
        form.run(&plan.layers)
            .map_err(|(layer, problem)| UnsupportedLayer {
                number: layer.number(),
                kind: layer.spec.kind(),
                problem: problem.0,
            })?;
        if form.graph.groups.is_empty() {
            // Nothing but layers that the logits go through as they are.
            let shape = form.shape();
            form.begin(GroupSource::Input, shape);
        }
        Ok(form.graph)
    }
}

/// What went wrong, and with which layer.
type Failed<'a> = (&'a PlannedLayer, Unsupported);

impl<'a> KernelForm<'a> {
    fn run(&mut self, layers: &'a [PlannedLayer]) -> Result<(), Failed<'a>> {
        for planned in layers {
            let outer = self.current.replace(planned);
            planned
                .spec
                .as_layer()
                .on_kernels(self)
                .map_err(|problem| (planned, problem))?;
            self.current = outer;
        }
        Ok(())
    }

    /// The plan's number of the current layer's parameter at this place.
    pub fn parameter(&self, place: usize) -> usize {
        self.current
            .map_or(place, |layer| layer.first_parameter + place)
    }

    /// The place of the current layer among all layers of the network.
    pub fn layer_number(&self) -> usize {
        self.current.map_or(0, |layer| layer.place)
    }

    /// The shape of the value that the current layer reads.
    pub fn shape(&self) -> Shape {
        self.graph.values[self.head]
    }

    fn output_of_current(&self) -> Shape {
        self.current.map_or(self.shape(), |layer| layer.output)
    }

    fn last(&mut self) -> Option<&mut Group> {
        if self.is_open {
            self.graph.groups.last_mut()
        } else {
            None
        }
    }

    /// Begins a group that reads the head and writes a new value of this shape.
    fn begin(&mut self, source: GroupSource, middle: Shape) -> &mut Group {
        let output = self.graph.values.len();
        self.graph.values.push(middle);
        self.graph.groups.push(Group {
            source,
            norm: None,
            pool: None,
            chain: Vec::new(),
            chain_weight: None,
            input: self.head,
            output,
            middle,
            is_flattened: false,
        });
        self.head = output;
        self.is_open = true;
        self.is_shared = false;
        let place = self.graph.groups.len() - 1;
        &mut self.graph.groups[place]
    }

    /// The last group, if it `can` take the current layer, or else a new one that begins with the
    /// head.
    fn group(&mut self, can: impl Fn(&Group) -> bool) -> &mut Group {
        let shape = self.shape();
        if !self.last().is_some_and(|group| can(group)) {
            self.begin(GroupSource::Input, shape);
        }
        let place = self.graph.groups.len() - 1;
        &mut self.graph.groups[place]
    }

    pub fn conv(&mut self, conv: ConvSource) {
        let output = self.output_of_current();
        self.begin(GroupSource::Conv(conv), output);
    }

    pub fn linear(&mut self, linear: LinearSource) {
        let output = self.output_of_current();
        self.begin(GroupSource::Linear(linear), output);
    }

    pub fn norm(&mut self, norm: NormForm) {
        self.group(Group::is_bare).norm = Some(norm);
    }

    pub fn pool(&mut self, pool: Pool) {
        let output = self.output_of_current();
        self.group(|group| group.can_pool(&pool)).pool = Some(pool);
        self.graph.values[self.head] = output;
    }

    /// A function that learns nothing.
    pub fn pointwise(&mut self, function: Function) {
        self.group(|_| true).chain.push(function);
    }

    /// A function with learned weights, which is always the first of its group.
    pub fn learned_pointwise(&mut self, function: Function, weight: usize) {
        let group = self.group(|group| group.chain.is_empty() && !group.is_flattened);
        group.chain.push(function);
        group.chain_weight = Some(weight);
    }

    pub fn flatten(&mut self) {
        let shape = self.shape();
        let flat = Shape::Features(shape.elements());
        if shape == flat {
            return;
        }
        // Another reader may want the value with a border around its maps, which a vector has not.
        if self.is_shared {
            self.begin(GroupSource::Input, shape);
        }
        if let Some(group) = self.last() {
            group.is_flattened = true;
        }
        self.graph.values[self.head] = flat;
    }

    /// The sum of what two lists of layers inside the current one make of the head.
    ///
    /// # Errors
    /// When one of them can't be run.
    pub fn sum_of_branches(&mut self, first: usize, second: usize) -> Result<(), Unsupported> {
        let Some(layer) = self.current else {
            return Ok(());
        };
        let input = self.head;
        let first = self.branch(input, &layer.inner[first])?;
        let second = self.branch(input, &layer.inner[second])?;
        self.head = first;
        self.is_open = false;
        self.begin(GroupSource::Sum { other: second }, layer.output);
        Ok(())
    }

    /// Runs layers from a value that others read too; returns the value they end with.
    fn branch(&mut self, input: usize, layers: &'a [PlannedLayer]) -> Result<usize, Unsupported> {
        self.head = input;
        self.is_open = false;
        self.is_shared = true;
        // The layers' own numbers are part of the sentence, as those of nested ones would be.
        self.run(layers).map_err(|(layer, problem)| {
            Unsupported(format!(
                "{}, {}: {}",
                layer.number(),
                layer.spec.kind(),
                problem.0
            ))
        })?;
        Ok(self.head)
    }
}
