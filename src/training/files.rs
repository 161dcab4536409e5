//! Writing files so that a crash leaves the old one or the new one, never a mix, and no two
//! processes at a time.

use std::ffi::OsStr;
use std::fs::{self, File, TryLockError};
use std::io::Write;
use std::path::{Path, PathBuf};

use thiserror::Error;

/// A file or folder that can't be written.
#[derive(Debug, Error)]
#[error("can't write {path}: {source}", path = path.display())]
pub struct FileError {
    pub path: PathBuf,
    pub source: std::io::Error,
}

impl FileError {
    /// For `map_err`: an I/O error with the path it happened on.
    pub fn at(path: &Path) -> impl FnOnce(std::io::Error) -> Self + '_ {
        move |source| Self {
            path: path.to_path_buf(),
            source,
        }
    }
}

/// A folder that another process works in.
#[derive(Debug, Error)]
#[error(
    "another mnistctl is working in {path}; try again when it has ended",
    path = .0.display()
)]
pub struct BusyError(pub PathBuf);

/// How files that are being written are called.
const PREFIX: &str = ".mnistctl-";
const SUFFIX: &str = ".tmp";

/// Writes `bytes` to a temporary file in `path`'s folder, syncs it, renames it to `path` and
/// syncs the folder.
pub fn write_atomically(path: &Path, bytes: &[u8]) -> Result<(), FileError> {
    let folder = match path.parent() {
        Some(parent) if parent != Path::new("") => parent,
        _ => Path::new("."),
    };
    let write = || -> std::io::Result<()> {
        let mut file = tempfile::Builder::new()
            .prefix(PREFIX)
            .suffix(SUFFIX)
            .tempfile_in(folder)?;
        file.write_all(bytes)?;
        make_readable(file.as_file())?;
        file.as_file().sync_all()?;
        file.persist(path)?;
        sync_folder(folder)
    };
    write().map_err(FileError::at(path))
}

/// tempfile creates files for their owner only; a run's files are as readable as any other.
#[cfg(unix)]
fn make_readable(file: &File) -> std::io::Result<()> {
    use std::os::unix::fs::PermissionsExt;
    file.set_permissions(fs::Permissions::from_mode(0o644))
}

#[cfg(not(unix))]
fn make_readable(_: &File) -> std::io::Result<()> {
    Ok(())
}

/// Makes a rename inside `folder` last through a power cut.
#[cfg(unix)]
fn sync_folder(folder: &Path) -> std::io::Result<()> {
    File::open(folder)?.sync_all()
}

#[cfg(not(unix))]
fn sync_folder(_: &Path) -> std::io::Result<()> {
    Ok(())
}

/// Creates `folder` and its parents.
pub fn create_folder(folder: &Path) -> Result<(), FileError> {
    fs::create_dir_all(folder).map_err(FileError::at(folder))
}

/// Whether `name` is one that [`write_atomically`] gives a file until it is complete.
pub fn is_temporary(name: &OsStr) -> bool {
    let name = name.to_string_lossy();
    name.starts_with(PREFIX) && name.ends_with(SUFFIX)
}

/// Removes the temporary files that killed processes left in `folder`. Whoever calls this holds the
/// folder's [`lock`], so none of them is being written. As good as it can: nothing depends on it.
pub fn sweep(folder: &Path) {
    for entry in fs::read_dir(folder).into_iter().flatten().flatten() {
        if is_temporary(&entry.file_name()) {
            let _ = fs::remove_file(entry.path());
        }
    }
}

/// Keeps other processes from locking `folder` until the returned file is dropped, or this process
/// dies. `None` where the system can't lock folders; there, nothing keeps them.
///
/// # Errors
/// While another process has the lock.
pub fn lock(folder: &Path) -> Result<Option<File>, BusyError> {
    let Ok(file) = File::open(folder) else {
        return Ok(None);
    };
    match file.try_lock() {
        Ok(()) => Ok(Some(file)),
        Err(TryLockError::WouldBlock) => Err(BusyError(folder.to_path_buf())),
        Err(TryLockError::Error(_)) => Ok(None),
    }
}
