//! A tensor with its name, as checkpoints and engines pass it on.

/// A tensor on the host: row-major f32.
#[derive(Debug, Clone, PartialEq)]
pub struct NamedTensor {
    pub name: String,
    pub shape: Vec<usize>,
    pub values: Vec<f32>,
}
