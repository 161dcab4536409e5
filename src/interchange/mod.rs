//! Networks on their way to other tools and back, one file a format: [`export`] writes them, and
//! [`import`] reads weights that were trained elsewhere. [`pictures`] become a dataset.

pub mod export;
pub mod import;
pub mod pictures;
