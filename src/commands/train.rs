//! `mnistctl train`

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::Path;
use std::time::Duration;

use clap::ValueEnum;

use super::{Error, Status, plan, print, report};
use crate::backend::{Backend, Engine, available_threads, with_threads};
use crate::cli::TrainArgs;
use crate::dataset::{DataArg, Source, find};
use crate::evaluation::{Ensemble, Evaluation};
use crate::interrupt;
use crate::network::Plan;
use crate::recipe::Recipe;
use crate::report::FILE;
use crate::terminal::{note, shell_quoted};
use crate::training::progress::Progress;
use crate::training::{
    Checkpoint, CheckpointError, Job, Outcome, RunFolder, State, Summary, TestData, TestFigures,
    TrainError, TrainingData, check_batch_size, test_data, train, training_data, warnings,
};

/// A run at its start, fresh or resumed.
struct Start {
    engine: Engine,
    recipe: Recipe,
    plan: Plan,
    source: Source,
    data: TrainingData,
    folder: RunFolder,
    state: State,
}

pub fn run(args: &TrainArgs) -> Result<Status, Error> {
    let threads = args.threads.map_or_else(available_threads, usize::from);
    with_threads(threads, || train_with(args, threads))?
}

fn train_with(args: &TrainArgs, threads: usize) -> Result<Status, Error> {
    if args.until_stdin_ends {
        interrupt::listen_to_stdin();
    }
    let start = match &args.resume {
        None => begin(args)?,
        Some(folder) => resume(args, folder)?,
    };
    let Start {
        engine,
        recipe,
        plan,
        source,
        data,
        folder,
        state,
    } = start;
    let backend = engine.backend;
    note(&plan.to_string());
    note(&format!(
        "{}: {} images to train on, {} to validate on, from {}; {} backend, {threads} threads; \
         run folder {}",
        recipe.name,
        data.train.len(),
        data.val.len(),
        source.describe(),
        backend.name(),
        folder.path().display(),
    ));
    for warning in warnings::of_data(&recipe, &plan, &data) {
        note(&format!("warning: {warning}"));
    }

    let deferred = interrupt::defer();
    let mut progress = Progress::new();
    let job = Job {
        recipe: &recipe,
        data: &data,
        engine: &engine,
        folder: &folder,
        save_every: Duration::from_secs(args.save_every),
        stop: &interrupt::requested,
    };
    let result = train(&job, state, &mut progress);
    progress.finish();
    let (state, outcome) = result.inspect_err(|error| note_saved(error, &folder))?;
    // All is saved here, so from now on a signal ends the program at once; one may have come after
    // the last batch.
    drop(deferred);
    if outcome == Outcome::Interrupted || interrupt::requested() {
        note(&format!(
            "interrupted and saved; go on with: {}",
            resume_command(folder.path())
        ));
        return Ok(Status::Interrupted);
    }
    if outcome == Outcome::StoppedEarly {
        note("stopped early: the validation loss has stopped falling");
    }
    let best_epoch = state.best();
    if let Some(warning) = best_epoch.and_then(|best| warnings::of_result(best, &data)) {
        note(&format!("warning: {warning}"));
    }

    // The test images are looked at here for the first and only time.
    let test = test_data(&source, recipe.training.seed, data.limit).inspect_err(|_| {
        note(&format!(
            "the training is done and saved; with the test images repaired, this adds the \
             summary: {}",
            resume_command(folder.path())
        ));
    })?;
    let best = Ensemble::load(&[folder.file("best.mpk")], &engine)?;
    let evaluation = best.evaluate(&test.digits, &test.indices)?;
    let log = folder.read_log(&state.epochs);
    let summary = Summary {
        recipe: recipe.name.clone(),
        parameters: plan.parameters(),
        backend: backend.name().into(),
        threads,
        dataset: data.source.clone(),
        sha256: data.sha256.clone(),
        train_images: data.train.len(),
        val_images: data.val.len(),
        limit: data.limit,
        seed: recipe.training.seed,
        epochs: state.epochs.len(),
        best_epoch: best_epoch.map_or(0, |epoch| epoch.epoch),
        val: best_epoch.and_then(|epoch| epoch.val),
        test: TestFigures {
            images: evaluation.confusion.images(),
            loss: evaluation.loss,
            accuracy: evaluation.confusion.accuracy(),
            errors: evaluation.confusion.errors(),
        },
        seconds: log.iter().map(|line| line.seconds).sum(),
    };
    // The summary is last: where it is, the run is complete.
    write_report(&folder, &summary, &evaluation, &test, &data);
    folder.save_summary(&summary)?;
    print(&format!(
        "test accuracy {:.4} ({} errors in {} images) with the weights of epoch {}; {:.1} s\n{}\n",
        summary.test.accuracy,
        summary.test.errors,
        summary.test.images,
        summary.best_epoch,
        summary.seconds,
        folder.file("best.mpk").display(),
    ))?;
    Ok(Status::Done)
}

