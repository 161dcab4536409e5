//! The checkpoint file: one MessagePack document that stands alone.
//!
//! ```text
//! { format: "mnistctl", version: 1, recipe: "<TOML>", normalize: { mean, std },
//!   metrics: [ { epoch, lr, train: { loss, accuracy }, val: { .. } | nil } ],
//!   tensors: [ { name, shape: [..], dtype: "f32", data: <little-endian bytes> } ],
//!   resume: nil | { .. } }
//! ```
//!
//! Tensor names and shapes are PyTorch's `state_dict`'s, see [`crate::network::NamedTensor`].
//! Reading one trusts nothing: the file's size is limited, lengths inside are held against the
//! bytes that are really there, lists against the longest that there can be, tensors against the
//! network that the recipe describes, and the rest against what training could have written
//! (`checkpoint/wire.rs`, `plausible.rs`). Only then is memory taken for a network.

mod wire;

use std::fs::File;
use std::io::Read;
use std::path::{Path, PathBuf};

use serde::Deserialize;
use thiserror::Error;

use super::files::{FileError, write_atomically};
use super::metrics::Epoch;
use super::optimizer::OptimizerState;
use super::plausible;
use super::scheduler::SchedulerState;
use super::tally::Tally;
use crate::backend::Engine;
use crate::network::{Model, NamedTensor, Plan, PlanError, StateError};
use crate::recipe::{Normalize, Recipe, RecipeError};
use wire::{Document, Header, WireNormalize, WireResume, WireTensor, shown};

/// The version this program writes, and the only one so far.
pub const VERSION: u32 = 1;

/// A network of the largest size a recipe can have, with Adam's moments, stays below this.
const MAX_BYTES: u64 = 1 << 30;

/// A trained network with all that using it needs.
#[derive(Debug, Clone, PartialEq)]
pub struct Checkpoint {
    pub recipe: Recipe,
    /// Whether the recipe came in the old form: `[augment]` as a table. Its images were varied with
    /// other random numbers, so that no run can go on from here exactly.
    pub old_augment: bool,
    /// Every epoch up to the one these weights come from.
    pub metrics: Vec<Epoch>,
    pub tensors: Vec<NamedTensor>,
    /// What an exact continuation needs; only in `last.mpk`.
    pub resume: Option<Resume>,
}

/// The state of a run between two steps.
#[derive(Debug, Clone, PartialEq)]
pub struct Resume {
    /// Batches already trained of the epoch that follows `metrics`.
    pub step: u64,
    /// Loss and accuracy of those batches so far.
    pub tally: Tally,
    /// What they took. It is 0 between epochs, so that the clock leaves nothing in the `last.mpk`
    /// that a run ends with.
    pub seconds: f64,
    pub scheduler: SchedulerState,
    pub optimizer: OptimizerState,
    /// The weights as they are trained, where the checkpoint's own are their moving average.
    pub weights: Option<Vec<NamedTensor>>,
    /// What computed, and the data as `--data` named it: what a resume goes on with unless told
    /// otherwise.
    pub backend: String,
    pub data: String,
    /// The training images' sha256 and `--limit`, which a resume can't change.
    pub sha256: String,
    pub limit: Option<u64>,
}

/// A checkpoint that can't be read or written.
#[derive(Debug, Error)]
pub enum CheckpointError {
    #[error("can't read the checkpoint {path}: {source}", path = path.display())]
    Read {
        path: PathBuf,
        source: std::io::Error,
    },
    #[error("{path} is not a checkpoint: {problem}", path = path.display())]
    NotOne { path: PathBuf, problem: String },
    #[error(
        "the checkpoint {path} has format version {version}, and this mnistctl reads version \
         {VERSION}; use the mnistctl that wrote it, or a newer one",
        path = path.display()
    )]
    Version { path: PathBuf, version: u32 },
    #[error("the checkpoint {path} is damaged: {problem}", path = path.display())]
    Damaged { path: PathBuf, problem: String },
    #[error("the recipe inside the checkpoint {path} is not usable: {source}", path = path.display())]
    Recipe {
        path: PathBuf,
        source: Box<RecipeError>,
    },
    #[error("the network inside the checkpoint {path} is not usable: {source}", path = path.display())]
    Plan { path: PathBuf, source: PlanError },
    #[error("the checkpoint {path} does not fit its own recipe: {source}", path = path.display())]
    State { path: PathBuf, source: StateError },
    #[error(transparent)]
    Write(#[from] FileError),
}

impl Checkpoint {
    /// Writes the checkpoint to a temporary file beside `path`, syncs it and renames it.
    pub fn save(&self, path: &Path) -> Result<(), CheckpointError> {
        Ok(write_atomically(path, &self.to_bytes())?)
    }

