//! What the network saw, as PNG files.

use std::collections::HashSet;
use std::ffi::{OsStr, OsString};
use std::io::{self, Cursor};
use std::path::{Path, PathBuf};

use image::{ExtendedColorType, ImageEncoder, codecs::png::PngEncoder};

use super::files::Input;
use super::{Digit, SIDE};
use crate::files::{FileError, create_folder, folder_of, write_atomically};

/// A folder that digits are written into: `seven.png` for `photos/seven.jpg`, and `seven-2.png`
/// for another picture of that name.
pub struct Folder {
    path: PathBuf,
    used: HashSet<OsString>,
}

impl Folder {
    /// Makes the folder if it is missing.
    pub fn create(path: &Path) -> Result<Self, FileError> {
        create_folder(path)?;
        Ok(Self {
            path: path.into(),
            used: HashSet::new(),
        })
    }

    /// Whether one of the inputs lies in it, where a digit could overwrite it.
    pub fn holds_any(&self, inputs: &[Input]) -> bool {
        let Ok(own) = self.path.canonicalize() else {
            return false;
        };
        let paths = inputs.iter().filter_map(|input| match input {
            Input::File(path) => Some(folder_of(path)),
            _ => None,
        });
        let folders: HashSet<&Path> = paths.collect();
        folders
            .into_iter()
            .any(|folder| folder.canonicalize().is_ok_and(|folder| folder == own))
    }

    /// Writes the digit of an input, or with a number one of its digits: `photo-1.png`; returns where.
    pub fn save(
        &mut self,
        input: &Input,
        number: Option<usize>,
        digit: &Digit,
    ) -> Result<PathBuf, FileError> {
        let stem = match input {
            Input::File(path) | Input::Failed { path, .. } => path.file_stem(),
            Input::Stdin => None,
        };
        let mut stem = stem.unwrap_or("stdin".as_ref()).to_os_string();
        if let Some(number) = number {
            stem.push(format!("-{number}"));
        }
        let name = self.unused(&stem);
        let path = self.path.join(name);
        let mut png = Cursor::new(Vec::new());
        PngEncoder::new(&mut png)
            .write_image(
                &digit.pixels,
                SIDE as u32,
                SIDE as u32,
                ExtendedColorType::L8,
            )
            .map_err(io::Error::other)
            .map_err(FileError::at(&path))?;
        write_atomically(&path, png.get_ref())?;
        Ok(path)
    }

    /// `STEM.png`, `STEM-2.png` and so on: the first that this folder has not been given yet.
    fn unused(&mut self, stem: &OsStr) -> OsString {
        let mut name = stem.to_os_string();
        name.push(".png");
        let mut number = 1;
        while !self.used.insert(name.clone()) {
            number += 1;
            name = stem.to_os_string();
            name.push(format!("-{number}.png"));
        }
        name
    }
}
