//! The memory in which a few blocks of images pass through the network.

use crate::kernels::{BlockLoss, Buffer, Isa};

use super::stage::{Source, Stage};

/// A few blocks of images, which one thread works on.
#[derive(Debug)]
pub(super) struct Space {
    /// Blocks in use, and how many there is room for.
    pub blocks: usize,
    pub capacity: usize,
    /// Images in each block.
    pub images: Vec<usize>,
    /// The place in the batch of the first image.
    pub first_image: usize,
    pub stages: Vec<StageSpace>,
    /// `[block][class][lane]`.
    pub logits: Buffer,
    pub loss: Vec<BlockLoss>,
    /// For whatever is needed only within one kernel's call.
    pub scratch: Buffer,
}

/// What a stage keeps, `[block][..]`.
#[derive(Debug, Default)]
pub(super) struct StageSpace {
    pub x: Buffer,
    pub z: Buffer,
    /// With pooling: the values that won, and where they were.
    pub won: Buffer,
    pub place: Vec<u8>,
    /// Each channel's sums, forward and backward.
    pub moments: Vec<[f32; 2]>,
    pub sums: Vec<[f32; 2]>,
    /// The gradient of the output.
    pub dy: Buffer,
    /// The gradient of `z`: of one block for a conv, of all for a linear layer with BatchNorm.
    pub dz: Buffer,
    /// A linear layer's `dz` by image: `[block][lane][out]`, rows padded.
    pub dz_rows: Buffer,
    /// A conv's gradients, of each block by itself.
    pub dw: Buffer,
}

impl Space {
    /// Space to train in.
    pub fn for_training(stages: &[Stage], blocks: usize, isa: Isa) -> Self {
        let n = isa.lanes();
        let mut space = Self::empty(stages, blocks);
        for (stage, own) in stages.iter().zip(&mut space.stages) {
            own.x = Buffer::zeros(blocks * stage.x_len);
            own.dy = Buffer::zeros(blocks * stage.out_len);
            let channels = stage.train.channels;
            own.sums = vec![[0.0; 2]; blocks * channels];
            if stage.keeps_z() {
                own.z = Buffer::zeros(blocks * stage.z_len);
            }
            if stage.train.pool.is_some() {
                own.won = Buffer::zeros(blocks * stage.out_len);
                own.place = vec![0; blocks * stage.out_len];
            }
            if stage.norm.is_some() {
                own.moments = vec![[0.0; 2]; blocks * channels];
            }
            match &stage.source {
                Source::Conv(conv) => {
                    own.dz = Buffer::zeros(conv.dz_len);
                    own.dw = Buffer::zeros(blocks * conv.gradients_len());
                }
                Source::Linear(linear) => {
                    own.dz_rows = Buffer::zeros(blocks * n * linear.out_step);
                    if stage.norm.is_some() {
                        own.dz = Buffer::zeros(blocks * stage.z_len);
                    }
                }
                Source::Input => {}
            }
        }
        let scratch = stages.iter().map(|stage| match &stage.source {
            Source::Conv(conv) => conv.correlate.scratch(isa).max(conv.band_len(stage)),
            _ => 0,
        });
        space.scratch = Buffer::zeros(scratch.max().unwrap_or(0));
        space
    }

    /// Space to predict in: the blocks go through the convs one after the other, in the same
    /// memory, and through the linear layers together.
    pub fn for_evaluation(stages: &[Stage], blocks: usize) -> Self {
        let mut space = Self::empty(stages, blocks);
        for (index, (stage, own)) in stages.iter().zip(&mut space.stages).enumerate() {
            let held = match is_before_linear(stages, index) {
                true => 1,
                false => blocks,
            };
            own.x = Buffer::zeros(held * stage.x_len);
            if matches!(stage.source, Source::Linear(_)) {
                own.z = Buffer::zeros(blocks * stage.z_len);
            }
        }
        let scratch = stages.iter().map(|stage| match &stage.source {
            Source::Conv(conv) => conv.band_len(stage),
            _ => 0,
        });
        space.scratch = Buffer::zeros(scratch.max().unwrap_or(0));
        space
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
        let logits = stages.last().map_or(0, |stage| stage.out_len);
        Self {
            blocks: 0,
            capacity: blocks,
            images: vec![0; blocks],
            first_image: 0,
            stages: stages.iter().map(|_| StageSpace::default()).collect(),
            logits: Buffer::zeros(blocks * logits),
            loss: vec![BlockLoss::default(); blocks],
            scratch: Buffer::default(),
        }
    }
}

/// Whether a stage comes before the first linear layer, so that blocks can pass it one by one.
pub(super) fn is_before_linear(stages: &[Stage], index: usize) -> bool {
    let mut until = stages[..=index].iter();
    until.all(|stage| !matches!(stage.source, Source::Linear(_)))
}
