//! The real binary on real digits: what users and scripts see of it.

mod checkpoints;
mod classes;
mod compare;
mod compare_page;
mod errors;
mod handwriting;
mod library;
mod locks;
mod numbers;
mod pictures;
mod predict;
mod repetition;
mod report;
mod resume;
mod runs;
mod signals;
mod strangers;
mod versions;
