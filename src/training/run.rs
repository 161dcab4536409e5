//! A run from its beginning, or from where it was interrupted, to its summary.

use std::path::{Path, PathBuf};
use std::time::Duration;

use clap::ValueEnum;

use super::callback::Callback;
use super::checkpoint::Checkpoint;
use super::data::{TestData, test_data};
use super::error::{RunError, check_batch_size};
use super::init::Afresh;
use super::job::Job;
use super::metrics::{Epoch, LogLine};
use super::run_folder::{RunFolder, Summary, TestFigures};
use super::state::State;
use super::{Outcome, train, warnings};
use crate::dataset::DatasetError;
use crate::engine::{Backend, Compute};
use crate::recipe::Recipe;

/// One training of one recipe, in a folder of its own, that no other process can train in while
/// this lives.
///
/// It is begun or resumed, trained, and then finished with what its best weights make of the test
/// images, which are looked at for the first and only time then:
///
/// ```no_run
/// # use mnistctl::engine::Backend;
/// # use mnistctl::evaluation::Ensemble;
/// # use mnistctl::recipe::Recipe;
/// # use mnistctl::training::{BeginOptions, Run};
/// # fn main() -> Result<(), Box<dyn std::error::Error>> {
/// let mut run = Run::begin(BeginOptions {
///     recipe: Recipe::load("lenet", &[])?,
///     compute: Backend::Native.compute(2)?,
///     data: "sample",
///     limit: None,
///     out: None,
///     save_every: std::time::Duration::from_secs(60),
/// })?;
/// run.train(&mut (), &|| false)?;
/// let test = run.test_data()?;
/// let best = Ensemble::load(&[run.best_file()], &run.job().compute)?;
/// let evaluation = best.evaluate(&test.digits, &test.indices)?;
/// run.finish(&run.summary(evaluation.test_figures()))?;
/// # Ok(())
/// # }
/// ```
pub struct Run {
    job: Job,
    folder: RunFolder,
    state: State,
    /// The layer that the recipe's `init` has no weights for.
    afresh: Afresh,
}

/// A run that is to begin.
pub struct BeginOptions<'a> {
    pub recipe: Recipe,
    pub compute: Compute,
    /// The digits, as `--data` names them.
    pub data: &'a str,
    /// Train on at most this many images.
    pub limit: Option<u64>,
    /// The run's folder; if `None`, the first of `runs/NAME`, `runs/NAME-2`, ... that is free.
    pub out: Option<&'a Path>,
    /// How often a point to go on from is saved inside an epoch; zero: after every batch.
    pub save_every: Duration,
}

/// A run that is to go on. What is left out is as it was before.
pub struct ResumeOptions<'a> {
    pub folder: &'a Path,
    /// Only to be compared with the run's, which must be the same but for seed and epochs.
    pub recipe: Option<Recipe>,
    pub backend: Option<Backend>,
    pub threads: usize,
    /// Where the same digits lie now, as `--data` names them.
    pub data: Option<&'a str>,
    /// How many epochs there are to be in all.
    pub epochs: Option<u64>,
    pub save_every: Duration,
}

impl Run {
    /// A fresh run in a new folder.
    pub fn begin(options: BeginOptions<'_>) -> Result<Self, RunError> {
        let BeginOptions {
            recipe,
            compute,
            data,
            limit,
            out,
            save_every,
        } = options;
        let job = Job::new(recipe, compute, data, limit, save_every)?;
        check_batch_size(&job.recipe, &job.plan, job.data.train.len())?;
        let (state, afresh) = job.initial_state()?;
        // Last, so that nothing is left behind where a run can't begin.
        let folder = RunFolder::create(out, &job.recipe.name)?;
        Ok(Self {
            job,
            folder,
            state,
            afresh,
        })
    }

    /// Goes on from `last.mpk`.
    pub fn resume(options: ResumeOptions<'_>) -> Result<Self, RunError> {
        let fail = |problem: String| RunError::Resume {
            folder: options.folder.to_path_buf(),
            problem,
        };
        let folder = RunFolder::claim(options.folder)?;
        let last = folder.file("last.mpk");
        if !last.exists() {
            return Err(fail(
                "it holds no last.mpk, which every run saves before its first batch; begin it \
                 with --config"
                    .into(),
            ));
        }
        let checkpoint = Checkpoint::load(&last)?;
        let Some(resume) = &checkpoint.resume else {
            return Err(fail("its last.mpk holds no training state".into()));
        };
        let backend = match options.backend {
            Some(backend) => backend,
            None => recorded(&checkpoint).map_err(fail)?,
        };
        let compute = backend.compute(options.threads)?;
        let recipe = recipe_to_go_on_with(&checkpoint, &options).map_err(fail)?;
        let data = options.data.unwrap_or(&resume.data);
        let job = Job::new(recipe, compute, data, resume.limit, options.save_every)?;
        if job.data.sha256 != resume.sha256 {
            return Err(fail(format!(
                "it was trained on other images than those in {}; name the right folder with \
                 --data",
                job.source.describe()
            )));
        }
        let images = job.data.train.len();
        let restored = job.fresh_state()?.restore(&checkpoint, resume, images);
        let state = restored.map_err(fail)?;
        check_version(&checkpoint).map_err(fail)?;
        if (state.epochs.len() as u64) < job.recipe.training.epochs {
            folder.remove_summary()?;
        }
        Ok(Self {
            job,
            folder,
            state,
            afresh: None,
        })
    }

