//! The checkpoint file: one MessagePack document that stands alone.
//!
//! ```text
//! { format: "mnistctl", version: 2, recipe: "<TOML>",
//!   backend: "native" | .. | nil, isa: "avx2" | .. | nil, normalize: { mean, std },
//!   metrics: [ { epoch, lr, train: { loss, accuracy }, val: { .. } | nil } ],
//!   tensors: [ { name, shape: [..], dtype: "f32", data: <little-endian bytes> } ],
//!   resume: nil | { .., moments: [ { name, first: <bytes> | nil, second: <bytes> | nil } ] } }
//! ```
//!
//! Tensor names and shapes are PyTorch's `state_dict`'s, see [`crate::network::NamedTensor`], and
//! the optimizer's moments go by the same names and are laid out as their parameters. Version 1 is
//! read as well; `wire.rs` says how it differs.
//!
//! Reading one trusts nothing: the file's size is limited, lengths inside are held against the
//! bytes that are really there, lists against the longest that there can be, tensors against the
//! network that the recipe describes, and the rest against what training could have written
//! (`wire.rs`, `plausible.rs`). Only then is memory taken for a network.
//!
//! The files use each other in this order: `mod.rs`, then `plausible.rs`, `wire.rs` and `error.rs`,
//! then `contents.rs` and `bounded.rs`.

mod bounded;
mod contents;
mod error;
mod plausible;
mod wire;

use std::fs::File;
use std::io::Read;
use std::path::Path;

use serde::Deserialize;

pub use contents::{Checkpoint, Resume};
pub use error::CheckpointError;
pub use wire::VERSION;

use crate::dataset::Normalize;
use crate::engine::{Compute, Model};
use crate::files::write_atomically;
use crate::network::{NamedTensor, Plan};
use crate::recipe::Recipe;
use wire::{Document, Header, WireNormalize, WireResume, WireTensor, shown};

/// The network that this program carries, trained for handwriting in pictures.
const EMBEDDED: &[u8] = include_bytes!("../../../models/handwriting.mpk");

/// Where it lies in the repository, which is also what it is called.
pub const EMBEDDED_NAME: &str = "models/handwriting.mpk";

/// A network of the largest size a recipe can have, with Adam's moments, stays below this.
const MAX_BYTES: u64 = 1 << 30;

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
            backend: self.computed_by.as_ref().map(|by| by.backend.clone()),
            isa: self.computed_by.as_ref().and_then(|by| by.isa.clone()),
            normalize: WireNormalize { mean, std },
            metrics: self.metrics.clone(),
            tensors: self.tensors.iter().map(WireTensor::from).collect(),
            resume: self.resume.as_ref().map(WireResume::from),
        };
        rmp_serde::to_vec_named(&document)
            .expect("the document is made of maps, numbers, texts and bytes only")
    }

    /// Weights that no training here has made, so without figures, for the network of `recipe`.
    pub fn of_weights(recipe: Recipe, tensors: Vec<NamedTensor>) -> Self {
        Self {
            version: VERSION,
            recipe,
            old_augment: false,
            computed_by: None,
            metrics: Vec::new(),
            tensors,
            resume: None,
        }
    }

    /// The network that this program carries.
    pub fn embedded() -> Result<Self, CheckpointError> {
        Self::parse(EMBEDDED, Path::new(EMBEDDED_NAME))
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
                let problem = if bytes.is_empty() {
                    "it is empty".to_string()
                } else {
                    format!("it is not a whole MessagePack document of mnistctl ({error})")
                };
                return Err(CheckpointError::NotOne { path, problem });
            }
        };
        if header.format != "mnistctl" {
            let problem = format!("its format is `{}`", shown(&header.format));
            return Err(CheckpointError::NotOne { path, problem });
        }
        if !(1..=VERSION).contains(&header.version) {
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
        let read = if document.version == 1 {
            Recipe::parse_version_1("recipe", &document.recipe)
        } else {
            Recipe::parse("recipe", &document.recipe, &[]).map(|recipe| (recipe, false))
        };
        let (recipe, old_augment) = read.map_err(|source| CheckpointError::Recipe {
            path: path.to_path_buf(),
            source: Box::new(source),
        })?;
        document.check_version().map_err(damaged)?;
        let computed_by = document.computed_by().map_err(damaged)?;
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
            .map(|resume| resume.check(&plan).map_err(damaged))
            .transpose()?;
        if let Some(resume) = &resume {
            let epochs = document.metrics.len() as u64;
            plausible::check_resume(resume, &recipe, &plan, epochs).map_err(damaged)?;
        }
        Ok(Self {
            version: document.version,
            recipe,
            computed_by,
            old_augment,
            metrics: document.metrics,
            tensors,
            resume,
        })
    }

    /// The network with these weights, for evaluation; `path` is for messages.
    pub fn model(&self, path: &Path, compute: &Compute) -> Result<Model, CheckpointError> {
        let plan = plan(&self.recipe, path)?;
        let engine = compute.engine(self.recipe.setup(&plan));
        let mut engine = engine.map_err(|source| CheckpointError::Engine {
            path: path.to_path_buf(),
            source,
        })?;
        engine
            .load_state(&self.tensors)
            .map_err(|source| CheckpointError::State {
                path: path.to_path_buf(),
                source,
            })?;
        Ok(Model::new(engine, &plan))
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
