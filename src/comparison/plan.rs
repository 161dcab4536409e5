//! Which runs a comparison is made of: recipes x values x seeds, all checked before one starts.

use std::path::{Path, PathBuf};

use thiserror::Error;

use super::sweep::{Setting, SweepError, product, read_sweeps};
use crate::network::{Plan, PlanError};
use crate::recipe::{Recipe, RecipeError};

/// What the command line asks for.
#[derive(Debug, Clone, Copy, Default)]
pub struct Wanted<'a> {
    /// Recipes, built-in groups and folders of recipes.
    pub recipes: &'a [String],
    /// `key=v1,v2`.
    pub sweeps: &'a [String],
    /// Seeds 0 to N-1 instead of each recipe's own.
    pub seeds: Option<u64>,
    /// Epochs instead of each recipe's own.
    pub epochs: Option<u64>,
    /// The folder of the run folders.
    pub out: Option<&'a Path>,
}

/// Everything that is compared.
#[derive(Debug)]
pub struct Comparison {
    pub out: PathBuf,
    pub variants: Vec<Variant>,
    /// The runs, variant by variant and seed by seed.
    pub runs: Vec<PlannedRun>,
}

/// One network and training, which is run once for each seed.
#[derive(Debug)]
pub struct Variant {
    /// The name that people read: `cnn-9956, optimizer.lr=0.1`.
    pub label: String,
    /// The recipe as `train --config` takes it.
    pub config: String,
    /// The values that were swept.
    pub settings: Vec<Setting>,
    /// The recipe with these values, and with its own seed.
    pub recipe: Recipe,
    /// Trainable parameters.
    pub parameters: usize,
}

/// One training run of the comparison.
#[derive(Debug)]
pub struct PlannedRun {
    /// The name of its folder: recipe, values and seed, in characters that are safe everywhere.
    pub name: String,
    pub folder: PathBuf,
    /// Index of its [`Variant`].
    pub variant: usize,
    pub seed: u64,
    /// What is trained, the seed included; its folder's `recipe.toml` says the same.
    pub recipe: Recipe,
}

/// A comparison that can't be started.
#[derive(Debug, Error)]
pub enum ComparisonError {
    #[error(transparent)]
    Sweep(#[from] SweepError),
    #[error("{variant}: {source}")]
    Recipe {
        variant: String,
        source: Box<RecipeError>,
    },
    #[error(transparent)]
    Expand(Box<RecipeError>),
    #[error("{variant}: {source}")]
    Plan { variant: String, source: PlanError },
    #[error(
        "{first} and {second} would share the folder {name}; compare recipes whose `name` differs, \
         and name each once"
    )]
    SharedFolder {
        first: String,
        second: String,
        name: String,
    },
    #[error(
        "the folder of the run {name} would have a name of {} bytes; sweep fewer or shorter values",
        .name.len()
    )]
    LongName { name: String },
    #[error("these are {runs} runs; at most {MAX_RUNS} can be compared at once")]
    TooMany { runs: u128 },
}

/// The most runs; more can't be meant, and would only fill memory.
const MAX_RUNS: u128 = 10_000;
/// The longest name of a folder; with `.log` added to it, file systems still take it.
const MAX_NAME: usize = 240;

impl Comparison {
    /// Lists the runs and checks their recipes and networks.
    pub fn new(wanted: &Wanted<'_>) -> Result<Self, ComparisonError> {
        let mut configs = Vec::new();
        for recipe in wanted.recipes {
            let expanded = Recipe::expand(recipe);
            configs.extend(expanded.map_err(|error| ComparisonError::Expand(Box::new(error)))?);
        }
        let sweeps = read_sweeps(wanted.sweeps, wanted.epochs.is_some())?;
        let counts = sweeps.iter().map(|values| values.len() as u128);
        let runs = [configs.len() as u128, u128::from(wanted.seeds.unwrap_or(1))];
        let runs = runs
            .into_iter()
            .chain(counts)
            .fold(1u128, u128::saturating_mul);
        if runs > MAX_RUNS {
            return Err(ComparisonError::TooMany { runs });
        }

        let mut comparison = Self {
            out: match wanted.out {
                Some(out) => out.to_path_buf(),
                None => default_out(wanted.recipes, &sweeps),
            },
            variants: Vec::new(),
            runs: Vec::new(),
        };
        for config in configs {
            for settings in product(&sweeps) {
                comparison.add(wanted, &config, settings)?;
            }
        }
        comparison.check_names()?;
        Ok(comparison)
    }

