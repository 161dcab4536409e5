//! What PyTorch's `torch.save` wrote: a `state_dict`, or a dictionary with one inside.
//!
//! The pickle is read by burn's `pytorch-reader`, which knows the few objects that tensors are made of,
//! executes nothing, and holds every length against the bytes that are there.

use std::io::{Cursor, Write};
use std::path::Path;

use pytorch_reader::{DType, PytorchError, PytorchReader};
use zip::result::ZipError;
use zip::{CompressionMethod, ZipArchive};

use super::matching::by_number;
use super::number::Float;
use super::{Foreign, ImportError, refused};

/// The keys under which training scripts usually save the weights beside other things.
const KEYS: [&str; 4] = ["state_dict", "model_state_dict", "model", "net"];

/// The tensors of a file's content; `path` is for messages.
pub fn read(bytes: &[u8], path: &Path) -> Result<Vec<Foreign>, ImportError> {
    let not_weights = |problem: String| ImportError::NotWeights {
        path: path.to_path_buf(),
        problem,
    };
    let failed = |source| ImportError::Read {
        path: path.to_path_buf(),
        source,
    };
    if bytes.starts_with(b"PK") {
        check_stored(bytes).map_err(not_weights)?;
    }
    // The reader wants a file; this one is the bytes that were checked, whatever happens to `path`.
    let mut copy = tempfile::NamedTempFile::new().map_err(failed)?;
    copy.write_all(bytes).map_err(failed)?;
    let reader = open(copy.path()).map_err(|error| not_weights(error.to_string()))?;
    if reader.is_empty() {
        return Err(not_weights("it holds no tensors".into()));
    }
    // A view can be larger than all that the file holds.
    let total = reader
        .tensors()
        .values()
        .map(|tensor| tensor.byte_len() as u128);
    if total.sum::<u128>() > bytes.len() as u128 {
        return Err(not_weights(
            "its tensors are larger than the file; save them with .contiguous()".into(),
        ));
    }
    let mut foreign = Vec::with_capacity(reader.len());
    for (name, tensor) in reader.tensors() {
        let float = match tensor.dtype() {
            DType::F64 => Some(Float::F64),
            DType::F32 => Some(Float::F32),
            DType::F16 => Some(Float::F16),
            DType::BF16 => Some(Float::Bf16),
            DType::I64 | DType::I32 | DType::I16 | DType::I8 | DType::Bool => None,
            DType::U64 | DType::U32 | DType::U16 | DType::U8 => None,
        };
        let data = tensor
            .read()
            .map_err(|error| refused(path, name, format!("can't be read: {error}")))?;
        foreign.push(Foreign {
            name: name.clone(),
            shape: tensor.shape().to_vec(),
            values: float.map(|float| float.read(&data)),
        });
    }
    sort_as_in(bytes, &mut foreign);
    Ok(foreign)
}

/// `torch.save` compresses nothing; what is compressed could unfold to far more than the file is.
fn check_stored(bytes: &[u8]) -> Result<(), String> {
    let unreadable = |error: ZipError| format!("it is no sound zip archive ({error})");
    let mut archive = ZipArchive::new(Cursor::new(bytes)).map_err(unreadable)?;
    for index in 0..archive.len() {
        let entry = archive.by_index_raw(index).map_err(unreadable)?;
        if entry.compression() != CompressionMethod::Stored || entry.size() > bytes.len() as u64 {
            return Err("its parts are compressed, which torch.save doesn't do".into());
        }
    }
    Ok(())
}

/// The tensors under the usual keys, or else all that there are.
fn open(path: &Path) -> Result<PytorchReader, PytorchError> {
    for key in KEYS {
        if let Ok(reader) = PytorchReader::with_top_level_key(path, key)
            && !reader.is_empty()
        {
            return Ok(reader);
        }
    }
    PytorchReader::new(path)
}

/// Puts the tensors into the order in which they were saved. The reader has lost it, but their names
/// stand in the pickle one after the other, each as a string behind its length.
fn sort_as_in(bytes: &[u8], tensors: &mut [Foreign]) {
    /// Where the pickle is, which is the first thing in the file, and what a network can have.
    const PICKLE: usize = 1 << 20;
    const MOST: usize = 1000;
    let bytes = &bytes[..bytes.len().min(PICKLE)];
    let place = |name: &str| {
        // BINUNICODE, which `torch.save` writes, with a length of four bytes.
        let mut string = vec![b'X'];
        string.extend((name.len() as u32).to_le_bytes());
        string.extend(name.as_bytes());
        bytes
            .windows(string.len())
            .position(|window| window == string)
    };
    // Names that can't be found come last, in the order of their numbers.
    tensors.sort_by(|a, b| by_number(&a.name, &b.name));
    if tensors.len() > MOST {
        return;
    }
    tensors.sort_by_cached_key(|tensor| place(&tensor.name).unwrap_or(usize::MAX));
}
