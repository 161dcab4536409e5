//! Reads one TOML table key by key and remembers which keys it was asked for, so that what is
//! left over can be named, with its line and the nearest valid key.
//!
//! serde could fill the structs too, but an internally tagged enum (`kind = "adam"`) loses the
//! line numbers on the way, and a user deserves them.

use std::borrow::Cow;
use std::cell::RefCell;
use std::ops::Range;

use toml::Spanned;
use toml::de::{DeTable, DeValue};

use super::error::{Location, SchemaError, distance, nearest, quoted};

/// The span that marks a value as coming from `--set`; no file is that long.
pub const FROM_SET: Range<usize> = usize::MAX..usize::MAX;

/// The text of a recipe and its name, for locations in messages.
pub struct Origin<'a> {
    pub name: &'a str,
    pub text: &'a str,
}

impl Origin<'_> {
    fn location(&self, span: Range<usize>) -> Location {
        let line = self
            .text
            .get(..span.start)
            .map(|before| before.matches('\n').count() + 1);
        Location {
            origin: self.name.to_string(),
            line,
        }
    }
}

/// One table of a recipe while it is being read.
pub struct Section<'a> {
    origin: &'a Origin<'a>,
    name: String,
    table: Cow<'a, DeTable<'a>>,
    asked: RefCell<Vec<&'static str>>,
}

impl<'a> Section<'a> {
    /// `name` is what messages call it, such as `[optimizer]` or `layer 3`.
    pub fn new(origin: &'a Origin<'a>, name: impl Into<String>, table: &'a DeTable<'a>) -> Self {
        Self {
            origin,
            name: name.into(),
            table: Cow::Borrowed(table),
            asked: RefCell::default(),
        }
    }

    /// What messages call it.
    pub fn name(&self) -> &str {
        &self.name
    }

    fn value(&self, key: &'static str) -> Option<(Range<usize>, &DeValue<'a>)> {
        self.asked.borrow_mut().push(key);
        let (key, value) = self.table.iter().find(|(k, _)| k.get_ref() == key)?;
        Some((key.span(), value.get_ref()))
    }

    /// An error about the value of `key`, with its line.
    pub fn error(&self, key: &str, problem: impl Into<String>) -> SchemaError {
        let span = self.table.iter().find(|(k, _)| k.get_ref() == key);
        SchemaError::Value {
            location: self.origin.location(span.map_or(0..0, |(k, _)| k.span())),
            key: key.to_string(),
            section: self.name.clone(),
            problem: problem.into(),
        }
    }

