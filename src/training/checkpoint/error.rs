//! Why a checkpoint can't be read or written.

use std::path::PathBuf;

use thiserror::Error;

use super::wire::VERSION;
use crate::engine::EngineError;
use crate::files::FileError;
use crate::network::{PlanError, StateError};
use crate::recipe::RecipeError;

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
        "the checkpoint {path} has format version {version}, and this mnistctl reads versions 1 \
         to {VERSION}; use the mnistctl that wrote it, or a newer one",
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
    #[error("the network inside the checkpoint {path} can't be run: {source}", path = path.display())]
    Engine { path: PathBuf, source: EngineError },
    #[error("the checkpoint {path} does not fit its own recipe: {source}", path = path.display())]
    State { path: PathBuf, source: StateError },
    #[error(
        "{first} and {other} name different classes, so their answers can't be averaged; give \
         checkpoints whose recipes have the same `classes`",
        first = first.display(), other = other.display()
    )]
    Classes { first: PathBuf, other: PathBuf },
    #[error(transparent)]
    Write(#[from] FileError),
}
