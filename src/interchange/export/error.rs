//! Why a network can't be exported.

use safetensors::SafeTensorError;
use thiserror::Error;

use crate::files::FileError;
use crate::training::{CheckpointError, RecipePlanError};

/// A network that can't be exported.
#[derive(Debug, Error)]
pub enum ExportError {
    #[error(transparent)]
    Checkpoint(#[from] CheckpointError),
    #[error(transparent)]
    Plan(#[from] RecipePlanError),
    #[error(transparent)]
    File(#[from] FileError),
    #[error(
        "this format holds one network, and {0} checkpoints were given; export them one by one, or \
         together with --format onnx"
    )]
    Several(usize),
    #[error(
        "only --format onnx can fold batch normalisation into the layers before it; leave out --fold"
    )]
    Fold,
    #[error("can't write the weights as safetensors: {0}")]
    Safetensors(#[from] SafeTensorError),
}
