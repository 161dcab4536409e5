//! The shape of one image's activations.

use std::fmt;

/// The shape of one image's activations between two layers.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Shape {
    /// Feature maps, as convolutions see them.
    Maps {
        channels: usize,
        height: usize,
        width: usize,
    },
    /// A vector, as linear layers see it.
    Features(usize),
}

impl Shape {
    /// What BatchNorm normalises over: the maps, or each feature by itself.
    pub fn channels(self) -> usize {
        match self {
            Shape::Maps { channels, .. } => channels,
            Shape::Features(features) => features,
        }
    }

    /// How many values there are in all.
    pub fn elements(self) -> usize {
        match self {
            Shape::Maps {
                channels,
                height,
                width,
            } => channels * height * width,
            Shape::Features(features) => features,
        }
    }

    /// Channels, height and width of feature maps.
    ///
    /// # Errors
    /// For a vector, a sentence that completes "layer 3, conv: ...".
    pub fn maps(self) -> Result<(usize, usize, usize), String> {
        match self {
            Shape::Maps {
                channels,
                height,
                width,
            } => Ok((channels, height, width)),
            Shape::Features(features) => Err(format!(
                "needs feature maps, but its input is a vector of {features}; it must come before \
                 `flatten`"
            )),
        }
    }
}

impl fmt::Display for Shape {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Shape::Maps {
                channels,
                height,
                width,
            } => write!(f, "{channels}x{height}x{width}"),
            Shape::Features(features) => write!(f, "{features}"),
        }
    }
}

/// How many windows fit on one side of an input.
///
/// # Errors
/// When the window is larger than the side: a sentence that completes "layer 3, conv: ...".
pub(super) fn windows(side: usize, kernel_size: usize, stride: usize) -> Result<usize, String> {
    match side.checked_sub(kernel_size) {
        Some(room) => Ok(room / stride + 1),
        None => Err(format!(
            "its {kernel_size}x{kernel_size} window is larger than its input's side of {side}"
        )),
    }
}
