//! Trained networks for other tools, and the registry of the formats.
//!
//! A new format is a file here with a function `write`, its `mod` line, and its line in the registry.
//! What a layer is in an ONNX graph or in PyTorch, its own file knows (`network/layers`).

mod error;
mod onnx;
mod pytorch;
mod safetensors;

use std::path::{Path, PathBuf};

use clap::ValueEnum;

use crate::network::{NamedTensor, Plan};
use crate::training::{Checkpoint, EMBEDDED_NAME, RecipePlanError, plan};
pub use error::ExportError;

/// Declares [`ExportFormat`]: for each format its module, its name, and its files' ending.
macro_rules! registry {
    ($($(#[$doc:meta])* $module:ident::$Format:ident $ending:literal),*;) => {
        #[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
        pub enum ExportFormat {
            $($(#[$doc])* $Format,)*
        }

        impl ExportFormat {
            /// Writes what `export` holds to `output`, a file or a folder.
            pub fn write(self, export: &Export, output: &Path) -> Result<(), ExportError> {
                match self {
                    $(Self::$Format => $module::write(export, output),)*
                }
            }

            /// What follows the checkpoint's name in the name of the output.
            fn ending(self) -> &'static str {
                match self {
                    $(Self::$Format => $ending,)*
                }
            }
        }
    };
}

registry! {
    /// A graph for ONNX Runtime and others that run networks
    onnx::Onnx ".onnx",
    /// The weights, with PyTorch's names and shapes
    safetensors::Safetensors ".safetensors",
    /// A folder with the network as Python code for PyTorch, and its weights
    pytorch::Pytorch "-pytorch";
}

impl ExportFormat {
    /// Where a checkpoint is exported to if nobody says: beside it, or for the network that this
    /// program carries, in the current folder.
    pub fn default_output(self, checkpoints: &[PathBuf]) -> PathBuf {
        let embedded = Path::new(EMBEDDED_NAME).file_stem();
        let (folder, stem) = match checkpoints {
            [] => (None, embedded),
            [first] => (first.parent(), first.file_stem()),
            [first, ..] => (first.parent(), Some("ensemble".as_ref())),
        };
        let stem = stem.unwrap_or_default().to_string_lossy();
        let name = format!("{stem}{}", self.ending());
        folder.unwrap_or(Path::new("")).join(name)
    }
}

/// What is exported.
#[derive(Debug)]
pub struct Export {
    /// One at least.
    pub networks: Vec<Trained>,
    /// Whether batch normalisation becomes part of the layer before it.
    pub fold: bool,
}

/// A network with its weights.
#[derive(Debug)]
pub struct Trained {
    pub checkpoint: Checkpoint,
    pub plan: Plan,
}

impl Export {
    /// The networks of all checkpoints, or the one that this program carries if there is none.
    pub fn load(checkpoints: &[PathBuf], fold: bool) -> Result<Self, ExportError> {
        let read: Vec<Checkpoint> = if checkpoints.is_empty() {
            vec![Checkpoint::embedded()?]
        } else {
            let load = |path: &PathBuf| Checkpoint::load(path);
            checkpoints.iter().map(load).collect::<Result<_, _>>()?
        };
        let networks = read.into_iter().map(|checkpoint| {
            let plan = plan(&checkpoint.recipe)?;
            Ok(Trained { checkpoint, plan })
        });
        Ok(Self {
            networks: networks.collect::<Result<_, RecipePlanError>>()?,
            fold,
        })
    }

    /// The only network, for formats that hold one and leave its layers as they are.
    fn single(&self) -> Result<&Trained, ExportError> {
        match &self.networks[..] {
            _ if self.fold => Err(ExportError::Fold),
            [network] => Ok(network),
            networks => Err(ExportError::Several(networks.len())),
        }
    }
}

impl Trained {
    /// Its tensors in its plan's order.
    fn state(&self) -> Vec<NamedTensor> {
        let ordered = self.plan.check_state(&self.checkpoint.tensors);
        let ordered = ordered.expect("a checkpoint that was read fits its own recipe");
        ordered.into_iter().cloned().collect()
    }

    /// What a file says of it beside its weights.
    fn metadata(&self) -> Vec<(&'static str, String)> {
        let recipe = &self.checkpoint.recipe;
        let normalize = recipe.data.normalize;
        let mut metadata = vec![
            ("name", recipe.name.clone()),
            ("recipe", recipe.to_toml()),
            ("mean", normalize.mean.to_string()),
            ("std", normalize.std.to_string()),
            ("mnistctl", env!("CARGO_PKG_VERSION").to_string()),
        ];
        if recipe.data.classes.are_named() {
            let names = serde_json::to_string(&recipe.data.classes);
            metadata.push(("classes", names.expect("texts are plain JSON")));
        }
        if let Some(epoch) = self.checkpoint.metrics.last() {
            metadata.push(("epoch", epoch.epoch.to_string()));
            if let Some(val) = epoch.val {
                metadata.push(("val_accuracy", val.accuracy.to_string()));
                metadata.push(("val_loss", val.loss.to_string()));
            }
        }
        metadata
    }
}
