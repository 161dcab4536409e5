//! `safetensors`: the weights with PyTorch's names, shapes and types
//! (<https://github.com/huggingface/safetensors>).

use std::collections::HashMap;
use std::path::Path;

use safetensors::SafeTensorError;
use safetensors::tensor::{Dtype, TensorView, serialize};

use super::{Export, ExportError, Trained};
use crate::files::write_atomically;

/// Writes the only network of `export` to the file `output`.
pub fn write(export: &Export, output: &Path) -> Result<(), ExportError> {
    Ok(write_atomically(output, &to_bytes(export.single()?)?)?)
}

/// The file's content: all that `load_state_dict(strict=True)` asks for.
pub fn to_bytes(network: &Trained) -> Result<Vec<u8>, SafeTensorError> {
    /// PyTorch counts batches in 64 bits. A checkpoint doesn't know how many there were, and what
    /// the count is for, a momentum of `None`, doesn't exist here.
    const COUNT: [u8; 8] = 0i64.to_le_bytes();
    let bytes = |values: &[f32]| -> Vec<u8> {
        let values = values.iter();
        values.flat_map(|value| value.to_le_bytes()).collect()
    };
    let state = network.state();
    let mut tensors: Vec<(String, Dtype, Vec<usize>, Vec<u8>)> = Vec::new();
    for tensor in &state {
        let data = bytes(&tensor.values);
        tensors.push((tensor.name.clone(), Dtype::F32, tensor.shape.clone(), data));
    }
    for layer in network.plan.all_layers() {
        for counter in layer.spec.as_layer().counters() {
            let name = format!("{}.{counter}", layer.name);
            tensors.push((name, Dtype::I64, Vec::new(), COUNT.to_vec()));
        }
    }
    let views = tensors.iter().map(|(name, dtype, shape, data)| {
        Ok((name, TensorView::new(*dtype, shape.clone(), data)?))
    });
    let views: Vec<_> = views.collect::<Result<_, SafeTensorError>>()?;
    let metadata = network.metadata().into_iter();
    let metadata = metadata.map(|(key, value)| (key.to_string(), value));
    // What PyTorch's own reader of these files looks for.
    let format = ("format".to_string(), "pt".to_string());
    let metadata: HashMap<_, _> = metadata.chain([format]).collect();
    serialize(views, Some(metadata))
}