    /// The file's content.
    pub fn to_bytes(&self) -> Vec<u8> {
        let Normalize { mean, std } = self.recipe.data.normalize;
        let document = Document {
            format: "mnistctl".into(),
            version: VERSION,
            recipe: self.recipe.to_toml(),
            normalize: WireNormalize { mean, std },
            metrics: self.metrics.clone(),
            tensors: self.tensors.iter().map(WireTensor::from).collect(),
            resume: self.resume.as_ref().map(WireResume::from),
        };
        rmp_serde::to_vec_named(&document)
            .expect("the document is made of maps, numbers, texts and bytes only")
    }

    /// Reads and checks the checkpoint at `path`.
    pub fn load(path: &Path) -> Result<Self, CheckpointError> {
        Self::parse(&read_bounded(path)?, path)
    }

    /// Reads and checks a checkpoint; `path` is what messages call it.
    pub fn parse(bytes: &[u8], path: &Path) -> Result<Self, CheckpointError> {
        let path = path.to_path_buf();
        let header: Header = match rmp_serde::from_slice(bytes) {
            Ok(header) => header,
            Err(error) => {
                let problem = match bytes.is_empty() {
                    true => "it is empty".to_string(),
                    false => {
                        format!("it is not a whole MessagePack document of mnistctl ({error})")
                    }
                };
                return Err(CheckpointError::NotOne { path, problem });
            }
        };
        if header.format != "mnistctl" {
            let problem = format!("its format is `{}`", shown(&header.format));
            return Err(CheckpointError::NotOne { path, problem });
        }
        if header.version != VERSION {
            let version = header.version;
            return Err(CheckpointError::Version { path, version });
        }
        let mut rest = bytes;
        let mut reader = rmp_serde::Deserializer::new(&mut rest);
        let document = Document::deserialize(&mut reader).map_err(|error| {
            let path = path.clone();
            let problem = error.to_string();
            CheckpointError::Damaged { path, problem }
        })?;
        if !rest.is_empty() {
            let problem = format!("{} bytes follow its end", rest.len());
            return Err(CheckpointError::Damaged { path, problem });
        }
        Self::check(document, &path)
    }

    fn check(document: Document, path: &Path) -> Result<Self, CheckpointError> {
        let damaged = |problem: String| CheckpointError::Damaged {
            path: path.to_path_buf(),
            problem,
        };
        let (recipe, old_augment) =
            Recipe::parse_version_1("recipe", &document.recipe).map_err(|source| {
                CheckpointError::Recipe {
                    path: path.to_path_buf(),
                    source: Box::new(source),
                }
            })?;
        let Normalize { mean, std } = recipe.data.normalize;
        if document.normalize != (WireNormalize { mean, std }) {
            return Err(damaged("its normalisation is not its recipe's".into()));
        }
        plausible::check_epochs(&document.metrics).map_err(damaged)?;
        let plan = plan(&recipe, path)?;
        let tensors: Vec<NamedTensor> = document
            .tensors
            .into_iter()
            .map(|tensor| tensor.check().map_err(damaged))
            .collect::<Result<_, _>>()?;
        plan.check_state(&tensors)
            .map_err(|source| CheckpointError::State {
                path: path.to_path_buf(),
                source,
            })?;
        let resume = document
            .resume
            .map(|resume| resume.check().map_err(damaged))
            .transpose()?;
        if let Some(resume) = &resume {
            let epochs = document.metrics.len() as u64;
            plausible::check_resume(resume, &recipe, &plan, epochs).map_err(damaged)?;
        }
        Ok(Self {
            recipe,
            old_augment,
            metrics: document.metrics,
            tensors,
            resume,
        })
    }

    /// The network with these weights, for evaluation on `engine`; `path` is for messages.
    pub fn model(&self, path: &Path, engine: &Engine) -> Result<Model, CheckpointError> {
        let plan = plan(&self.recipe, path)?;
        let normalize = self.recipe.data.normalize;
        Model::load(&plan, normalize, &self.tensors, engine).map_err(|source| {
            CheckpointError::State {
                path: path.to_path_buf(),
                source,
            }
        })
    }
}

fn plan(recipe: &Recipe, path: &Path) -> Result<Plan, CheckpointError> {
    Plan::new(&recipe.model.layers).map_err(|source| CheckpointError::Plan {
        path: path.to_path_buf(),
        source,
    })
}

fn read_bounded(path: &Path) -> Result<Vec<u8>, CheckpointError> {
    let read = |source| CheckpointError::Read {
        path: path.to_path_buf(),
        source,
    };
    let file = File::open(path).map_err(read)?;
    if file.metadata().map_err(read)?.is_dir() {
        let problem = "it is a folder; give the best.mpk inside it".to_string();
        return Err(CheckpointError::NotOne {
            path: path.to_path_buf(),
            problem,
        });
    }
    let mut bytes = Vec::new();
    file.take(MAX_BYTES + 1)
        .read_to_end(&mut bytes)
        .map_err(read)?;
    if bytes.len() as u64 > MAX_BYTES {
        return Err(CheckpointError::NotOne {
            path: path.to_path_buf(),
            problem: "it is larger than any checkpoint (1 GiB)".into(),
        });
    }
    Ok(bytes)
}
