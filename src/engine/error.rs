//! Why a network can't be run.

use thiserror::Error;

use crate::network::UnsupportedLayer;

/// A network that can't be run.
#[derive(Debug, Error)]
pub enum EngineError {
    #[error(
        "the backend {name} is not built into this mnistctl; build it with\n  \
         cargo install --path . --features {name}"
    )]
    NotBuilt { name: &'static str },
    #[error(
        "wgpu finds no graphics adapter it can use: {0}\nTry --backend native, or install a driver \
         (on Debian without a graphics card: mesa-vulkan-drivers)"
    )]
    NoAdapter(String),
    #[error("can't start {threads} threads: {problem}")]
    Threads { threads: usize, problem: String },
    #[error("the backend native can't run {0}; take --backend flex, which can")]
    Unsupported(UnsupportedLayer),
}
