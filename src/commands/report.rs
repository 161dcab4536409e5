//! `mnistctl report`, and the report that every training ends with.

use clap::ValueEnum;

use super::{Error, Status, plan, print};
use crate::cli::ReportArgs;
use crate::dataset::{DataArg, Digits, find};
use crate::engine::{Backend, available_threads, with_threads};
use crate::evaluation::{Ensemble, Evaluation};
use crate::recipe::{BUILTIN, Recipe};
use crate::report::FILE;
use crate::report::run::RunReport;
use crate::terminal::{note, shell_quoted};
use crate::training::{
    Checkpoint, RunError, RunFolder, Summary, TrainingData, test_data, training_data,
};

pub fn run(args: &ReportArgs) -> Result<Status, Error> {
    with_threads(available_threads(), || report(args))?
}

fn report(args: &ReportArgs) -> Result<Status, Error> {
    let folder = RunFolder::open(&args.run);
    let recipe = folder.read_recipe()?;
    match folder.read_summary()? {
        Some(summary) => finished(args, &folder, &recipe, &summary)?,
        None => unfinished(args, &folder, &recipe)?,
    }
    print(&format!("{}\n", folder.file(FILE).display()))?;
    Ok(Status::Done)
}

/// Measures the best network on the test images again, since the summary does not hold the answers
/// to single images.
fn finished(
    args: &ReportArgs,
    folder: &RunFolder,
    recipe: &Recipe,
    summary: &Summary,
) -> Result<(), Error> {
    let backend = Backend::from_str(&summary.backend, false).map_err(|_| {
        Error::Usage(format!(
            "{} names a backend that does not exist",
            folder.file("summary.json").display()
        ))
    })?;
    let source = find(&DataArg::from(
        args.data.as_deref().unwrap_or(&summary.dataset),
    ))?;
    let (validation, seed) = (recipe.data.validation, recipe.training.seed);
    let data = training_data(&source, validation, seed, summary.limit)?;
    if data.sha256 != summary.sha256 {
        return Err(Error::Usage(format!(
            "the run in {} was trained on other images than those in {}; name the right folder \
             with --data",
            folder.path().display(),
            source.describe()
        )));
    }
    let best = Ensemble::load(
        &[folder.file("best.mpk")],
        &backend.compute(available_threads())?,
    )?;
    let test = test_data(&source, seed, summary.limit)?;
    let evaluation = best.evaluate(&test.digits, &test.indices)?;
    let best = Some((&evaluation, &test.digits));
    write(folder, Some(summary), best, Some(&data))
}

/// Reports the curves so far, even where the training images can't be found.
fn unfinished(args: &ReportArgs, folder: &RunFolder, recipe: &Recipe) -> Result<(), Error> {
    let data = unfinished_data(args, folder, recipe);
    if let Err(error) = &data {
        note(&format!("the report shows no training images: {error}"));
    }
    write(folder, None, None, data.ok().as_ref())
}

/// The images that a run without a summary is trained on; `last.mpk` says which.
fn unfinished_data(
    args: &ReportArgs,
    folder: &RunFolder,
    recipe: &Recipe,
) -> Result<TrainingData, Error> {
    let checkpoint = Checkpoint::load(&folder.file("last.mpk"))?;
    let fail = |problem: &str| RunError::Resume {
        folder: folder.path().to_path_buf(),
        problem: problem.to_string(),
    };
    let Some(resume) = checkpoint.resume else {
        return Err(fail("its last.mpk holds no training state").into());
    };
    let source = find(&DataArg::from(args.data.as_deref().unwrap_or(&resume.data)))?;
    let (validation, seed) = (recipe.data.validation, recipe.training.seed);
    let data = training_data(&source, validation, seed, resume.limit)?;
    if data.sha256 == resume.sha256 {
        Ok(data)
    } else {
        Err(fail("it was trained on other images").into())
    }
}

/// Writes the report of the run in `folder`, from the files there and the given images.
pub fn write(
    folder: &RunFolder,
    summary: Option<&Summary>,
    test: Option<(&Evaluation, &Digits)>,
    training: Option<&TrainingData>,
) -> Result<(), Error> {
    let recipe = folder.read_recipe()?;
    let report = RunReport {
        plan: &plan(&recipe)?,
        log: &folder.read_metrics()?,
        test,
        training,
        commands: &commands(&recipe, summary, training)?,
        recipe: &recipe,
        summary,
    };
    report.make()?.save(folder.path())?;
    Ok(())
}

/// The commands that train and measure the same network again. A built-in recipe goes by its
/// name, even with another seed or number of epochs.
fn commands(
    recipe: &Recipe,
    summary: Option<&Summary>,
    training: Option<&TrainingData>,
) -> Result<String, Error> {
    let mut train = "mnistctl train".to_string();
    let mut builtin = None;
    for candidate in &BUILTIN {
        let original = Recipe::parse(candidate.name, candidate.text, &[])?;
        let mut same = original.clone();
        same.training.epochs = recipe.training.epochs;
        same.training.seed = recipe.training.seed;
        if same == *recipe {
            builtin = Some((candidate.name, original.training));
        }
    }
    match builtin {
        None => train += " --config RUN/recipe.toml",
        Some((name, original)) => {
            train += &format!(" --config {name}");
            if original.epochs != recipe.training.epochs {
                train += &format!(" --epochs {}", recipe.training.epochs);
            }
            if original.seed != recipe.training.seed {
                train += &format!(" --seed {}", recipe.training.seed);
            }
        }
    }
    let limit = training.and_then(|data| data.limit);
    if let Some(limit) = summary.map_or(limit, |summary| summary.limit) {
        train += &format!(" --limit {limit}");
    }
    if let Some(backend) = summary.map(|summary| &summary.backend)
        && backend != Backend::Native.name()
    {
        train += &format!(" --backend {}", shell_quoted(backend));
    }
    let dataset = summary.map(|summary| summary.dataset.as_str());
    let data = match dataset.or(training.map(|data| data.source.as_str())) {
        Some(dataset) => format!(" --data {}", shell_quoted(dataset)),
        None => String::new(),
    };
    Ok(format!(
        "{train}{data}\nmnistctl eval --checkpoint RUN/best.mpk{data}\nmnistctl report RUN{data}\n"
    ))
}
