//! Our kernels against burn's operations, finite differences and themselves.

mod compare;
mod differences;
mod grid;
mod properties;
mod repetition;
