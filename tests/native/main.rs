//! Our kernels against burn's operations, finite differences and themselves.

mod compare;
mod device_reads;
mod differences;
mod grid;
mod properties;
mod repetition;
