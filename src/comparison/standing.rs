//! What of a run is in its folder already.

use super::plan::PlannedRun;
use crate::files::{is_temporary, lock};
use crate::training::{Checkpoint, LogLine, RunFolder, RunFolderError, Summary};

/// What a folder must hold to be a run of this comparison, beside the recipe.
#[derive(Debug, Clone, Default)]
pub struct Expected {
    pub backend: &'static str,
    pub limit: Option<u64>,
    /// The sha256 of the training images; `None` in a dry run, which looks at no data.
    pub sha256: Option<String>,
}

/// What is left to do for a run.
#[derive(Debug)]
pub enum Standing {
    /// The run has not begun.
    Missing,
    /// `last.mpk` is there to go on from.
    Unfinished,
    /// The run is complete, and nothing is left to do.
    Complete(Box<Finished>),
    /// Its folder can't be used, at least for now; the sentence says why, and what to do.
    Blocked(String),
}

/// What a run that is complete left.
#[derive(Debug)]
pub struct Finished {
    pub summary: Summary,
    pub log: Vec<LogLine>,
}

/// How a run ended.
#[derive(Debug)]
pub enum Ending {
    Complete(Box<Finished>),
    /// The reason, as a sentence.
    Failed(String),
    /// It was stopped, or not started, because a signal asked us to stop.
    Interrupted,
}

impl Standing {
    /// Looks into the folder of `run`.
    pub fn of(run: &PlannedRun, expected: &Expected) -> Self {
        look(run, expected).unwrap_or_else(|error| Standing::Blocked(error.to_string()))
    }
}

fn look(run: &PlannedRun, expected: &Expected) -> Result<Standing, RunFolderError> {
    let folder = RunFolder::open(&run.folder);
    match run.folder.read_dir() {
        Ok(entries) => {
            let mut names = entries.flatten().map(|entry| entry.file_name());
            // A run that was killed as it began leaves no more.
            if names.all(|name| is_temporary(&name)) {
                return Ok(Standing::Missing);
            }
        }
        Err(_) if run.folder.exists() => {
            return Err(RunFolderError::NotAFolder(run.folder.clone()));
        }
        Err(_) => return Ok(Standing::Missing),
    }
    let recipe = folder.read_recipe()?;
    if let Some((there, here)) = first_difference(&recipe.to_toml(), &run.recipe.to_toml()) {
        let path = run.folder.display();
        return Ok(Standing::Blocked(format!(
            "{path} holds another run: its recipe says `{there}` where this comparison has \
             `{here}`; choose another --out, or move that folder away"
        )));
    }
    // A run that is being trained changes while we look; whoever trains it will end it.
    let _lock = lock(&run.folder)?;
    let (standing, conditions) = match folder.read_summary()? {
        Some(summary) => {
            let conditions = Conditions::of_summary(&summary);
            let log = folder.read_metrics()?;
            let finished = Finished { summary, log };
            (Standing::Complete(Box::new(finished)), Ok(conditions))
        }
        None if folder.file("last.mpk").exists() => {
            (Standing::Unfinished, Conditions::of_checkpoint(&folder))
        }
        None => {
            return Ok(Standing::Blocked(format!(
                "{} holds a run without its last.mpk; move that folder away",
                run.folder.display()
            )));
        }
    };
    let difference = match conditions {
        Ok(conditions) => conditions.difference(expected),
        Err(problem) => Some(problem),
    };
    Ok(match difference {
        None => standing,
        Some(difference) => Standing::Blocked(format!(
            "{} holds a run that does not belong here: {difference}; choose another --out, or move \
             that folder away",
            run.folder.display()
        )),
    })
}

/// Under which conditions a run was trained, apart from its recipe.
struct Conditions {
    backend: String,
    limit: Option<u64>,
    /// The sha256 of the training images, and where they were.
    sha256: String,
    data: String,
}

impl Conditions {
    fn of_summary(summary: &Summary) -> Self {
        Self {
            backend: summary.backend.clone(),
            limit: summary.limit,
            sha256: summary.sha256.clone(),
            data: summary.dataset.clone(),
        }
    }

    /// The conditions of the run that saved `last.mpk`, or why they can't be read.
    fn of_checkpoint(folder: &RunFolder) -> Result<Self, String> {
        let checkpoint =
            Checkpoint::load(&folder.file("last.mpk")).map_err(|error| error.to_string())?;
        let resume = checkpoint
            .resume
            .ok_or("its last.mpk holds no training state")?;
        let computed_by = checkpoint
            .computed_by
            .ok_or("its last.mpk names no backend")?;
        Ok(Self {
            backend: computed_by.backend,
            limit: resume.limit,
            sha256: resume.sha256,
            data: resume.data,
        })
    }

    /// How they differ from what is expected.
    fn difference(&self, expected: &Expected) -> Option<String> {
        let limit = |limit: Option<u64>| match limit {
            Some(limit) => format!("--limit {limit}"),
            None => "no --limit".to_string(),
        };
        if self.backend != expected.backend {
            let (there, here) = (&self.backend, expected.backend);
            Some(format!("it has --backend {there}, this comparison {here}"))
        } else if self.limit != expected.limit {
            let (there, here) = (limit(self.limit), limit(expected.limit));
            Some(format!("it has {there}, this comparison {here}"))
        } else if expected
            .sha256
            .as_ref()
            .is_some_and(|sha256| *sha256 != self.sha256)
        {
            Some(format!("it learned from other images, from {}", self.data))
        } else {
            None
        }
    }
}

/// The first line in which two recipes, both as `Recipe::to_toml` writes them, differ.
fn first_difference(there: &str, here: &str) -> Option<(String, String)> {
    let mut lines = (there.lines(), here.lines());
    loop {
        match (lines.0.next(), lines.1.next()) {
            (None, None) => return None,
            (a, b) if a != b => {
                return Some((a.unwrap_or("").into(), b.unwrap_or("").into()));
            }
            _ => {}
        }
    }
}
