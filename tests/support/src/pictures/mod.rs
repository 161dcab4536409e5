//! Pictures of handwritten digits as people photograph, scan and draw them, made from MNIST's digits
//! so that the truth is known. `tests/pictures.rs`, `tests/many.rs` and `benches/pictures.rs` read them.
//!
//! A digit becomes a [`shape`](Shape): its outline and centre line, from which [`Pen`](shape::Pen)
//! strokes of any width are drawn crisp at any size. Ink is laid on a [`page`] of paper, in linear
//! light; a [`camera`] with its light takes the picture; a [`file`] holds it. `kinds` has a file for
//! each family of pictures, and one function for each kind. How a kind looks follows from how such
//! pictures come about, never from how they are read.

mod camera;
mod distance;
mod file;
mod kinds;
mod numbers;
mod page;
mod plane;
mod random;
mod regions;
mod shape;
mod spine;

use random::Random;
use shape::Shape;

pub use kinds::KINDS;
pub use numbers::{lines, number, touching};

/// One way in which pictures of digits come about.
pub struct Kind {
    /// As in a table: "ruled paper".
    pub name: &'static str,
    /// What of the ink is gone, where some is: no reader can be held to the digit then.
    pub destroyed: Option<&'static str>,
    draw: fn(&Shape, &mut Random) -> Vec<u8>,
}

/// A picture file of a digit, 28x28 with 0 = paper and 255 = ink. The same seed gives the same bytes.
pub fn draw(kind: &Kind, digit: &[u8; 784], seed: u64) -> Vec<u8> {
    (kind.draw)(&Shape::new(digit), &mut Random::new(seed, kind.name))
}
