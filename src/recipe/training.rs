//! The parts of a recipe that say how to train: optimizer, scheduler, loop.

use serde::Serialize;

use super::error::RecipeError;
use super::section::Section;

/// `[optimizer]`, with `torch.optim`'s names and defaults.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[serde(tag = "kind", rename_all = "snake_case")]
pub enum OptimizerSpec {
    /// `torch.optim.SGD`.
    Sgd {
        lr: f64,
        momentum: f64,
        dampening: f64,
        nesterov: bool,
        weight_decay: f64,
    },
    /// `torch.optim.Adam`.
    Adam {
        lr: f64,
        betas: (f64, f64),
        eps: f64,
        weight_decay: f64,
    },
}

impl OptimizerSpec {
    /// The learning rate that training starts with.
    pub fn lr(&self) -> f64 {
        match self {
            OptimizerSpec::Sgd { lr, .. } | OptimizerSpec::Adam { lr, .. } => *lr,
        }
    }

    pub(super) fn read(section: Section<'_>) -> Result<Self, RecipeError> {
        let positive = |number: f64| number > 0.0;
        let not_negative = |number: f64| number >= 0.0;
        let Some(kind) = section.string("kind")? else {
            return Err(section.missing("kind"));
        };
        let weight_decay = section.number_where("weight_decay", 0.0, "at least 0", not_negative)?;
        let lr = section.number_where("lr", 1e-3, "greater than 0", positive)?;
        let optimizer = match kind.as_str() {
            "sgd" => OptimizerSpec::Sgd {
                lr,
                momentum: section.number_where("momentum", 0.0, "at least 0", not_negative)?,
                dampening: section.number("dampening")?.unwrap_or(0.0),
                nesterov: section.boolean("nesterov", false)?,
                weight_decay,
            },
            "adam" => {
                let betas = section.pair("betas")?.unwrap_or((0.9, 0.999));
                let valid = 0.0..1.0;
                if !valid.contains(&betas.0) || !valid.contains(&betas.1) {
                    return Err(section.error("betas", "must both be at least 0 and less than 1"));
                }
                OptimizerSpec::Adam {
                    lr,
                    betas,
                    eps: section.number_where("eps", 1e-8, "greater than 0", positive)?,
                    weight_decay,
                }
            }
            _ => return Err(section.unknown_word("kind", &kind, ["sgd", "adam"].into_iter())),
        };
        if let OptimizerSpec::Sgd {
            nesterov: true,
            momentum,
            dampening,
            ..
        } = optimizer
            && (momentum == 0.0 || dampening != 0.0)
        {
            return Err(section.error("nesterov", "needs a momentum and no dampening"));
        }
        section.finish()?;
        Ok(optimizer)
    }
}

/// `[scheduler]`, with `torch.optim.lr_scheduler`'s names and defaults.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[serde(tag = "kind", rename_all = "snake_case")]
pub enum SchedulerSpec {
    /// The optimizer's `lr` throughout; also what a recipe without `[scheduler]` gets.
    Constant,
    /// `torch.optim.lr_scheduler.ReduceLROnPlateau`, stepped once an epoch.
    ReduceLrOnPlateau(PlateauSpec),
    /// `torch.optim.lr_scheduler.OneCycleLR` with `cycle_momentum=False`, stepped once a batch.
    OneCycle(OneCycleSpec),
}

/// The arguments of `OneCycleLR`.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct OneCycleSpec {
    pub max_lr: f64,
    /// The fraction of all steps in which the rate rises.
    pub pct_start: f64,
    pub anneal_strategy: AnnealStrategy,
    /// The first rate is `max_lr / div_factor`.
    pub div_factor: f64,
    /// The last rate is the first one divided by this.
    pub final_div_factor: f64,
}

#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum AnnealStrategy {
    Cos,
    Linear,
}

/// The arguments of `ReduceLROnPlateau`.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct PlateauSpec {
    /// `min` watches the validation loss, `max` the validation accuracy.
    pub mode: PlateauMode,
    pub factor: f64,
    pub patience: u64,
    pub threshold: f64,
    pub threshold_mode: ThresholdMode,
    pub cooldown: u64,
    pub min_lr: f64,
    pub eps: f64,
}

impl Default for PlateauSpec {
    fn default() -> Self {
        Self {
            mode: PlateauMode::Min,
            factor: 0.1,
            patience: 10,
            threshold: 1e-4,
            threshold_mode: ThresholdMode::Rel,
            cooldown: 0,
            min_lr: 0.0,
            eps: 1e-8,
        }
    }
}

#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum PlateauMode {
    Min,
    Max,
}