    fn typed<T>(
        &self,
        key: &'static str,
        expected: &str,
        convert: impl Fn(&DeValue<'a>) -> Option<T>,
    ) -> Result<Option<T>, SchemaError> {
        let Some((_, value)) = self.value(key) else {
            return Ok(None);
        };
        match convert(value) {
            Some(converted) => Ok(Some(converted)),
            None => Err(self.error(key, format!("must be {expected}, not {}", type_name(value)))),
        }
    }

    /// A finite number; TOML integers count too.
    pub fn number(&self, key: &'static str) -> Result<Option<f64>, SchemaError> {
        let number = self.typed(key, "a number", as_number)?;
        match number {
            Some(number) if !number.is_finite() => Err(self.error(key, "must be finite")),
            number => Ok(number),
        }
    }

    /// A number for which `valid` holds, or `default`; `rule` completes "must be ...".
    pub fn number_where(
        &self,
        key: &'static str,
        default: f64,
        rule: &str,
        valid: impl Fn(f64) -> bool,
    ) -> Result<f64, SchemaError> {
        let number = self.number(key)?.unwrap_or(default);
        if valid(number) {
            Ok(number)
        } else {
            Err(self.error(key, format!("must be {rule}, not {number}")))
        }
    }

    pub fn positive(&self, key: &'static str, default: f64) -> Result<f64, SchemaError> {
        self.number_where(key, default, "greater than 0", |number| number > 0.0)
    }

    pub fn not_negative(&self, key: &'static str, default: f64) -> Result<f64, SchemaError> {
        self.number_where(key, default, "at least 0", |number| number >= 0.0)
    }

    /// [`number_where`](Self::number_where) for a number that may be left out.
    pub fn optional_number(
        &self,
        key: &'static str,
        rule: &str,
        valid: impl Fn(f64) -> bool,
    ) -> Result<Option<f64>, SchemaError> {
        match self.number(key)? {
            None => Ok(None),
            Some(number) => self.number_where(key, number, rule, valid).map(Some),
        }
    }

    /// A whole number in `range`, or `default`.
    pub fn integer(
        &self,
        key: &'static str,
        default: u64,
        range: std::ops::RangeInclusive<u64>,
    ) -> Result<u64, SchemaError> {
        let integer = self.typed(key, "a whole number that is not negative", as_u64)?;
        let integer = integer.unwrap_or(default);
        if range.contains(&integer) {
            return Ok(integer);
        }
        let (low, high) = range.into_inner();
        Err(self.error(
            key,
            format!("must be between {low} and {high}, not {integer}"),
        ))
    }

    /// [`integer`](Self::integer) for one that may be left out.
    pub fn optional_integer(
        &self,
        key: &'static str,
        range: std::ops::RangeInclusive<u64>,
    ) -> Result<Option<u64>, SchemaError> {
        match self.value(key) {
            None => Ok(None),
            Some(_) => self.integer(key, 0, range).map(Some),
        }
    }

    /// `integer` for a size that must be given.
    pub fn required_integer(
        &self,
        key: &'static str,
        range: std::ops::RangeInclusive<u64>,
    ) -> Result<usize, SchemaError> {
        if !self.has(key) {
            return Err(self.missing(key));
        }
        self.integer(key, 0, range).map(|integer| integer as usize)
    }

    /// Two numbers, such as Adam's betas.
    pub fn pair(&self, key: &'static str) -> Result<Option<(f64, f64)>, SchemaError> {
        self.typed(key, "a list of two numbers", |value| {
            match value.as_array()?.iter().collect::<Vec<_>>()[..] {
                [a, b] => Some((as_number(a.get_ref())?, as_number(b.get_ref())?)),
                _ => None,
            }
        })
    }

    /// Two numbers for which `valid` holds, or `default`; `rule` completes "must be ...".
    pub fn pair_where(
        &self,
        key: &'static str,
        default: (f64, f64),
        rule: &str,
        valid: impl Fn(f64, f64) -> bool,
    ) -> Result<(f64, f64), SchemaError> {
        let (a, b) = self.pair(key)?.unwrap_or(default);
        if valid(a, b) {
            Ok((a, b))
        } else {
            Err(self.error(key, format!("must be {rule}, not [{a}, {b}]")))
        }
    }

    pub fn boolean(&self, key: &'static str, default: bool) -> Result<bool, SchemaError> {
        let boolean = self.typed(key, "true or false", DeValue::as_bool)?;
        Ok(boolean.unwrap_or(default))
    }

    pub fn string(&self, key: &'static str) -> Result<Option<String>, SchemaError> {
        self.typed(key, "a text in quotes", |value| {
            value.as_str().map(str::to_string)
        })
    }

    /// A list of texts.
    pub fn strings(&self, key: &'static str) -> Result<Option<Vec<String>>, SchemaError> {
        self.typed(key, "a list of texts in quotes", |value| {
            let texts = value.as_array()?.iter();
            texts
                .map(|text| text.get_ref().as_str().map(str::to_string))
                .collect()
        })
    }

    /// One of a few words, or `default`.
    pub fn choice<T: Copy>(
        &self,
        key: &'static str,
        default: T,
        choices: &[(&str, T)],
    ) -> Result<T, SchemaError> {
        let Some(word) = self.string(key)? else {
            return Ok(default);
        };
        match choices.iter().find(|(name, _)| *name == word) {
            Some((_, choice)) => Ok(*choice),
            None => Err(self.unknown_word(key, &word, choices.iter().map(|(name, _)| *name))),
        }
    }

    /// An error for a word that is not among `valid`.
    pub fn unknown_word<'w>(
        &self,
        key: &str,
        word: &str,
        valid: impl Iterator<Item = &'w str> + Clone,
    ) -> SchemaError {
        self.error(
            key,
            format!(
                "is `{word}`, which is unknown{}; it can be {}",
                nearest(word, valid.clone()),
                quoted(valid)
            ),
        )
    }

