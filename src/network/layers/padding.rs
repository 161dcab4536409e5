//! The zeros around the input of a convolution.

use serde::Serialize;

use crate::network::layer::MAX_KERNEL;
use crate::schema::{SchemaError, Section};

/// The zeros around a conv's input.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
#[serde(untagged)]
pub enum Padding {
    /// So many on each side.
    Zeros(usize),
    /// `"same"`: as many as make the output as large as the input.
    Same(SameWord),
}

/// The word `"same"`, for serde.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum SameWord {
    Same,
}

impl Padding {
    /// Reads `padding`: a whole number, or `"same"`.
    pub fn read(section: &Section<'_>) -> Result<Self, SchemaError> {
        if let Ok(Some(word)) = section.string("padding") {
            return match word.as_str() {
                "same" => Ok(Padding::Same(SameWord::Same)),
                _ => Err(section.error("padding", "must be a whole number or \"same\"")),
            };
        }
        let zeros = section.integer("padding", 0, 0..=MAX_KERNEL)?;
        Ok(Padding::Zeros(zeros as usize))
    }

    /// The zeros before and after each row and column. `"same"` puts the odd one behind, as PyTorch
    /// does, and like PyTorch's takes no stride.
    pub fn around(self, kernel_size: usize, stride: usize) -> Result<(usize, usize), String> {
        match self {
            Padding::Zeros(zeros) => Ok((zeros, zeros)),
            Padding::Same(_) if stride != 1 => {
                Err("padding \"same\" needs a stride of 1, as in PyTorch".into())
            }
            Padding::Same(_) => Ok(((kernel_size - 1) / 2, kernel_size / 2)),
        }
    }
}
