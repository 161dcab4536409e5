//! A recipe: one TOML file that says which network is trained on what and how.
//!
//! [`Recipe::load`] finds it by path or by built-in name, applies `--set` overrides and checks
//! everything that can be checked without data. Names, defaults and semantics are PyTorch's
//! wherever PyTorch has the thing.

mod builtin;
mod error;
mod overrides;
mod scheduler;
mod training;
mod version_1;

use std::fs::File;
use std::io::Read;
use std::path::Path;

use serde::Serialize;
use toml::de::DeTable;

pub use builtin::{BUILTIN, Builtin};
pub use error::RecipeError;
pub use scheduler::{
    AnnealStrategy, OneCycleSpec, PlateauMode, PlateauSpec, Schedule, SchedulerSpec, ThresholdMode,
    WarmupSpec,
};
pub use training::{EarlyStoppingSpec, TrainingSpec};

use crate::dataset::{Classes, Normalize, Transform, augment};
use crate::engine::{Loss, Setup};
use crate::network::{LayerSpec, Plan, read_layers};
use crate::optimizer::OptimizerSpec;
use crate::schema::{Origin, SchemaError, Section, nearest, quoted};

/// No sensible recipe is near this size; a mistaken `--config train-images` is.
const MAX_KIB: u64 = 1024;

/// A checked recipe with every default filled in.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Recipe {
    /// Names the run folder; letters, digits, `-`, `_` and `.`.
    pub name: String,
    pub data: DataSpec,
    pub model: ModelSpec,
    pub optimizer: OptimizerSpec,
    pub scheduler: SchedulerSpec,
    pub training: TrainingSpec,
    /// How training images are varied, each time they are seen.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub augment: Vec<Transform>,
}

/// `[data]`.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct DataSpec {
    /// How many of MNIST's 60,000 training images are held out for validation. A smaller set
    /// holds out the same share of what it has.
    pub validation: usize,
    /// What the labels 0 to 9 are called, where they are no digits.
    #[serde(skip_serializing_if = "is_digits")]
    pub classes: Classes,
    pub normalize: Normalize,
}

fn is_digits(classes: &Classes) -> bool {
    !classes.are_named()
}

/// `[model]`.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct ModelSpec {
    /// The layers from the 1x28x28 image to ten logits.
    pub layers: Vec<LayerSpec>,
}

impl Recipe {
    /// Loads the recipe at a path, or the built-in one of that name (with or without `.toml`),
    /// with `overrides` (`key=value`, keys dotted as in TOML) applied before the checks.
    pub fn load(name_or_path: &str, overrides: &[String]) -> Result<Self, RecipeError> {
        let path = Path::new(name_or_path);
        if path.is_file() {
            return Self::parse(name_or_path, &read_text(path)?, overrides);
        }
        match builtin::find(name_or_path) {
            Some(builtin) => Self::parse(builtin.name, builtin.text, overrides),
            None if path.exists() => Err(RecipeError::Read {
                path: path.to_path_buf(),
                source: std::io::Error::other("it is not a file"),
            }),
            None => Err(not_found(name_or_path)),
        }
    }

    /// The recipes that `name` stands for, each as [`Recipe::load`] takes it: those of a built-in
    /// group, those in a folder (its `.toml` files, sorted), or `name` itself.
    ///
    /// # Errors
    /// When the folder can't be read or has no recipes. Whether the recipes themselves can be
    /// loaded is not looked at.
    pub fn expand(name: &str) -> Result<Vec<String>, RecipeError> {
        let group: Vec<String> = builtin::group(name.trim_end_matches('/'))
            .map(|builtin| builtin.name.to_string())
            .collect();
        let folder = Path::new(name);
        if !group.is_empty() && !folder.is_file() {
            Ok(group)
        } else if folder.is_dir() {
            recipes_in(folder)
        } else {
            Ok(vec![name.to_string()])
        }
    }

