//! Telling whether a folder holds a dataset as it was published: what `mnistctl data verify` prints.

use std::fmt;
use std::path::{Path, PathBuf};

use crate::dataset::idx::{self, Contents, MOST_ITEMS};
use crate::dataset::{DatasetError, Expected, Published, Sha256, folder};

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
    /// A sound IDX file with another content, by the sha256 of the two.
    Different {
        /// That of this file, in lower-case hex.
        found: String,
        /// That of the original.
        expected: Sha256,
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
                    "{file}: different ({} has the sha256 {found}, the original's has {})",
                    expected.of(),
                    expected.text()
                )
            }
            FileState::Unusable(error) => write!(f, "{file}: unusable. {error}"),
            FileState::Missing => write!(f, "{file}: missing"),
        }
    }
}

/// Compares the four files in a folder with those of a published dataset. MNIST's may be plain or
/// compressed in any way, the others' have to be compressed as they were published.
///
/// # Errors
/// Only when there is no such folder; what is wrong with a file is in its [`FileState`].
pub fn verify(folder: &Path, published: Published) -> Result<Vec<FileCheck>, DatasetError> {
    verify_against(folder, &published.files())
}

/// Does what [`verify`] does, but compares with any files.
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
    let read = idx::read(&file, original.kind, MOST_ITEMS);
    let state = match read.and_then(|contents| difference(original, &file, &contents)) {
        Ok(None) => FileState::Ok,
        Ok(Some(found)) => FileState::Different {
            found,
            expected: original.sha256,
        },
        Err(error) => FileState::Unusable(error),
    };
    FileCheck { file, state }
}

/// The sha256 of the file at a path, whose contents have been read, where it is another than the
/// original's.
pub(super) fn difference(
    original: &Expected,
    file: &Path,
    contents: &Contents,
) -> Result<Option<String>, DatasetError> {
    let found = match original.sha256 {
        Sha256::Content(_) => contents.sha256.clone(),
        Sha256::Packed(_) => idx::file_sha256(file)?,
    };
    Ok((found != original.sha256.text()).then_some(found))
}
