//! `mnistctl compare`: the same training for several recipes, values and seeds, side by side.
//!
//! [`Comparison`] lists the runs; [`Standing`] says what of each is in its folder already;
//! [`train_all`] trains the rest, each in a process of its own; [`Table`] puts their figures
//! together, and [`findings`] says in sentences what they show.

mod features;
mod findings;
mod plan;
mod processes;
mod progress;
mod standing;
mod sweep;
mod table;

pub use findings::findings;
pub use plan::{Comparison, ComparisonError, PlannedRun, Variant, Wanted};
pub use processes::{Settings, command_line, train_all};
pub use standing::{Ending, Expected, Finished, Standing};
pub use sweep::{Setting, SweepError};
pub use table::{Figure, RunFigures, Table, VariantFigures};
