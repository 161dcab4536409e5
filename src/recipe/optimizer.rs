//! `[optimizer]`: how gradients move the weights.

use serde::Serialize;

use crate::schema::{SchemaError, Section};

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
    /// `torch.optim.Adam`: weight decay is added to the gradient.
    Adam(AdamSpec),
    /// `torch.optim.AdamW`: weight decay shrinks the weights themselves.
    #[serde(rename = "adamw")]
    AdamW(AdamSpec),
    /// `torch.optim.RMSprop` with `centered=False`.
    #[serde(rename = "rmsprop")]
    RmsProp {
        lr: f64,
        alpha: f64,
        eps: f64,
        weight_decay: f64,
        momentum: f64,
    },
}

/// What Adam and AdamW take.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct AdamSpec {
    pub lr: f64,
    pub betas: (f64, f64),
    pub eps: f64,
    pub weight_decay: f64,
}

const KINDS: [&str; 4] = ["sgd", "adam", "adamw", "rmsprop"];

impl OptimizerSpec {
    /// The learning rate that training starts with.
    pub fn lr(&self) -> f64 {
        match self {
            OptimizerSpec::Sgd { lr, .. } | OptimizerSpec::RmsProp { lr, .. } => *lr,
            OptimizerSpec::Adam(adam) | OptimizerSpec::AdamW(adam) => adam.lr,
        }
    }

    pub(super) fn read(section: Section<'_>) -> Result<Self, SchemaError> {
        let Some(kind) = section.string("kind")? else {
            return Err(section.missing("kind"));
        };
        let optimizer = match kind.as_str() {
            "sgd" => read_sgd(&section)?,
            "adam" => OptimizerSpec::Adam(AdamSpec::read(&section, 0.0)?),
            "adamw" => OptimizerSpec::AdamW(AdamSpec::read(&section, 1e-2)?),
            "rmsprop" => OptimizerSpec::RmsProp {
                lr: section.positive("lr", 1e-2)?,
                alpha: section.number_where("alpha", 0.99, "between 0 and 1", |alpha| {
                    (0.0..=1.0).contains(&alpha)
                })?,
                eps: section.positive("eps", 1e-8)?,
                weight_decay: section.not_negative("weight_decay", 0.0)?,
                momentum: section.not_negative("momentum", 0.0)?,
            },
            _ => return Err(section.unknown_word("kind", &kind, KINDS.into_iter())),
        };
        section.finish()?;
        Ok(optimizer)
    }
}

fn read_sgd(section: &Section<'_>) -> Result<OptimizerSpec, SchemaError> {
    let lr = section.positive("lr", 1e-3)?;
    let momentum = section.not_negative("momentum", 0.0)?;
    let dampening = section.number("dampening")?.unwrap_or(0.0);
    let nesterov = section.boolean("nesterov", false)?;
    if nesterov && (momentum == 0.0 || dampening != 0.0) {
        return Err(section.error("nesterov", "needs a momentum and no dampening"));
    }
    Ok(OptimizerSpec::Sgd {
        lr,
        momentum,
        dampening,
        nesterov,
        weight_decay: section.not_negative("weight_decay", 0.0)?,
    })
}

impl AdamSpec {
    fn read(section: &Section<'_>, weight_decay: f64) -> Result<Self, SchemaError> {
        let betas = section.pair("betas")?.unwrap_or((0.9, 0.999));
        let valid = 0.0..1.0;
        if !valid.contains(&betas.0) || !valid.contains(&betas.1) {
            return Err(section.error("betas", "must both be at least 0 and less than 1"));
        }
        Ok(Self {
            lr: section.positive("lr", 1e-3)?,
            betas,
            eps: section.positive("eps", 1e-8)?,
            weight_decay: section.not_negative("weight_decay", weight_decay)?,
        })
    }
}
