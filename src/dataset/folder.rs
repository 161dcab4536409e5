//! Finding and reading the four files in a folder, under the names they go by.

use std::fs;
use std::io::ErrorKind;
use std::path::{Path, PathBuf};

use crate::dataset::idx::{self, Contents, MOST_ITEMS};
use crate::dataset::{DatasetError, Digits, Kind, LoadedSplit, Split};

/// The path of a file in a folder, if it is there: `NAME`, `NAME` with a dot before `idx` (as some
/// mirrors have it), or either with `.gz`, in this order.
pub(super) fn locate(folder: &Path, name: &str) -> Option<PathBuf> {
    let dotted = name.replace("-idx", ".idx");
    let names = [
        name.to_owned(),
        dotted.clone(),
        format!("{name}.gz"),
        format!("{dotted}.gz"),
    ];
    let mut sub_folder = None;
    for path in names.iter().map(|name| folder.join(name)) {
        match fs::metadata(&path) {
            // Unpackers make folders called `train-images-idx3-ubyte`: one must not hide the file
            // beside it, but when it is all there is, reading it says so.
            Ok(metadata) if metadata.is_dir() => sub_folder = sub_folder.or(Some(path)),
            Err(cause) if cause.kind() == ErrorKind::NotFound => (),
            // What can't be looked at is there; reading it says why not.
            Ok(_) | Err(_) => return Some(path),
        }
    }
    sub_folder
}

/// The standard names of those of the four files that a folder lacks.
pub(super) fn missing(folder: &Path) -> Vec<&'static str> {
    [Split::Train, Split::Test]
        .into_iter()
        .flat_map(|split| [split.images_file(), split.labels_file()])
        .filter(|name| locate(folder, name).is_none())
        .collect()
}

/// Checks that a path is a folder; the error says what it is instead.
pub(super) fn check(folder: &Path) -> Result<(), DatasetError> {
    let path = folder.to_path_buf();
    match fs::metadata(folder) {
        Ok(metadata) if metadata.is_dir() => Ok(()),
        Ok(_) => Err(DatasetError::NotFolder { folder: path }),
        Err(cause) if cause.kind() == ErrorKind::NotFound => {
            Err(DatasetError::NoFolder { folder: path })
        }
        Err(cause) => Err(DatasetError::Io { file: path, cause }),
    }
}

/// Checks that a path is a folder with all four files; the error names those that it lacks.
pub(super) fn check_complete(folder: &Path) -> Result<(), DatasetError> {
    check(folder)?;
    match missing(folder) {
        missing if missing.is_empty() => Ok(()),
        missing => Err(DatasetError::Incomplete {
            folder: folder.to_path_buf(),
            missing,
        }),
    }
}

/// Reads the two files of one split.
pub(super) fn load(folder: &Path, split: Split) -> Result<LoadedSplit, DatasetError> {
    let names = [split.images_file(), split.labels_file()];
    let [Some(images_file), Some(labels_file)] = names.map(|name| locate(folder, name)) else {
        check(folder)?;
        let missing = names
            .into_iter()
            .filter(|name| locate(folder, name).is_none())
            .collect();
        return Err(DatasetError::Incomplete {
            folder: folder.to_path_buf(),
            missing,
        });
    };
    let images = idx::read(&images_file, Kind::Images, MOST_ITEMS)?;
    let labels = idx::read(&labels_file, Kind::Labels, MOST_ITEMS)?;
    join(&images_file, images, &labels_file, labels)
}

/// Makes a split of two files' contents, if they have as many images as labels.
pub(super) fn join(
    images_file: &Path,
    images: Contents,
    labels_file: &Path,
    labels: Contents,
) -> Result<LoadedSplit, DatasetError> {
    if images.count != labels.count {
        return Err(DatasetError::Pair {
            images_file: images_file.to_path_buf(),
            images: images.count,
            labels_file: labels_file.to_path_buf(),
            labels: labels.count,
        });
    }
    Ok(LoadedSplit {
        digits: Digits::new(images.items, labels.items),
        sha256: images.sha256,
    })
}
