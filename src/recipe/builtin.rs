//! The recipes of `configs/`, built into the binary so that their names work from any folder.

/// A recipe that the binary carries.
pub struct Builtin {
    /// Its path in `configs/` without `.toml`, such as `mlp` or `compare/conv2-k5-fc2`.
    pub name: &'static str,
    pub text: &'static str,
}

impl Builtin {
    /// The folder it lies in, which names all recipes there; `None` for one that stands alone.
    pub fn group(&self) -> Option<&'static str> {
        self.name.split_once('/').map(|(group, _)| group)
    }
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
pub const BUILTIN: [Builtin; 22] = builtin![
    "cnn-9956",
    "cnn-9956-published",
    "cnn-9956-tuned",
    "mlp",
    "lenet",
    "convnet",
    "convnet-tuned",
    "handwriting",
    "resnet",
    "speedrun",
    "speedrun-994",
    "compare/conv2-k5-fc2",
    "compare/conv2-k3-fc2",
    "compare/conv2-k7-fc2",
    "compare/conv1-k5-fc2",
    "compare/conv2-k5-fc1",
    "activations/mlp-relu",
    "activations/mlp-leaky-relu",
    "activations/mlp-elu",
    "activations/lenet-relu",
    "activations/lenet-leaky-relu",
    "activations/lenet-elu",
];

/// The built-in recipe of this name, with or without `.toml`.
pub(super) fn find(name: &str) -> Option<&'static Builtin> {
    let name = name.strip_suffix(".toml").unwrap_or(name);
    BUILTIN.iter().find(|builtin| builtin.name == name)
}

/// The built-in recipes of the group `name`; none when there is no such group.
pub(super) fn group(name: &str) -> impl Iterator<Item = &'static Builtin> {
    BUILTIN
        .iter()
        .filter(move |builtin| builtin.group() == Some(name))
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use super::*;
    use crate::recipe::Recipe;

    #[test]
    fn every_builtin_recipe_reads_and_survives_being_written_out() {
        for builtin in &BUILTIN {
            let recipe = Recipe::load(builtin.name, &[]).unwrap();
            // A recipe's name names a folder, so it has no group.
            let file_name = builtin.name.rsplit('/').next();
            assert_eq!(Some(recipe.name.as_str()), file_name);
            let again = Recipe::parse("again", &recipe.to_toml(), &[]).unwrap();
            assert_eq!(again, recipe);
        }
    }

    #[test]
    fn every_file_in_configs_is_built_in() {
        let configs = Path::new(env!("CARGO_MANIFEST_DIR")).join("configs");
        let mut files = Vec::new();
        let mut folders = vec![configs.clone()];
        while let Some(folder) = folders.pop() {
            for entry in std::fs::read_dir(folder).unwrap() {
                let path = entry.unwrap().path();
                if path.is_dir() {
                    folders.push(path);
                } else {
                    let name = path.strip_prefix(&configs).unwrap().with_extension("");
                    files.push(name.to_string_lossy().into_owned());
                }
            }
        }
        let mut names: Vec<&str> = BUILTIN.iter().map(|builtin| builtin.name).collect();
        files.sort();
        names.sort();
        assert_eq!(files, names);
    }
}