    /// The text of a built-in recipe, comments and all.
    pub fn builtin_text(name: &str) -> Result<&'static str, RecipeError> {
        match builtin::find(name) {
            Some(builtin) => Ok(builtin.text),
            None => Err(not_found(name)),
        }
    }

    /// Reads a recipe from its text; `origin` names it in messages.
    pub fn parse(origin: &str, text: &str, overrides: &[String]) -> Result<Self, RecipeError> {
        let changes = overrides
            .iter()
            .map(|text| overrides::to_toml(text))
            .collect::<Result<Vec<_>, _>>()?;
        let mut table = parse_table(origin, text)?;
        for line in &changes {
            overrides::apply(&mut table, line)?;
        }
        let origin = Origin { name: origin, text };
        let top = Section::new(&origin, "the recipe", &table);
        match version_1::problem(&table) {
            Some(problem) => Err(top.error("augment", problem).into()),
            None => Ok(Self::read(top)?),
        }
    }

    /// Reads a recipe from a checkpoint of format version 1, where `augment` may still be a table
    /// with a fixed order. Returns whether it was: then images were varied with other random numbers.
    pub fn parse_version_1(origin: &str, text: &str) -> Result<(Self, bool), RecipeError> {
        let mut table = parse_table(origin, text)?;
        let old = version_1::convert(&mut table);
        let origin = Origin { name: origin, text };
        let recipe = Self::read(Section::new(&origin, "the recipe", &table))?;
        Ok((recipe, old))
    }

    fn read(top: Section<'_>) -> Result<Self, SchemaError> {
        let Some(name) = top.string("name")? else {
            return Err(top.missing("name"));
        };
        let plain = |c: char| c.is_ascii_alphanumeric() || "-_.".contains(c);
        if name.is_empty() || name.len() > 100 || name.starts_with('.') || !name.chars().all(plain)
        {
            return Err(top.error(
                "name",
                "names a folder, so it must be 1 to 100 letters, digits, `-`, `_` or `.`, \
                 and not start with a `.`",
            ));
        }

        let data = top.section("data")?;
        let classes = match data.strings("classes")? {
            None => Classes::default(),
            Some(names) => {
                Classes::named(names).map_err(|problem| data.error("classes", problem))?
            }
        };
        let normalize = data.section("normalize")?;
        let data_spec = DataSpec {
            validation: data.integer("validation", 5_000, 0..=59_999)? as usize,
            classes,
            normalize: Normalize {
                mean: normalize.number("mean")?.unwrap_or(0.1307),
                std: normalize.number_where("std", 0.3081, "at least 1e-6", |std| std >= 1e-6)?,
            },
        };
        normalize.finish()?;
        data.finish()?;

        let model = top.section("model")?;
        let layers = read_layers(&model, "layers")?;
        let optimizer = OptimizerSpec::read(top.section("optimizer")?)?;
        let scheduler = SchedulerSpec::read(top.section("scheduler")?)?;
        let training = TrainingSpec::read(top.section("training")?)?;
        let augment = augment::read(&top)?;

        let softmax = matches!(layers.last(), Some(LayerSpec::Softmax(_)));
        if training.loss == Loss::CrossEntropyOnSoftmax && !softmax {
            return Err(top.section("training")?.error(
                "loss",
                "is `cross_entropy_on_softmax`, which needs `softmax` as the last layer",
            ));
        }
        const NOTHING_TO_WATCH: &str =
            "watches the validation figures, but `validation` in [data] is 0";
        if data_spec.validation == 0 {
            if matches!(scheduler.schedule, Schedule::ReduceLrOnPlateau(_)) {
                return Err(top.section("scheduler")?.error("kind", NOTHING_TO_WATCH));
            }
            if training.early_stopping.is_some() {
                let section = top.section("training")?;
                return Err(section.error("early_stopping", NOTHING_TO_WATCH));
            }
        }
        model.finish()?;
        top.finish()?;
        Ok(Self {
            name,
            data: data_spec,
            model: ModelSpec { layers },
            optimizer,
            scheduler,
            training,
            augment,
        })
    }

    /// What an engine needs to know of it, with the plan of its network.
    pub fn setup(&self, plan: &Plan) -> Setup {
        Setup {
            plan: plan.clone(),
            normalize: self.data.normalize,
            seed: self.training.seed,
            optimizer: self.optimizer.clone(),
            criterion: self.training.criterion(),
            clip_grad_norm: self.training.clip_grad_norm,
            ema_decay: self.training.ema_decay,
        }
    }

    /// The recipe as TOML with every default written out; [`Recipe::parse`] reads it back.
    pub fn to_toml(&self) -> String {
        toml::to_string(self).expect("a recipe is made of tables, numbers and texts only")
    }
}

/// The text as a table; `origin` names it in messages.
fn parse_table<'a>(origin: &str, text: &'a str) -> Result<DeTable<'a>, RecipeError> {
    if text.len() as u64 > MAX_KIB * 1024 {
        return Err(RecipeError::TooLarge {
            origin: origin.to_string(),
            limit: MAX_KIB,
        });
    }
    let table = DeTable::parse(text).map_err(|error| RecipeError::Syntax {
        origin: origin.to_string(),
        message: error.to_string().trim_end().to_string(),
    })?;
    Ok(table.into_inner())
}

/// The `.toml` files in `folder`, sorted.
fn recipes_in(folder: &Path) -> Result<Vec<String>, RecipeError> {
    let read = |source| RecipeError::Read {
        path: folder.to_path_buf(),
        source,
    };
    let mut recipes = Vec::new();
    for entry in folder.read_dir().map_err(read)? {
        let path = entry.map_err(read)?.path();
        if path.extension().is_some_and(|ending| ending == "toml") && path.is_file() {
            // `load` takes text; a name that is not UTF-8 can't be given on the command line
            // either.
            recipes.extend(path.to_str().map(str::to_string));
        }
    }
    recipes.sort();
    if recipes.is_empty() {
        Err(RecipeError::NoneInFolder(folder.to_path_buf()))
    } else {
        Ok(recipes)
    }
}

fn not_found(name: &str) -> RecipeError {
    let known = || BUILTIN.iter().map(|builtin| builtin.name);
    let mut groups: Vec<&str> = BUILTIN.iter().filter_map(Builtin::group).collect();
    groups.dedup();
    let alone = BUILTIN.iter().filter(|builtin| builtin.group().is_none());
    let name_only = name.trim_end_matches(".toml");
    let in_a_group = known().find(|known| known.rsplit('/').next() == Some(name_only));
    let hint = match in_a_group {
        _ if groups.contains(&name) => {
            format!("; `{name}` is a group, which `mnistctl compare` takes as a whole")
        }
        Some(known) => format!("; did you mean `{known}`?"),
        None => nearest(name_only, known()),
    };
    RecipeError::NotFound {
        path: name.to_string(),
        known: quoted(alone.map(|builtin| builtin.name)),
        groups: quoted(groups),
        hint,
    }
}

fn read_text(path: &Path) -> Result<String, RecipeError> {
    let read = |source| RecipeError::Read {
        path: path.to_path_buf(),
        source,
    };
    let mut text = String::new();
    let file = File::open(path).map_err(read)?;
    // One byte more than a recipe may have, which `Recipe::parse` then refuses.
    file.take(MAX_KIB * 1024 + 1)
        .read_to_string(&mut text)
        .map_err(read)?;
    Ok(text)
}
