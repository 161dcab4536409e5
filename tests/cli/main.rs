//! The real binary on real digits: what users and scripts see of it.

mod checkpoints;
mod common;
mod compare;
mod compare_page;
mod errors;
mod handwriting;
mod numbers;
mod pictures;
mod predict;
mod report;
mod resume;
mod runs;
