//! The weights that a run begins with, where its recipe names a checkpoint: fine-tuning.

use std::path::Path;

use super::checkpoint::Checkpoint;
use super::error::RunError;
use super::job::Job;
use super::state::State;
use crate::network::{LayerSpec, NamedTensor, PlannedLayer};

/// The network that this program carries, by the name of its recipe.
const EMBEDDED: &str = "handwriting";

/// The number of a layer that begins with random weights, because the checkpoint has another there.
pub type Afresh = Option<String>;

impl Job {
    /// The state of a run that has not trained yet, with the weights of the recipe's `init` if it
    /// names one. All layers have to be those of the checkpoint, but for the last linear layer, which
    /// begins with random weights where its sizes differ.
    pub fn initial_state(&self) -> Result<(State, Afresh), RunError> {
        let mut state = self.fresh_state()?;
        let Some(init) = &self.recipe.training.init else {
            return Ok((state, None));
        };
        let path = Path::new(init);
        let checkpoint = if init == EMBEDDED && !path.exists() {
            Checkpoint::embedded()?
        } else {
            Checkpoint::load(path)?
        };
        let fail = |problem: String| RunError::Init {
            path: path.to_path_buf(),
            problem,
        };
        let (tensors, afresh) = self.weights_of(&checkpoint).map_err(fail)?;
        let loaded = state.engine.load_state(&tensors);
        loaded.map_err(|error| fail(error.to_string()))?;
        Ok((state, afresh))
    }

    /// The checkpoint's weights for this run's network.
    fn weights_of(&self, checkpoint: &Checkpoint) -> Result<(Vec<NamedTensor>, Afresh), String> {
        let mut tensors = self.plan.initial_state(self.recipe.training.seed);
        let named = |name: &str| checkpoint.tensors.iter().find(|tensor| tensor.name == name);
        let linear = |layer: &&PlannedLayer| matches!(layer.spec, LayerSpec::Linear(_));
        let last = self.plan.all_layers().filter(linear).last();
        let mut used = 0;
        let mut afresh = None;
        for layer in self.plan.all_layers() {
            let is_last = last.is_some_and(|last| last.place == layer.place);
            let names = layer
                .parameters
                .iter()
                .map(|p| (layer.tensor_name(p), &p.shape));
            let found: Vec<_> = names
                .map(|(name, shape)| (named(&name), name, shape))
                .collect();
            used += found.iter().filter(|(tensor, ..)| tensor.is_some()).count();
            let other = found
                .iter()
                .find(|(tensor, _, shape)| tensor.is_none_or(|tensor| tensor.shape != **shape));
            match other {
                None => {
                    for (place, (tensor, ..)) in found.into_iter().enumerate() {
                        if let Some(tensor) = tensor {
                            tensors[layer.first_parameter + place].clone_from(tensor);
                        }
                    }
                }
                Some(_) if is_last => afresh = Some(layer.number()),
                Some((tensor, name, shape)) => {
                    let there = match tensor {
                        Some(tensor) => format!("has the shape {:?} there", tensor.shape),
                        None => "is not there".to_string(),
                    };
                    return Err(format!(
                        "its layers are not the recipe's: {name}, of layer {}, {}, needs the shape \
                         {shape:?}, and {there}",
                        layer.number(),
                        layer.spec.kind(),
                    ));
                }
            }
        }
        if used < checkpoint.tensors.len() {
            return Err(format!(
                "its layers are not the recipe's: {} of its tensors belong to no layer",
                checkpoint.tensors.len() - used
            ));
        }
        Ok((tensors, afresh))
    }
}
