//! `export`, read by ONNX Runtime and PyTorch.

use std::fs;
use std::path::{Path, PathBuf};

use support::{World, lenet};

use crate::tools::{
    ALL_LAYERS, export, logits, probabilities, python, recipes, run, test_images, untrained,
};
use mnistctl::recipe::Recipe;

/// A world with a checkpoint of each recipe, and of a network that was trained.
fn with_checkpoints() -> (World, Vec<PathBuf>) {
    let world = World::new();
    let mut paths = Vec::new();
    for recipe in recipes() {
        let path = world.path(&format!("{}.mpk", recipe.name));
        untrained(recipe).save(&path).unwrap();
        paths.push(path);
    }
    let trained = world.path("trained.mpk");
    fs::write(&trained, &lenet().best).unwrap();
    paths.push(trained);
    (world, paths)
}

fn stem(path: &Path) -> String {
    path.file_stem().unwrap().to_str().unwrap().to_string()
}

fn write_images(world: &World, images: &[Vec<u8>]) {
    fs::write(world.path("images.bin"), images.concat()).unwrap();
}

#[test]
fn onnx_runtime_gives_the_same_probabilities() {
    let (world, paths) = with_checkpoints();
    let images = test_images();
    write_images(&world, &images);
    for path in &paths {
        let name = stem(path);
        let expected = probabilities(std::slice::from_ref(path), &images);
        fs::write(world.path(&format!("{name}.expected")), &expected).unwrap();
        let plain = export(&world, &[path], "--format onnx");
        assert_eq!(plain, path.with_extension("onnx"));
        let folded = format!("--format onnx --fold --output {name}-folded.onnx");
        export(&world, &[path], &folded);
        fs::write(world.path(&format!("{name}-folded.expected")), &expected).unwrap();
    }
    // The network inside the program, and three networks as one.
    export(&world, &[], "--format onnx");
    fs::write(
        world.path("handwriting.expected"),
        probabilities(&[], &images),
    )
    .unwrap();
    let three = ["lenet.mpk", "cnn-9956.mpk", "trained.mpk"].map(|name| world.path(name));
    let expected = probabilities(&three, &images);
    fs::write(world.path("ensemble.expected"), expected).unwrap();
    let [a, b, c] = &three;
    let written = export(&world, &[a, b, c], "--format onnx --fold");
    assert_eq!(written, world.path("ensemble.onnx"));

    let packages = ["onnx", "onnxruntime", "numpy"];
    let Some(python) = python("MNISTCTL_PYTHON", &packages) else {
        return;
    };
    run(&python, "check_onnx.py", world.path("").as_path());
}

/// With `MNISTCTL_TORCH=python` against PyTorch itself; always against the code that PyTorch was given
/// when this was written, which `docs/interop.md` says how to repeat.
#[test]
fn pytorch_is_given_code_that_it_has_run() {
    let world = World::new();
    let path = world.path("all-layers.mpk");
    let recipe = Recipe::parse("all-layers.toml", ALL_LAYERS, &[]).unwrap();
    untrained(recipe).save(&path).unwrap();
    let folder = export(&world, &[&path], "--format pytorch");
    assert_eq!(
        support::listing(&folder),
        ["model.py", "model.safetensors", "predict.py"]
    );
    let code = fs::read_to_string(folder.join("model.py")).unwrap();
    let version = format!("mnistctl {}", env!("CARGO_PKG_VERSION"));
    let code = code.replace(&version, "mnistctl VERSION");
    let expected = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/interop/fixtures/model.py");
    if std::env::var_os("MNISTCTL_UPDATE").is_some() {
        fs::write(&expected, &code).unwrap();
    }
    assert_eq!(code, fs::read_to_string(&expected).unwrap());
}

#[test]
fn pytorch_gives_the_same_logits() {
    let packages = ["torch", "safetensors", "numpy", "PIL"];
    let Some(python) = python("MNISTCTL_TORCH", &packages) else {
        return;
    };
    let (world, paths) = with_checkpoints();
    let images = test_images();
    write_images(&world, &images);
    for path in &paths {
        export(&world, &[path], "--format pytorch");
        let expected = world.path(&format!("{}.logits", stem(path)));
        fs::write(expected, logits(path, &images)).unwrap();
    }
    run(&python, "check_torch.py", world.path("").as_path());
}

#[test]
fn safetensors_hold_what_the_checkpoint_holds() {
    let world = World::new();
    let path = world.path("all-layers.mpk");
    let recipe = Recipe::parse("all-layers.toml", ALL_LAYERS, &[]).unwrap();
    let checkpoint = untrained(recipe);
    checkpoint.save(&path).unwrap();
    let written = export(&world, &[&path], "--format safetensors");
    assert_eq!(written, world.path("all-layers.safetensors"));
    let bytes = fs::read(&written).unwrap();
    let file = safetensors::SafeTensors::deserialize(&bytes).unwrap();
    for tensor in &checkpoint.tensors {
        let found = file.tensor(&tensor.name).unwrap();
        assert_eq!(found.shape(), tensor.shape);
        let values = tensor.values.iter().flat_map(|value| value.to_le_bytes());
        assert!(values.eq(found.data().iter().copied()), "{}", tensor.name);
    }
    let counters = file.names().into_iter();
    let counters = counters.filter(|name| name.ends_with(".num_batches_tracked"));
    assert_eq!(counters.count(), 4);
    let (_, header) = safetensors::SafeTensors::read_metadata(&bytes).unwrap();
    let metadata = header.metadata().as_ref().unwrap();
    assert_eq!(metadata["format"], "pt");
    assert_eq!(metadata["mean"], "0.25");
    assert_eq!(metadata["recipe"], checkpoint.recipe.to_toml());
}

#[test]
fn what_a_format_cannot_hold_is_refused() {
    let world = World::with_lenet();
    world.refused(
        "export --checkpoint lenet.mpk lenet.mpk --format safetensors",
        &["holds one network, and 2 checkpoints were given"],
    );
    world.refused(
        "export --checkpoint lenet.mpk --format pytorch --fold",
        &["only --format onnx can fold"],
    );
    world.refused(
        "export --checkpoint missing.mpk --format onnx",
        &["can't read the checkpoint missing.mpk"],
    );
    world.refused(
        "export --checkpoint lenet.mpk --format onnx --output no/lenet.onnx",
        &["can't write no/lenet.onnx"],
    );
}
