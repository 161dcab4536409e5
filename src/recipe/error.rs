//! What can be wrong with a recipe, in sentences for the one who wrote it.

use std::fmt;
use std::path::PathBuf;

use thiserror::Error;

/// Where in a recipe something stands.
#[derive(Debug, Clone, PartialEq)]
pub struct Location {
    /// The file's path, or the built-in recipe's name.
    pub origin: String,
    /// 1-based line; `None` for a value given with `--set`.
    pub line: Option<usize>,
}

impl fmt::Display for Location {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.line {
            Some(line) => write!(f, "{}, line {line}", self.origin),
            None => write!(f, "{} with --set", self.origin),
        }
    }
}

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
    #[error("{location}: unknown key `{key}` in {section}{help}")]
    UnknownKey {
        location: Location,
        key: String,
        section: String,
        /// The nearest valid key and, where they are known already, all of them.
        help: String,
    },
    #[error("{origin}: {section} needs the key `{key}`")]
    MissingKey {
        origin: String,
        section: String,
        key: &'static str,
    },
    #[error("{location}: `{key}` in {section} {problem}")]
    Value {
        location: Location,
        key: String,
        section: String,
        problem: String,
    },
}

/// How many letters lie between two words (Damerau-Levenshtein), if these are no more than `most`.
/// Long words are not compared: that takes memory for the product of their lengths.
pub(super) fn distance(a: &str, b: &str, most: usize) -> Option<usize> {
    if a.len().abs_diff(b.len()) > 4 * most.max(1) || a.len().max(b.len()) > 200 {
        return None;
    }
    let distance = strsim::damerau_levenshtein(a, b);
    (distance <= most).then_some(distance)
}

/// "; did you mean `lr`?" when one of `valid` is close to `word`, else nothing.
pub(super) fn nearest<'a>(word: &str, valid: impl IntoIterator<Item = &'a str>) -> String {
    valid
        .into_iter()
        .filter_map(|candidate| {
            let most = candidate.len().max(word.len()) / 2;
            Some((distance(word, candidate, most)?, candidate))
        })
        .min()
        .map(|(_, candidate)| format!("; did you mean `{candidate}`?"))
        .unwrap_or_default()
}

/// "`a`, `b`, `c`", for messages.
pub(super) fn quoted<'a>(words: impl IntoIterator<Item = &'a str>) -> String {
    let words: Vec<String> = words.into_iter().map(|word| format!("`{word}`")).collect();
    words.join(", ")
}
