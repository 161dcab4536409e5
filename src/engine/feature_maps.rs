//! What the convolutions of a network make of one image, to look at.

use super::{Backend, EngineError};
use crate::dataset::{Batcher, Normalize};
use crate::network::{Activations, BurnPass, LayerSpec, NamedTensor, Plan, to_device};

/// The channels that a layer makes of an image.
#[derive(Debug, Clone, PartialEq)]
pub struct FeatureMaps {
    /// Which layer: `layer 1, conv`.
    pub layer: String,
    /// Channels, height and width.
    pub shape: [usize; 3],
    /// Row-major `[channel, row, column]`.
    pub values: Vec<f32>,
}

/// The feature maps that the convolutions and residual blocks of a network make of an image of 784
/// bytes, in evaluation, as burn's operations compute them.
///
/// # Errors
/// Where none of burn's backends for processors is built in.
///
/// # Panics
/// When `layers` make no plan, or `tensors` are not its tensors in its order.
pub fn feature_maps(
    layers: &[LayerSpec],
    normalize: Normalize,
    tensors: &[NamedTensor],
    image: &[u8],
) -> Result<Vec<FeatureMaps>, EngineError> {
    let device = match Backend::Flex.device() {
        Err(_) => Backend::Ndarray.device(),
        flex => flex,
    };
    let device = match device {
        Ok(Some(device)) => device,
        _ => {
            return Err(EngineError::NotBuilt {
                name: Backend::Flex.name(),
            });
        }
    };
    let plan = Plan::new(layers).expect("a checkpoint's network has been planned");
    let state = to_device(tensors, &device);
    let mut pass = BurnPass::new(&state);
    let images = Batcher::new(normalize).images([image].into_iter(), &device);
    let mut activations = Activations::Maps(images);
    let mut maps = Vec::new();
    for planned in &plan.layers {
        activations = pass.run(std::slice::from_ref(planned), activations);
        let kind = planned.spec.kind();
        if ["conv", "residual"].contains(&kind)
            && let Activations::Maps(x) = &activations
        {
            let [_, channels, height, width] = x.dims();
            let values = x.clone().into_data().try_into_vec();
            maps.push(FeatureMaps {
                layer: format!("layer {}, {kind}", planned.number()),
                shape: [channels, height, width],
                values: values.expect("networks are f32 on every backend"),
            });
        }
    }
    Ok(maps)
}
