//! `pytorch`: a folder with the network as Python code, its weights, and a script that reads a
//! picture with it.

use std::path::Path;

use super::{Export, ExportError, Trained, safetensors};
use crate::dataset::Classes;
use crate::files::{create_folder, write_atomically};

/// `model.py` but for what is the network's own.
const MODEL: &str = include_str!("pytorch/model.py");
/// Its module for residual blocks.
const RESIDUAL: &str = include_str!("pytorch/residual.py");
const PREDICT: &str = include_str!("pytorch/predict.py");

/// Writes the only network of `export` into the folder `output`.
pub fn write(export: &Export, output: &Path) -> Result<(), ExportError> {
    let network = export.single()?;
    let (code, weights) = (model(network), safetensors::to_bytes(network)?);
    create_folder(output)?;
    let files: [(&str, &[u8]); 3] = [
        ("model.py", code.as_bytes()),
        ("predict.py", PREDICT.as_bytes()),
        ("model.safetensors", &weights),
    ];
    for (name, content) in files {
        write_atomically(&output.join(name), content)?;
    }
    Ok(())
}

fn json(classes: &Classes) -> String {
    serde_json::to_string(&classes.names()).expect("texts are plain JSON")
}

/// The code that makes the network.
fn model(network: &Trained) -> String {
    let recipe = &network.checkpoint.recipe;
    let layers = network.plan.to_torch();
    let residual = if layers.contains("Residual(") {
        RESIDUAL
    } else {
        ""
    };
    MODEL
        .replace("NAME", &recipe.name)
        .replace("VERSION", env!("CARGO_PKG_VERSION"))
        .replace("MEAN_VALUE", &format!("{:?}", recipe.data.normalize.mean))
        .replace("STD_VALUE", &format!("{:?}", recipe.data.normalize.std))
        .replace("# RESIDUAL\n", residual)
        .replace("LAYERS", &layers.replace('\n', "\n    "))
        // Last, for a name may be any text. JSON's texts and lists are Python's.
        .replace("CLASS_LIST", &json(&recipe.data.classes))
}
