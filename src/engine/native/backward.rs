//! The backward pass of a stage: from the gradient of its output to those of what it has read, and
//! what the gradients of its weights are made of.

use crate::kernels::{
    Buffer, Layout, Product, Start, accumulate, by_image, correlate, epilogue_backward,
    norm_backward, product, winograd, winograd_backward_weights,
};
use crate::network::conv_step;

use super::conv::Conv;
use super::forward::{Pass, block_of, z_of};
use super::layout::compact;
use super::stage::{Handing, Linear, Source};
use super::workspace::Workspace;

/// Back through the functions of each value, as far as pooling and BatchNorm.
pub fn to_norm(pass: &Pass<'_>, workspace: &mut Workspace, index: usize, block: usize) {
    let stage = &pass.stages[index];
    let inputs = pass.inputs(index, workspace.first_image, block);
    let own = &mut workspace.stages[index];
    let (z, layout) = if stage.train.pool.is_some() {
        let (rows, columns) = (stage.train.out_rows, stage.train.out_columns);
        let layout = compact(rows, columns, pass.isa.lanes());
        (block_of(&own.pooled, stage.out_len, block), layout)
    } else {
        let z = z_of(pass, stage, &workspace.values, &own.z, block);
        (z, stage.train.z)
    };
    let channels = stage.train.channels;
    epilogue_backward(
        pass.isa,
        &stage.train,
        z,
        layout,
        pass.affine(index),
        &mut workspace.gradients[stage.output][block * stage.out_len..][..stage.out_len],
        &mut own.sums[block * channels..][..channels],
        inputs,
    );
}

/// Back through pooling, BatchNorm and the source, for all but linear layers, which go through
/// [`linear`].
pub fn to_input(pass: &Pass<'_>, workspace: &mut Workspace, index: usize, block: usize) {
    let stage = &pass.stages[index];
    match &stage.source {
        Source::Conv(conv) => {
            let mut dz = std::mem::take(&mut workspace.stages[index].dz);
            to_z(pass, workspace, index, block, &mut dz, conv.dz);
            conv_weights(pass, workspace, index, block, conv, &dz);
            conv_input(pass, workspace, index, block, conv, &dz);
            workspace.stages[index].dz = dz;
        }
        Source::Sum { other, handing, .. } => {
            let targets = [(stage.input, stage.handing), (*other, *handing)];
            hand_on(pass, workspace, index, block, &targets);
        }
        Source::Input => {
            hand_on(
                pass,
                workspace,
                index,
                block,
                &[(stage.input, stage.handing)],
            );
        }
        Source::Linear(_) => {}
    }
}

/// The gradient of `z`, written as `layout` says.
fn to_z(
    pass: &Pass<'_>,
    workspace: &Workspace,
    index: usize,
    block: usize,
    dz: &mut [f32],
    layout: Layout,
) {
    let stage = &pass.stages[index];
    let own = &workspace.stages[index];
    let dn = &workspace.gradients[stage.output][block * stage.out_len..][..stage.out_len];
    let argmax = if own.argmax.is_empty() {
        &[][..]
    } else {
        &own.argmax[block * stage.out_len..][..stage.out_len]
    };
    let norm = stage.norm.is_some().then(|| {
        let z = z_of(pass, stage, &workspace.values, &own.z, block);
        (pass.norms[index].slopes.as_slice(), z)
    });
    let images = workspace.images[block];
    norm_backward(pass.isa, &stage.train, dn, argmax, norm, images, dz, layout);
}

/// Hands the gradient of `z` on, as it is, to each of the values.
fn hand_on(
    pass: &Pass<'_>,
    workspace: &mut Workspace,
    index: usize,
    block: usize,
    targets: &[(usize, Handing)],
) {
    let stage = &pass.stages[index];
    let mut dz = std::mem::take(&mut workspace.stages[index].dz);
    let lanes = pass.isa.lanes();
    let layout = compact(stage.train.rows, stage.train.columns, lanes);
    to_z(pass, workspace, index, block, &mut dz, layout);
    for &(value, handing) in targets {
        let len = dz.len();
        match handing {
            Handing::Nothing => {}
            Handing::Write => {
                gradient(workspace, value, block, len).copy_from_slice(&dz);
            }
            Handing::Add => accumulate(pass.isa, gradient(workspace, value, block, len), &dz),
        }
    }
    workspace.stages[index].dz = dz;
}

/// A value's gradient for a block.
fn gradient(workspace: &mut Workspace, value: usize, block: usize, len: usize) -> &mut [f32] {
    &mut workspace.gradients[value][block * len..][..len]
}

