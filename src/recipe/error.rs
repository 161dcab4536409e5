//! What can be wrong with a recipe, in sentences for the one who wrote it.

use std::path::PathBuf;

use thiserror::Error;

use crate::schema::SchemaError;

/// A recipe that can't be used.
#[derive(Debug, Error)]
pub enum RecipeError {
    /// Neither a file nor a built-in recipe has this name.
    #[error(
        "there is no recipe file `{path}` and no built-in recipe of that name; \
         the built-in ones are {known}, and those of the groups {groups}{hint}"
    )]
    NotFound {
        path: String,
        known: String,
        groups: String,
        hint: String,
    },
    #[error("can't read the recipe {path}: {source}", path = path.display())]
    Read {
        path: PathBuf,
        source: std::io::Error,
    },
    #[error(
        "there are no recipes in the folder {path}; a recipe is a file whose name ends in .toml",
        path = .0.display()
    )]
    NoneInFolder(PathBuf),
    #[error("the recipe {origin} is larger than {limit} KiB; a recipe is a short TOML file")]
    TooLarge { origin: String, limit: u64 },
    #[error("the recipe {origin} is not valid TOML: {message}")]
    Syntax { origin: String, message: String },
    #[error("--set {text} is not understood: {message}")]
    Override { text: String, message: String },
    #[error(transparent)]
    Schema(#[from] SchemaError),
}