#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum ThresholdMode {
    Rel,
    Abs,
}

impl SchedulerSpec {
    pub(super) fn read(section: Section<'_>) -> Result<Self, RecipeError> {
        let kind = section.string("kind")?;
        let scheduler = match kind.as_deref().unwrap_or("constant") {
            "constant" => SchedulerSpec::Constant,
            "reduce_lr_on_plateau" => {
                SchedulerSpec::ReduceLrOnPlateau(PlateauSpec::read(&section)?)
            }
            "one_cycle" => SchedulerSpec::OneCycle(OneCycleSpec::read(&section)?),
            unknown => {
                let valid = ["constant", "reduce_lr_on_plateau", "one_cycle"];
                return Err(section.unknown_word("kind", unknown, valid.into_iter()));
            }
        };
        section.finish()?;
        Ok(scheduler)
    }
}

impl OneCycleSpec {
    fn read(section: &Section<'_>) -> Result<Self, RecipeError> {
        let positive = |number: f64| number > 0.0;
        if !section.has("max_lr") {
            return Err(section.missing("max_lr"));
        }
        Ok(Self {
            max_lr: section.number_where("max_lr", 0.0, "greater than 0", positive)?,
            pct_start: section.number_where(
                "pct_start",
                0.3,
                "greater than 0 and less than 1",
                |part| part > 0.0 && part < 1.0,
            )?,
            anneal_strategy: section.choice(
                "anneal_strategy",
                AnnealStrategy::Cos,
                &[
                    ("cos", AnnealStrategy::Cos),
                    ("linear", AnnealStrategy::Linear),
                ],
            )?,
            div_factor: section.number_where("div_factor", 25.0, "greater than 0", positive)?,
            final_div_factor: section.number_where(
                "final_div_factor",
                1e4,
                "greater than 0",
                positive,
            )?,
        })
    }
}

impl PlateauSpec {
    fn read(section: &Section<'_>) -> Result<Self, RecipeError> {
        let not_negative = |number: f64| number >= 0.0;
        let default = Self::default();
        Ok(Self {
            mode: section.choice(
                "mode",
                default.mode,
                &[("min", PlateauMode::Min), ("max", PlateauMode::Max)],
            )?,
            factor: section.number_where(
                "factor",
                default.factor,
                "greater than 0 and less than 1",
                |factor| factor > 0.0 && factor < 1.0,
            )?,
            patience: section.integer("patience", default.patience, 0..=1_000_000)?,
            threshold: section.number_where(
                "threshold",
                default.threshold,
                "at least 0",
                not_negative,
            )?,
            threshold_mode: section.choice(
                "threshold_mode",
                default.threshold_mode,
                &[("rel", ThresholdMode::Rel), ("abs", ThresholdMode::Abs)],
            )?,
            cooldown: section.integer("cooldown", default.cooldown, 0..=1_000_000)?,
            min_lr: section.number_where("min_lr", default.min_lr, "at least 0", not_negative)?,
            eps: section.number_where("eps", default.eps, "at least 0", not_negative)?,
        })
    }
}

/// `[training]`: the loop.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct TrainingSpec {
    pub epochs: u64,
    pub batch_size: usize,
    /// Seeds the split, the initial weights, the shuffling and the dropout.
    pub seed: u64,
    pub loss: Loss,
}

/// What is minimised.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Loss {
    /// `torch.nn.CrossEntropyLoss` on the logits; a final softmax layer is left out of it.
    CrossEntropy,
    /// `torch.nn.CrossEntropyLoss` on the output of the final softmax layer, which so passes
    /// through a softmax twice. It can't fall below 1.4612 with ten classes and learns more
    /// slowly: a common mistake, kept to reproduce published results that contain it.
    CrossEntropyOnSoftmax,
}

impl TrainingSpec {
    pub(super) fn read(section: Section<'_>) -> Result<Self, RecipeError> {
        if !section.has("epochs") {
            return Err(section.missing("epochs"));
        }
        let training = Self {
            epochs: section.integer("epochs", 0, 1..=100_000)?,
            batch_size: section.integer("batch_size", 64, 1..=65_536)? as usize,
            // TOML's integers are signed, so a larger seed couldn't be written back.
            seed: section.integer("seed", 0, 0..=i64::MAX as u64)?,
            loss: section.choice(
                "loss",
                Loss::CrossEntropy,
                &[
                    ("cross_entropy", Loss::CrossEntropy),
                    ("cross_entropy_on_softmax", Loss::CrossEntropyOnSoftmax),
                ],
            )?,
        };
        section.finish()?;
        Ok(training)
    }
}
