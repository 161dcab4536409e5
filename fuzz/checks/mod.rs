//! What each fuzz target does with its input, for the targets and for `fuzz/corpora.rs`.
//!
//! A check panics when the program does, or when what it read contradicts itself; how much memory
//! it may take beside its input, in bytes, the function beside it says.

pub mod checkpoint;
pub mod gzip;
pub mod idx;
pub mod log;
pub mod picture;
pub mod recipe;
pub mod request;
pub mod weights;
