//! The memory in which a few blocks of images pass through the network.

use crate::kernels::{BlockLoss, Buffer, GradientSums, Isa};

use super::layout::Value;
use super::stage::{Source, Stage};

/// A few blocks of images, which one thread works on.
#[derive(Debug)]
pub struct Workspace {
    /// Blocks in use, and how many there is room for.
    pub blocks: usize,
    pub capacity: usize,
    /// Images in each block.
    pub images: Vec<usize>,
    /// The place in the batch of the first image.
    pub first_image: usize,
    /// The activations between stages, `[value][block][..]`. The last one is the logits,
    /// `[block][class][lane]`.
    pub values: Vec<Buffer>,
    /// Their gradients, without borders.
    pub gradients: Vec<Buffer>,
    pub stages: Vec<StageMemory>,
    pub loss: Vec<BlockLoss>,
    /// For whatever is needed only within one kernel's call.
    pub scratch: Buffer,
}

/// What a stage keeps, `[block][..]`.
#[derive(Debug, Default)]
pub struct StageMemory {
    pub z: Buffer,
    /// With pooling: the values that stand for their windows, and where the largest ones were.
    pub pooled: Buffer,
    pub argmax: Vec<u8>,
    /// Each channel's sums, forward and backward.
    pub statistics: Vec<[f32; 2]>,
    pub sums: Vec<GradientSums>,
    /// The gradient of `z`: of all blocks for a linear layer with BatchNorm, else of one.
    pub dz: Buffer,
    /// A linear layer's `dz` by image: `[block][lane][out]`, rows padded.
    pub dz_rows: Buffer,
    /// A conv's gradients, of each block by itself.
    pub dw: Buffer,
}

impl Workspace {
    /// Memory to train in.
    pub fn for_training(stages: &[Stage], values: &[Value], blocks: usize, isa: Isa) -> Self {
        let mut workspace = Self::empty(stages, blocks);
        let buffers = values.iter().map(|value| Buffer::zeros(blocks * value.len));
        workspace.values = buffers.collect();
        // The image has none.
        workspace.gradients = values.iter().map(|_| Buffer::default()).collect();
        for (stage, own) in stages.iter().zip(&mut workspace.stages) {
            workspace.gradients[stage.output] = Buffer::zeros(blocks * stage.out_len);
            *own = StageMemory::for_training(stage, blocks, isa);
        }
        let scratch = stages.iter().map(|stage| match &stage.source {
            Source::Conv(conv) => conv.training_scratch(&stage.train, isa),
            _ => 0,
        });
        workspace.scratch = Buffer::zeros(scratch.max().unwrap_or(0));
        workspace
    }

    /// Memory to predict in: the blocks go through the convs one after the other, in the same
    /// memory, and through what comes from the first linear layer on together.
    pub fn for_evaluation(stages: &[Stage], values: &[Value], blocks: usize, isa: Isa) -> Self {
        let mut workspace = Self::empty(stages, blocks);
        let alone = before_linear(stages);
        workspace.values = (0..values.len())
            .map(|number| {
                let late = |stage: &Stage| stage.reads().any(|value| value == number);
                let is_last = number + 1 == values.len();
                let together = is_last || stages[alone..].iter().any(late);
                Buffer::zeros(if together { blocks } else { 1 } * values[number].len)
            })
            .collect();
        for (index, (stage, own)) in stages.iter().zip(&mut workspace.stages).enumerate() {
            own.z = match stage.source {
                Source::Linear(_) => Buffer::zeros(blocks * stage.z_len),
                Source::Sum { .. } if index >= alone => Buffer::zeros(blocks * stage.z_len),
                Source::Sum { .. } => Buffer::zeros(stage.z_len),
                Source::Conv(_) | Source::Input => Buffer::default(),
            };
        }
        let scratch = stages.iter().map(|stage| match &stage.source {
            Source::Conv(conv) => conv.scratch(&stage.train, isa),
            _ => 0,
        });
        workspace.scratch = Buffer::zeros(scratch.max().unwrap_or(0));
        workspace
    }

    /// Takes as many of a batch's images as there is room for, from `first` on; returns the first
    /// one left over.
    pub fn take(&mut self, first: usize, images: usize, lanes: usize) -> usize {
        self.first_image = first;
        let count = (images - first).min(self.capacity * lanes);
        self.blocks = count.div_ceil(lanes);
        for (block, images) in self.images[..self.blocks].iter_mut().enumerate() {
            *images = (count - block * lanes).min(lanes);
        }
        first + count
    }

    fn empty(stages: &[Stage], blocks: usize) -> Self {
        Self {
            blocks: 0,
            capacity: blocks,
            images: vec![0; blocks],
            first_image: 0,
            values: Vec::new(),
            gradients: Vec::new(),
            stages: stages.iter().map(|_| StageMemory::default()).collect(),
            loss: vec![BlockLoss::default(); blocks],
            scratch: Buffer::default(),
        }
    }
}

impl StageMemory {
    fn for_training(stage: &Stage, blocks: usize, isa: Isa) -> Self {
        let channels = stage.train.channels;
        let mut own = Self {
            sums: vec![GradientSums::default(); blocks * channels],
            ..Self::default()
        };
        if stage.keeps_z() {
            own.z = Buffer::zeros(blocks * stage.z_len);
        }
        if stage.train.pool.is_some() {
            own.pooled = Buffer::zeros(blocks * stage.out_len);
            own.argmax = vec![0; blocks * stage.out_len];
        }
        if stage.norm.is_some() {
            own.statistics = vec![[0.0; 2]; blocks * channels];
        }
        match &stage.source {
            Source::Conv(conv) => {
                own.dz = Buffer::zeros(conv.dz_len);
                own.dw = Buffer::zeros(blocks * conv.gradients_len());
            }
            Source::Linear(linear) => {
                own.dz_rows = Buffer::zeros(blocks * isa.lanes() * linear.out_step);
                if stage.needs_dz() {
                    own.dz = Buffer::zeros(blocks * stage.z_len);
                }
            }
            Source::Sum { .. } | Source::Input => own.dz = Buffer::zeros(stage.z_len),
        }
        own
    }
}

/// How many stages come before the first linear layer, so that blocks can pass them one by one.
pub fn before_linear(stages: &[Stage]) -> usize {
    let linear = |stage: &Stage| matches!(stage.source, Source::Linear(_));
    stages.iter().position(linear).unwrap_or(stages.len())
}
