//! What computed a run. It decides the last bits of weights and figures, so summaries and
//! checkpoints record it.

use crate::engine::Compute;

/// A backend, and the instruction set that its kernels were chosen for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ComputedBy {
    pub backend: String,
    /// Our kernels'; `None` for burn's backends, which don't say what they use.
    pub isa: Option<String>,
}

impl ComputedBy {
    /// What `compute` is recorded as.
    pub fn of(compute: &Compute) -> Self {
        Self {
            backend: compute.backend.name().to_string(),
            isa: compute.isa().map(str::to_string),
        }
    }
}
