//! Files that are not complete yet: made, given their final name, and swept up after a crash.

use std::fs::{self, File, TryLockError};
use std::io;
use std::path::{Path, PathBuf};
use std::time::Duration;

use tempfile::NamedTempFile;

use crate::dataset::idx::Contents;
use crate::dataset::{DatasetError, Expected};

/// How temporary files are called.
const PREFIX: &str = ".mnistctl-";
const SUFFIX: &str = ".part";
/// Where files can't be locked, one that is older was left by a download that was killed.
const OLD: Duration = Duration::from_secs(60 * 60);

/// A new temporary file in the folder; it deletes itself unless it is renamed. It is locked, which
/// tells it from one whose process was killed: a lock ends with its process.
pub(super) fn create(folder: &Path) -> io::Result<NamedTempFile> {
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

/// Gives a verified file its name, safe against a power cut, and returns its path.
pub(super) fn install(
    file: NamedTempFile,
    contents: &Contents,
    wanted: &Expected,
    folder: &Path,
) -> Result<PathBuf, DatasetError> {
    // A proxy on the way may have unpacked it; a `.gz` that is none would mislead other programs.
    let name = if contents.gzip {
        format!("{}.gz", wanted.name)
    } else {
        wanted.name.to_owned()
    };
    let path = folder.join(name);
    file.as_file()
        .sync_all()
        .map_err(|cause| write_error(folder, cause))?;
    file.persist(&path)
        .map_err(|failed| write_error(folder, failed.error))?;
    // The rename is on the disk when the folder is. Not every system can sync a folder, and losing
    // the rename would only cost another download, so a failure here is none.
    let _ = File::open(folder).and_then(|folder| folder.sync_all());
    Ok(path)
}

/// Removes what killed downloads left. As good as it can: nothing depends on it.
pub(super) fn sweep(folder: &Path) {
    for entry in fs::read_dir(folder).into_iter().flatten().flatten() {
        let name = entry.file_name();
        let ours = name
            .to_str()
            .is_some_and(|name| name.starts_with(PREFIX) && name.ends_with(SUFFIX));
        // Locked while it is removed, so that nobody begins to write to it.
        if ours && let Some(_locked) = abandoned(&entry.path()) {
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

/// The error for a folder that cannot be written to.
pub(super) fn write_error(folder: &Path, cause: io::Error) -> DatasetError {
    DatasetError::Write {
        folder: folder.to_path_buf(),
        cause,
    }
}
