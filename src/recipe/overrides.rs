//! `--set key=value`: changes one value of a recipe, keys dotted as in TOML.

use toml::Spanned;
use toml::de::{DeTable, DeValue};

use super::error::RecipeError;
use crate::schema::FROM_SET;

/// The TOML line that `text` (`optimizer.lr=0.1`) stands for. A value that is not TOML by itself
/// is taken as a text, so that `scheduler.kind=constant` needs no quotes.
pub(super) fn to_toml(text: &str) -> Result<String, RecipeError> {
    let fail = |message: &str| RecipeError::Override {
        text: text.to_string(),
        message: message.to_string(),
    };
    let Some((key, value)) = text.split_once('=') else {
        return Err(fail("it must be key=value, such as optimizer.lr=0.1"));
    };
    match DeTable::parse(text) {
        Ok(table) if table.get_ref().is_empty() => Err(fail("it names no key")),
        Ok(_) => Ok(text.to_string()),
        Err(error) => {
            let quoted = format!("{key} = {value:?}");
            match DeTable::parse(&quoted) {
                Ok(_) => Ok(quoted),
                Err(_) => Err(fail(error.message())),
            }
        }
    }
}

/// Puts the values of `line`, which [`to_toml`] made, into `table`.
pub(super) fn apply<'a>(table: &mut DeTable<'a>, line: &'a str) -> Result<(), RecipeError> {
    let fail = |message: String| RecipeError::Override {
        text: line.to_string(),
        message,
    };
    let change = DeTable::parse(line).map_err(|error| fail(error.message().to_string()))?;
    merge(table, change.into_inner()).map_err(fail)
}

fn merge<'a>(table: &mut DeTable<'a>, change: DeTable<'a>) -> Result<(), String> {
    for (key, value) in change {
        let key = Spanned::new(FROM_SET, key.into_inner());
        let existing = table
            .iter_mut()
            .find(|(existing, _)| existing.get_ref() == key.get_ref())
            .map(|(_, existing)| existing.get_mut());
        match (existing, value.into_inner()) {
            (Some(DeValue::Table(inner)), DeValue::Table(change)) => merge(inner, change)?,
            (Some(DeValue::Table(_)), _) => {
                return Err(format!(
                    "`{}` is a whole table of the recipe",
                    key.get_ref()
                ));
            }
            (_, value) => {
                // Removed first: inserting under an equal key would keep the old key's location.
                table.remove(key.get_ref().as_ref());
                table.insert(key, Spanned::new(FROM_SET, value));
            }
        }
    }
    Ok(())
}
