//! `mnistctl import`

use super::{Error, Status, print};
use crate::cli::ImportArgs;
use crate::interchange::import::import;
use crate::recipe::Recipe;
use crate::terminal::note;

pub fn run(args: &ImportArgs) -> Result<Status, Error> {
    let recipe = Recipe::load(&args.config, &args.overrides)?;
    let imported = import(&args.weights, recipe)?;
    for (theirs, ours) in &imported.renamed {
        note(&format!("{theirs} -> {ours}"));
    }
    let output = match &args.output {
        Some(output) => output.clone(),
        None => args.weights.with_extension("mpk"),
    };
    imported.checkpoint.save(&output)?;
    print(&format!("{}\n", output.display()))?;
    Ok(Status::Done)
}
