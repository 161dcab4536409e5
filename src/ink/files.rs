//! What a command line names -> the pictures to read.

use std::fs::{self, DirEntry, File, FileType};
use std::io::{self, IsTerminal, Read};
use std::path::{Path, PathBuf};

use super::InkError;

/// The largest file that is read.
pub const MAX_FILE_BYTES: u64 = 128 << 20;

/// What standard input is called in messages.
const STDIN: &str = "standard input";

/// The extensions of pictures, in lower case.
const EXTENSIONS: [&str; 12] = [
    "png", "jpg", "jpeg", "gif", "bmp", "webp", "pbm", "pgm", "ppm", "pnm", "tif", "tiff",
];

/// One picture that the command line names, by itself or with its folder.
#[derive(Debug)]
pub enum Input {
    File(PathBuf),
    Stdin,
    /// An argument that leads to no picture.
    Failed {
        path: PathBuf,
        error: InkError,
    },
}

impl Input {
    /// What results and messages call this input. What is not UTF-8 in a name is shown as `�`.
    pub fn name(&self) -> String {
        match self {
            Self::Stdin => STDIN.into(),
            Self::File(path) | Self::Failed { path, .. } => path.display().to_string(),
        }
    }
}

/// What the arguments stand for.
#[derive(Debug, Default)]
pub struct Listing {
    /// The inputs in the order of the arguments, those of a folder sorted by name.
    pub inputs: Vec<Input>,
    /// Folders with the number of things in them, subfolders among them, that are not pictures.
    pub skipped: Vec<(PathBuf, usize)>,
}

/// Turns arguments into inputs: a folder into its pictures (not those of its subfolders), `-` into
/// standard input, anything else into the file of that name.
pub fn expand(arguments: &[PathBuf]) -> Listing {
    let mut listing = Listing::default();
    for path in arguments {
        if path.as_os_str() == "-" {
            listing.inputs.push(Input::Stdin);
        } else if path.is_dir() {
            listing.add_folder(path);
        } else {
            listing.inputs.push(Input::File(path.clone()));
        }
    }
    listing
}

impl Listing {
    fn add_folder(&mut self, folder: &Path) {
        let file = folder.display().to_string();
        let error = match list(folder) {
            Ok((pictures, others)) if !pictures.is_empty() => {
                self.inputs.extend(pictures.into_iter().map(Input::File));
                if others > 0 {
                    self.skipped.push((folder.into(), others));
                }
                return;
            }
            Ok(_) => InkError::NoPictures { file },
            Err(error) => InkError::from_open(&file, error),
        };
        self.inputs.push(Input::Failed {
            path: folder.into(),
            error,
        });
    }
}

/// A folder's pictures, sorted, and the number of other things in it.
///
/// Hidden files do not count: a `._seven.png` is a file manager's, not the user's.
fn list(folder: &Path) -> io::Result<(Vec<PathBuf>, usize)> {
    let (mut pictures, mut others) = (Vec::new(), 0);
    for entry in fs::read_dir(folder)? {
        let entry = entry?;
        if entry.file_name().as_encoded_bytes().starts_with(b".") {
            continue;
        }
        if is_picture(&entry) {
            pictures.push(entry.path());
        } else {
            others += 1;
        }
    }
    pictures.sort();
    Ok((pictures, others))
}

/// Whether it is called like a picture, and is a file: to read anything else, such as a pipe, may
/// take forever. A link that leads nowhere is one too, so that it is missed.
fn is_picture(entry: &DirEntry) -> bool {
    let path = entry.path();
    let extension = path.extension().unwrap_or_default();
    if !EXTENSIONS.iter().any(|e| extension.eq_ignore_ascii_case(e)) {
        return false;
    }
    match entry.file_type() {
        Ok(kind) if kind.is_symlink() => {
            path.metadata().is_ok_and(|m| m.is_file()) || !path.exists()
        }
        Ok(kind) => kind.is_file(),
        Err(_) => true,
    }
}

/// The size of the file that `load` would read.
pub(super) fn size(path: &Path) -> u64 {
    path.metadata().map_or(0, |metadata| metadata.len())
}

/// Reads a file, whatever is in it.
pub(super) fn load(path: &Path) -> Result<Vec<u8>, InkError> {
    let file = path.display().to_string();
    let metadata = path.metadata().map_err(|error| {
        let is_link = error.kind() == io::ErrorKind::NotFound && path.is_symlink();
        if is_link {
            InkError::DanglingLink { file: file.clone() }
        } else {
            InkError::from_open(&file, error)
        }
    })?;
    if metadata.is_dir() {
        return Err(InkError::Folder { file });
    }
    if let Some(kind) = endless(path, metadata.file_type()) {
        return Err(InkError::NotAFile { file, kind });
    }
    if metadata.len() > MAX_FILE_BYTES {
        return Err(InkError::FileTooBig { file });
    }
    let source = File::open(path).map_err(|error| InkError::from_open(&file, error))?;
    read_bounded(&file, source, metadata.len())
}

/// What a path leads to whose reading may never end; `None` if it will.
#[cfg(unix)]
fn endless(path: &Path, kind: FileType) -> Option<&'static str> {
    use std::os::unix::fs::FileTypeExt;
    if kind.is_char_device() || kind.is_block_device() {
        return Some("a device");
    }
    // A shell's `<(command)` is a pipe too, below /dev, with someone at its other end.
    let waits = kind.is_fifo() && !path.starts_with("/dev") && !path.starts_with("/proc");
    (waits || kind.is_socket()).then_some("a pipe")
}

#[cfg(not(unix))]
fn endless(_: &Path, _: FileType) -> Option<&'static str> {
    None
}

/// Reads standard input.
pub(super) fn load_stdin() -> Result<Vec<u8>, InkError> {
    let stdin = io::stdin();
    if stdin.is_terminal() {
        return Err(InkError::Terminal);
    }
    read_bounded(STDIN, stdin.lock(), 0)
}

/// Reads to the end, but no further than the limit: a pipe has no size to check first.
fn read_bounded(name: &str, source: impl Read, expected: u64) -> Result<Vec<u8>, InkError> {
    let mut bytes = Vec::with_capacity(expected as usize + 1);
    source
        .take(MAX_FILE_BYTES + 1)
        .read_to_end(&mut bytes)
        .map_err(|error| InkError::from_open(name, error))?;
    if bytes.len() as u64 > MAX_FILE_BYTES {
        return Err(InkError::FileTooBig { file: name.into() });
    }
    Ok(bytes)
}
