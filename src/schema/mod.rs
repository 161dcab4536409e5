//! TOML tables read key by key: unknown keys, missing ones and wrong values become errors that name
//! the line and the nearest valid word.
//!
//! Whatever a recipe can name (a layer, an optimizer, an augmentation) reads its own keys from a
//! [`Section`] in its own file.

mod entries;
mod error;
mod section;

pub use error::{Location, SchemaError, nearest, quoted};
pub use section::{FROM_SET, Origin, Section};
