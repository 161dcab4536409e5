//! Pictures of digits, good and bad, through `ink`'s public functions.

mod bad_files;
mod bombs;
mod common;
mod digits;
mod formats;
mod orientation;
mod places;
mod reader;
