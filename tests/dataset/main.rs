//! The dataset module, through its public functions.

mod bad_files;
mod download;
mod made;
mod places;
mod reference;
mod split;
