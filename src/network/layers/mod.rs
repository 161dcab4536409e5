//! The layer kinds, one file each, and the registry that lists them.
//!
//! A new kind is a file here that implements [`Layer`], or [`Activation`] for a function of each
//! value by itself, its `mod` line, and its line in the registry.

mod activation;
mod avg_pool;
mod batch_norm;
mod conv;
mod dropout;
mod elu;
mod flatten;
mod gelu;
mod global_avg_pool;
mod leaky_relu;
mod linear;
mod max_pool;
mod padding;
mod prelu;
mod relu;
mod residual;
mod sigmoid;
mod silu;
mod softmax;
mod tanh;
mod window;

use serde::Serialize;
use strum::{IntoStaticStr, VariantNames};

use super::layer::Layer;
use crate::kernels::{Lanes, Place, Pointwise};
use crate::schema::{SchemaError, Section};

pub use activation::Activation;
pub use padding::Padding;

/// Declares [`LayerSpec`] with all kinds, and [`Function`] with those among them that are functions
/// of each value by itself, or that have one (`with` it). The names that recipes use are the types' in
/// snake case.
macro_rules! registry {
    (
        layers: $($layer:ident::$Layer:ident $(with $Function:ident)?),*;
        activations: $($activation:ident::$Activation:ident),*;
    ) => {
        /// One layer of a network with its settings. Sizes that follow from what comes before it
        /// (PyTorch's `in_channels`, `in_features`, `num_features`) are inferred.
        #[derive(Debug, Clone, PartialEq, Serialize, IntoStaticStr, VariantNames)]
        #[serde(tag = "kind", rename_all = "snake_case")]
        #[strum(serialize_all = "snake_case")]
        pub enum LayerSpec {
            $($Layer($layer::$Layer),)*
            $($Activation($activation::$Activation),)*
        }

        impl LayerSpec {
            /// What can be asked of every layer.
            pub fn as_layer(&self) -> &dyn Layer {
                match self {
                    $(Self::$Layer(layer) => layer,)*
                    $(Self::$Activation(layer) => layer,)*
                }
            }

            /// How each kind reads its keys, in the order of the kinds' names.
            const READERS: &[fn(&Section<'_>) -> Result<Self, SchemaError>] = &[
                $(|section| Layer::read(section).map(Self::$Layer),)*
                $(|section| Layer::read(section).map(Self::$Activation),)*
            ];
        }

        /// A function of each value by itself, as the kernels compute it.
        #[derive(Debug, Clone, Copy, PartialEq)]
        pub enum Function {
            $($Activation($activation::$Activation),)*
            $($($Function($layer::$Function),)?)*
        }

        $(impl From<$activation::$Activation> for Function {
            fn from(function: $activation::$Activation) -> Self {
                Self::$Activation(function)
            }
        })*

        $($(impl From<$layer::$Function> for Function {
            fn from(function: $layer::$Function) -> Self {
                Self::$Function(function)
            }
        })?)*

        impl Pointwise for Function {
            #[inline(always)]
            fn is_relu(self) -> bool {
                match self {
                    $(Self::$Activation(function) => Pointwise::is_relu(function),)*
                    $($(Self::$Function(function) => function.is_relu(),)?)*
                }
            }

            #[inline(always)]
            fn is_monotone(self) -> bool {
                match self {
                    $(Self::$Activation(function) => Pointwise::is_monotone(function),)*
                    $($(Self::$Function(function) => function.is_monotone(),)?)*
                }
            }

            #[inline(always)]
            fn only_in_training(self) -> bool {
                match self {
                    $(Self::$Activation(function) => function.only_in_training(),)*
                    $($(Self::$Function(function) => function.only_in_training(),)?)*
                }
            }

            #[inline(always)]
            fn with_weight(self, weight: f32) -> Self {
                match self {
                    $(Self::$Activation(function) => {
                        Self::$Activation(function.with_weight(weight))
                    })*
                    $($(Self::$Function(function) => Self::$Function(function.with_weight(weight)),)?)*
                }
            }

            #[inline(always)]
            fn apply<V: Lanes>(self, x: V, place: Place) -> V {
                match self {
                    $(Self::$Activation(function) => Pointwise::apply(function, x, place),)*
                    $($(Self::$Function(function) => function.apply(x, place),)?)*
                }
            }

            #[inline(always)]
            fn derivative<V: Lanes>(self, x: V, y: V, place: Place) -> V {
                match self {
                    $(Self::$Activation(function) => Pointwise::derivative(function, x, y, place),)*
                    $($(Self::$Function(function) => function.derivative(x, y, place),)?)*
                }
            }

            #[inline(always)]
            fn weight_derivative<V: Lanes>(self, x: V) -> V {
                match self {
                    $(Self::$Activation(function) => function.weight_derivative(x),)*
                    $($(Self::$Function(function) => function.weight_derivative(x),)?)*
                }
            }
        }
    };
}

registry! {
    layers:
        conv::Conv,
        batch_norm::BatchNorm,
        max_pool::MaxPool,
        avg_pool::AvgPool,
        global_avg_pool::GlobalAvgPool,
        flatten::Flatten,
        linear::Linear,
        dropout::Dropout with Mask,
        prelu::Prelu with Slope,
        residual::Residual,
        softmax::Softmax;
    activations:
        relu::Relu,
        leaky_relu::LeakyRelu,
        elu::Elu,
        gelu::Gelu,
        silu::Silu,
        tanh::Tanh,
        sigmoid::Sigmoid;
}

impl LayerSpec {
    /// The word a recipe uses for this layer.
    pub fn kind(&self) -> &'static str {
        self.into()
    }

    /// Reads a layer of this kind from its table.
    pub(super) fn read(kind: &str, section: &Section<'_>) -> Result<Self, SchemaError> {
        let kinds = Self::VARIANTS.iter().copied();
        let Some(number) = kinds.clone().position(|known| known == kind) else {
            return Err(section.unknown_word("kind", kind, kinds));
        };
        Self::READERS[number](section)
    }
}
