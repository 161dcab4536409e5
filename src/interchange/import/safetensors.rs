//! `safetensors`: read with the format's own crate, which holds every length and offset of the header
//! against the bytes that are there.

use std::path::Path;

use safetensors::SafeTensors;
use safetensors::tensor::Dtype;

use super::number::Float;
use super::{Foreign, ImportError, refused};

/// Whether a file begins as these do: with the length of its header, and a header in JSON.
pub fn is_one(bytes: &[u8]) -> bool {
    bytes.get(8) == Some(&b'{')
}

/// The tensors of a file's content; `path` is for messages.
pub fn read(bytes: &[u8], path: &Path) -> Result<Vec<Foreign>, ImportError> {
    let tensors = SafeTensors::deserialize(bytes).map_err(|error| ImportError::NotWeights {
        path: path.to_path_buf(),
        problem: error.to_string(),
    })?;
    let foreign = tensors.iter().map(|(name, tensor)| {
        let float = match tensor.dtype() {
            Dtype::F64 => Some(Float::F64),
            Dtype::F32 => Some(Float::F32),
            Dtype::F16 => Some(Float::F16),
            Dtype::BF16 => Some(Float::Bf16),
            Dtype::I8 | Dtype::I16 | Dtype::I32 | Dtype::I64 | Dtype::BOOL => None,
            Dtype::U8 | Dtype::U16 | Dtype::U32 | Dtype::U64 => None,
            other => {
                let problem = format!("is of the type {other}; export it as float32");
                return Err(refused(path, name, problem));
            }
        };
        Ok(Foreign {
            name: name.to_string(),
            shape: tensor.shape().to_vec(),
            values: float.map(|float| float.read(tensor.data())),
        })
    });
    let mut foreign: Vec<Foreign> = foreign.collect::<Result<_, _>>()?;
    // The file has them by type and name, not in the order of the layers.
    foreign.sort_by(|a, b| super::matching::by_number(&a.name, &b.name));
    Ok(foreign)
}
