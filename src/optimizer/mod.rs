//! The optimizers, one file each: their keys in a recipe and their rule, which every engine runs.
//!
//! Rules are those of `torch.optim`, step for step. Scalars are doubles until they meet a parameter,
//! as in PyTorch. A new optimizer is a file here that implements [`Optimizer`] and [`Rule`], its
//! `mod` line, and its line in the registry.

mod adam;
mod adamw;
mod rmsprop;
mod sgd;
mod state;

use serde::Serialize;
use strum::{IntoStaticStr, VariantNames};

use crate::kernels::{Arithmetic, Isa, Rule, update};
use crate::schema::{SchemaError, Section};

pub use state::{HostMoment, Moments, OptimizerState};

/// What there is to know of an optimizer beside its [`Rule`].
pub trait Optimizer: Sized {
    type Rule: Rule;

    /// Reads the keys of `[optimizer]`, with their defaults and checks.
    fn read(section: &Section<'_>) -> Result<Self, SchemaError>;

    /// The learning rate that training starts with.
    fn lr(&self) -> f64;

    /// Which of the two moments it keeps of each parameter. A second one is a mean of squares, never
    /// negative.
    fn moments(&self) -> [bool; 2];

    /// What it does in its `step`th step, counted from 1.
    fn rule(&self, lr: f64, step: u64) -> Self::Rule;
}

/// Gradients nearer to zero than this count as zero where they are squared: beside an eps that
/// recipes may ask for, their square's root is nothing.
const NEGLIGIBLE: f32 = 1e-17;

/// What an eps must at least be for [`NEGLIGIBLE`] to be so.
const LEAST_EPS: f64 = 1e-12;

/// An `eps` that is added to the root of a mean of squares.
fn read_eps(section: &Section<'_>) -> Result<f64, SchemaError> {
    let rule = "at least 1e-12, beside which gradients too small to square in single precision don't \
                count";
    section.number_where("eps", 1e-8, rule, |eps| eps >= LEAST_EPS)
}

macro_rules! registry {
    ($($module:ident::$Name:ident),* $(,)?) => {
        /// `[optimizer]`, with `torch.optim`'s names and defaults.
        #[derive(Debug, Clone, PartialEq, Serialize, IntoStaticStr, VariantNames)]
        #[serde(tag = "kind", rename_all = "lowercase")]
        #[strum(serialize_all = "lowercase")]
        pub enum OptimizerSpec {
            $($Name($module::$Name),)*
        }

        /// One step of one of them.
        #[derive(Debug, Clone, Copy)]
        pub enum AnyRule {
            $($Name(<$module::$Name as Optimizer>::Rule),)*
        }

        impl OptimizerSpec {
            /// How each kind reads its keys, in the order of the kinds' names.
            const READERS: &[fn(&Section<'_>) -> Result<Self, SchemaError>] =
                &[$(|section| Optimizer::read(section).map(Self::$Name),)*];

            /// The learning rate that training starts with.
            pub fn lr(&self) -> f64 {
                match self {
                    $(Self::$Name(optimizer) => optimizer.lr(),)*
                }
            }

            /// Which of the two moments it keeps of each parameter.
            pub fn moments(&self) -> [bool; 2] {
                match self {
                    $(Self::$Name(optimizer) => optimizer.moments(),)*
                }
            }

            /// What it does in its `step`th step, counted from 1.
            pub fn rule(&self, lr: f64, step: u64) -> AnyRule {
                match self {
                    $(Self::$Name(optimizer) => AnyRule::$Name(optimizer.rule(lr, step)),)*
                }
            }
        }

        impl AnyRule {
            /// The step on whatever has the arithmetic, as [`Rule::step`].
            pub fn step<A: Arithmetic>(&self, value: A, gradient: A, moments: &mut [A; 2]) -> A {
                match self {
                    $(Self::$Name(rule) => rule.step(value, gradient, moments),)*
                }
            }

            /// The step on our kernels, as [`update`].
            pub fn update(
                &self,
                isa: Isa,
                values: &mut [f32],
                gradients: &[f32],
                [first, second]: [&mut [f32]; 2],
            ) {
                match self {
                    $(Self::$Name(rule) => update(isa, rule, values, gradients, first, second),)*
                }
            }
        }
    };
}

registry! {
    sgd::Sgd,
    adam::Adam,
    adamw::AdamW,
    rmsprop::RmsProp,
}

impl OptimizerSpec {
    /// Reads `[optimizer]`.
    ///
    /// # Errors
    /// For an unknown kind, an unknown key or a value that makes no sense, with its line.
    pub fn read(section: Section<'_>) -> Result<Self, SchemaError> {
        let Some(kind) = section.string("kind")? else {
            return Err(section.missing("kind"));
        };
        let kinds = Self::VARIANTS.iter().copied();
        let Some(number) = kinds.clone().position(|known| known == kind) else {
            return Err(section.unknown_word("kind", &kind, kinds));
        };
        let optimizer = Self::READERS[number](&section)?;
        section.finish()?;
        Ok(optimizer)
    }
}
