//! Networks on their way to other tools and back, one file a format: [`export`] writes them, and
//! [`import`] reads weights that were trained elsewhere.

pub mod export;
pub mod import;
