//! A network together with what runs it, for everyone who only wants its answers.

use burn::module::Module;
use burn::tensor::Device;

use super::{FusedNetwork, NamedTensor, Network, Plan, StateError};
use crate::backend::Engine;
use crate::dataset::Batcher;
use crate::recipe::Normalize;

/// The activations of all images that pass a network at once: 256 MB. Only networks with many need
/// more than one pass for a batch.
const MAX_ACTIVATIONS: usize = 64 << 20;

/// A network that takes images as bytes.
#[derive(Debug)]
pub struct Model {
    computing: Computing,
    /// Images that pass it at once.
    together: usize,
}

#[derive(Debug)]
enum Computing {
    Plain(Box<Plain>),
    /// Our kernels.
    Fused(Box<FusedNetwork>),
}

/// Burn's operations on a device.
#[derive(Debug)]
struct Plain {
    network: Network,
    batcher: Batcher,
    device: Device,
}

impl Model {
    /// The network of `plan` with the parameters and buffers in `tensors`, on `engine`.
    pub fn load(
        plan: &Plan,
        normalize: Normalize,
        tensors: &[NamedTensor],
        engine: &Engine,
    ) -> Result<Self, StateError> {
        let computing = Computing::load(plan, normalize, tensors, engine)?;
        Ok(Self {
            computing,
            together: (MAX_ACTIVATIONS / plan.activations()).max(1),
        })
    }

    /// Logits of images of 784 bytes, as in evaluation: row-major `[image, class]`.
    pub fn logits(&self, images: &[&[u8]]) -> Vec<f32> {
        let parts = images.chunks(self.together);
        parts.flat_map(|part| self.computing.logits(part)).collect()
    }
}

impl Computing {
    fn load(
        plan: &Plan,
        normalize: Normalize,
        tensors: &[NamedTensor],
        engine: &Engine,
    ) -> Result<Self, StateError> {
        if let Some(isa) = engine.fused {
            let threads = rayon::current_num_threads();
            let mut network = FusedNetwork::new(plan, normalize, threads, isa);
            network.load_state(tensors)?;
            return Ok(Self::Fused(Box::new(network)));
        }
        let device = engine.device.clone().without_autodiff();
        let network = Network::new(plan, 0, &device).load_state(tensors, &device)?;
        Ok(Self::Plain(Box::new(Plain {
            network: network.valid(),
            batcher: Batcher::new(normalize),
            device,
        })))
    }

    fn logits(&self, images: &[&[u8]]) -> Vec<f32> {
        match self {
            Self::Plain(plain) => {
                let images = images.iter().copied();
                let input = plain.batcher.images(images, &plain.device);
                super::to_host(&plain.network.forward(input))
            }
            Self::Fused(network) => network.logits(images),
        }
    }
}
