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
//! (`plausible.rs`). Only then is memory taken for a network.

use std::fs::File;
use std::io::Read;
use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};
use thiserror::Error;

use super::bounded::at_most;
use super::files::{FileError, write_atomically};
use super::metrics::Epoch;
use super::optimizer::OptimizerState;
use super::plausible;
use super::scheduler::SchedulerState;
use super::tally::Tally;
use crate::backend::Engine;
use crate::network::{Model, NamedTensor, Plan, PlanError, StateError};
use crate::recipe::{Normalize, Recipe, RecipeError};

/// The version this program writes, and the only one so far.
pub const VERSION: u32 = 1;

/// A network of the largest size a recipe can have, with Adam's moments, stays below this.
const MAX_BYTES: u64 = 1 << 30;

/// The most epochs a recipe can ask for.
const MAX_EPOCHS: usize = 100_000;

/// Of 200 layers, the most a recipe can list, each of them a BatchNorm.
const MAX_TENSORS: usize = 800;

/// A trained network with all that using it needs.
#[derive(Debug, Clone, PartialEq)]
pub struct Checkpoint {
    pub recipe: Recipe,
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

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Document {
    format: String,
    version: u32,
    recipe: String,
    normalize: WireNormalize,
    #[serde(deserialize_with = "at_most::<_, _, MAX_EPOCHS>")]
    metrics: Vec<Epoch>,
    #[serde(deserialize_with = "at_most::<_, _, MAX_TENSORS>")]
    tensors: Vec<WireTensor>,
    resume: Option<WireResume>,
}

/// The part that every version has, read first.
#[derive(Deserialize)]
struct Header {
    format: String,
    version: u32,
}

#[derive(Serialize, Deserialize, PartialEq)]
#[serde(deny_unknown_fields)]
struct WireNormalize {
    mean: f64,
    std: f64,
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct WireTensor {
    name: String,
    #[serde(deserialize_with = "at_most::<_, _, 4>")]
    shape: Vec<u64>,
    dtype: String,
    #[serde(with = "serde_bytes")]
    data: Vec<u8>,
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct WireResume {
    step: u64,
    tally: Tally,
    #[serde(default)]
    seconds: f64,
    scheduler: SchedulerState,
    optimizer_steps: u64,
    /// Two entries a parameter: first and second moment, empty where there is none.
    #[serde(deserialize_with = "at_most::<_, _, MAX_TENSORS>")]
    optimizer_moments: Vec<serde_bytes::ByteBuf>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    weights: Option<Vec<WireTensor>>,
    backend: String,
    data: String,
    sha256: String,
    limit: Option<u64>,
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
        let recipe = Recipe::parse("recipe", &document.recipe, &[]).map_err(|source| {
            CheckpointError::Recipe {
                path: path.to_path_buf(),
                source: Box::new(source),
            }
        })?;
        let Normalize { mean, std } = recipe.data.normalize;
        if document.normalize != (WireNormalize { mean, std }) {
            return Err(damaged("its normalisation is not its recipe's".into()));
        }
        plausible::check_epochs(&document.metrics, &recipe).map_err(damaged)?;
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

impl From<&NamedTensor> for WireTensor {
    fn from(tensor: &NamedTensor) -> Self {
        Self {
            name: tensor.name.clone(),
            shape: tensor.shape.iter().map(|&side| side as u64).collect(),
            dtype: "f32".into(),
            data: to_bytes(&tensor.values),
        }
    }
}

impl WireTensor {
    fn check(self) -> Result<NamedTensor, String> {
        if self.dtype != "f32" {
            return Err(format!(
                "the tensor {} has the dtype `{}`, and only f32 exists",
                shown(&self.name),
                shown(&self.dtype)
            ));
        }
        let elements = self
            .shape
            .iter()
            .try_fold(1u64, |product, &side| product.checked_mul(side))
            .and_then(|elements| elements.checked_mul(4));
        if elements != Some(self.data.len() as u64) {
            return Err(format!(
                "the tensor {} has the shape {:?} but {} bytes of data",
                shown(&self.name),
                self.shape,
                self.data.len()
            ));
        }
        Ok(NamedTensor {
            name: self.name,
            shape: self.shape.iter().map(|&side| side as usize).collect(),
            values: from_bytes(&self.data),
        })
    }
}

impl From<&Resume> for WireResume {
    fn from(resume: &Resume) -> Self {
        let bytes = |moment: &Option<Vec<f32>>| {
            serde_bytes::ByteBuf::from(to_bytes(moment.as_deref().unwrap_or(&[])))
        };
        let moments = resume.optimizer.moments.iter();
        Self {
            step: resume.step,
            tally: resume.tally,
            seconds: resume.seconds,
            scheduler: resume.scheduler.clone(),
            optimizer_steps: resume.optimizer.steps,
            optimizer_moments: moments
                .flat_map(|(first, second)| [bytes(first), bytes(second)])
                .collect(),
            weights: resume
                .weights
                .as_ref()
                .map(|tensors| tensors.iter().map(WireTensor::from).collect()),
            backend: resume.backend.clone(),
            data: resume.data.clone(),
            sha256: resume.sha256.clone(),
            limit: resume.limit,
        }
    }
}

impl WireResume {
    fn check(self) -> Result<Resume, String> {
        if !self
            .optimizer_moments
            .iter()
            .all(|m| m.len().is_multiple_of(4))
            || !self.optimizer_moments.len().is_multiple_of(2)
        {
            return Err("the optimizer's moments are incomplete".into());
        }
        if !self.scheduler.lr.is_finite() || self.scheduler.lr < 0.0 {
            return Err("the learning rate is not a number it could have written".into());
        }
        if !self.seconds.is_finite() || self.seconds < 0.0 {
            return Err("the time its epoch took is not one it could have taken".into());
        }
        let values = |bytes: &serde_bytes::ByteBuf| match bytes.is_empty() {
            true => None,
            false => Some(from_bytes(bytes)),
        };
        Ok(Resume {
            step: self.step,
            tally: self.tally,
            seconds: self.seconds,
            scheduler: self.scheduler,
            optimizer: OptimizerState {
                steps: self.optimizer_steps,
                moments: self
                    .optimizer_moments
                    .chunks_exact(2)
                    .map(|pair| (values(&pair[0]), values(&pair[1])))
                    .collect(),
            },
            weights: self
                .weights
                .map(|tensors| tensors.into_iter().map(WireTensor::check).collect())
                .transpose()?,
            backend: self.backend,
            data: self.data,
            sha256: self.sha256,
            limit: self.limit,
        })
    }
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

/// The beginning of a text from a file, for messages.
fn shown(text: &str) -> String {
    text.chars()
        .take(40)
        .flat_map(char::escape_default)
        .collect()
}

fn to_bytes(values: &[f32]) -> Vec<u8> {
    values
        .iter()
        .flat_map(|value| value.to_le_bytes())
        .collect()
}

fn from_bytes(bytes: &[u8]) -> Vec<f32> {
    bytes
        .chunks_exact(4)
        .map(|b| f32::from_le_bytes([b[0], b[1], b[2], b[3]]))
        .collect()
}
