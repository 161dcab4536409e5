//! `[training]`: the loop, and what is minimised.

use serde::Serialize;

use crate::engine::{Criterion, Loss};
use crate::schema::{SchemaError, Section};

/// `[training]`: the loop.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct TrainingSpec {
    pub epochs: u64,
    pub batch_size: usize,
    /// Seeds the split, the initial weights, the shuffling, the dropout and the augmentation.
    pub seed: u64,
    pub loss: Loss,
    /// `torch.nn.CrossEntropyLoss`'s: this much of each target is spread over all classes. Only
    /// training does so; validation and test figures are of the plain loss.
    pub label_smoothing: f64,
    /// `torch.nn.utils.clip_grad_norm_`'s `max_norm`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub clip_grad_norm: Option<f64>,
    /// Validates and keeps an exponential moving average of the weights and of BatchNorm's
    /// statistics, moved by `1 - ema_decay` after every batch, as
    /// `torch.optim.swa_utils.AveragedModel(multi_avg_fn=get_ema_multi_avg_fn(decay),
    /// use_buffers=True)` does.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub ema_decay: Option<f64>,
    /// The checkpoint whose weights a run begins with, instead of random ones.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub init: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub early_stopping: Option<EarlyStoppingSpec>,
}

/// Ends a run when the validation loss has not fallen by more than `min_delta` below its best for
/// `patience` epochs.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
pub struct EarlyStoppingSpec {
    pub patience: u64,
    pub min_delta: f64,
}

impl TrainingSpec {
    pub fn criterion(&self) -> Criterion {
        Criterion {
            loss: self.loss,
            label_smoothing: self.label_smoothing,
        }
    }

    pub(super) fn read(section: Section<'_>) -> Result<Self, SchemaError> {
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
            label_smoothing: section.number_where(
                "label_smoothing",
                0.0,
                "at least 0 and less than 1",
                |part| (0.0..1.0).contains(&part),
            )?,
            clip_grad_norm: section.optional_number(
                "clip_grad_norm",
                "greater than 0",
                |norm| norm > 0.0,
            )?,
            ema_decay: section.optional_number(
                "ema_decay",
                "greater than 0 and less than 1",
                |decay| decay > 0.0 && decay < 1.0,
            )?,
            early_stopping: section
                .optional_section("early_stopping")?
                .map(EarlyStoppingSpec::read)
                .transpose()?,
            init: section.string("init")?,
        };
        section.finish()?;
        Ok(training)
    }
}

impl EarlyStoppingSpec {
    fn read(section: Section<'_>) -> Result<Self, SchemaError> {
        let stopping = Self {
            patience: section.required_integer("patience", 1..=100_000)? as u64,
            min_delta: section.not_negative("min_delta", 0.0)?,
        };
        section.finish()?;
        Ok(stopping)
    }
}
