//! `mnistctl compare`

use std::collections::BTreeMap;
use std::collections::btree_map::Entry;
use std::path::PathBuf;
use std::time::{Duration, Instant};

use serde::Serialize;

use super::{Error, Status, plan, print};
use crate::cli::CompareArgs;
use crate::comparison::{
    Comparison, Expected, PlannedRun, Settings, Standing, Table, Variant, Wanted, command_line,
    findings, train_all,
};
use crate::dataset::{DataArg, Source, find};
use crate::engine::{Backend, available_threads};
use crate::files::{create_folder, lock, sweep, write_atomically};
use crate::interrupt;
use crate::report::comparison::{ComparisonReport, write_report};
use crate::terminal::{note, shell_quoted};
use crate::training::{RunFolder, check_batch_size, training_data};

/// How long the runs of a comparison that was killed may take to save themselves and end.
const GRACE: Duration = Duration::from_secs(5);

/// `comparison.json`.
#[derive(Serialize)]
struct Document<'a> {
    #[serde(flatten)]
    table: &'a Table,
    findings: &'a [String],
}

pub fn run(args: &CompareArgs) -> Result<Status, Error> {
    let backend = args.backend.unwrap_or(Backend::Native);
    // Asked here, so that one that is missing is named once and not by every run.
    backend.compute(1)?;
    let comparison = Comparison::new(&Wanted {
        recipes: &args.recipes,
        sweeps: &args.sweeps,
        seeds: args.seeds,
        epochs: args.epochs,
        out: args.out.as_deref(),
    })?;
    let jobs = usize::from(args.jobs);
    let shared = (jobs > 1).then(|| (available_threads() / jobs).max(1));
    let settings = Settings {
        program: std::env::current_exe().map_err(Error::OwnPath)?,
        data: args.data.as_deref(),
        backend: args.backend.map(Backend::name),
        threads: args.threads.map(usize::from).or(shared),
        epochs: args.epochs,
        save_every: args.save_every,
        jobs,
        expected: Expected {
            backend: backend.name(),
            limit: args.limit,
            sha256: None,
        },
    };
    if args.dry_run {
        dry_run(&comparison, &settings)
    } else {
        compare(args, &comparison, settings)
    }
}

/// Prints the commands that are left to run, one on each line, without looking for the data or
/// downloading them.
fn dry_run(comparison: &Comparison, settings: &Settings<'_>) -> Result<Status, Error> {
    let mut text = String::new();
    let (mut complete, mut blocked) = (0, 0);
    for run in &comparison.runs {
        let standing = Standing::of(run, &settings.expected);
        match &standing {
            Standing::Complete(_) => complete += 1,
            Standing::Blocked(reason) => {
                blocked += 1;
                note(&format!("{}: {reason}", comparison.title(run)));
            }
            Standing::Missing | Standing::Unfinished => {}
        }
        if let Some(arguments) = command_line(comparison, run, &standing, settings) {
            text += "mnistctl";
            for argument in arguments {
                text += &format!(" {}", shell_quoted(&argument.to_string_lossy()));
            }
            text += "\n";
        }
    }
    if complete > 0 {
        note(&format!(
            "{complete} of {} runs are complete",
            comparison.runs.len()
        ));
    }
    print(&text)?;
    Ok(match blocked {
        0 => Status::Done,
        _ => Status::PartlyFailed,
    })
}

fn compare(
    args: &CompareArgs,
    comparison: &Comparison,
    mut settings: Settings<'_>,
) -> Result<Status, Error> {
    let source = find(&DataArg::from(args.data.as_deref().unwrap_or("auto")))?;
    settings.expected.sha256 = Some(check_data(comparison, &source, args.limit)?);
    create_folder(&comparison.out)?;
    let _lock = lock(&comparison.out)?;
    sweep(&comparison.out);
    note(&format!(
        "comparing on {}, in {}",
        source.describe(),
        comparison.out.display()
    ));
    let grace = Instant::now() + GRACE;
    let standing = |run: &PlannedRun| {
        RunFolder::open(&run.folder).wait_until_free(grace);
        Standing::of(run, &settings.expected)
    };
    let standings = comparison.runs.iter().map(standing).collect();

    let _deferred = interrupt::defer();
    let endings = train_all(comparison, standings, &settings, &interrupt::requested);
    if interrupt::requested() {
        note("interrupted; the runs are saved, and the same command goes on with them");
        return Ok(Status::Interrupted);
    }

    let table = Table::new(comparison, &endings);
    let findings = findings(comparison, &table);
    let mut text = table.to_string();
    if !findings.is_empty() {
        text += "\n";
    }
    for finding in &findings {
        text += &format!("- {finding}\n");
    }
    let complete = table.runs.len() - table.failures().count();
    // Files without a figure would only replace those of an earlier comparison.
    if complete > 0 {
        let page = save(&ComparisonReport {
            comparison,
            endings: &endings,
            table: &table,
            findings: &findings,
            source: &source.describe(),
            command: &own_command(),
        })?;
        text += &format!("\n{}\n", page.display());
    }
    print(&text)?;
    Ok(if complete == table.runs.len() {
        Status::Done
    } else {
        Status::PartlyFailed
    })
}

/// Writes the comparison's files, and returns the page's path.
fn save(report: &ComparisonReport<'_>) -> Result<PathBuf, Error> {
    let out = &report.comparison.out;
    let document = Document {
        table: report.table,
        findings: report.findings,
    };
    let mut json = serde_json::to_string_pretty(&document).expect("figures are plain JSON");
    json.push('\n');
    write_atomically(&out.join("comparison.json"), json.as_bytes())?;
    write_atomically(&out.join("comparison.csv"), &report.table.to_csv()?)?;
    Ok(write_report(report)?)
}

/// Returns the sha256 of the training images. What `train` would refuse is refused here, before the
/// first run starts.
fn check_data(
    comparison: &Comparison,
    source: &Source,
    limit: Option<u64>,
) -> Result<String, Error> {
    let mut sha256 = String::new();
    // The number of images to train on for each number of images held out.
    let mut images = BTreeMap::new();
    for Variant { recipe, .. } in &comparison.variants {
        let validation = recipe.data.validation;
        let images = match images.entry(validation) {
            Entry::Occupied(known) => *known.get(),
            Entry::Vacant(unknown) => {
                let data = training_data(source, validation, 0, limit)?;
                sha256 = data.sha256;
                *unknown.insert(data.train.len())
            }
        };
        check_batch_size(recipe, &plan(recipe)?, images)?;
    }
    Ok(sha256)
}

/// The command that the user gave, for a shell.
fn own_command() -> String {
    let arguments = std::env::args_os().skip(1);
    let words = arguments.map(|word| shell_quoted(&word.to_string_lossy()));
    format!("mnistctl {}", words.collect::<Vec<_>>().join(" "))
}
