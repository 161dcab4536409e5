//! The trainings in a folder, finished and under way.

use std::path::{Path, PathBuf};
use std::time::SystemTime;

use serde::Serialize;

use super::error::HttpError;
use super::networks::run_names;
use crate::files;
use crate::network::Plan;
use crate::recipe::Recipe;
use crate::training::{LogLine, RunFolder, Summary};

/// The folder of the runs.
#[derive(Debug, Clone)]
pub struct Runs {
    folder: PathBuf,
}

/// A run, as the list shows it.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Row {
    pub name: String,
    recipe: String,
    pub state: RunState,
    epoch: u64,
    epochs: u64,
    parameters: Option<usize>,
    val_accuracy: Option<f64>,
    test_accuracy: Option<f64>,
    /// For training so far.
    seconds: f64,
    eta_seconds: Option<f64>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum RunState {
    Training,
    Finished,
    /// Neither, at present.
    Stopped,
}

/// All that is known of a run.
#[derive(Debug)]
pub struct Run {
    pub row: Row,
    pub log: Vec<LogLine>,
    pub recipe: Recipe,
    pub summary: Option<Summary>,
}

impl Runs {
    pub fn new(folder: PathBuf) -> Self {
        Self { folder }
    }

    /// The run of this name, as it is now.
    pub fn find(&self, name: &str) -> Result<Run, HttpError> {
        let names = run_names(&self.folder);
        let name = names.iter().find(|run| *run == name);
        let run = name.and_then(|name| read(&self.folder.join(name), name));
        run.ok_or_else(|| HttpError::not_found("there is no such run; GET /api/runs lists them"))
    }

    /// All runs, the one that was written to last first.
    pub fn all(&self) -> Vec<Row> {
        let names = run_names(&self.folder).into_iter();
        let mut rows: Vec<(SystemTime, Row)> = names
            .filter_map(|name| {
                let path = self.folder.join(&name);
                Some((written(&path), read(&path, &name)?.row))
            })
            .collect();
        rows.sort_by(|(one, a), (other, b)| other.cmp(one).then_with(|| a.name.cmp(&b.name)));
        rows.into_iter().map(|(_, row)| row).collect()
    }
}

/// When a run's log or, before its first epoch, its recipe was written.
fn written(run: &Path) -> SystemTime {
    let time = |name: &str| run.join(name).metadata().and_then(|m| m.modified()).ok();
    time("metrics.jsonl")
        .or_else(|| time("recipe.toml"))
        .unwrap_or(SystemTime::UNIX_EPOCH)
}

/// Reads a run; `None` where it can't be read.
fn read(path: &Path, name: &str) -> Option<Run> {
    let folder = RunFolder::open(path);
    let recipe = folder.read_recipe().ok()?;
    let log = folder.read_metrics().unwrap_or_default();
    let summary = folder.read_summary().ok().flatten();
    let epochs = recipe.training.epochs;
    let state = match &summary {
        Some(_) => RunState::Finished,
        None if files::lock(path).is_err() => RunState::Training,
        None => RunState::Stopped,
    };
    let epoch = log.last().map_or(0, |line| line.epoch.epoch);
    let seconds: f64 = log.iter().map(|line| line.seconds).sum();
    let left = epochs.saturating_sub(epoch);
    let is_timed = state == RunState::Training && epoch > 0;
    let vals = log.iter().filter_map(|line| line.epoch.val);
    let best = vals.map(|val| val.accuracy).max_by(f64::total_cmp);
    let kept = summary.as_ref().and_then(|summary| summary.val);
    let plan = Plan::new(&recipe.model.layers).ok();
    let row = Row {
        name: name.to_string(),
        recipe: recipe.name.clone(),
        state,
        epoch,
        epochs,
        parameters: plan.map(|plan| plan.parameter_count()),
        val_accuracy: kept.map(|val| val.accuracy).or(best),
        test_accuracy: summary.as_ref().map(|summary| summary.test.accuracy),
        seconds,
        eta_seconds: is_timed.then(|| seconds / epoch as f64 * left as f64),
    };
    Some(Run {
        row,
        log,
        recipe,
        summary,
    })
}
