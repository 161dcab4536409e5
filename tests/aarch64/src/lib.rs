//! Our kernels without the rest of mnistctl; see Cargo.toml.

#[path = "../../../src/kernels/mod.rs"]
pub mod kernels;
#[allow(dead_code)]
#[path = "../../../src/rng.rs"]
mod rng;
