//! Telling whether a folder holds the original MNIST: what `mnistctl data verify` prints.

use std::fmt;
use std::path::{Path, PathBuf};

use crate::dataset::idx::{self, MOST_ITEMS};
use crate::dataset::{DatasetError, Expected, MNIST, folder};

/// What was found out about one of the files.
#[derive(Debug)]
pub struct FileCheck {
    /// The path of the file, or of where it would be if there is none.
    pub file: PathBuf,
    /// How it compares.
    pub state: FileState,
}

/// How a file compares with the original, uncompressed.
#[derive(Debug)]
#[non_exhaustive]
pub enum FileState {
    /// Byte for byte the same.
    Ok,
    /// A sound IDX file with another content, by the sha256 (lower-case hex) of the two.
    Different {
        /// The sha256 of this file.
        found: String,
        /// The sha256 of the original.
        expected: &'static str,
    },
    /// Not a sound IDX file, or not readable.
    Unusable(DatasetError),
    /// Not there.
    Missing,
}

impl FileCheck {
    /// Whether the file is the original's.
    pub fn is_ok(&self) -> bool {
        matches!(self.state, FileState::Ok)
    }
}

impl fmt::Display for FileCheck {
    /// One line: the path and what was found.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let file = self.file.display();
        match &self.state {
            FileState::Ok => write!(f, "{file}: OK"),
            FileState::Different { found, expected } => {
                write!(
                    f,
                    "{file}: different (its content has the sha256 {found}, MNIST's has {expected})"
                )
            }
            FileState::Unusable(error) => write!(f, "{file}: unusable. {error}"),
            FileState::Missing => write!(f, "{file}: missing"),
        }
    }
}

/// Compares the four files in a folder with MNIST's. Files may be plain or compressed in any way.
///
/// # Errors
/// Only when there is no such folder; what is wrong with a file is in its [`FileState`].
pub fn verify(folder: &Path) -> Result<Vec<FileCheck>, DatasetError> {
    verify_against(folder, &MNIST)
}

/// Does what [`verify`] does, but compares with other files than MNIST's.
///
/// # Errors The same as for [`verify`].
pub fn verify_against(
    folder: &Path,
    originals: &[Expected],
) -> Result<Vec<FileCheck>, DatasetError> {
    folder::check(folder)?;
    Ok(originals
        .iter()
        .map(|original| compare(folder, original))
        .collect())
}

fn compare(folder: &Path, original: &Expected) -> FileCheck {
    let Some(file) = folder::locate(folder, original.name) else {
        return FileCheck {
            file: folder.join(original.name),
            state: FileState::Missing,
        };
    };
    let state = match idx::read(&file, original.kind, MOST_ITEMS) {
        Ok(contents) if contents.sha256 == original.sha256 => FileState::Ok,
        Ok(contents) => FileState::Different {
            found: contents.sha256,
            expected: original.sha256,
        },
        Err(error) => FileState::Unusable(error),
    };
    FileCheck { file, state }
}
