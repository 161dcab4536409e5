//! Pictures whose digit a person has told, kept for `data import`.

use std::fs;
use std::path::PathBuf;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{SystemTime, UNIX_EPOCH};

use axum::http::StatusCode;

use super::error::HttpError;
use crate::dataset::CLASSES;
use crate::files::{FileError, create_folder, write_atomically};
use crate::ink::decode::decode;

/// The largest picture that is kept, in bytes.
pub const MOST_BYTES: usize = 2 << 20;

/// How many there may be.
const MOST: usize = 100_000;

/// What every PNG begins with.
const PNG: &[u8] = b"\x89PNG\r\n\x1a\n";

/// A folder with a subfolder for each digit, as `data import` takes it.
#[derive(Debug)]
pub struct Corrections {
    folder: PathBuf,
    /// Pictures in it.
    count: AtomicUsize,
}

impl Corrections {
    /// Makes the folder, unless it is there.
    pub fn new(folder: PathBuf) -> Result<Self, FileError> {
        create_folder(&folder)?;
        let entries = |class: usize| fs::read_dir(folder.join(class.to_string()));
        let count = (0..CLASSES)
            .map(|class| entries(class).map_or(0, Iterator::count))
            .sum();
        Ok(Self {
            folder,
            count: AtomicUsize::new(count),
        })
    }

    /// Keeps a picture, and gives its name in the folder.
    pub fn keep(&self, label: u8, bytes: &[u8]) -> Result<String, HttpError> {
        if !bytes.starts_with(PNG) {
            let message = "a correction has to be a PNG";
            return Err(HttpError::new(StatusCode::UNSUPPORTED_MEDIA_TYPE, message));
        }
        decode("the picture", bytes)
            .map_err(|error| HttpError::new(StatusCode::UNPROCESSABLE_ENTITY, error.to_string()))?;
        let number = self.count.fetch_add(1, Ordering::Relaxed);
        if number >= MOST {
            self.count.fetch_sub(1, Ordering::Relaxed);
            let message = format!("there are {MOST} corrections already; import them first");
            return Err(HttpError::new(StatusCode::INSUFFICIENT_STORAGE, message));
        }
        let now = SystemTime::now().duration_since(UNIX_EPOCH);
        let milliseconds = now.map_or(0, |now| now.as_millis());
        let name = format!("{label}/{milliseconds}-{number}.png");
        let path = self.folder.join(&name);
        create_folder(&self.folder.join(label.to_string()))
            .and_then(|()| write_atomically(&path, bytes))
            .map_err(|error| HttpError::internal(error.to_string()))?;
        Ok(name)
    }
}
