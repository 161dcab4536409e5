//! Lists such as `layers`, whose entries are tables with a `kind`, or just the kind's name when the
//! defaults will do.

use toml::Spanned;
use toml::de::{DeTable, DeValue};

use super::section::type_name;
use super::{SchemaError, Section};

impl<'a> Section<'a> {
    /// Reads the entries of the list `key`; `None` when it is absent. `what` is what messages call an
    /// entry, of which there may be `most`. `read` gets an entry's kind and its table, and asks it
    /// for every key that the kind has.
    pub fn entries<T>(
        &self,
        key: &'static str,
        what: &str,
        most: usize,
        read: impl Fn(&str, &Section<'_>) -> Result<T, SchemaError>,
    ) -> Result<Option<Vec<T>>, SchemaError> {
        let Some(list) = self.list(key)? else {
            return Ok(None);
        };
        let mut entries = Vec::new();
        for (index, entry) in list.enumerate() {
            if index == most {
                return Err(self.error(key, format!("lists more than {most} {what}s")));
            }
            let name = self.entry_name(key, what, index + 1);
            entries.push(match entry.get_ref() {
                DeValue::Table(table) => {
                    let section = self.element(name.clone(), table);
                    let Some(kind) = section.string("kind")? else {
                        return Err(section.missing("kind"));
                    };
                    self.entry(&name, &kind, table, &read)?
                }
                DeValue::String(kind) => {
                    // A bare word is a table with nothing but the kind; its location is the word's own.
                    let mut table = DeTable::new();
                    table.insert(
                        Spanned::new(entry.span(), "kind".into()),
                        Spanned::new(entry.span(), DeValue::String(kind.clone())),
                    );
                    self.entry(&name, kind, &table, &read)?
                }
                other => {
                    let problem = format!(
                        "has {} as {name}; a {what} is a name in quotes or a table with a `kind`",
                        type_name(other)
                    );
                    return Err(self.element_error(entry.span(), key, problem));
                }
            });
        }
        Ok(Some(entries))
    }

    /// What messages call an entry: `layer 2`, or inside of another entry ``layer 2 of `layers` in
    /// layer 4, residual``.
    fn entry_name(&self, key: &str, what: &str, number: usize) -> String {
        let name = format!("{what} {number}");
        if self.name().starts_with(what) {
            format!("{name} of `{key}` in {}", self.name())
        } else {
            name
        }
    }

    fn entry<T>(
        &self,
        name: &str,
        kind: &str,
        table: &DeTable<'a>,
        read: impl Fn(&str, &Section<'_>) -> Result<T, SchemaError>,
    ) -> Result<T, SchemaError> {
        let section = self.element(format!("{name}, {kind}"), table);
        // Not asked for by `read`, and yet no unknown key.
        section.string("kind")?;
        let entry = read(kind, &section)?;
        section.finish()?;
        Ok(entry)
    }
}
