//! The recipes of `configs/`, built into the binary so that their names work from any folder.

/// A recipe that the binary carries.
pub struct Builtin {
    /// Its file's name without `.toml`.
    pub name: &'static str,
    pub text: &'static str,
}

macro_rules! builtin {
    ($($name:literal),* $(,)?) => {
        [$(Builtin {
            name: $name,
            text: include_str!(concat!("../../configs/", $name, ".toml")),
        }),*]
    };
}

/// All of them, in the order that `mnistctl recipes` lists.
pub const BUILTIN: [Builtin; 5] =
    builtin!["cnn-9956", "cnn-9956-published", "mlp", "lenet", "speedrun"];

/// The built-in recipe of this name, with or without `.toml`.
pub(super) fn find(name: &str) -> Option<&'static Builtin> {
    let name = name.strip_suffix(".toml").unwrap_or(name);
    BUILTIN.iter().find(|builtin| builtin.name == name)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::recipe::Recipe;

    #[test]
    fn every_builtin_recipe_reads_and_survives_being_written_out() {
        for builtin in &BUILTIN {
            let recipe = Recipe::load(builtin.name, &[]).unwrap();
            assert_eq!(recipe.name, builtin.name);
            let again = Recipe::parse("again", &recipe.to_toml(), &[]).unwrap();
            assert_eq!(again, recipe);
        }
    }

    #[test]
    fn every_file_in_configs_is_built_in() {
        let folder = concat!(env!("CARGO_MANIFEST_DIR"), "/configs");
        let mut files: Vec<String> = std::fs::read_dir(folder)
            .unwrap()
            .map(|entry| entry.unwrap().path())
            .map(|path| path.file_stem().unwrap().to_string_lossy().into_owned())
            .collect();
        let mut names: Vec<&str> = BUILTIN.iter().map(|builtin| builtin.name).collect();
        files.sort();
        names.sort();
        assert_eq!(files, names);
    }
}
