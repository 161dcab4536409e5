//! Pictures with known digits, as a dataset: one's own handwriting to learn from.
//!
//! A folder has a subfolder for each digit, `0` to `9`, as torchvision's `ImageFolder` wants it, or a
//! table `labels.csv` with a line for each picture.

use std::collections::HashMap;
use std::collections::hash_map::Entry;
use std::fs::{self, File};
use std::io;
use std::path::{Path, PathBuf};

use thiserror::Error;

use crate::dataset::{CLASSES, DatasetError, Digits, PIXELS, stratified_split};
use crate::ink::Digit;
use crate::ink::files::{Input, expand};

/// The table's name, and what its columns may be called.
const TABLE: &str = "labels.csv";
const FILE_COLUMNS: [&str; 4] = ["file", "filename", "image", "path"];
const LABEL_COLUMNS: [&str; 3] = ["label", "digit", "class"];

/// As many as an IDX file may have.
const MOST: usize = 1_000_000;

/// A folder that can't become a dataset.
#[derive(Debug, Error)]
pub enum PicturesError {
    #[error("can't read {path}: {source}", path = path.display())]
    Read { path: PathBuf, source: io::Error },
    #[error(
        "{folder} has neither subfolders `0` to `9` with pictures nor a labels.csv with a line for each \
         picture",
        folder = .0.display()
    )]
    NoLabels(PathBuf),
    #[error(
        "{folder} has both subfolders for the digits and a labels.csv; keep one of them",
        folder = .0.display()
    )]
    Both(PathBuf),
    #[error("{path}: {label} is no digit; labels are 0 to 9", path = path.display())]
    NoDigit { path: PathBuf, label: String },
    #[error("{path} is not a table with a column `file` and a column `label`: {problem}", path = path.display())]
    Table { path: PathBuf, problem: String },
    #[error("{folder} names {count} pictures, and a dataset has at most {MOST}", folder = folder.display())]
    TooMany { folder: PathBuf, count: usize },
    #[error(
        "{folder} has {count} pictures that can be used; at least 2 are needed, to train and to test",
        folder = folder.display()
    )]
    TooFew { folder: PathBuf, count: usize },
    #[error(transparent)]
    Split(#[from] DatasetError),
}

/// Pictures with their labels.
#[derive(Debug, Default)]
pub struct Labelled {
    pub inputs: Vec<Input>,
    /// One for each input, 0 to 9.
    pub labels: Vec<u8>,
    /// What in the folder is no picture, and how much of it.
    pub skipped: Vec<(PathBuf, usize)>,
}

/// Finds the pictures of `folder` and their labels, in the order of the labels and then of the names,
/// or of the table's lines.
pub fn list(folder: &Path) -> Result<Labelled, PicturesError> {
    let read = |source| PicturesError::Read {
        path: folder.to_path_buf(),
        source,
    };
    let mut classes = Vec::new();
    for entry in fs::read_dir(folder).map_err(read)? {
        let path = entry.map_err(read)?.path();
        let name = path.file_name().unwrap_or_default().to_string_lossy();
        // Other subfolders are not ours to understand, but one called 10 is meant as a label.
        if name.bytes().all(|byte| byte.is_ascii_digit()) && path.is_dir() {
            let label = digit(&path, &name)?;
            classes.push((label, path));
        }
    }
    classes.sort();
    let table = folder.join(TABLE);
    let labelled = match (classes.is_empty(), table.exists()) {
        (true, true) => from_table(folder, &table)?,
        (true, false) => return Err(PicturesError::NoLabels(folder.to_path_buf())),
        (false, true) => return Err(PicturesError::Both(folder.to_path_buf())),
        (false, false) => from_folders(classes),
    };
    let count = labelled.inputs.len();
    if count > MOST {
        return Err(PicturesError::TooMany {
            folder: folder.to_path_buf(),
            count,
        });
    }
    Ok(labelled)
}

