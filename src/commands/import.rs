//! `mnistctl import`

use std::path::PathBuf;

use super::{Error, Status, print};
use crate::cli::ImportArgs;
use crate::interchange::import::import;
use crate::recipe::Recipe;
use crate::terminal::note;

pub fn run(args: &ImportArgs) -> Result<Status, Error> {
    let output = output(args)?;
    let recipe = Recipe::load(&args.config, &args.overrides)?;
    let imported = import(&args.weights, recipe)?;
    for (theirs, ours) in &imported.renamed {
        note(&format!("{theirs} -> {ours}"));
    }
    imported.checkpoint.save(&output)?;
    print(&format!("{}\n", output.display()))?;
    Ok(Status::Done)
}

/// Where the checkpoint goes. What nobody named is not overwritten: beside `best.safetensors` lies the
/// `best.mpk` that it was exported from.
fn output(args: &ImportArgs) -> Result<PathBuf, Error> {
    if let Some(output) = &args.output {
        return Ok(output.clone());
    }
    let output = args.weights.with_extension("mpk");
    if output.exists() {
        return Err(Error::Usage(format!(
            "{} is there already; name the checkpoint to write with --output",
            output.display()
        )));
    }
    Ok(output)
}