    /// Trains to the recipe's last epoch, or until `stop`, which is asked before each batch. When
    /// it returns without an error, the folder holds all that [`resume`](Self::resume) needs.
    pub fn train(
        &mut self,
        callback: &mut dyn Callback,
        stop: &dyn Fn() -> bool,
    ) -> Result<Outcome, RunError> {
        train(&self.job, &self.folder, &mut self.state, callback, stop)
    }

    pub fn job(&self) -> &Job {
        &self.job
    }

    pub fn folder(&self) -> &RunFolder {
        &self.folder
    }

    /// The finished epochs.
    pub fn epochs(&self) -> &[Epoch] {
        &self.state.epochs
    }

    /// The number of the layer that begins with random weights although the recipe's `init` names a
    /// checkpoint, because its sizes are others there.
    pub fn layer_begun_afresh(&self) -> Option<&str> {
        self.afresh.as_deref()
    }

    /// The finished epochs as the log has them, with their times.
    pub fn log(&self) -> Vec<LogLine> {
        self.folder.read_log(&self.state.epochs)
    }

    /// The file with the weights of the best epoch.
    pub fn best_file(&self) -> PathBuf {
        self.folder.file("best.mpk")
    }

    /// What is odd about the data, in sentences without their full stops.
    pub fn data_warnings(&self) -> Vec<String> {
        warnings::of_data(&self.job.recipe, &self.job.plan, &self.job.data)
    }

    /// What is odd about the best epoch.
    pub fn result_warning(&self) -> Option<String> {
        warnings::of_result(self.state.best()?, &self.job.data)
    }

    /// The test images, to measure the best weights with once the run is trained.
    pub fn test_data(&self) -> Result<TestData, DatasetError> {
        let job = &self.job;
        test_data(&job.source, job.recipe.training.seed, job.data.limit)
    }

    /// The run in one object, with what its best weights made of the test images.
    pub fn summary(&self, test: TestFigures) -> Summary {
        let Job {
            recipe, plan, data, ..
        } = &self.job;
        let computed_by = self.job.computed_by();
        let best = self.state.best();
        let log = self.log();
        Summary {
            recipe: recipe.name.clone(),
            parameters: plan.parameter_count(),
            backend: computed_by.backend,
            isa: computed_by.isa,
            threads: self.job.compute.threads,
            dataset: data.source.clone(),
            sha256: data.sha256.clone(),
            train_images: data.train.len(),
            val_images: data.val.len(),
            limit: data.limit,
            seed: recipe.training.seed,
            epochs: self.state.epochs.len(),
            best_epoch: best.map_or(0, |epoch| epoch.epoch),
            val: best.and_then(|epoch| epoch.val),
            test,
            seconds: log.iter().map(|line| line.seconds).sum(),
        }
    }

    /// Saves the summary. It comes last: where it is, the run is complete.
    pub fn finish(&self, summary: &Summary) -> Result<(), RunError> {
        Ok(self.folder.save_summary(summary)?)
    }
}

/// Whether a run can go on to the very network that it would have come to, by what has changed in
/// the program since the checkpoint's format version.
fn check_version(checkpoint: &Checkpoint) -> Result<(), String> {
    if checkpoint.old_augment {
        return Err(
            "it was begun by an older mnistctl, which varied the training images with other random \
             numbers, so it can't become the network it would have become; its best.mpk can still \
             be used"
                .into(),
        );
    }
    Ok(())
}

/// The backend that computed a checkpoint.
fn recorded(checkpoint: &Checkpoint) -> Result<Backend, String> {
    let computed_by = checkpoint.computed_by.as_ref();
    computed_by
        .and_then(|by| Backend::from_str(&by.backend, false).ok())
        .ok_or_else(|| {
            "its last.mpk names a backend that does not exist; name another one with --backend"
                .into()
        })
}

/// The checkpoint's recipe, with the number of epochs that is wanted now.
fn recipe_to_go_on_with(
    checkpoint: &Checkpoint,
    options: &ResumeOptions<'_>,
) -> Result<Recipe, String> {
    let mut recipe = checkpoint.recipe.clone();
    if let Some(given) = &options.recipe {
        let mut given = given.clone();
        given.training.epochs = recipe.training.epochs;
        given.training.seed = recipe.training.seed;
        if given != recipe {
            return Err("its recipe is not the one --config names; leave --config out".into());
        }
    }
    recipe.training.epochs = options.epochs.unwrap_or(recipe.training.epochs);
    Ok(recipe)
}