    /// Adds a variant and its runs.
    fn add(
        &mut self,
        wanted: &Wanted<'_>,
        config: &str,
        settings: Vec<Setting>,
    ) -> Result<(), ComparisonError> {
        let overrides: Vec<String> = settings.iter().map(Setting::to_text).collect();
        let mut recipe =
            Recipe::load(config, &overrides).map_err(|source| ComparisonError::Recipe {
                variant: described(config, &overrides),
                source: Box::new(source),
            })?;
        recipe.training.epochs = wanted.epochs.unwrap_or(recipe.training.epochs);
        let plan = Plan::new(&recipe.model.layers).map_err(|source| ComparisonError::Plan {
            variant: described(config, &overrides),
            source,
        })?;

        let seeds = match wanted.seeds {
            Some(seeds) => (0..seeds).collect(),
            None => vec![recipe.training.seed],
        };
        for seed in seeds {
            let mut recipe = recipe.clone();
            recipe.training.seed = seed;
            let mut parts = vec![recipe.name.clone()];
            parts.extend(overrides.iter().map(|text| safe(text)));
            parts.push(format!("seed-{seed}"));
            let name = parts.join("-");
            self.runs.push(PlannedRun {
                folder: self.out.join(&name),
                name,
                variant: self.variants.len(),
                seed,
                recipe,
            });
        }
        self.variants.push(Variant {
            label: described(&recipe.name, &overrides),
            config: config.to_string(),
            settings,
            recipe,
            parameters: plan.parameter_count(),
        });
        Ok(())
    }

    /// Refuses runs that would write into one folder.
    fn check_names(&self) -> Result<(), ComparisonError> {
        let mut by_name: Vec<&PlannedRun> = self.runs.iter().collect();
        // Names that differ in case only are one folder on macOS and Windows.
        by_name.sort_by_key(|run| run.name.to_lowercase());
        for pair in by_name.windows(2) {
            if pair[0].name.eq_ignore_ascii_case(&pair[1].name) {
                return Err(ComparisonError::SharedFolder {
                    first: self.origin(pair[0]),
                    second: self.origin(pair[1]),
                    name: pair[0].name.clone(),
                });
            }
        }
        match by_name.iter().find(|run| run.name.len() > MAX_NAME) {
            None => Ok(()),
            Some(run) => Err(ComparisonError::LongName {
                name: run.name.clone(),
            }),
        }
    }

    /// Where a run comes from, for messages.
    fn origin(&self, run: &PlannedRun) -> String {
        let variant = &self.variants[run.variant];
        let overrides: Vec<String> = variant.settings.iter().map(Setting::to_text).collect();
        described(&variant.config, &overrides)
    }

    /// A run's name for people: `cnn-9956, optimizer.lr=0.1, seed 0`.
    pub fn title(&self, run: &PlannedRun) -> String {
        format!("{}, seed {}", self.variants[run.variant].label, run.seed)
    }
}

fn described(recipe: &str, overrides: &[String]) -> String {
    let mut parts = vec![recipe];
    parts.extend(overrides.iter().map(String::as_str));
    parts.join(", ")
}

/// `text` in characters that every file system and shell takes as they are.
fn safe(text: &str) -> String {
    let plain = |c: char| c.is_ascii_alphanumeric() || "-_.=".contains(c);
    let replace = |c| if plain(c) { c } else { '_' };
    text.chars().map(replace).collect()
}

