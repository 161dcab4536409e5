//! The backward pass of a stage: from the gradient of its output to that of its input, and what
//! the gradients of its weights are made of.

use crate::kernels::{Layout, Start, by_image, correlate, finish_backward, product, spread};

use super::forward::{Pass, block_of, source_of};
use super::parameters::conv_step;
use super::space::Space;
use super::stage::{Conv, Linear, Source, Stage};

/// Back through the functions of each value and the pooling, as far as BatchNorm.
pub(super) fn to_norm(pass: &Pass<'_>, space: &mut Space, index: usize, block: usize) {
    let stage = &pass.stages[index];
    let draw = pass.draw(space, block);
    let own = &mut space.stages[index];
    let z = match stage.train.pool {
        Some(_) => block_of(&own.won, stage.out_len, block),
        None => source_of(stage, &own.x, &own.z, block),
    };
    let channels = stage.train.channels;
    finish_backward(
        pass.isa,
        &stage.train,
        z,
        pass.affine(index),
        &mut own.dy[block * stage.out_len..][..stage.out_len],
        &mut own.sums[block * channels..][..channels],
        draw,
    );
}

/// Back through BatchNorm and the source, for all but linear layers, which go through [`linear`].
pub(super) fn to_input(
    pass: &Pass<'_>,
    flipped: &[Vec<f32>],
    space: &mut Space,
    index: usize,
    block: usize,
) {
    let stage = &pass.stages[index];
    let images = space.images[block];
    let (before, from) = space.stages.split_at_mut(index);
    let own = &mut from[0];
    let dx = before.last_mut().map(|before| {
        let len = pass.stages[index - 1].out_len;
        &mut before.dy[block * len..][..len]
    });
    let dx = dx.filter(|_| stage.passes_gradient);
    let z = source_of(stage, &own.x, &own.z, block);
    let z = stage.norm.is_some().then_some(z);
    let dn = block_of(&own.dy, stage.out_len, block);
    match (&stage.source, dx) {
        (Source::Conv(conv), dx) => {
            to_z(
                pass,
                index,
                (dn, &own.place, z),
                block,
                images,
                &mut own.dz,
                conv.dz,
            );
            let dw = &mut own.dw[block * conv.gradients_len()..][..conv.gradients_len()];
            let (dw, dbias) = dw.split_at_mut(conv.weights_len());
            correlate(
                pass.isa,
                &conv.correlate,
                block_of(&own.x, stage.x_len, block),
                &own.dz[conv.dz.offset..],
                dw,
                conv_step(conv.outs),
                &mut space.scratch,
            );
            // BatchNorm takes the mean away again, and the bias with it.
            let channels = stage.train.channels;
            let sums = &own.sums[block * channels..][..channels];
            for (dbias, sum) in dbias.iter_mut().zip(sums) {
                *dbias = if stage.norm.is_some() { 0.0 } else { sum[0] };
            }
            if let Some(dx) = dx {
                let rows = 0..dx.len() / conv.ins / conv.backward.row_out_step;
                product(
                    pass.isa,
                    &conv.backward,
                    &flipped[index],
                    Start::Zero,
                    &own.dz[conv.dz_start..],
                    rows,
                    dx,
                );
            }
        }
        (Source::Input, Some(dx)) => {
            to_z(
                pass,
                index,
                (dn, &own.place, z),
                block,
                images,
                dx,
                stage.train.z,
            );
        }
        (Source::Input, None) | (Source::Linear(_), _) => {}
    }
}

/// Back to the gradient of `z`; `what` is the gradient behind BatchNorm, where each window's
/// winner was in all blocks, and with BatchNorm `z` itself.
fn to_z(
    pass: &Pass<'_>,
    index: usize,
    what: (&[f32], &[u8], Option<&[f32]>),
    block: usize,
    images: usize,
    dz: &mut [f32],
    layout: Layout,
) {
    let stage = &pass.stages[index];
    let (dn, place, z) = what;
    let place = match place.is_empty() {
        true => place,
        false => &place[block * stage.out_len..][..stage.out_len],
    };
    let norm = z.map(|z| (pass.norms[index].slopes.as_slice(), z));
    let sizes = &stage.train;
    spread(pass.isa, sizes, dn, place, norm, images, dz, layout);
}

/// Back through a linear layer for all blocks of the space together.
pub(super) fn linear(pass: &Pass<'_>, space: &mut Space, index: usize, linear: &Linear) {
    let stage = &pass.stages[index];
    let blocks = space.blocks;
    if stage.norm.is_some() {
        for block in 0..blocks {
            let images = space.images[block];
            let own = &mut space.stages[index];
            let dn = &own.dy[block * stage.out_len..][..stage.out_len];
            let z = Some(&own.z[block * stage.z_len..][..stage.z_len]);
            let dz = &mut own.dz[block * stage.z_len..][..stage.z_len];
            to_z(pass, index, (dn, &[], z), block, images, dz, stage.train.z);
        }
    }
    let (before, from) = space.stages.split_at_mut(index);
    let own = &mut from[0];
    let dz = match stage.norm {
        Some(_) => &own.dz,
        None => &own.dy,
    };
    let n = pass.isa.lanes();
    let pairs = dz
        .chunks_exact(stage.z_len)
        .zip(own.dz_rows.chunks_exact_mut(n * linear.out_step))
        .take(blocks);
    for (dz, rows) in pairs {
        by_image(pass.isa, dz, rows, linear.out_step);
    }
    if let (true, Some(before)) = (stage.passes_gradient, before.last_mut()) {
        let w = pass.parameter(linear.weight);
        let sizes = &linear.backward[blocks - 1];
        product(pass.isa, sizes, w, Start::Zero, dz, 0..1, &mut before.dy);
    }
}

impl Conv {
    pub fn taps(&self) -> usize {
        self.ins * self.kernel_size * self.kernel_size
    }

    /// Values of the weights, padding included.
    pub fn weights_len(&self) -> usize {
        self.taps() * conv_step(self.outs)
    }

    /// Values of a block's gradients: the weights' and the biases'.
    pub fn gradients_len(&self) -> usize {
        self.weights_len() + self.outs
    }

    /// Values of the weights as the input's gradient needs them.
    pub fn flipped_len(&self) -> usize {
        self.outs * self.kernel_size * self.kernel_size * conv_step(self.ins)
    }

    /// Output rows, behind the pooling, that are computed together.
    pub fn band(&self, stage: &Stage) -> usize {
        /// Bytes: a small part of a second-level cache.
        const BAND: usize = 160 << 10;
        let (window, _) = stage.train.window();
        let row = stage.train.channels * window * stage.train.z.row * 4;
        (BAND / row).clamp(1, stage.train.out_rows)
    }

    /// The rows of `z` that these need.
    pub fn band_rows(&self, stage: &Stage) -> usize {
        let (window, stride) = stage.train.window();
        (self.band(stage) - 1) * stride + window
    }

    pub fn band_len(&self, stage: &Stage) -> usize {
        stage.train.channels * self.band_rows(stage) * stage.train.z.row
    }
}
