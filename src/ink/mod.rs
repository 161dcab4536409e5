//! A picture of a digit -> what the network was trained on.
//!
//! A file goes through two stages, each a file of this folder:
//!
//! 1. `decode.rs`: bytes -> a greyscale page, the right way up;
//! 2. `fit.rs`: a page -> the 28x28 picture, made the way MNIST's were.
//!
//! [`files`] finds the pictures that a command line names; [`preview()`] shows in a terminal what
//! the network will see.

use std::fs::File;
use std::io::{self, IsTerminal, Read};
use std::path::Path;

mod colour;
mod decode;
mod error;
pub mod files;
mod find;
mod fit;
mod lines;
mod original;
mod paper;
mod pen;
mod plane;
mod preview;
mod reader;
mod strokes;

pub use error::InkError;
pub use preview::preview;

/// Width and height of a digit, in pixels.
pub const SIDE: usize = 28;

/// The largest file that is read.
const MAX_FILE_BYTES: u64 = 128 << 20;

/// What standard input is called in messages.
const STDIN: &str = "standard input";

/// A digit as MNIST stores one: row by row, 0 = paper, 255 = ink.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Digit {
    pub pixels: [u8; SIDE * SIDE],
}

/// Reads the picture in a file.
pub fn read(path: &Path) -> Result<Digit, InkError> {
    let file = path.display().to_string();
    let metadata = path
        .metadata()
        .map_err(|error| InkError::from_open(&file, error))?;
    if metadata.is_dir() {
        return Err(InkError::Folder { file });
    }
    if metadata.len() > MAX_FILE_BYTES {
        return Err(InkError::FileTooBig { file });
    }
    let source = File::open(path).map_err(|error| InkError::from_open(&file, error))?;
    let bytes = read_bounded(&file, source)?;
    read_bytes(&file, &bytes)
}

/// Reads a picture from standard input.
pub fn read_stdin() -> Result<Digit, InkError> {
    let stdin = io::stdin();
    if stdin.is_terminal() {
        return Err(InkError::Terminal);
    }
    let bytes = read_bounded(STDIN, stdin.lock())?;
    read_bytes(STDIN, &bytes)
}

/// Reads the picture in `bytes`; `name` is what messages call it.
pub fn read_bytes(name: &str, bytes: &[u8]) -> Result<Digit, InkError> {
    let page = decode::decode(name, bytes)?;
    let page = image::DynamicImage::from(page).to_rgb8();
    reader::read_page(&page).ok_or_else(|| InkError::NoInk { file: name.into() })
}

/// Reads to the end, but no further than the limit: a pipe or a device has no size to check first.
fn read_bounded(name: &str, source: impl Read) -> Result<Vec<u8>, InkError> {
    let mut bytes = Vec::new();
    source
        .take(MAX_FILE_BYTES + 1)
        .read_to_end(&mut bytes)
        .map_err(|error| InkError::from_open(name, error))?;
    if bytes.len() as u64 > MAX_FILE_BYTES {
        return Err(InkError::FileTooBig { file: name.into() });
    }
    Ok(bytes)
}
