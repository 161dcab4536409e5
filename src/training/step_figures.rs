//! What one training step is worth knowing for.

/// The figures of one training step, as they were before its update.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct StepFigures {
    /// The mean over the batch.
    pub loss: f64,
    pub images: u64,
    /// Images whose most probable digit is theirs.
    pub correct: u64,
}
