//! A run's folder: `recipe.toml`, `metrics.jsonl`, `best.mpk`, `last.mpk`, `summary.json`.

use std::fs::{self, OpenOptions};
use std::io::{ErrorKind, Write};
use std::path::{Path, PathBuf};

use serde::Serialize;
use thiserror::Error;

use super::checkpoint::{Checkpoint, CheckpointError};
use super::files::{FileError, create_folder, write_atomically};
use super::metrics::{Epoch, Figures, LogLine};
use crate::recipe::Recipe;

/// A folder that can't hold a run.
#[derive(Debug, Error)]
pub enum RunFolderError {
    #[error(
        "{path} already holds something; name a new folder with --out, or go on with a run \
         there by --resume {path}",
        path = .0.display()
    )]
    NotEmpty(PathBuf),
    #[error("{path} is not a folder; name one with --out", path = .0.display())]
    NotAFolder(PathBuf),
    #[error(transparent)]
    Write(#[from] FileError),
}

/// `summary.json`: a finished run in one object.
#[derive(Debug, Serialize)]
pub struct Summary<'a> {
    pub recipe: &'a str,
    /// Trainable parameters.
    pub parameters: usize,
    pub backend: &'a str,
    pub threads: usize,
    /// `sample`, or the folder the data came from.
    pub dataset: &'a str,
    /// Of the uncompressed training images.
    pub sha256: &'a str,
    pub train_images: usize,
    pub val_images: usize,
    pub seed: u64,
    pub epochs: usize,
    pub best_epoch: u64,
    /// The best epoch's; null without validation images.
    pub val: Option<Figures>,
    /// `best.mpk` on the test images, measured once at the end.
    pub test: TestFigures,
    /// Training and validation, all epochs together.
    pub seconds: f64,
}

#[derive(Debug, Serialize)]
pub struct TestFigures {
    pub images: u64,
    pub loss: f64,
    pub accuracy: f64,
    pub errors: u64,
}

/// The folder of one run.
#[derive(Debug)]
pub struct RunFolder {
    path: PathBuf,
}

impl RunFolder {
    /// Creates `out`, or without it `runs/NAME`, `runs/NAME-2`, ..., and writes `recipe.toml`.
    pub fn create(out: Option<&Path>, recipe: &Recipe) -> Result<Self, RunFolderError> {
        let path = match out {
            Some(out) => claim_named(out)?,
            None => claim_numbered(&recipe.name)?,
        };
        let folder = Self { path };
        folder.save_recipe(recipe)?;
        Ok(folder)
    }

    pub fn save_recipe(&self, recipe: &Recipe) -> Result<(), FileError> {
        write_atomically(&self.file("recipe.toml"), recipe.to_toml().as_bytes())
    }

    /// An existing run's folder.
    pub fn open(path: &Path) -> Self {
        Self {
            path: path.to_path_buf(),
        }
    }

    pub fn path(&self) -> &Path {
        &self.path
    }

    /// A file of the run by its name.
    pub fn file(&self, name: &str) -> PathBuf {
        self.path.join(name)
    }

    pub fn save_best(&self, checkpoint: &Checkpoint) -> Result<(), CheckpointError> {
        checkpoint.save(&self.file("best.mpk"))
    }

    pub fn save_last(&self, checkpoint: &Checkpoint) -> Result<(), CheckpointError> {
        checkpoint.save(&self.file("last.mpk"))
    }

    /// Replaces the log, as at the start of a run and when one is resumed.
    pub fn save_log(&self, log: &[LogLine]) -> Result<(), FileError> {
        let text: String = log.iter().map(LogLine::to_json).collect();
        write_atomically(&self.file("metrics.jsonl"), text.as_bytes())
    }

    /// Adds a line to the log. A crash can tear this line, which a resume repairs.
    pub fn append_log(&self, line: &LogLine) -> Result<(), FileError> {
        let path = self.file("metrics.jsonl");
        let append = || {
            let mut file = OpenOptions::new().append(true).open(&path)?;
            file.write_all(line.to_json().as_bytes())?;
            file.sync_data()
        };
        append().map_err(FileError::at(&path))
    }

    /// The log's lines for `epochs`; one that is missing or unreadable counts no time.
    pub fn read_log(&self, epochs: &[Epoch]) -> Vec<LogLine> {
        let text = fs::read_to_string(self.file("metrics.jsonl")).unwrap_or_default();
        let lines: Vec<LogLine> = text
            .lines()
            .filter_map(|line| serde_json::from_str(line).ok())
            .collect();
        let line_of = |epoch: &Epoch| {
            let found = lines.iter().find(|line| line.epoch.epoch == epoch.epoch);
            LogLine {
                epoch: epoch.clone(),
                seconds: found.map_or(0.0, |line| line.seconds),
                images_per_second: found.map_or(0.0, |line| line.images_per_second),
            }
        };
        epochs.iter().map(line_of).collect()
    }

    pub fn save_summary(&self, summary: &Summary<'_>) -> Result<(), FileError> {
        let mut text = serde_json::to_string_pretty(summary).expect("a summary is plain JSON");
        text.push('\n');
        write_atomically(&self.file("summary.json"), text.as_bytes())
    }
}

/// A folder that the user named: new, or empty.
fn claim_named(path: &Path) -> Result<PathBuf, RunFolderError> {
    match fs::read_dir(path) {
        Ok(mut entries) => match entries.next() {
            None => Ok(path.to_path_buf()),
            Some(_) => Err(RunFolderError::NotEmpty(path.to_path_buf())),
        },
        Err(error) if error.kind() == ErrorKind::NotADirectory => {
            Err(RunFolderError::NotAFolder(path.to_path_buf()))
        }
        Err(_) => {
            create_folder(path)?;
            Ok(path.to_path_buf())
        }
    }
}

/// The first of `runs/NAME`, `runs/NAME-2`, ... that does not exist. Creating is the test, so
/// that two runs started at once get two folders.
fn claim_numbered(name: &str) -> Result<PathBuf, RunFolderError> {
    let runs = Path::new("runs");
    create_folder(runs)?;
    let mut number = 1u64;
    loop {
        let path = match number {
            1 => runs.join(name),
            _ => runs.join(format!("{name}-{number}")),
        };
        match fs::create_dir(&path) {
            Ok(()) => return Ok(path),
            Err(error) if error.kind() == ErrorKind::AlreadyExists => number += 1,
            Err(error) => return Err(FileError::at(&path)(error).into()),
        }
    }
}
