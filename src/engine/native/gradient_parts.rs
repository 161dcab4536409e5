//! The gradients of all parameters, in parts that threads add up from the blocks by themselves.

use super::PIECE;
use super::layout::Weight;
use super::parameters::Parameters;
use super::stage::{MAX_BLOCKS, Source, Stage};
use super::workspace::Workspace;
use crate::kernels::{Block, Isa, outer};

/// A part of the gradients' vector that one thread computes. Sums are taken block by block in the
/// batch's order, so that threads change no bit.
#[derive(Debug)]
pub struct GradientPart {
    len: usize,
    stage: usize,
    what: What,
}

#[derive(Debug, Clone, Copy)]
enum What {
    /// Rows of a linear layer's weights, from this input on.
    LinearRows {
        first: usize,
    },
    LinearBias,
    /// A conv's weights, or its biases, which follow `skip` values of weights.
    Conv {
        skip: usize,
    },
    /// The learned weights of a function.
    Chain,
    /// BatchNorm's, which are known already.
    Known,
}

/// Divides the gradients' vector, in order and without gaps.
pub fn parts(stages: &[Stage], parameters: &Parameters) -> Vec<GradientPart> {
    let mut parts = Vec::new();
    for number in parameters.trained() {
        let is = |weight: &Weight| weight.number == number;
        let is_some = |weight: &Option<Weight>| weight.as_ref().is_some_and(is);
        for (stage, own) in stages.iter().enumerate() {
            let mut push = |len, what| parts.push(GradientPart { len, stage, what });
            let len = parameters.range(number).len();
            match &own.source {
                Source::Conv(conv) if is(&conv.weight) => push(len, What::Conv { skip: 0 }),
                Source::Conv(conv) if is_some(&conv.bias) => {
                    let skip = conv.weights_len();
                    push(len, What::Conv { skip });
                }
                Source::Linear(linear) if is(&linear.weight) => {
                    let rows = (PIECE / linear.out_step).max(1);
                    for first in (0..linear.ins).step_by(rows) {
                        let len = rows.min(linear.ins - first) * linear.out_step;
                        push(len, What::LinearRows { first });
                    }
                }
                Source::Linear(linear) if is_some(&linear.bias) => push(len, What::LinearBias),
                _ if is_some(&own.chain_weight) => push(len, What::Chain),
                _ => match &own.norm {
                    Some(norm) if is(&norm.weight) || is(&norm.bias) => push(len, What::Known),
                    _ => {}
                },
            }
        }
    }
    parts
}

impl GradientPart {
    pub fn len(&self) -> usize {
        self.len
    }

    /// Overwrites `sums`, this part of the gradients, with what the blocks of a batch give together.
    pub fn sum(&self, isa: Isa, stages: &[Stage], workspaces: &[&Workspace], sums: &mut [f32]) {
        let stage = &stages[self.stage];
        match (self.what, &stage.source) {
            (What::LinearRows { first }, Source::Linear(linear)) => {
                let rows = isa.lanes() * linear.out_step;
                let x_len = linear.ins * isa.lanes();
                let mut blocks = Vec::with_capacity(workspaces.len() * MAX_BLOCKS);
                for workspace in workspaces {
                    let x = workspace.values[stage.input].chunks_exact(x_len);
                    let dy = workspace.stages[self.stage].dz_rows.chunks_exact(rows);
                    let pairs = x.zip(dy).zip(&workspace.images).take(workspace.blocks);
                    blocks.extend(pairs.map(|((x, dy), &images)| Block { x, dy, images }));
                }
                outer(isa, &blocks, first, linear.out_step, sums);
            }
            (What::LinearBias, _) => {
                sums.fill(0.0);
                for workspace in workspaces {
                    let rows = workspace.stages[self.stage]
                        .dz_rows
                        .chunks_exact(sums.len());
                    let lanes = isa.lanes();
                    for (lane, row) in rows.take(workspace.blocks * lanes).enumerate() {
                        if lane % lanes < workspace.images[lane / lanes] {
                            add(sums, row);
                        }
                    }
                }
            }
            (What::Conv { skip }, Source::Conv(conv)) => {
                sums.fill(0.0);
                let end = if skip == 0 {
                    conv.weights_len()
                } else {
                    conv.gradients_len()
                };
                for workspace in workspaces {
                    let dw = &workspace.stages[self.stage].dw;
                    for dw in dw.chunks_exact(conv.gradients_len()).take(workspace.blocks) {
                        add(sums, &dw[skip..end]);
                    }
                }
            }
            (What::Chain, _) => self.sum_chain(stage, workspaces, sums),
            // BatchNorm's are written where its sums meet.
            _ => {}
        }
    }

    /// The gradients of a function's weights: of one for each channel, or of one for all.
    fn sum_chain(&self, stage: &Stage, workspaces: &[&Workspace], sums: &mut [f32]) {
        sums.fill(0.0);
        let channels = stage.train.channels;
        let weights = stage.chain_weight.as_ref().map_or(1, |w| w.range.len());
        for workspace in workspaces {
            let blocks = workspace.stages[self.stage].sums.chunks_exact(channels);
            for block in blocks.take(workspace.blocks) {
                for (channel, sum) in block.iter().enumerate() {
                    sums[if weights == 1 { 0 } else { channel }] += sum.weight;
                }
            }
        }
    }
}

fn add(sums: &mut [f32], values: &[f32]) {
    for (sum, value) in sums.iter_mut().zip(values) {
        *sum += value;
    }
}