    /// A table inside this one; an absent one reads as empty.
    pub fn section(&self, key: &'static str) -> Result<Section<'_>, SchemaError> {
        let empty = Section {
            origin: self.origin,
            name: format!("[{key}]"),
            table: Cow::Owned(DeTable::new()),
            asked: RefCell::default(),
        };
        let Some((_, value)) = self.value(key) else {
            return match self.misspelt(key) {
                Some(error) => Err(error),
                None => Ok(empty),
            };
        };
        match value.as_table() {
            Some(table) => Ok(Section {
                table: Cow::Borrowed(table),
                ..empty
            }),
            None => Err(self.error(key, format!("must be a table, not {}", type_name(value)))),
        }
    }

    /// [`section`](Self::section) for one that may be left out.
    pub fn optional_section(&self, key: &'static str) -> Result<Option<Section<'_>>, SchemaError> {
        let section = self.section(key)?;
        Ok(self.has(key).then_some(section))
    }

    /// The elements of a list.
    pub fn list(
        &self,
        key: &'static str,
    ) -> Result<Option<impl Iterator<Item = &Spanned<DeValue<'a>>>>, SchemaError> {
        let Some((_, value)) = self.value(key) else {
            return Ok(None);
        };
        match value.as_array() {
            Some(array) => Ok(Some(array.iter())),
            None => Err(self.error(key, format!("must be a list, not {}", type_name(value)))),
        }
    }

    /// A section of its own for one element of a list.
    pub fn element<'b>(&'b self, name: String, table: &'b DeTable<'a>) -> Section<'b> {
        Section {
            origin: self.origin,
            name,
            table: Cow::Borrowed(table),
            asked: RefCell::default(),
        }
    }

    /// An error about an element of a list, located by its span.
    pub fn element_error(
        &self,
        span: Range<usize>,
        key: &str,
        problem: impl Into<String>,
    ) -> SchemaError {
        SchemaError::Value {
            location: self.origin.location(span),
            key: key.to_string(),
            section: self.name.clone(),
            problem: problem.into(),
        }
    }

    pub fn has(&self, key: &str) -> bool {
        self.table.keys().any(|k| k.get_ref() == key)
    }

    /// The error for a key that must be there and is not.
    pub fn missing(&self, key: &'static str) -> SchemaError {
        let missing = || SchemaError::MissingKey {
            origin: self.origin.name.to_string(),
            section: self.name.clone(),
            key,
        };
        self.misspelt(key).unwrap_or_else(missing)
    }

    /// When `key` is absent and another that nothing asked for is almost it: the error for that
    /// one.
    fn misspelt(&self, key: &'static str) -> Option<SchemaError> {
        let asked = self.asked.borrow();
        let close = self.table.keys().find(|other| {
            !asked.contains(&other.get_ref().as_ref())
                && distance(other.get_ref(), key, 2).is_some()
        })?;
        Some(SchemaError::UnknownKey {
            location: self.origin.location(close.span()),
            key: close.get_ref().to_string(),
            section: self.name.clone(),
            help: format!("; did you mean `{key}`?"),
        })
    }

    /// Names the first key that nothing asked for.
    ///
    /// When `--set` changed the table's kind, the file's other keys were written for the old
    /// kind: those that the new one doesn't know go with it.
    pub fn finish(self) -> Result<(), SchemaError> {
        let mut asked = self.asked.take();
        asked.dedup();
        let mut keys = self.table.keys();
        let new_kind = keys.any(|key| key.get_ref() == "kind" && key.span() == FROM_SET);
        let unknown = self
            .table
            .keys()
            .filter(|key| !asked.contains(&key.get_ref().as_ref()))
            .filter(|key| !new_kind || key.span() == FROM_SET)
            .min_by_key(|key| key.span().start);
        match unknown {
            None => Ok(()),
            Some(key) => Err(SchemaError::UnknownKey {
                location: self.origin.location(key.span()),
                key: key.get_ref().to_string(),
                section: self.name.clone(),
                help: format!(
                    "{}; valid keys are {}",
                    nearest(key.get_ref(), asked.iter().copied()),
                    quoted(asked.iter().copied())
                ),
            }),
        }
    }
}

/// What messages call the type of a value.
pub(super) fn type_name(value: &DeValue<'_>) -> &'static str {
    match value {
        DeValue::String(_) => "a text",
        DeValue::Integer(number) if number.as_str().starts_with('-') => "a negative number",
        DeValue::Integer(_) => "a whole number",
        DeValue::Float(_) => "a number with a fraction",
        DeValue::Boolean(_) => "true or false",
        DeValue::Datetime(_) => "a date or time",
        DeValue::Array(_) => "a list",
        DeValue::Table(_) => "a table",
    }
}

fn as_u64(value: &DeValue<'_>) -> Option<u64> {
    let integer = value.as_integer()?;
    u64::from_str_radix(integer.as_str(), integer.radix()).ok()
}

fn as_number(value: &DeValue<'_>) -> Option<f64> {
    match value {
        DeValue::Float(float) => float.as_str().parse().ok(),
        DeValue::Integer(integer) => i64::from_str_radix(integer.as_str(), integer.radix())
            .ok()
            .map(|integer| integer as f64),
        _ => None,
    }
}
