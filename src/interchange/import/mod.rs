//! Weights that were trained elsewhere, as a checkpoint.
//!
//! A file is read by its format's own module, which trusts nothing and runs nothing; [`matching`]
//! then finds out which of its tensors belongs to which of the recipe's layers.

mod matching;
mod number;
mod safetensors;
mod torch_save;

use std::fs::File;
use std::io::Read;
use std::path::{Path, PathBuf};

use thiserror::Error;

use crate::network::StateError;
use crate::recipe::Recipe;
use crate::training::{Checkpoint, RecipePlanError, plan};

/// The largest network with weights of 8 bytes each stays below this.
const MAX_BYTES: u64 = 1 << 30;

/// Weights that can't be imported.
#[derive(Debug, Error)]
pub enum ImportError {
    #[error("can't read the weights {path}: {source}", path = path.display())]
    Read {
        path: PathBuf,
        source: std::io::Error,
    },
    #[error(
        "{path} is neither safetensors nor a state_dict that torch.save wrote: {problem}",
        path = path.display()
    )]
    NotWeights { path: PathBuf, problem: String },
    #[error("{path}: the tensor {name} {problem}", path = path.display())]
    Tensor {
        path: PathBuf,
        name: String,
        problem: String,
    },
    #[error("{path} does not fit the recipe {recipe}: {problem}", path = path.display())]
    Mismatch {
        path: PathBuf,
        recipe: String,
        problem: String,
    },
    #[error("{path} does not fit the recipe {recipe}: {source}", path = path.display())]
    State {
        path: PathBuf,
        recipe: String,
        source: StateError,
    },
    #[error(transparent)]
    Plan(#[from] RecipePlanError),
}

/// A network that came in.
#[derive(Debug)]
pub struct Imported {
    /// It holds no figures: nothing was measured here.
    pub checkpoint: Checkpoint,
    /// The file's names and ours, in our order, where they are not the same.
    pub renamed: Vec<(String, String)>,
}

/// A tensor of a file, in the file's order if it has one.
#[derive(Debug)]
struct Foreign {
    name: String,
    shape: Vec<usize>,
    /// As f32, or for whole numbers, which no layer learns, nothing.
    values: Option<Vec<f32>>,
}

/// Reads the weights in the file `path` for the network of `recipe`.
pub fn import(path: &Path, recipe: Recipe) -> Result<Imported, ImportError> {
    parse(&read(path)?, path, recipe)
}

/// Reads a file's content for the network of `recipe`; `path` is what messages call it.
pub fn parse(bytes: &[u8], path: &Path, recipe: Recipe) -> Result<Imported, ImportError> {
    let plan = plan(&recipe)?;
    let tensors = if safetensors::is_one(bytes) {
        safetensors::read(bytes, path)?
    } else {
        torch_save::read(bytes, path)?
    };
    let (tensors, renamed) =
        matching::match_tensors(&plan, tensors).map_err(|problem| ImportError::Mismatch {
            path: path.to_path_buf(),
            recipe: recipe.name.clone(),
            problem,
        })?;
    if let Err(source) = plan.check_state(&tensors) {
        return Err(ImportError::State {
            path: path.to_path_buf(),
            recipe: recipe.name,
            source,
        });
    }
    Ok(Imported {
        checkpoint: Checkpoint::of_weights(recipe, tensors),
        renamed,
    })
}

fn read(path: &Path) -> Result<Vec<u8>, ImportError> {
    let failed = |source| ImportError::Read {
        path: path.to_path_buf(),
        source,
    };
    let not_weights = |problem: String| ImportError::NotWeights {
        path: path.to_path_buf(),
        problem,
    };
    let file = File::open(path).map_err(failed)?;
    let metadata = file.metadata().map_err(failed)?;
    if !metadata.is_file() {
        return Err(not_weights("it is not a file".into()));
    }
    if metadata.len() > MAX_BYTES {
        return Err(not_weights(format!(
            "it is larger than {} MB, which no network for MNIST is",
            MAX_BYTES >> 20
        )));
    }
    let mut bytes = Vec::new();
    // One that grows while it is read is cut off.
    file.take(metadata.len())
        .read_to_end(&mut bytes)
        .map_err(failed)?;
    Ok(bytes)
}

/// Why a tensor of `path` can't be taken.
fn refused(path: &Path, name: &str, problem: impl Into<String>) -> ImportError {
    ImportError::Tensor {
        path: path.to_path_buf(),
        name: shown(name),
        problem: problem.into(),
    }
}

/// A name from a file, made fit for a message: without control characters, and not too long.
fn shown(name: &str) -> String {
    let printable = |c: char| if c.is_control() { '\u{fffd}' } else { c };
    let mut shown: String = name.chars().take(100).map(printable).collect();
    if name.chars().count() > 100 {
        shown.push_str("...");
    }
    shown
}
