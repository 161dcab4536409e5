//! Groups a plan's layers into stages that the kernels run in one go.

use crate::kernels::Pointwise;
use crate::network::{Plan, Shape, plan};
use crate::recipe::LayerSpec;

/// Layers that run together: `source`, BatchNorm, max-pooling and then functions of each value,
/// any of which may be missing.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Group {
    pub source: GroupSource,
    pub norm: Option<GroupNorm>,
    /// Kernel size and stride.
    pub pool: Option<(usize, usize)>,
    pub chain: Vec<Pointwise>,
    /// The shape of one image's values before the group and behind its source.
    pub input: Shape,
    pub middle: Shape,
    /// Behind a `flatten`: its feature maps have become features.
    flat: bool,
}

#[derive(Debug, Clone, PartialEq)]
pub(super) enum GroupSource {
    Conv {
        /// The layer's number in the recipe, from 0.
        layer: usize,
        kernel_size: usize,
        stride: usize,
        pads: (usize, usize),
        bias: bool,
    },
    Linear {
        layer: usize,
        bias: bool,
    },
    /// The group's input.
    Input,
}

#[derive(Debug, Clone, PartialEq)]
pub(super) struct GroupNorm {
    pub layer: usize,
    pub eps: f64,
    pub momentum: f64,
}

impl Group {
    fn new(source: GroupSource, input: Shape, middle: Shape) -> Self {
        Self {
            source,
            norm: None,
            pool: None,
            chain: Vec::new(),
            input,
            middle,
            flat: false,
        }
    }

    /// Whether the group has nothing behind its source yet.
    fn is_bare(&self) -> bool {
        self.norm.is_none() && self.pool.is_none() && self.chain.is_empty() && !self.flat
    }

    /// Whether anything in it learns.
    pub fn has_parameters(&self) -> bool {
        self.source != GroupSource::Input || self.norm.is_some()
    }
}

/// The groups of a plan, in order.
pub(super) fn groups(plan: &Plan) -> Vec<Group> {
    let mut groups: Vec<Group> = Vec::new();
    for (layer, planned) in plan.layers.iter().enumerate() {
        let (input, output) = (planned.input, planned.output);
        let start = |groups: &mut Vec<Group>, source| {
            groups.push(Group::new(source, input, output));
        };
        match &planned.spec {
            LayerSpec::Conv {
                kernel_size,
                stride,
                padding,
                bias,
                ..
            } => {
                let pads = plan::pads(*padding, *kernel_size, *stride)
                    .expect("a Plan has checked the padding");
                let source = GroupSource::Conv {
                    layer,
                    kernel_size: *kernel_size,
                    stride: *stride,
                    pads,
                    bias: *bias,
                };
                start(&mut groups, source);
                continue;
            }
            LayerSpec::Linear { bias, .. } => {
                start(&mut groups, GroupSource::Linear { layer, bias: *bias });
                continue;
            }
            // The loss and the probabilities are taken from the logits.
            LayerSpec::Softmax => continue,
            _ => {}
        }
        // What joins the group before it, unless that has something that comes later already.
        let joins = match groups.last() {
            None => false,
            Some(group) => match &planned.spec {
                LayerSpec::BatchNorm { .. } => group.is_bare(),
                // Of values that never change their order the largest is the same before and
                // after, so pooling may go first, which leaves fewer of them to compute.
                LayerSpec::MaxPool { .. } => {
                    let mut chain = group.chain.iter();
                    group.pool.is_none() && !group.flat && chain.all(|f| f.is_monotone())
                }
                _ => true,
            },
        };
        if !joins && planned.spec != LayerSpec::Flatten {
            groups.push(Group::new(GroupSource::Input, input, input));
        }
        let Some(group) = groups.last_mut() else {
            continue;
        };
        match &planned.spec {
            LayerSpec::BatchNorm { eps, momentum } => {
                group.norm = Some(GroupNorm {
                    layer,
                    eps: *eps,
                    momentum: *momentum,
                });
            }
            LayerSpec::MaxPool {
                kernel_size,
                stride,
            } => group.pool = Some((*kernel_size, *stride)),
            LayerSpec::Flatten => group.flat = true,
            other => group.chain.extend(pointwise(other, layer)),
        }
    }
    groups
}

fn pointwise(spec: &LayerSpec, layer: usize) -> Option<Pointwise> {
    Some(match *spec {
        LayerSpec::Relu => Pointwise::Relu,
        LayerSpec::LeakyRelu { negative_slope } => Pointwise::LeakyRelu {
            negative_slope: negative_slope as f32,
        },
        LayerSpec::Elu { alpha } => Pointwise::Elu {
            alpha: alpha as f32,
        },
        LayerSpec::Gelu => Pointwise::Gelu,
        LayerSpec::Tanh => Pointwise::Tanh,
        LayerSpec::Sigmoid => Pointwise::Sigmoid,
        LayerSpec::Dropout { p } => Pointwise::Dropout {
            p: p as f32,
            salt: (layer as u32).wrapping_mul(0x85eb_ca6b),
        },
        _ => return None,
    })
}
