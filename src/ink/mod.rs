//! A picture of a digit -> what the network was trained on.
//!
//! A file goes through these stages, each a file of this folder, downwards:
//!
//! 1. `decode/`: bytes -> a page in colour, the right way up, of at most 1,200 pixels;
//! 2. `original.rs`: a page that already is as MNIST's digits are stays exactly as it is;
//! 3. `page.rs`: the rest, once for dark and once for light ink, and which of the two is likelier:
//!     1. `colour.rs`: one level a pixel, in which ink and paper differ most;
//!     2. `paper.rs`: how much ink that is, given the paper around it;
//!     3. `lines.rs`: printed lines go;
//!     4. `strokes.rs`, `find.rs`: connected parts, and which of them are the digit;
//! 4. `pen.rs`, `fit.rs`: the digit -> the 28x28 picture, made the way MNIST's were
//!    ([`mnist_box`](crate::dataset::mnist_box));
//! 5. `single.rs`: of those for dark and for light ink the one that the network can read.
//!
//! What is no digit goes through `plain.rs` instead of the stages behind the first.
//!
//! `many/` takes over after the parts, when a page has more than one digit. [`files`] finds the
//! pictures that a command line names, and [`reader`] reads many of them; [`preview()`] shows in a
//! terminal what the network will see, and [`save`] writes it as PNG.

use std::path::Path;

mod colour;
pub mod decode;
mod error;
pub mod files;
mod find;
mod fit;
mod lines;
pub mod many;
mod original;
mod page;
mod paper;
mod pen;
mod plain;
mod plane;
mod preview;
pub mod reader;
pub mod save;
pub mod single;
mod strokes;

pub use error::InkError;
pub use preview::preview;

/// Width and height of a digit, in pixels.
pub const SIDE: usize = 28;

/// A digit as MNIST stores one: row by row, 0 = paper, 255 = ink.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Digit {
    pub pixels: [u8; SIDE * SIDE],
}

/// Finds the digit in a file with a picture of one.
pub fn read(path: &Path) -> Result<single::Single, InkError> {
    read_bytes(&path.display().to_string(), &files::load(path)?)
}

/// Finds the digit in a picture of one; `name` is what messages call it.
pub fn read_bytes(name: &str, bytes: &[u8]) -> Result<single::Single, InkError> {
    let page = decode::decode(name, bytes)?;
    single::read(&page.image).ok_or_else(|| InkError::NoInk { file: name.into() })
}

/// Takes a picture of something that is no digit as it is, made to fit: see `plain.rs`.
pub fn read_plain_bytes(name: &str, bytes: &[u8]) -> Result<single::Single, InkError> {
    let page = decode::decode(name, bytes)?;
    Ok(single::Single::only(plain::plain(&page.image)))
}

/// Finds the digits in a picture of several.
pub fn read_many_bytes(name: &str, bytes: &[u8]) -> Result<many::Numbers, InkError> {
    let page = decode::decode(name, bytes)?;
    many::read(&page).ok_or_else(|| InkError::NoInk { file: name.into() })
}