/// What the sums of a gradient that is handed on begin with.
fn handed(handing: Handing) -> Start<'static> {
    match handing {
        Handing::Add => Start::Out,
        Handing::Write | Handing::Nothing => Start::Zero,
    }
}

/// A block's gradients of a convolution's weights and biases.
fn conv_weights(
    pass: &Pass<'_>,
    workspace: &mut Workspace,
    index: usize,
    block: usize,
    conv: &Conv,
    dz: &Buffer,
) {
    let stage = &pass.stages[index];
    let x = block_of(
        &workspace.values[stage.input],
        pass.values[stage.input].len,
        block,
    );
    let own = &mut workspace.stages[index];
    let dw = &mut own.dw[block * conv.gradients_len()..][..conv.gradients_len()];
    let (dw, dbias) = dw.split_at_mut(conv.weights_len());
    for group in 0..conv.groups {
        let x = &x[conv.x_start + group * conv.x_group..];
        let dz = &dz[conv.dz.offset + group * conv.dz_group..];
        let dw = &mut dw[group * conv.w_group..][..conv.w_group];
        let (step, scratch) = (conv_step(conv.outs), &mut workspace.scratch);
        match &conv.winograd {
            Some(by_tiles) => {
                let sizes = &by_tiles.weights;
                winograd_backward_weights(pass.isa, sizes, x, dz, dw, step, scratch);
            }
            None => correlate(pass.isa, &conv.correlate, x, dz, dw, step, scratch),
        }
    }
    // BatchNorm takes the mean away again, and the bias with it.
    let channels = stage.train.channels;
    let sums = &own.sums[block * channels..][..channels];
    for (dbias, sum) in dbias.iter_mut().zip(sums) {
        *dbias = if stage.norm.is_some() { 0.0 } else { sum.dn };
    }
}

/// A block's gradient of what a convolution has read.
fn conv_input(
    pass: &Pass<'_>,
    workspace: &mut Workspace,
    index: usize,
    block: usize,
    conv: &Conv,
    dz: &Buffer,
) {
    let stage = &pass.stages[index];
    if stage.handing == Handing::Nothing {
        return;
    }
    let form = &pass.conv_weights[index].backward;
    let Product {
        out_step,
        row_out_step,
        ..
    } = conv.backward;
    let len = conv.groups * conv.ins * out_step;
    let dx = &mut workspace.gradients[stage.input][block * len..][..len];
    let rows = 0..out_step / row_out_step;
    for group in 0..conv.groups {
        let weights = form.group(conv, &[], group);
        let dz = &dz[conv.dz_start + group * conv.dz_group..];
        let dx = &mut dx[group * conv.ins * out_step..];
        let (start, rows) = (handed(stage.handing), rows.clone());
        if let Some(by_tiles) = &conv.winograd {
            let steps = (out_step, row_out_step);
            let (sizes, scratch) = (&by_tiles.backward, &mut workspace.scratch);
            winograd(
                pass.isa, sizes, weights, start, dz, rows, dx, steps, scratch,
            );
        } else {
            product(pass.isa, &conv.backward, weights, start, dz, rows, dx);
        }
    }
}

/// Back through a linear layer for all blocks of the workspace together.
pub fn linear(pass: &Pass<'_>, workspace: &mut Workspace, index: usize, linear: &Linear) {
    let stage = &pass.stages[index];
    let blocks = workspace.blocks;
    let mut dz = std::mem::take(&mut workspace.stages[index].dz);
    if stage.needs_dz() {
        for block in 0..blocks {
            let dz = &mut dz[block * stage.z_len..][..stage.z_len];
            to_z(pass, workspace, index, block, dz, stage.train.z);
        }
    }
    // The gradient of what comes before it is written to another value's.
    let dn = std::mem::take(&mut workspace.gradients[stage.output]);
    let from = if stage.needs_dz() { &dz } else { &dn };
    let lanes = pass.isa.lanes();
    let rows = &mut workspace.stages[index].dz_rows;
    let pairs = from
        .chunks_exact(stage.z_len)
        .zip(rows.chunks_exact_mut(lanes * linear.out_step))
        .take(blocks);
    for (dz, rows) in pairs {
        by_image(pass.isa, dz, rows, linear.out_step);
    }
    if stage.handing != Handing::Nothing {
        let weights = pass.weight(&linear.weight);
        let backward = &linear.backward[blocks - 1];
        let dx = &mut workspace.gradients[stage.input];
        product(
            pass.isa,
            backward,
            weights,
            handed(stage.handing),
            from,
            0..1,
            dx,
        );
    }
    workspace.gradients[stage.output] = dn;
    workspace.stages[index].dz = dz;
}
