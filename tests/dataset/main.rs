//! The dataset module, through its public functions.

mod augment;
mod bad_files;
mod download;
mod interrupted;
mod made;
mod places;
mod reference;
mod server;
mod split;
