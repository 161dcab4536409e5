//! `mnistctl train`

mod display;
mod events;

use std::path::Path;
use std::time::Duration;

use super::{Error, Status, catch_bug, print, report};
use crate::cli::TrainArgs;
use crate::engine::{Backend, available_threads, with_threads};
use crate::evaluation::{Ensemble, Evaluation};
use crate::interrupt;
use crate::recipe::Recipe;
use crate::report::FILE;
use crate::terminal::{note, shell_quoted};
use crate::training::{
    BeginOptions, Outcome, ResumeOptions, Run, RunError, RunFolder, Summary, TestData, TrainingData,
};
use display::Display;
use events::Events;

pub fn run(args: &TrainArgs) -> Result<Status, Error> {
    let threads = args.threads.map_or_else(available_threads, usize::from);
    with_threads(threads, || begin_and_train(args, threads))?
}

fn begin_and_train(args: &TrainArgs, threads: usize) -> Result<Status, Error> {
    if args.until_stdin_ends {
        interrupt::listen_to_stdin();
    }
    let mut run = match &args.resume {
        None => begin(args, threads)?,
        Some(folder) => resume(args, folder, threads)?,
    };
    announce(&run);

    let deferred = interrupt::defer();
    let mut watchers = (Display::new(), Events::open(args.tensorboard, &run)?);
    let trained = run.train(&mut watchers, &interrupt::requested);
    let (mut display, events) = watchers;
    display.finish();
    let folder = run.folder().path();
    let outcome = trained.inspect_err(|error| note_saved(error, run.folder()))?;
    // Everything has been saved, so from now on a signal ends the program at once; one may already
    // have come after the last batch.
    drop(deferred);
    if outcome == Outcome::Interrupted || interrupt::requested() {
        note(&format!(
            "interrupted and saved; go on with: {}",
            resume_command(folder)
        ));
        return Ok(Status::Interrupted);
    }
    if outcome == Outcome::StoppedEarly {
        note("stopped early: the validation loss has stopped falling");
    }
    if let Some(warning) = run.result_warning() {
        note(&format!("warning: {warning}"));
    }
    finish(&run, events)
}

fn begin(args: &TrainArgs, threads: usize) -> Result<Run, Error> {
    let backend = args.backend.unwrap_or(Backend::Native);
    Ok(Run::begin(BeginOptions {
        compute: backend.compute(threads)?,
        recipe: load_recipe(args)?,
        data: args.data.as_deref().unwrap_or("auto"),
        limit: args.limit,
        out: args.out.as_deref(),
        save_every: Duration::from_secs(args.save_every),
    })?)
}

fn resume(args: &TrainArgs, folder: &Path, threads: usize) -> Result<Run, Error> {
    let recipe = args.config.is_some().then(|| load_recipe(args));
    Ok(Run::resume(ResumeOptions {
        folder,
        recipe: recipe.transpose()?,
        backend: args.backend,
        threads,
        data: args.data.as_deref(),
        epochs: args.epochs,
        save_every: Duration::from_secs(args.save_every),
    })?)
}

fn load_recipe(args: &TrainArgs) -> Result<Recipe, Error> {
    let config = args.config.as_deref().unwrap_or_default();
    let mut recipe = Recipe::load(config, &args.overrides)?;
    recipe.training.epochs = args.epochs.unwrap_or(recipe.training.epochs);
    recipe.training.seed = args.seed.unwrap_or(recipe.training.seed);
    if let Some(init) = &args.init {
        let name = init.to_str().ok_or_else(|| {
            Error::Usage(format!(
                "--init {}: recipes are text, and this name is not",
                init.display()
            ))
        })?;
        recipe.training.init = Some(name.to_string());
    }
    Ok(recipe)
}

/// Says what is going to be trained, and on what.
fn announce(run: &Run) {
    let job = run.job();
    note(&job.plan.to_string());
    note(&format!(
        "{}: {} images to train on, {} to validate on, from {}; {} backend, {} threads; run folder \
         {}",
        job.recipe.name,
        job.data.train.len(),
        job.data.val.len(),
        job.source.describe(),
        job.computed_by().backend,
        job.compute.threads,
        run.folder().path().display(),
    ));
    if let Some(init) = &job.recipe.training.init
        && run.epochs().is_empty()
    {
        note(&format!("beginning with the weights of {init}"));
    }
    if let Some(layer) = run.layer_begun_afresh() {
        note(&format!(
            "layer {layer}, linear, has other sizes there and begins with random weights"
        ));
    }
    for warning in run.data_warnings() {
        note(&format!("warning: {warning}"));
    }
}

/// Measures the best weights on the test images, which are looked at here for the first and only
/// time, and adds the report and the summary.
fn finish(run: &Run, mut events: Events) -> Result<Status, Error> {
    let folder = run.folder();
    let test = run.test_data().inspect_err(|_| {
        note(&format!(
            "the training is done and saved; with the test images repaired, this adds the \
             summary: {}",
            resume_command(folder.path())
        ));
    })?;
    let best = Ensemble::load(&[run.best_file()], &run.job().compute)?;
    let evaluation = best.evaluate(&test.digits, &test.indices)?;
    let summary = run.summary(evaluation.test_figures());
    write_report(folder, &summary, &evaluation, &test, &run.job().data);
    events.finish(run, &summary);
    run.finish(&summary)?;
    print(&format!(
        "test accuracy {:.4} ({} errors in {} images) with the weights of epoch {}; {:.1} s\n{}\n",
        summary.test.accuracy,
        summary.test.errors,
        summary.test.images,
        summary.best_epoch,
        summary.seconds,
        run.best_file().display(),
    ))?;
    Ok(Status::Done)
}

/// Says how to go on with a run that could not be saved any further.
fn note_saved(error: &RunError, folder: &RunFolder) {
    if error.is_unwritten() && folder.file("last.mpk").exists() {
        note(&format!(
            "what was saved before is intact; when the folder can be written to again, go on with: {}",
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
    let problem = match catch_bug(write) {
        Ok(Ok(())) => return note(&format!("report: {}", folder.file(FILE).display())),
        Ok(Err(error)) => error.to_string(),
        Err(bug) => bug.to_string(),
    };
    note(&format!(
        "warning: the run is done and saved, but its report could not be written: {problem}"
    ));
}

/// The command that goes on with the run, for a shell.
fn resume_command(folder: &Path) -> String {
    let folder = folder.display().to_string();
    format!("mnistctl train --resume {}", shell_quoted(&folder))
}
