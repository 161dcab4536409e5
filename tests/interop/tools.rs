//! Python with other tools' packages, and networks to give to them.

use std::path::{Path, PathBuf};
use std::process::Command;

use mnistctl::dataset::{DataArg, Source, Split, find};
use mnistctl::engine::Backend;
use mnistctl::evaluation::Ensemble;
use mnistctl::network::{Plan, Role};
use mnistctl::recipe::{BUILTIN, Recipe};
use mnistctl::rng::Rng;
use mnistctl::training::Checkpoint;
use support::World;

/// A recipe with every kind of layer, and every setting that changes what a layer is elsewhere.
pub const ALL_LAYERS: &str = include_str!("all-layers.toml");

/// The Python of `variable`, or `python3`, if it has all of `packages`; else says that the test is
/// skipped.
pub fn python(variable: &str, packages: &[&str]) -> Option<PathBuf> {
    let python: PathBuf = std::env::var_os(variable).map_or("python3".into(), PathBuf::from);
    let code = format!("import {}", packages.join(", "));
    let has = Command::new(&python).args(["-c", &code]).output();
    if has.is_ok_and(|output| output.status.success()) {
        return Some(python);
    }
    eprintln!(
        "skipped: {} has not all of {}; set {variable} to a Python that has",
        python.display(),
        packages.join(", ")
    );
    None
}

/// Runs a script of this folder, which has to succeed.
pub fn run(python: &Path, script: &str, argument: &Path) {
    let script = Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("tests/interop")
        .join(script);
    let output = Command::new(python).arg(script).arg(argument).output();
    let output = output.unwrap();
    let said = String::from_utf8_lossy(&output.stdout);
    let complained = String::from_utf8_lossy(&output.stderr);
    println!("{said}{complained}");
    assert!(output.status.success(), "{said}{complained}");
}

/// A checkpoint of an untrained network whose running statistics are no longer 0 and 1.
pub fn untrained(recipe: Recipe) -> Checkpoint {
    let plan = Plan::new(&recipe.model.layers).unwrap();
    let mut tensors = plan.initial_state(1);
    let mut rng = Rng::new(1, &[2]);
    for ((_, parameter), tensor) in plan.parameters().zip(&mut tensors) {
        for value in &mut tensor.values {
            match parameter.role {
                Role::Trained => *value += 0.02 * (rng.next_f32() - 0.5),
                Role::Mean => *value = rng.next_f32() - 0.5,
                Role::Variance => *value = 0.5 + rng.next_f32(),
            }
        }
    }
    Checkpoint::of_weights(recipe, tensors)
}

/// Every built-in recipe, and the one with every kind of layer.
pub fn recipes() -> Vec<Recipe> {
    let builtin = BUILTIN.iter();
    let builtin = builtin.map(|builtin| Recipe::load(builtin.name, &[]).unwrap());
    let all = Recipe::parse("all-layers.toml", ALL_LAYERS, &[]).unwrap();
    builtin.chain([all]).collect()
}

/// The 10,000 test images where there is the complete MNIST, otherwise the sample's 1,000.
pub fn test_images() -> Vec<Vec<u8>> {
    let source = match std::env::var("MNISTCTL_DATA") {
        Ok(folder) if !folder.is_empty() => find(&DataArg::from(folder.as_str())).unwrap(),
        _ => Source::Sample,
    };
    let digits = source.load(Split::Test).unwrap().digits;
    let indices: Vec<u32> = (0..digits.len() as u32).collect();
    let (images, _) = digits.select(&indices);
    images.iter().map(|image| image.to_vec()).collect()
}

/// What mnistctl itself makes of the images: probabilities.
pub fn probabilities(checkpoints: &[PathBuf], images: &[Vec<u8>]) -> Vec<u8> {
    let ensemble = Ensemble::load(checkpoints, &Backend::Native.compute(2).unwrap()).unwrap();
    let images: Vec<&[u8]> = images.iter().map(Vec::as_slice).collect();
    let predictions = ensemble.predict(&images).unwrap();
    let values = predictions.iter().flat_map(|p| p.probabilities);
    values.flat_map(f64::to_le_bytes).collect()
}

/// The same: logits.
pub fn logits(checkpoint: &Path, images: &[Vec<u8>]) -> Vec<u8> {
    let read = Checkpoint::load(checkpoint).unwrap();
    let compute = Backend::Native.compute(2).unwrap();
    let model = read.model(checkpoint, &compute).unwrap();
    let images: Vec<&[u8]> = images.iter().map(Vec::as_slice).collect();
    let logits = images.chunks(500).flat_map(|part| model.logits(part));
    logits.flat_map(f32::to_le_bytes).collect()
}

/// The program's `export`, which has to succeed and to print where it has written.
pub fn export(world: &World, checkpoints: &[&Path], arguments: &str) -> PathBuf {
    let each = checkpoints
        .iter()
        .map(|path| format!("--checkpoint {} ", path.display()));
    let each: String = each.collect();
    let printed = world.ok(&format!("export {each}{arguments}"));
    world.path(printed.trim_end())
}
