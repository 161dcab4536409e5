//! What computed a run. It decides the last bits of weights and figures, so summaries and
//! checkpoints record it.

use clap::ValueEnum;

use crate::backend::{Backend, Engine};

/// The name under which our own kernels are recorded.
pub const NATIVE: &str = "native";

/// A backend, and the instruction set that its kernels were chosen for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ComputedBy {
    pub backend: String,
    /// Our kernels'; `None` for burn's backends, which don't say what they use.
    pub isa: Option<String>,
}

impl ComputedBy {
    /// What `engine` is recorded as.
    pub fn of(engine: &Engine) -> Self {
        Self {
            backend: recorded_name(engine).to_string(),
            isa: engine.fused.map(|isa| isa.to_string()),
        }
    }
}

/// The name of a backend as summaries and checkpoints have it. [`Backend`] has no `native` yet, so
/// these two functions translate between its names and the recorded ones.
pub fn recorded_name(engine: &Engine) -> &'static str {
    if engine.fused.is_some() {
        NATIVE
    } else {
        engine.backend.name()
    }
}

/// The backend of a recorded name, and whether our kernels ran instead of its operations; `None`
/// for a name that no backend has.
pub fn recorded_backend(name: &str) -> Option<(Backend, bool)> {
    if name == NATIVE {
        return Some((Backend::Flex, true));
    }
    let backend = Backend::from_str(name, false).ok()?;
    Some((backend, false))
}
