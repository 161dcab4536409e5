//! A trained network, for everyone who only wants its answers.

use super::Engine;
use crate::network::Plan;

/// The activations of all images that pass a network at once: 256 MB. Only networks with many need
/// more than one pass for a batch.
const MAX_ACTIVATIONS: usize = 64 << 20;

/// A trained network that takes images as bytes.
#[derive(Debug)]
pub struct Model {
    engine: Box<dyn Engine>,
    /// Images that pass it at once.
    together: usize,
}

impl Model {
    /// An engine that has learned, with the plan of its network.
    pub fn new(engine: Box<dyn Engine>, plan: &Plan) -> Self {
        Self {
            engine,
            together: (MAX_ACTIVATIONS / plan.activations()).max(1),
        }
    }

    /// Logits of images of 784 bytes, as in evaluation: row-major `[image, class]`.
    pub fn logits(&self, images: &[&[u8]]) -> Vec<f32> {
        let parts = images.chunks(self.together);
        parts.flat_map(|part| self.engine.logits(part)).collect()
    }
}
