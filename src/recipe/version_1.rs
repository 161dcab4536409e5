//! `[augment]` as a table, each transform under its name: how recipes had it when checkpoints had
//! format version 1. Inside such a checkpoint it is still read; a file gets an error that shows the
//! list to write instead.

use serde::Deserialize;
use toml::Spanned;
use toml::de::{DeArray, DeTable, DeValue, ValueDeserializer};

use crate::schema::FROM_SET;

const KEY: &str = "augment";

/// The order that the table was applied in, whatever order it was written in.
const ORDER: [&str; 10] = [
    "european",
    "affine",
    "stretch",
    "elastic",
    "pen",
    "breaks",
    "clutter",
    "downscale",
    "refit",
    "random_erasing",
];

/// Makes a list of the table, if that is what `recipe` has; returns whether it was.
pub(super) fn convert(recipe: &mut DeTable<'_>) -> bool {
    let Some(augment) = recipe.get_mut(KEY) else {
        return false;
    };
    let Some(table) = augment.get_ref().as_table() else {
        return false;
    };
    let list = in_order(table).map(|(kind, options)| {
        let mut entry = options.get_ref().clone();
        if let DeValue::Table(entry) = &mut entry {
            let value = DeValue::String(kind.get_ref().clone());
            let key = Spanned::new(kind.span(), "kind".into());
            entry.insert(key, Spanned::new(kind.span(), value));
        }
        Spanned::new(options.span(), entry)
    });
    let list: DeArray<'_> = list.collect();
    *augment.get_mut() = DeValue::Array(list);
    true
}

/// What is to be said about a recipe that has the table: completes "`augment` in the recipe".
pub(super) fn problem(recipe: &DeTable<'_>) -> Option<String> {
    let (key, augment) = recipe.get_key_value(KEY)?;
    let table = augment.get_ref().as_table()?;
    let entries: Vec<String> = in_order(table)
        .map(|(kind, options)| entry(kind.get_ref(), options.get_ref()))
        .collect();
    let begin = "is a list of transforms, in the order that they are applied";
    Some(if key.span() == FROM_SET {
        let list = entries.join(", ");
        format!("{begin}; all of it is set at once, as in --set '{KEY} = [{list}]'")
    } else {
        let lines: String = entries
            .iter()
            .map(|entry| format!("  {entry},\n"))
            .collect();
        format!(
            "{begin}; instead of the table write, above the first [table] of the file,\n\n\
             {KEY} = [\n{lines}]\n"
        )
    })
}

type Entry<'t, 'a> = (
    &'t Spanned<toml::de::DeString<'a>>,
    &'t Spanned<DeValue<'a>>,
);

fn in_order<'t, 'a>(table: &'t DeTable<'a>) -> impl Iterator<Item = Entry<'t, 'a>> {
    let mut entries: Vec<_> = table.iter().collect();
    let place = |kind: &str| ORDER.iter().position(|other| *other == kind);
    entries.sort_by_key(|(kind, _)| place(kind.get_ref()).unwrap_or(ORDER.len()));
    entries.into_iter()
}

/// An entry of the list as one writes it, its keys in the order that they were written in.
fn entry(kind: &str, options: &DeValue<'_>) -> String {
    let Some(options) = options.as_table().filter(|options| !options.is_empty()) else {
        return format!("{kind:?}");
    };
    let mut options: Vec<_> = options.iter().collect();
    options.sort_by_key(|(key, _)| key.span().start);
    let options: String = options
        .iter()
        .filter_map(|(key, value)| Some(format!(", {} = {}", key.get_ref(), inline(value)?)))
        .collect();
    format!("{{ kind = {kind:?}{options} }}")
}

fn inline(value: &Spanned<DeValue<'_>>) -> Option<String> {
    let value = toml::Value::deserialize(ValueDeserializer::from(value.clone()));
    Some(value.ok()?.to_string())
}

#[cfg(test)]
mod tests {
    use crate::recipe::{BUILTIN, Recipe};

    const OLD: &str = "\
[augment]
random_erasing = { p = 0.1, scale = [0.02, 0.08] }
refit = {}
affine = { translate = [0.06, 0.1], degrees = 10 }

[augment.elastic]
sigma = 4.5
";

    const NEW: &str = "\
augment = [
  { kind = \"affine\", translate = [0.06, 0.1], degrees = 10 },
  { kind = \"elastic\", sigma = 4.5 },
  \"refit\",
  { kind = \"random_erasing\", p = 0.1, scale = [0.02, 0.08] },
]
";

    fn lenet() -> &'static str {
        Recipe::builtin_text("lenet").unwrap()
    }

    #[test]
    fn a_file_is_refused_with_the_list_to_write() {
        let old = format!("{}\n{OLD}", lenet());
        let line = lenet().lines().count() + 2;
        let message = Recipe::parse("mine.toml", &old, &[])
            .unwrap_err()
            .to_string();
        let begin = format!(
            "mine.toml, line {line}: `augment` in the recipe is a list of transforms, in the \
             order that they are applied; instead of the table write, above the first [table] of the file,\n\n"
        );
        assert_eq!(message, begin + NEW);
        // And what it shows is what the table meant.
        let new = format!("{NEW}\n{}", lenet());
        let new = Recipe::parse("mine.toml", &new, &[]).unwrap();
        let (converted, old) = Recipe::parse_version_1("old.mpk", &old).unwrap();
        assert!(old && converted == new);
    }

    #[test]
    fn tables_from_set_are_refused_too() {
        let set = ["augment.pen.p=0.5", "augment.affine.degrees=10"].map(String::from);
        for recipe in ["lenet", "convnet"] {
            let message = Recipe::load(recipe, &set).unwrap_err().to_string();
            assert_eq!(
                message,
                format!(
                    "{recipe} with --set: `augment` in the recipe is a list of transforms, in the \
                     order that they are applied; all of it is set at once, as in --set 'augment = [{{ kind = \"affine\", \
                     degrees = 10 }}, {{ kind = \"pen\", p = 0.5 }}]'"
                )
            );
        }
        let list = ["augment=[\"pen\"]".to_string()];
        let augment = Recipe::load("convnet", &list).unwrap().augment;
        assert_eq!(
            augment.iter().map(|t| t.kind()).collect::<Vec<_>>(),
            ["pen"]
        );
    }

    #[test]
    fn whatever_the_table_holds_there_is_a_sentence() {
        for (table, words) in [
            ("", "augment = [\n]"),
            ("affine = 10", "  \"affine\",\n"),
            ("afine = {}", "  \"afine\",\n"),
            (
                "kind = \"affine\"\ndegrees = 10",
                "  \"degrees\",\n  \"kind\",\n",
            ),
            (
                "affine = { \"a b\" = { c = [1, { d = 2 }] } }",
                "a b = { c = [1, { d = 2 }] }",
            ),
        ] {
            let text = format!("{}\n[augment]\n{table}\n", lenet());
            let message = Recipe::parse("x", &text, &[]).unwrap_err().to_string();
            assert!(message.contains(words), "{table}: {message}");
            let converted = Recipe::parse_version_1("x", &text);
            assert_eq!(converted.is_ok(), table.is_empty(), "{table}");
        }
    }

    #[test]
    fn the_new_form_is_read_in_checkpoints_of_version_1_too() {
        for builtin in &BUILTIN {
            let recipe = Recipe::load(builtin.name, &[]).unwrap();
            let read = Recipe::parse_version_1("x.mpk", &recipe.to_toml()).unwrap();
            assert!(read == (recipe, false));
        }
    }
}
