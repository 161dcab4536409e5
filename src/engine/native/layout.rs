//! Where weights and activations are in memory.

use std::ops::Range;

use crate::kernels::{Extent, Layout, Taps};
use crate::network::Shape;

/// A trained parameter: the plan's number of it, and where it is in the vector of all.
#[derive(Debug, Clone)]
pub struct Weight {
    pub number: usize,
    pub range: Range<usize>,
}

/// The activations that stages pass on, of one block of images.
#[derive(Debug, Clone)]
pub struct Value {
    pub extent: Extent,
    /// With the border of zeros that the widest convolution reading it needs.
    pub layout: Layout,
    /// f32 values, border included.
    pub len: usize,
}

/// Channels, rows and columns; a vector's features count as columns of a single channel.
pub fn extent(shape: Shape) -> Extent {
    match shape {
        Shape::Maps {
            channels,
            height,
            width,
        } => Extent {
            channels,
            rows: height,
            columns: width,
        },
        Shape::Features(features) => Extent {
            channels: 1,
            rows: 1,
            columns: features,
        },
    }
}

/// Without borders or gaps.
pub fn compact(rows: usize, columns: usize, lanes: usize) -> Layout {
    Layout {
        offset: 0,
        channel: rows * columns * lanes,
        row: columns * lanes,
        column: lanes,
    }
}

/// Taps that step through an input and through weights.
pub fn taps(count: usize, x_step: usize, w_step: usize) -> Taps {
    Taps {
        count,
        x_step,
        w_step,
    }
}
