//! The networks that can be asked: those named on the command line, the program's own, and the runs'.

use std::fs;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::SystemTime;

use serde::Serialize;

use super::error::HttpError;
use crate::dataset::Classes;
use crate::network::Plan;
use crate::recipe::Recipe;
use crate::training::{Checkpoint, CheckpointError, RunFolder};

/// The most runs that are looked at.
const MOST: usize = 1000;

/// What the program's own network is called.
const OWN: &str = "handwriting";

/// The networks of a server.
#[derive(Debug)]
pub struct Networks {
    /// Those that are always there; the first is the default.
    fixed: Vec<Network>,
    runs: PathBuf,
}

/// A network that can be asked, loaded or not.
#[derive(Debug, Clone)]
pub struct Network {
    pub name: String,
    pub key: Key,
    /// Shared, since each request has a copy of this.
    recipe: Arc<Recipe>,
    source: &'static str,
    test_accuracy: Option<f64>,
}

/// What a network is loaded from. One that is written anew has another key.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Key {
    /// The program's own.
    Own,
    File {
        path: PathBuf,
        written: Option<SystemTime>,
    },
}

/// A network in `GET /api/networks`.
#[derive(Debug, Serialize)]
pub struct Described<'a> {
    name: &'a str,
    recipe: &'a str,
    parameters: Option<usize>,
    source: &'static str,
    classes: Vec<String>,
    digits: bool,
    test_accuracy: Option<f64>,
}

impl Networks {
    /// Reads the checkpoints, so that one that can't be used is told at once.
    pub fn new(checkpoints: &[PathBuf], runs: &Path) -> Result<Self, CheckpointError> {
        let mut fixed = Vec::new();
        for path in checkpoints {
            fixed.push(Network {
                name: path.display().to_string(),
                key: Key::file(path),
                recipe: Checkpoint::load(path)?.recipe.into(),
                source: "checkpoint",
                test_accuracy: None,
            });
        }
        fixed.push(Network {
            name: OWN.to_string(),
            key: Key::Own,
            recipe: Checkpoint::embedded()?.recipe.into(),
            source: "built-in",
            test_accuracy: None,
        });
        Ok(Self {
            fixed,
            runs: runs.to_path_buf(),
        })
    }

    /// All of them, as they are now. A run whose name is taken can't be asked.
    pub fn all(&self) -> Vec<Network> {
        let mut all = self.fixed.clone();
        for name in run_names(&self.runs) {
            let taken = all.iter().any(|network| network.name == name);
            if !taken && let Some(network) = self.of_run(&name) {
                all.push(network);
            }
        }
        all
    }

    /// The network of this name among those that are always there, or the default.
    pub fn always(&self, name: Option<&str>) -> Option<&Network> {
        match name {
            None => self.fixed.first(),
            Some(name) => self.fixed.iter().find(|network| network.name == name),
        }
    }

    /// The network of the run of this name.
    pub fn of_runs(&self, name: Option<&str>) -> Result<Network, HttpError> {
        let names = run_names(&self.runs);
        let run = names.iter().find(|run| Some(run.as_str()) == name);
        let network = run.and_then(|run| self.of_run(run));
        network.ok_or_else(|| {
            HttpError::not_found("there is no such network; GET /api/networks lists them")
        })
    }

    fn of_run(&self, name: &str) -> Option<Network> {
        let folder = RunFolder::open(&self.runs.join(name));
        let best = folder.file("best.mpk");
        if !best.is_file() {
            return None;
        }
        let summary = folder.read_summary().ok().flatten();
        Some(Network {
            name: name.to_string(),
            key: Key::file(&best),
            recipe: folder.read_recipe().ok()?.into(),
            source: "run",
            test_accuracy: summary.map(|summary| summary.test.accuracy),
        })
    }
}

impl Network {
    pub fn classes(&self) -> &Classes {
        &self.recipe.data.classes
    }

    pub fn described(&self) -> Described<'_> {
        let plan = Plan::new(&self.recipe.model.layers).ok();
        Described {
            name: &self.name,
            recipe: &self.recipe.name,
            parameters: plan.map(|plan| plan.parameter_count()),
            source: self.source,
            classes: self.classes().names(),
            digits: !self.classes().are_named(),
            test_accuracy: self.test_accuracy,
        }
    }
}

impl Key {
    fn file(path: &Path) -> Self {
        let metadata = path.metadata();
        Self::File {
            path: path.to_path_buf(),
            written: metadata.and_then(|metadata| metadata.modified()).ok(),
        }
    }

    /// The checkpoint as it is now.
    pub fn load(&self) -> Result<Checkpoint, CheckpointError> {
        match self {
            Key::Own => Checkpoint::embedded(),
            Key::File { path, .. } => Checkpoint::load(path),
        }
    }

    /// What messages call it.
    pub fn path(&self) -> &Path {
        match self {
            Key::Own => Path::new(OWN),
            Key::File { path, .. } => path,
        }
    }
}

/// The names of the runs in a folder: what a request names is looked up here and never made a path.
pub fn run_names(folder: &Path) -> Vec<String> {
    let Ok(entries) = fs::read_dir(folder) else {
        return Vec::new();
    };
    let entries = entries.flatten().filter(|entry| {
        let is_hidden = entry.file_name().as_encoded_bytes().starts_with(b".");
        !is_hidden && entry.path().join("recipe.toml").is_file()
    });
    let names = entries.filter_map(|entry| entry.file_name().into_string().ok());
    let mut names: Vec<String> = names.take(MOST).collect();
    names.sort();
    names
}
