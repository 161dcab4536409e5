//! What each request is answered: a file for each kind.

pub mod corrections;
pub mod events;
pub mod explain;
pub mod page;
pub mod predict;
mod query;
pub mod runs;
