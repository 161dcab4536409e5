//! Fused f32 operations for the processor, forward and backward.
//!
//! Activations lie as `[channel][row][column][lane]`, one image of a block in each lane of a
//! register: a convolution needs no patch matrix and no shuffling, pooling is a comparison, and
//! everything works for any number of channels and any kernel. The loops are written once over
//! `Lanes` and compiled for every instruction set; which one runs is chosen by [`Isa`] at run time.
//!
//! - [`product`]: convolutions and linear layers forward, and the gradients of their inputs
//!   (backward-data); [`winograd`]: those of 3x3 convolutions with fewer multiplications;
//! - [`correlate`], [`outer`]: the gradients of their weights (backward-weights);
//! - [`epilogue`], [`epilogue_backward`], [`norm_backward`]: BatchNorm, pooling, activations, dropout;
//! - [`add`], [`accumulate`]: residual sums, and gradients of what several layers read;
//! - [`gather`], [`cross_entropy`], [`update`]: the ends of a training step;
//! - [`sum_of_squares`], [`scale`], [`lerp`]: the gradients' norm and the weights' average;
//! - [`single_epilogue`], [`pixels`]: a single image, whose pixels lie side by side instead;
//! - [`smooth`], [`resample`]: distorted training images, again with the pixels side by side;
//! - [`Workers`]: threads for work of microseconds; [`multiply_adds`]: what a core can do at most.
//!
//! The functions take slices, check once that everything they will touch lies inside, and panic
//! if it doesn't. They know nothing of digits or recipes; whoever calls them puts them together.
//!
//! This is the only module with `unsafe` code: the intrinsics and loads in `lanes.rs`, the
//! innermost loops, and what lets a borrowed closure run on other threads.

// Tiles of registers are arrays, and only plain loops over constant ranges are sure to be unrolled.
#![allow(clippy::needless_range_loop)]

/// How far the last of `count` places lies from the first when they are `step` apart. Saturates, so
/// that no sizes, however wrong, pass for small ones.
fn last(count: usize, step: usize) -> usize {
    count.saturating_sub(1).saturating_mul(step)
}

/// Panics unless registers of `lanes` values can be reached in a slice of `len`: `parts` are how
/// far each dimension takes the last one from the start.
#[track_caller]
fn assert_inside(parts: &[usize], lanes: usize, len: usize) {
    let reach = parts
        .iter()
        .fold(lanes, |sum, &part| sum.saturating_add(part));
    assert!(
        reach <= len,
        "a slice of {len} values is shorter than the sizes say"
    );
}

mod add;
mod buffer;
mod correlate;
mod epilogue;
mod gather;
mod lanes;
mod loss;
mod outer;
mod peak;
mod pointwise;
mod product;
mod product_form;
mod resample;
mod single;
mod slide;
mod smooth;
mod update;
mod vector;
mod winograd;
mod workers;

pub use add::{Extent, accumulate, add};
pub use buffer::Buffer;
pub use correlate::{Correlate, correlate};
pub use epilogue::{
    Affine, ChainInputs, Epilogue, GradientSums, Layout, Pool, PoolKind, Pooled, Region, Slope,
    epilogue, epilogue_backward, norm_backward, statistics,
};
pub use gather::gather;
pub use lanes::{Isa, Lanes};
pub use loss::{BlockLoss, cross_entropy};
pub use outer::{Block, by_image, outer};
pub use peak::multiply_adds;
pub use pointwise::{Draw, Place, Pointwise};
pub use product::product;
pub use product_form::{Product, Start, Taps};
pub use resample::resample;
pub use single::{pixels, single_epilogue};
pub use smooth::{Fields, Noise, smooth};
pub use update::{Arithmetic, Rule, update};
pub use vector::{lerp, scale, sum_of_squares};
pub use winograd::{
    Tile, Winograd, WinogradWeights, winograd, winograd_backward_weights, winograd_weights,
};
pub use workers::Workers;
