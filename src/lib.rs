//! Trains, evaluates and uses digit classifiers on MNIST.
//!
//! Data flows downwards: a [`recipe`] describes a [`network`] and its [`training`]; a [`dataset`]
//! feeds it; an [`engine`] computes it, with our [`kernels`] or with burn's operations;
//! [`evaluation`] measures it; [`report`] draws what happened; [`ink`] turns pictures into what it was
//! trained on; [`interchange`] takes networks to other tools and back; [`serve`] shows them in a
//! browser; [`commands`] wire these together for the command line that [`cli`] describes.

pub mod cli;
pub mod commands;
pub mod comparison;
pub mod dataset;
pub mod engine;
pub mod evaluation;
pub mod files;
pub mod ink;
pub mod interchange;
pub mod interrupt;
#[allow(unsafe_code)]
pub mod kernels;
pub mod network;
pub mod optimizer;
pub mod recipe;
pub mod report;
pub mod rng;
pub mod schema;
pub mod serve;
pub mod terminal;
pub mod training;
