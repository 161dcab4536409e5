//! `mnistctl eval`

use clap::ValueEnum;
use serde::Serialize;

use super::{Error, Status, print};
use crate::cli::{EvalArgs, SplitName};
use crate::dataset::{Classes, DataArg, Digits, Source, find};
use crate::engine::{available_threads, with_threads};
use crate::evaluation::{ClassFigures, Ensemble, Evaluation};
use crate::recipe::Recipe;
use crate::report::evaluation::EvaluationReport;
use crate::training::{EMBEDDED_NAME, test_data, training_data};

/// `eval --json`.
#[derive(Serialize)]
struct Report<'a> {
    checkpoint: Vec<String>,
    dataset: String,
    split: String,
    images: u64,
    loss: f64,
    accuracy: f64,
    errors: u64,
    per_class: Vec<NamedFigures<'a>>,
    confusion: &'a [[u64; 10]; 10],
}

/// A class's figures, with its name where it is no digit.
#[derive(Serialize)]
struct NamedFigures<'a> {
    #[serde(flatten)]
    figures: ClassFigures,
    #[serde(skip_serializing_if = "Option::is_none")]
    class: Option<&'a str>,
}

pub fn run(args: &EvalArgs) -> Result<Status, Error> {
    with_threads(available_threads(), || evaluate(args))?
}

fn evaluate(args: &EvalArgs) -> Result<Status, Error> {
    let ensemble = Ensemble::load(
        &args.checkpoint,
        &args.backend.compute(available_threads())?,
    )?;
    let source = find(&DataArg::from(args.data.as_str()))?;
    let (digits, indices) = choose(&source, args.split, ensemble.recipe())?;
    if indices.is_empty() {
        return Err(Error::Usage(
            "the checkpoint's recipe holds out no validation images; use --split test".into(),
        ));
    }
    let evaluation = ensemble.evaluate(&digits, &indices)?;
    let classes = &ensemble.recipe().data.classes;
    if let Some(folder) = &args.report {
        let dataset = source.describe();
        let report = EvaluationReport {
            checkpoints: names(args),
            dataset: &dataset,
            split: &name(args.split),
            evaluation: &evaluation,
            digits: &digits,
            classes,
        };
        report.make()?.save(folder)?;
    }
    let said = if args.json {
        json(args, &source, &evaluation, classes)
    } else {
        text(&source, args.split, &evaluation, classes)
    };
    print(&said)?;
    Ok(Status::Done)
}

fn choose(source: &Source, split: SplitName, recipe: &Recipe) -> Result<(Digits, Vec<u32>), Error> {
    if split == SplitName::Test {
        let test = test_data(source, recipe.training.seed, None)?;
        return Ok((test.digits, test.indices));
    }
    let data = training_data(source, recipe.data.validation, recipe.training.seed, None)?;
    Ok(match split {
        SplitName::Val => (data.digits, data.val),
        _ => (data.digits, data.train),
    })
}

fn names(args: &EvalArgs) -> Vec<String> {
    if args.checkpoint.is_empty() {
        return vec![EMBEDDED_NAME.into()];
    }
    let paths = args.checkpoint.iter();
    paths.map(|path| path.display().to_string()).collect()
}

fn name(split: SplitName) -> String {
    let value = split.to_possible_value();
    value.expect("no split is hidden").get_name().to_string()
}

fn json(args: &EvalArgs, source: &Source, evaluation: &Evaluation, classes: &Classes) -> String {
    let confusion = &evaluation.confusion;
    let named = |figures: ClassFigures| NamedFigures {
        class: classes.own_name(figures.digit),
        figures,
    };
    let report = Report {
        checkpoint: names(args),
        dataset: source.describe(),
        split: name(args.split),
        images: confusion.images(),
        loss: evaluation.loss,
        accuracy: confusion.accuracy(),
        errors: confusion.errors(),
        per_class: confusion.per_class().into_iter().map(named).collect(),
        confusion: confusion.counts(),
    };
    serde_json::to_string(&report).expect("a report is plain JSON") + "\n"
}

fn text(source: &Source, split: SplitName, evaluation: &Evaluation, classes: &Classes) -> String {
    let confusion = &evaluation.confusion;
    format!(
        "{} images of {} ({}): accuracy {:.4}, {} errors, loss {:.4}\n\n{}\n",
        confusion.images(),
        source.describe(),
        name(split),
        confusion.accuracy(),
        confusion.errors(),
        evaluation.loss,
        confusion.text(classes),
    )
}
