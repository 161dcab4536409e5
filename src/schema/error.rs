//! What can be wrong with a TOML table, in sentences for the one who wrote it.

use std::fmt;

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

/// A table that does not hold what it should.
#[derive(Debug, Error)]
pub enum SchemaError {
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
pub fn distance(a: &str, b: &str, most: usize) -> Option<usize> {
    if a.len().abs_diff(b.len()) > 4 * most.max(1) || a.len().max(b.len()) > 200 {
        return None;
    }
    let distance = strsim::damerau_levenshtein(a, b);
    (distance <= most).then_some(distance)
}

/// "; did you mean `lr`?" when one of `valid` is close to `word`, else nothing.
pub fn nearest<'a>(word: &str, valid: impl IntoIterator<Item = &'a str>) -> String {
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
pub fn quoted<'a>(words: impl IntoIterator<Item = &'a str>) -> String {
    let words: Vec<String> = words.into_iter().map(|word| format!("`{word}`")).collect();
    words.join(", ")
}
