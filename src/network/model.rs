//! A network together with what runs it, for everyone who only wants its answers.

use burn::module::Module;
use burn::tensor::Device;

use super::{FusedNetwork, NamedTensor, Network, Plan, StateError};
use crate::backend::Engine;
use crate::dataset::Batcher;
use crate::recipe::Normalize;

/// A network that takes images as bytes.
#[derive(Debug)]
pub enum Model {
    Plain(Box<Plain>),
    /// Our kernels.
    Fused(Box<FusedNetwork>),
}

/// Burn's operations on a device.
#[derive(Debug)]
pub struct Plain {
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
        if let Some(isa) = engine.fused {
            let threads = rayon::current_num_threads();
            let mut network = FusedNetwork::new(plan, normalize, threads, isa);
            network.load_state(tensors)?;
            return Ok(Model::Fused(Box::new(network)));
        }
        let device = engine.device.clone().without_autodiff();
        let network = Network::new(plan, 0, &device).load_state(tensors, &device)?;
        Ok(Model::Plain(Box::new(Plain {
            network: network.valid(),
            batcher: Batcher::new(normalize),
            device,
        })))
    }

    /// Logits of images of 784 bytes, as in evaluation: row-major `[image, class]`.
    pub fn logits(&self, images: &[&[u8]]) -> Vec<f32> {
        match self {
            Model::Plain(plain) => {
                let images = images.iter().copied();
                let input = plain.batcher.images(images, &plain.device);
                super::to_host(&plain.network.forward(input))
            }
            Model::Fused(network) => network.logits(images),
        }
    }
}
