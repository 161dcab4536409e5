//! `mnistctl export`

use super::{Error, Status, print};
use crate::cli::ExportArgs;
use crate::interchange::export::Export;

pub fn run(args: &ExportArgs) -> Result<Status, Error> {
    let export = Export::load(&args.checkpoint, args.fold)?;
    let output = match &args.output {
        Some(output) => output.clone(),
        None => args.format.default_output(&args.checkpoint),
    };
    args.format.write(&export, &output)?;
    print(&format!("{}\n", output.display()))?;
    Ok(Status::Done)
}
