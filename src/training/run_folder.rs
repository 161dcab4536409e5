//! A run's folder: `recipe.toml`, `metrics.jsonl`, `best.mpk`, `last.mpk`, `summary.json`.

use std::collections::HashMap;
use std::fs::{self, File, OpenOptions};
use std::io::{ErrorKind, Read, Write};
use std::path::{Path, PathBuf};
use std::thread;
use std::time::{Duration, Instant};

use serde::{Deserialize, Serialize};
use thiserror::Error;

use super::checkpoint::{Checkpoint, CheckpointError};
use super::metrics::{CSV_HEADER, Epoch, Figures, LogLine};
use crate::files::{
    BusyError, FileError, create_folder, is_temporary, lock, sweep, write_atomically,
};
use crate::recipe::{Recipe, RecipeError};

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
    #[error(
        "{path} holds no run: there is no recipe.toml in it; name a folder that `mnistctl train` wrote",
        path = .0.display()
    )]
    NoRun(PathBuf),
    #[error("can't read {path}: {problem}", path = path.display())]
    Unreadable { path: PathBuf, problem: String },
    #[error(transparent)]
    Busy(#[from] BusyError),
    #[error(transparent)]
    Recipe(#[from] RecipeError),
    #[error(transparent)]
    Checkpoint(#[from] CheckpointError),
    #[error(transparent)]
    Write(#[from] FileError),
}

/// 100,000 epochs, the most a recipe can ask for, need half of this.
const MAX_BYTES: u64 = 64 << 20;

/// `summary.json`: a finished run in one object.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Summary {
    pub recipe: String,
    /// Trainable parameters.
    pub parameters: usize,
    /// What computed; `native` stands for our kernels.
    pub backend: String,
    /// The instruction set that our kernels were chosen for; null for burn's backends, and missing
    /// in the summaries of old versions.
    #[serde(default)]
    pub isa: Option<String>,
    pub threads: usize,
    /// `sample`, or the folder the data came from.
    pub dataset: String,
    /// The sha256 of the uncompressed training images.
    pub sha256: String,
    pub train_images: usize,
    pub val_images: usize,
    /// `--limit`; null without it.
    #[serde(default)]
    pub limit: Option<u64>,
    pub seed: u64,
    pub epochs: usize,
    pub best_epoch: u64,
    /// The figures of the best epoch on the validation images; null without these.
    pub val: Option<Figures>,
    /// The figures of `best.mpk` on the test images, measured once at the end.
    pub test: TestFigures,
    /// The time for training and validation over all epochs.
    pub seconds: f64,
}

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct TestFigures {
    pub images: u64,
    pub loss: f64,
    pub accuracy: f64,
    pub errors: u64,
}

impl Summary {
    /// Reads and checks a summary; `path` is what messages call it.
    pub fn parse(text: &str, path: &Path) -> Result<Self, RunFolderError> {
        let unreadable = |problem: String| RunFolderError::Unreadable {
            path: path.to_path_buf(),
            problem,
        };
        let summary: Self = serde_json::from_str(text)
            .map_err(|error| unreadable(format!("it is not the summary of a run ({error})")))?;
        if summary.test.errors <= summary.test.images {
            Ok(summary)
        } else {
            Err(unreadable("it counts more errors than images".into()))
        }
    }
}

/// The folder of one run.
#[derive(Debug)]
pub struct RunFolder {
    path: PathBuf,
    /// Held by a process that trains in it.
    _lock: Option<File>,
}

impl RunFolder {
    /// Creates `out`, or without it `runs/NAME`, `runs/NAME-2`, ..., to train in.
    pub fn create(out: Option<&Path>, name: &str) -> Result<Self, RunFolderError> {
        let path = match out {
            Some(out) => named(out)?,
            None => numbered(name)?,
        };
        let folder = Self::claim(&path)?;
        // Now that no other process can begin a run there.
        let mut entries = fs::read_dir(&path).map_err(FileError::at(&path))?;
        match entries.next() {
            None => Ok(folder),
            Some(_) => Err(RunFolderError::NotEmpty(path)),
        }
    }

    /// An existing run's folder, to train in: while this lives, no other process can. Removes what
    /// a crash has left half-written.
    ///
    /// # Errors
    /// While another process trains in it.
    pub fn claim(path: &Path) -> Result<Self, RunFolderError> {
        let lock = lock(path)?;
        sweep(path);
        Ok(Self {
            path: path.to_path_buf(),
            _lock: lock,
        })
    }

    /// An existing run's folder, to read from.
    pub fn open(path: &Path) -> Self {
        Self {
            path: path.to_path_buf(),
            _lock: None,
        }
    }

    /// Waits until no process trains in it, but no longer than until `end`.
    pub fn wait_until_free(&self, end: Instant) {
        while lock(&self.path).is_err() && Instant::now() < end {
            thread::sleep(Duration::from_millis(50));
        }
    }

    pub fn save_recipe(&self, recipe: &Recipe) -> Result<(), FileError> {
        write_atomically(&self.file("recipe.toml"), recipe.to_toml().as_bytes())
    }

    /// Takes the summary away, as a run that goes on does: it speaks of finished runs only.
    pub fn remove_summary(&self) -> Result<(), FileError> {
        let path = self.file("summary.json");
        match fs::remove_file(&path) {
            Err(error) if error.kind() != ErrorKind::NotFound => Err(FileError::at(&path)(error)),
            _ => Ok(()),
        }
    }

    pub fn path(&self) -> &Path {
        &self.path
    }

    /// A file of the run by its name.
    pub fn file(&self, name: &str) -> PathBuf {
        self.path.join(name)
    }

    /// Saves the network of what `last.mpk` is given, without the state to go on from.
    pub fn save_best(&self, last: Checkpoint) -> Result<(), CheckpointError> {
        let best = Checkpoint {
            resume: None,
            ..last
        };
        best.save(&self.file("best.mpk"))
    }

    pub fn save_last(&self, checkpoint: &Checkpoint) -> Result<(), CheckpointError> {
        checkpoint.save(&self.file("last.mpk"))
    }

    /// Replaces the log and its table, as at the start of a run and when one is resumed.
    pub fn save_log(&self, log: &[LogLine]) -> Result<(), FileError> {
        let text: String = log.iter().map(LogLine::to_json).collect();
        write_atomically(&self.file("metrics.jsonl"), text.as_bytes())?;
        let rows: String = log.iter().map(LogLine::to_csv).collect();
        let table = format!("{CSV_HEADER}{rows}");
        write_atomically(&self.file("metrics.csv"), table.as_bytes())
    }

    /// Adds a line to the log and its table. A crash can tear this line, which a resume repairs.
    pub fn append_log(&self, line: &LogLine) -> Result<(), FileError> {
        for (name, text) in [
            ("metrics.jsonl", line.to_json()),
            ("metrics.csv", line.to_csv()),
        ] {
            let path = self.file(name);
            let append = || {
                let mut file = OpenOptions::new().append(true).open(&path)?;
                file.write_all(text.as_bytes())?;
                file.sync_data()
            };
            append().map_err(FileError::at(&path))?;
        }
        Ok(())
    }

    /// The log's lines for `epochs`; one that is missing or unreadable counts no time.
    pub fn read_log(&self, epochs: &[Epoch]) -> Vec<LogLine> {
        let mut lines = HashMap::new();
        for line in self.read_metrics().unwrap_or_default() {
            lines.entry(line.epoch.epoch).or_insert(line);
        }
        let line_of = |epoch: &Epoch| {
            let found = lines.get(&epoch.epoch);
            LogLine {
                epoch: epoch.clone(),
                seconds: found.map_or(0.0, |line| line.seconds),
                images_per_second: found.map_or(0.0, |line| line.images_per_second),
            }
        };
        epochs.iter().map(line_of).collect()
    }

    /// The recipe of the run; a crash at its very start leaves only the one inside `last.mpk`.
    ///
    /// # Errors
    /// [`RunFolderError::NoRun`] where there is neither.
    pub fn read_recipe(&self) -> Result<Recipe, RunFolderError> {
        let path = self.file("recipe.toml");
        match self.read_text("recipe.toml")? {
            Some(text) => Ok(Recipe::parse(&path.display().to_string(), &text, &[])?),
            None if self.file("last.mpk").exists() => {
                Ok(Checkpoint::load(&self.file("last.mpk"))?.recipe)
            }
            None => Err(RunFolderError::NoRun(self.path.clone())),
        }
    }

    /// The lines of the log that are whole: none before the first epoch has ended.
    pub fn read_metrics(&self) -> Result<Vec<LogLine>, RunFolderError> {
        let text = self.read_text("metrics.jsonl")?.unwrap_or_default();
        Ok(LogLine::parse_all(&text))
    }

    /// The summary; `None` until the run is finished.
    pub fn read_summary(&self) -> Result<Option<Summary>, RunFolderError> {
        let Some(text) = self.read_text("summary.json")? else {
            return Ok(None);
        };
        Summary::parse(&text, &self.file("summary.json")).map(Some)
    }

    /// A text file of the run; `None` where there is no such file.
    fn read_text(&self, name: &str) -> Result<Option<String>, RunFolderError> {
        let path = self.file(name);
        let unreadable = |problem: String| RunFolderError::Unreadable {
            path: path.clone(),
            problem,
        };
        let file = match File::open(&path) {
            Ok(file) => file,
            Err(error) if error.kind() == ErrorKind::NotFound => return Ok(None),
            Err(error) => return Err(unreadable(error.to_string())),
        };
        let mut text = String::new();
        file.take(MAX_BYTES + 1)
            .read_to_string(&mut text)
            .map_err(|error| unreadable(error.to_string()))?;
        if text.len() as u64 > MAX_BYTES {
            return Err(unreadable("it is larger than any run makes it".into()));
        }
        Ok(Some(text))
    }

    pub fn save_summary(&self, summary: &Summary) -> Result<(), FileError> {
        let mut text = serde_json::to_string_pretty(summary).expect("a summary is plain JSON");
        text.push('\n');
        write_atomically(&self.file("summary.json"), text.as_bytes())
    }
}

/// A folder that the user named: new, or with nothing in it that matters.
fn named(path: &Path) -> Result<PathBuf, RunFolderError> {
    match fs::read_dir(path) {
        Ok(entries) => {
            let mut names = entries.flatten().map(|entry| entry.file_name());
            if names.all(|name| is_temporary(&name)) {
                Ok(path.to_path_buf())
            } else {
                Err(RunFolderError::NotEmpty(path.to_path_buf()))
            }
        }
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
fn numbered(name: &str) -> Result<PathBuf, RunFolderError> {
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
