//! Convolutions with 3x3 kernels by fewer multiplications than they have taps: Winograd's minimal
//! filtering, as in Lavin and Gray, "Fast Algorithms for Convolutional Neural Networks" (2015).
//!
//! A tile of 2x2 outputs sees 4x4 pixels, one of 4x4 sees 6x6. Transformed, pixels and kernel meet in
//! one product for each of these 16 or 36 places, where the convolution itself takes 36 or 144 for each
//! pair of channels: 2.25 and 4 times as many. With one image in each lane the transforms of pixels and
//! outputs are plain sums of whole registers, and at each place what is left is a sum over the input
//! channels, the same [`product`](super::product()) that a linear layer is.
//!
//! Outputs are off by a few times what a direct sum is off by (the tests measure it), more with the
//! larger tile.

mod backward_weights;
mod forward;
mod scheme;
#[cfg(test)]
mod tests;
mod tiles;

pub use backward_weights::{WinogradWeights, winograd_backward_weights};
pub use forward::{Winograd, winograd, winograd_weights};
pub use scheme::Tile;