/// A label; `path` is where it stands.
fn digit(path: &Path, text: &str) -> Result<u8, PicturesError> {
    let digit = text.trim().parse().ok();
    let digit = digit.filter(|&digit: &u8| usize::from(digit) < CLASSES);
    digit.ok_or_else(|| PicturesError::NoDigit {
        path: path.to_path_buf(),
        label: text.chars().take(20).collect(),
    })
}

fn from_folders(classes: Vec<(u8, PathBuf)>) -> Labelled {
    let mut labelled = Labelled::default();
    for (label, path) in classes {
        let listing = expand(&[path]);
        let labels = std::iter::repeat_n(label, listing.inputs.len());
        labelled.labels.extend(labels);
        labelled.inputs.extend(listing.inputs);
        labelled.skipped.extend(listing.skipped);
    }
    labelled
}

fn from_table(folder: &Path, table: &Path) -> Result<Labelled, PicturesError> {
    let bad = |problem: String| PicturesError::Table {
        path: table.to_path_buf(),
        problem,
    };
    let file = File::open(table).map_err(|source| PicturesError::Read {
        path: table.to_path_buf(),
        source,
    })?;
    let mut reader = csv::Reader::from_reader(file);
    let headers = reader.headers().map_err(|error| bad(error.to_string()))?;
    let column = |names: &[&str]| {
        let mut headers = headers.iter();
        headers.position(|header| names.contains(&header.trim().to_ascii_lowercase().as_str()))
    };
    let columns = column(&FILE_COLUMNS).zip(column(&LABEL_COLUMNS));
    let Some((file, label)) = columns else {
        return Err(bad("its first line names neither".into()));
    };
    let mut labelled = Labelled::default();
    for record in reader.records() {
        let record = record.map_err(|error| bad(error.to_string()))?;
        let cell = |column: usize| record.get(column).unwrap_or_default();
        labelled.labels.push(digit(table, cell(label))?);
        let path = folder.join(cell(file));
        labelled.inputs.push(Input::File(path));
        if labelled.inputs.len() > MOST {
            break;
        }
    }
    Ok(labelled)
}

/// Digits that were read, without those that are there already.
#[derive(Default)]
pub struct Collected {
    pixels: Vec<u8>,
    labels: Vec<u8>,
    names: Vec<String>,
    places: HashMap<[u8; PIXELS], usize>,
}

/// A picture that shows the same 28x28 pixels as one before it.
#[derive(Debug, PartialEq, Eq)]
pub struct Duplicate {
    /// The name of the picture before it, and its label.
    pub of: String,
    pub label: u8,
}

impl Collected {
    /// Adds a digit, unless the same pixels are there already.
    pub fn add(&mut self, name: String, digit: &Digit, label: u8) -> Result<(), Duplicate> {
        match self.places.entry(digit.pixels) {
            Entry::Occupied(place) => Err(Duplicate {
                of: self.names[*place.get()].clone(),
                label: self.labels[*place.get()],
            }),
            Entry::Vacant(place) => {
                place.insert(self.labels.len());
                self.pixels.extend(digit.pixels);
                self.labels.push(label);
                self.names.push(name);
                Ok(())
            }
        }
    }

    /// Those to train on and those to test with, a share of `test` of each digit.
    pub fn split(self, folder: &Path, test: f64) -> Result<(Digits, Digits), PicturesError> {
        let count = self.labels.len();
        if count < 2 {
            return Err(PicturesError::TooFew {
                folder: folder.to_path_buf(),
                count,
            });
        }
        let apart = (count as f64 * test).round() as usize;
        let apart = apart.clamp(1, count - 1);
        let (train, test) = stratified_split(&self.labels, apart, 0)?;
        let all = Digits::new(self.pixels, self.labels);
        let part = |indices: &[u32]| {
            let (images, labels) = all.select(indices);
            Digits::new(images.concat(), labels)
        };
        Ok((part(&train), part(&test)))
    }
}
