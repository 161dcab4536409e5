//! `[scheduler]`: how the learning rate changes.

use serde::Serialize;

use crate::schema::{SchemaError, Section};

/// `[scheduler]`.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct SchedulerSpec {
    #[serde(flatten)]
    pub schedule: Schedule,
    /// Before the schedule begins.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub warmup: Option<WarmupSpec>,
}

/// A linear rise of the learning rate, batch by batch, to where the schedule begins:
/// `torch.optim.lr_scheduler.LinearLR` and after it the schedule, as `SequentialLR` joins them.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct WarmupSpec {
    pub epochs: u64,
    /// What the first batch's learning rate is multiplied with.
    pub start_factor: f64,
}

/// How the learning rate changes, with `torch.optim.lr_scheduler`'s names and defaults.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[serde(tag = "kind", rename_all = "snake_case")]
pub enum Schedule {
    /// The optimizer's `lr` throughout; also what a recipe without `[scheduler]` gets.
    Constant,
    /// `torch.optim.lr_scheduler.StepLR`, stepped once an epoch.
    Step { step_size: u64, gamma: f64 },
    /// `torch.optim.lr_scheduler.ExponentialLR`, stepped once an epoch.
    Exponential { gamma: f64 },
    /// `torch.optim.lr_scheduler.CosineAnnealingLR`, stepped once an epoch.
    CosineAnnealing {
        /// Epochs until `eta_min` is reached; all that follow the warm-up when left out.
        #[serde(skip_serializing_if = "Option::is_none")]
        t_max: Option<u64>,
        eta_min: f64,
    },
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

const KINDS: [&str; 6] = [
    "constant",
    "step",
    "exponential",
    "cosine_annealing",
    "reduce_lr_on_plateau",
    "one_cycle",
];

impl SchedulerSpec {
    pub(super) fn read(section: Section<'_>) -> Result<Self, SchemaError> {
        let schedule = Schedule::read(&section)?;
        let warmup = section.optional_section("warmup")?;
        let warmup = warmup.map(WarmupSpec::read).transpose()?;
        section.finish()?;
        Ok(Self { schedule, warmup })
    }
}

impl WarmupSpec {
    fn read(section: Section<'_>) -> Result<Self, SchemaError> {
        let warmup = Self {
            epochs: section.required_integer("epochs", 1..=100_000)? as u64,
            start_factor: section.number_where(
                "start_factor",
                1.0 / 3.0,
                "greater than 0 and at most 1",
                |factor| factor > 0.0 && factor <= 1.0,
            )?,
        };
        section.finish()?;
        Ok(warmup)
    }
}

impl Schedule {
    fn read(section: &Section<'_>) -> Result<Self, SchemaError> {
        let kind = section.string("kind")?;
        let gamma = |default: f64| {
            section.number_where("gamma", default, "greater than 0 and at most 1", |gamma| {
                gamma > 0.0 && gamma <= 1.0
            })
        };
        Ok(match kind.as_deref().unwrap_or("constant") {
            "constant" => Schedule::Constant,
            "step" => Schedule::Step {
                step_size: section.required_integer("step_size", 1..=100_000)? as u64,
                gamma: gamma(0.1)?,
            },
            "exponential" if !section.has("gamma") => return Err(section.missing("gamma")),
            "exponential" => Schedule::Exponential { gamma: gamma(0.0)? },
            "cosine_annealing" => Schedule::CosineAnnealing {
                t_max: section.optional_integer("t_max", 1..=100_000)?,
                eta_min: section.not_negative("eta_min", 0.0)?,
            },
            "reduce_lr_on_plateau" => Schedule::ReduceLrOnPlateau(PlateauSpec::read(section)?),
            "one_cycle" => Schedule::OneCycle(OneCycleSpec::read(section)?),
            unknown => return Err(section.unknown_word("kind", unknown, KINDS.into_iter())),
        })
    }
}

impl OneCycleSpec {
    fn read(section: &Section<'_>) -> Result<Self, SchemaError> {
        if !section.has("max_lr") {
            return Err(section.missing("max_lr"));
        }
        let spec = Self {
            max_lr: section.positive("max_lr", 0.0)?,
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
            div_factor: section.positive("div_factor", 25.0)?,
            final_div_factor: section.positive("final_div_factor", 1e4)?,
        };
        let first = spec.max_lr / spec.div_factor;
        if !first.is_finite() || !(first / spec.final_div_factor).is_finite() {
            return Err(section.error("max_lr", "is too large for its divisors"));
        }
        Ok(spec)
    }
}

impl PlateauSpec {
    fn read(section: &Section<'_>) -> Result<Self, SchemaError> {
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
            threshold: section.not_negative("threshold", default.threshold)?,
            threshold_mode: section.choice(
                "threshold_mode",
                default.threshold_mode,
                &[("rel", ThresholdMode::Rel), ("abs", ThresholdMode::Abs)],
            )?,
            cooldown: section.integer("cooldown", default.cooldown, 0..=1_000_000)?,
            min_lr: section.not_negative("min_lr", default.min_lr)?,
            eps: section.not_negative("eps", default.eps)?,
        })
    }
}
