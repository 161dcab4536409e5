//! MNIST and other sets of its form: found, downloaded, checked, read and split.
//!
//! [`DataArg`] is what the user wrote after `--data`; [`find`] turns it into a [`Source`], fetching
//! the files when it has to; [`Source::load`] reads one split of it as a [`LoadedSplit`];
//! [`stratified_split`] sets validation digits apart. [`Augment`] varies training images;
//! [`mnist_box`] makes of ink what MNIST's digits are.
//!
//! Everything that is read is checked in full before it is believed (see `idx.rs`), and every
//! failure is a [`DatasetError`] whose text is written for the user.

pub mod augment;
mod batch;
mod classes;
mod download;
mod error;
mod folder;
mod idx;
mod kind;
pub mod mnist_box;
mod progress;
mod published;
mod source;
mod split;
mod verify;
mod write;

use std::path::Path;

pub use augment::{Augment, Transform};
pub use batch::{Batch, Batcher, Normalize, targets};
pub use classes::Classes;
pub use download::{Downloader, Fetched};
pub use error::DatasetError;
pub use kind::Kind;
pub use published::{Expected, Published, Sha256};
pub use source::{DataArg, Places, Source, find};
pub use split::{shuffle, stratified_split};
pub use verify::{FileCheck, FileState, verify, verify_against};
pub use write::write_split;

/// The environment variable that `--data auto` looks at first. Set but empty, it counts as unset.
pub const VARIABLE: &str = "MNISTCTL_DATA";

/// The width and height of a digit, in pixels.
pub const SIDE: usize = 28;
/// The pixels of a digit: 784.
pub const PIXELS: usize = SIDE * SIDE;
/// The classes, the digits 0 to 9.
pub const CLASSES: usize = 10;

/// The two splits that MNIST comes in.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Split {
    /// The training digits (60,000 in MNIST).
    Train,
    /// The test digits (10,000 in MNIST).
    Test,
}

impl Split {
    /// The standard name of the images file, uncompressed.
    pub fn images_file(self) -> &'static str {
        match self {
            Split::Train => "train-images-idx3-ubyte",
            Split::Test => "t10k-images-idx3-ubyte",
        }
    }

    /// The standard name of the labels file, uncompressed.
    pub fn labels_file(self) -> &'static str {
        match self {
            Split::Train => "train-labels-idx1-ubyte",
            Split::Test => "t10k-labels-idx1-ubyte",
        }
    }
}

/// Digits with their labels, as bytes.
///
/// The pixels are `[len, 28, 28]`, row by row from the top left: 0 is paper, 255 is ink. There is
/// one label, 0 to 9, for each image.
#[derive(Clone, PartialEq, Eq, Default)]
pub struct Digits {
    pixels: Vec<u8>,
    labels: Vec<u8>,
}

impl Digits {
    /// Joins pixels, 784 for each label, and labels, 0 to 9; the caller has compared the counts.
    pub fn new(pixels: Vec<u8>, labels: Vec<u8>) -> Self {
        debug_assert_eq!(pixels.len(), labels.len() * PIXELS);
        Self { pixels, labels }
    }

    /// How many digits there are.
    pub fn len(&self) -> usize {
        self.labels.len()
    }

    /// Whether there are none. What was read from files is never empty.
    pub fn is_empty(&self) -> bool {
        self.labels.is_empty()
    }

    /// The 784 pixels of digit `i`.
    ///
    /// # Panics
    /// If `i >= len()`, as indexing a slice does.
    pub fn image(&self, i: usize) -> &[u8] {
        &self.pixels[i * PIXELS..][..PIXELS]
    }

    /// The label of digit `i`, 0 to 9.
    ///
    /// # Panics
    /// If `i >= len()`, as indexing a slice does.
    pub fn label(&self, i: usize) -> u8 {
        self.labels[i]
    }

    /// The images at `indices`, and their labels.
    ///
    /// # Panics
    /// When an index is not below [`len`](Self::len).
    pub fn select(&self, indices: &[u32]) -> (Vec<&[u8]>, Vec<u8>) {
        let indices = indices.iter().map(|&index| index as usize);
        let images = indices.clone().map(|index| self.image(index));
        (
            images.collect(),
            indices.map(|index| self.label(index)).collect(),
        )
    }

    /// All labels, `[len]`.
    pub fn labels(&self) -> &[u8] {
        &self.labels
    }

    /// All pixels, `[len, 28, 28]`.
    pub fn pixels(&self) -> &[u8] {
        &self.pixels
    }
}

impl std::fmt::Debug for Digits {
    /// The count only: 47 million pixels would help nobody.
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Digits")
            .field("len", &self.len())
            .finish_non_exhaustive()
    }
}

/// A split of a dataset, read and checked.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LoadedSplit {
    /// The digits.
    pub digits: Digits,
    /// The sha256, in lower-case hex, of the uncompressed images file: what names the data in a
    /// run's summary.
    pub sha256: String,
}

impl LoadedSplit {
    /// Reads and checks an images file and its labels file, each plain or gzip, with `names` for
    /// messages.
    ///
    /// # Errors
    /// One that says what is wrong with which of them, or that they don't belong together.
    pub fn parse(files: [&[u8]; 2], names: [&Path; 2]) -> Result<Self, DatasetError> {
        let parse = |file: &Path, bytes: &[u8], kind| {
            idx::parse(file, bytes, bytes.len() as u64, kind, idx::MOST_ITEMS)
        };
        let images = parse(names[0], files[0], Kind::Images)?;
        let labels = parse(names[1], files[1], Kind::Labels)?;
        folder::join(names[0], images, names[1], labels)
    }
}
