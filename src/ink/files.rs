//! What a command line names -> the pictures to read.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use super::{Digit, InkError, STDIN, read, read_stdin};

/// One thing to do about the command line's arguments, in their order.
#[derive(Debug)]
pub enum Input {
    /// A picture to read.
    File(PathBuf),
    /// A picture on standard input.
    Stdin,
    /// A note: so many entries of this folder, subfolders among them, are not pictures.
    Skipped { folder: PathBuf, count: usize },
    /// An argument that leads to no picture.
    Failed { path: PathBuf, error: InkError },
}

impl Input {
    /// What results and messages call this input.
    pub fn name(&self) -> String {
        match self {
            Self::Stdin => STDIN.into(),
            Self::File(path) | Self::Skipped { folder: path, .. } | Self::Failed { path, .. } => {
                path.display().to_string()
            }
        }
    }

    /// Reads the picture; `None` for a note.
    pub fn read(self) -> Option<Result<Digit, InkError>> {
        match self {
            Self::File(path) => Some(read(&path)),
            Self::Stdin => Some(read_stdin()),
            Self::Failed { error, .. } => Some(Err(error)),
            Self::Skipped { .. } => None,
        }
    }
}

/// Turns arguments into inputs: a folder into its pictures by name (not those of its subfolders),
/// `-` into standard input, anything else into the file of that name.
pub fn expand(inputs: &[PathBuf]) -> Vec<Input> {
    inputs
        .iter()
        .flat_map(|path| {
            if path.as_os_str() == "-" {
                vec![Input::Stdin]
            } else if path.is_dir() {
                expand_folder(path)
            } else {
                vec![Input::File(path.clone())]
            }
        })
        .collect()
}

fn expand_folder(folder: &Path) -> Vec<Input> {
    let failed = |error| {
        vec![Input::Failed {
            path: folder.into(),
            error,
        }]
    };
    let file = folder.display().to_string();
    let (mut pictures, others) = match list(folder) {
        Ok(entries) => entries
            .into_iter()
            .partition::<Vec<_>, _>(|path| is_picture(path)),
        Err(error) => return failed(InkError::from_open(&file, error)),
    };
    if pictures.is_empty() {
        return failed(InkError::NoPictures { file });
    }
    pictures.sort();
    let mut inputs: Vec<Input> = pictures.into_iter().map(Input::File).collect();
    if !others.is_empty() {
        inputs.push(Input::Skipped {
            folder: folder.into(),
            count: others.len(),
        });
    }
    inputs
}

/// The entries of a folder that are not hidden: a `._seven.png` is a file manager's, not the user's.
fn list(folder: &Path) -> io::Result<Vec<PathBuf>> {
    let mut paths = Vec::new();
    for entry in fs::read_dir(folder)? {
        let entry = entry?;
        if !entry.file_name().as_encoded_bytes().starts_with(b".") {
            paths.push(entry.path());
        }
    }
    Ok(paths)
}

fn is_picture(path: &Path) -> bool {
    let extension = path.extension().unwrap_or_default();
    let known = ["png", "jpg", "jpeg"]
        .iter()
        .any(|known| extension.eq_ignore_ascii_case(known));
    known && !path.is_dir()
}