/// Says how to go on with a run that could not be saved any further.
fn note_saved(error: &TrainError, folder: &RunFolder) {
    let unwritten = matches!(
        error,
        TrainError::File(_) | TrainError::Checkpoint(CheckpointError::Write(_))
    );
    if unwritten && folder.file("last.mpk").exists() {
        note(&format!(
            "what was saved before is as it was; when the folder can be written again, go on with: {}",
            resume_command(folder.path())
        ));
    }
}

/// Writes the run's report. The run is done and saved, so whatever goes wrong here is no more than
/// a warning.
fn write_report(
    folder: &RunFolder,
    summary: &Summary,
    best: &Evaluation,
    test: &TestData,
    data: &TrainingData,
) {
    let best = Some((best, &test.digits));
    let write = || report::write(folder, Some(summary), best, Some(data));
    let written = catch_unwind(AssertUnwindSafe(write));
    let problem = match written {
        Ok(Ok(())) => return note(&format!("report: {}", folder.file(FILE).display())),
        Ok(Err(error)) => error.to_string(),
        Err(_) => "a bug in mnistctl, please report it".to_string(),
    };
    note(&format!(
        "warning: the run is done and saved, but its report could not be written: {problem}"
    ));
}

fn begin(args: &TrainArgs) -> Result<Start, Error> {
    let engine = args
        .backend
        .unwrap_or(Backend::Flex)
        .engine(!args.no_fused)?;
    let recipe = load_recipe(args)?;
    let plan = plan(&recipe)?;
    let source = find(&DataArg::from(args.data.as_deref().unwrap_or("auto")))?;
    let data = training_data(
        &source,
        recipe.data.validation,
        recipe.training.seed,
        args.limit,
    )?;
    check_batch_size(&recipe, &plan, data.train.len())?;
    let folder = RunFolder::create(args.out.as_deref(), &recipe.name)?;
    Ok(Start {
        state: State::new(&recipe, &plan, &engine),
        engine,
        recipe,
        plan,
        source,
        data,
        folder,
    })
}

/// Goes on from `last.mpk`: its recipe, data and limit, unless the command line names the same
/// ones again or more epochs.
fn resume(args: &TrainArgs, folder: &Path) -> Result<Start, Error> {
    let fail = |problem: String| TrainError::Resume {
        folder: folder.to_path_buf(),
        problem,
    };
    let folder_of_run = RunFolder::claim(folder)?;
    let last = folder_of_run.file("last.mpk");
    if !last.exists() {
        let problem = "it holds no last.mpk, which every run saves before its first batch; begin \
                       it with --config";
        return Err(fail(problem.into()).into());
    }
    let checkpoint = Checkpoint::load(&last)?;
    let Some(resume) = &checkpoint.resume else {
        return Err(fail("its last.mpk holds no training state".into()).into());
    };
    let backend = match args.backend {
        Some(backend) => backend,
        None => Backend::from_str(&resume.backend, false)
            .map_err(|_| fail("its last.mpk names a backend that does not exist".into()))?,
    };
    let engine = backend.engine(!args.no_fused)?;
    let mut recipe = checkpoint.recipe.clone();
    if args.config.is_some() {
        let mut given = load_recipe(args)?;
        given.training.epochs = recipe.training.epochs;
        given.training.seed = recipe.training.seed;
        if given != recipe {
            let problem = "its recipe is not the one --config names; leave --config out";
            return Err(fail(problem.into()).into());
        }
    }
    recipe.training.epochs = args.epochs.unwrap_or(recipe.training.epochs);
    let plan = plan(&recipe)?;
    let source = find(&DataArg::from(args.data.as_deref().unwrap_or(&resume.data)))?;
    let data = training_data(
        &source,
        recipe.data.validation,
        recipe.training.seed,
        resume.limit,
    )?;
    if data.sha256 != resume.sha256 {
        return Err(fail(format!(
            "it was trained on other images than those in {}; name the right folder with --data",
            source.describe()
        ))
        .into());
    }
    let state = State::new(&recipe, &plan, &engine)
        .restore(&checkpoint, resume, data.train.len())
        .map_err(fail)?;
    if (state.epochs.len() as u64) < recipe.training.epochs {
        folder_of_run.remove_summary()?;
    }
    Ok(Start {
        engine,
        recipe,
        plan,
        source,
        data,
        folder: folder_of_run,
        state,
    })
}

/// The command that goes on with the run, for a shell.
fn resume_command(folder: &Path) -> String {
    let folder = folder.display().to_string();
    format!("mnistctl train --resume {}", shell_quoted(&folder))
}

fn load_recipe(args: &TrainArgs) -> Result<Recipe, Error> {
    let config = args.config.as_deref().unwrap_or_default();
    let mut recipe = Recipe::load(config, &args.overrides)?;
    recipe.training.epochs = args.epochs.unwrap_or(recipe.training.epochs);
    recipe.training.seed = args.seed.unwrap_or(recipe.training.seed);
    Ok(recipe)
}
