//! Writing files so that a crash leaves the old one or the new one, never a mix, and no two
//! processes at a time.

use std::ffi::OsStr;
use std::fs::{self, File, TryLockError};
use std::io::{self, Write};
use std::path::{Path, PathBuf};
use std::time::Duration;

use tempfile::NamedTempFile;
use thiserror::Error;

/// A file or folder that can't be written.
#[derive(Debug, Error)]
#[error("can't write {path}: {source}", path = path.display())]
pub struct FileError {
    pub path: PathBuf,
    pub source: io::Error,
}

impl FileError {
    /// For `map_err`: an I/O error with the path it happened on.
    pub fn at(path: &Path) -> impl FnOnce(io::Error) -> Self + '_ {
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

/// The prefix and the suffix of the names of files that are being written.
const PREFIX: &str = ".mnistctl-";
const SUFFIX: &str = ".tmp";
/// Where files can't be locked, a temporary file that is older was left by a killed process.
const OLD: Duration = Duration::from_secs(60 * 60);

/// A new temporary file in `folder`; it deletes itself unless [`install`] gives it a name. It is
/// locked, which tells it from one whose process was killed: a lock ends with its process.
pub fn temporary(folder: &Path) -> io::Result<NamedTempFile> {
    let mut builder = tempfile::Builder::new();
    builder.prefix(PREFIX).suffix(SUFFIX);
    // Readable as any file the user makes (the umask applies), where temporary files are private
    // otherwise.
    #[cfg(unix)]
    builder.permissions(std::os::unix::fs::PermissionsExt::from_mode(0o666));
    loop {
        let file = builder.tempfile_in(folder)?;
        // Another process may have swept it up before it was locked, or be about to.
        match file.as_file().try_lock() {
            Ok(()) if !file.path().exists() => continue,
            Err(TryLockError::WouldBlock) => continue,
            Ok(()) | Err(TryLockError::Error(_)) => return Ok(file),
        }
    }
}

/// Gives a complete [`temporary`] file its name in the same folder, safe against a power cut: the
/// file is on the disk before it has its name, and the name is there when this returns.
pub fn install(file: NamedTempFile, path: &Path) -> io::Result<()> {
    file.as_file().sync_all()?;
    file.persist(path)?;
    sync_folder(folder_of(path))
}

/// Writes `bytes` to `path`, so that at any time either the old file is there or the new one.
pub fn write_atomically(path: &Path, bytes: &[u8]) -> Result<(), FileError> {
    let write = || {
        let mut file = temporary(folder_of(path))?;
        file.write_all(bytes)?;
        install(file, path)
    };
    write().map_err(FileError::at(path))
}

/// The folder that holds `path`: of a bare name, the current one.
pub fn folder_of(path: &Path) -> &Path {
    match path.parent() {
        Some(parent) if parent != Path::new("") => parent,
        _ => Path::new("."),
    }
}

/// Makes a rename inside `folder` last through a power cut, where that can be asked for: some file
/// systems can't sync a folder, and one that may be written to but not listed can't be opened.
#[cfg(unix)]
fn sync_folder(folder: &Path) -> io::Result<()> {
    use io::ErrorKind::{InvalidInput, PermissionDenied, Unsupported};
    match File::open(folder).and_then(|folder| folder.sync_all()) {
        Err(error) if matches!(error.kind(), InvalidInput | PermissionDenied | Unsupported) => {
            Ok(())
        }
        result => result,
    }
}

#[cfg(not(unix))]
fn sync_folder(_: &Path) -> io::Result<()> {
    Ok(())
}

/// Creates `folder` and its parents.
pub fn create_folder(folder: &Path) -> Result<(), FileError> {
    fs::create_dir_all(folder).map_err(FileError::at(folder))
}

/// Whether `name` is one that a [`temporary`] file has.
pub fn is_temporary(name: &OsStr) -> bool {
    let name = name.to_string_lossy();
    name.starts_with(PREFIX) && name.ends_with(SUFFIX)
}

/// Removes the temporary files that killed processes left in `folder`, and none that is still being
/// written. Failures are ignored, since nothing depends on it.
pub fn sweep(folder: &Path) {
    for entry in fs::read_dir(folder).into_iter().flatten().flatten() {
        // Locked while it is removed, so that nobody begins to write to it.
        if is_temporary(&entry.file_name())
            && entry.file_type().is_ok_and(|kind| kind.is_file())
            && let Some(_locked) = abandoned(&entry.path())
        {
            let _ = fs::remove_file(entry.path());
        }
    }
}

/// A temporary file that no process is writing any more, opened and locked.
fn abandoned(path: &Path) -> Option<File> {
    let file = File::open(path).ok()?;
    match file.try_lock() {
        Ok(()) => Some(file),
        Err(TryLockError::WouldBlock) => None,
        Err(TryLockError::Error(_)) => {
            let age = file.metadata().ok()?.modified().ok()?.elapsed().ok()?;
            (age > OLD).then_some(file)
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

#[cfg(test)]
mod tests {
    use support::listing;

    use super::*;

    #[test]
    fn only_what_nobody_writes_any_more_is_swept() {
        let folder = tempfile::tempdir().unwrap();
        let path = |name: &str| folder.path().join(name);
        fs::write(path(".mnistctl-killed.tmp"), "half").unwrap();
        fs::write(path("notes.tmp"), "somebody's own").unwrap();
        fs::create_dir(path(".mnistctl-folder.tmp")).unwrap();
        let mut running = temporary(folder.path()).unwrap();
        let name = running.path().file_name().unwrap().to_str().unwrap();
        let mut expected = vec![".mnistctl-folder.tmp".to_string(), name.into()];
        expected.sort();
        expected.push("notes.tmp".into());
        sweep(folder.path());
        assert_eq!(listing(folder.path()), expected);

        running.write_all(b"complete").unwrap();
        install(running, &path("file")).unwrap();
        write_atomically(&path("file"), b"new").unwrap();
        assert_eq!(fs::read(path("file")).unwrap(), b"new");
        let expected = [".mnistctl-folder.tmp", "file", "notes.tmp"];
        assert_eq!(listing(folder.path()), expected);
    }
}