/// `runs/compare-` and what is compared: the same for the same arguments, so that the same
/// command finds its runs again.
fn default_out(recipes: &[String], sweeps: &[Vec<Setting>]) -> PathBuf {
    let stem = |recipe: &String| {
        let path = Path::new(recipe.trim_end_matches(".toml"));
        path.file_name()
            .map(|name| name.to_string_lossy().into_owned())
    };
    let mut parts = vec!["compare".to_string()];
    parts.extend(recipes.iter().filter_map(stem).map(|name| safe(&name)));
    parts.extend(sweeps.iter().map(|sweep| safe(&sweep[0].key)));
    // More recipes than fit only make the name less telling: each run has its own folder in it.
    let name: String = parts.join("-").chars().take(100).collect();
    Path::new("runs").join(name)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn comparison(
        recipes: &[&str],
        sweeps: &[&str],
        seeds: Option<u64>,
    ) -> Result<Comparison, String> {
        let texts = |list: &[&str]| -> Vec<String> { list.iter().map(|s| s.to_string()).collect() };
        let wanted = Wanted {
            recipes: &texts(recipes),
            sweeps: &texts(sweeps),
            seeds,
            ..Wanted::default()
        };
        Comparison::new(&wanted).map_err(|error| error.to_string())
    }

    #[test]
    fn runs_are_the_product_in_order_and_named_after_what_they_are() {
        let sweeps = ["optimizer.lr=0.1,1e-2", "training.batch_size=32, 64"];
        let all = comparison(&["cnn-9956.toml", "lenet"], &sweeps, Some(3)).unwrap();
        assert_eq!((all.variants.len(), all.runs.len()), (8, 24));
        assert_eq!(
            all.runs[1].name,
            "cnn-9956-optimizer.lr=0.1-training.batch_size=32-seed-1"
        );
        assert_eq!(
            all.title(&all.runs[23]),
            "lenet, optimizer.lr=1e-2, training.batch_size=64, seed 2"
        );
        assert_eq!(all.runs[23].recipe.training.batch_size, 64);
        assert_eq!(all.runs[23].recipe.training.seed, 2);
        let out = "runs/compare-cnn-9956-lenet-optimizer.lr-training.batch_size";
        assert_eq!(all.out, Path::new(out));
    }

    #[test]
    fn without_seeds_each_recipes_own_is_used() {
        let all = comparison(&["activations"], &[], None).unwrap();
        assert_eq!(all.runs.len(), 6);
        assert_eq!(all.runs[0].name, "mlp-relu-seed-0");
        assert_eq!(all.out, Path::new("runs/compare-activations"));
    }

    #[test]
    fn a_folders_name_holds_safe_characters_only() {
        let betas = comparison(&["lenet"], &["optimizer.betas=[0.9,0.999],[0.7,0.9]"], None);
        let betas = betas.unwrap();
        assert_eq!(betas.runs[1].name, "lenet-optimizer.betas=_0.7_0.9_-seed-0");
    }

    #[test]
    fn what_makes_no_sense_is_refused_before_anything_starts() {
        let refused: [(&[&str], &[&str], &str); 9] = [
            (&["lenet"], &["optimizer.lr"], "key=value"),
            (&["lenet"], &["=1"], "no key"),
            (&["lenet"], &["optimizer.lr=0.1,"], "missing"),
            (&["lenet"], &["training.seed=1,2"], "--seeds"),
            (&["lenet"], &["optimizer.rl=1"], "did you mean `lr`?"),
            (&["lenet", "lenet.toml"], &[], "share the folder"),
            (&["lenet"], &["optimizer.lr=0.1,0.1"], "share the folder"),
            (
                &["lenet"],
                &["optimizer.lr=1", "optimizer.lr=2"],
                "swept already",
            ),
            (&["nothing"], &[], "nothing"),
        ];
        for (recipes, sweeps, words) in refused {
            let message = comparison(recipes, sweeps, None).unwrap_err();
            assert!(message.contains(words), "{message}");
        }
        let message = comparison(&["compare"], &[], Some(2001)).unwrap_err();
        assert!(message.contains("10005 runs"), "{message}");
    }
}
