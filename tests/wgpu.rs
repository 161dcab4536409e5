//! The wgpu backend, on whatever adapter there is (a software one will do).
#![cfg(feature = "wgpu")]

use std::process::Command;
use std::sync::OnceLock;

use mnistctl::dataset::{Source, Split};
use mnistctl::engine::{Backend, Compute};
use mnistctl::network::Plan;
use mnistctl::recipe::{BUILTIN, Recipe};

/// The backend on the adapter, or `None` with a word on why the test is skipped.
fn wgpu() -> Option<Compute> {
    // A runtime is initialised once a process.
    static COMPUTE: OnceLock<Option<Compute>> = OnceLock::new();
    let compute = COMPUTE.get_or_init(|| match Backend::Wgpu.compute(2) {
        Ok(compute) => Some(compute),
        Err(error) => {
            eprintln!("skipped: {error}");
            None
        }
    });
    compute.clone()
}

#[test]
fn wgpu_computes_what_our_kernels_compute() {
    let Some(wgpu) = wgpu() else { return };
    let native = Backend::Native.compute(2).unwrap();
    let digits = Source::Sample.load(Split::Test).unwrap().digits;
    let indices: Vec<u32> = (0..100).collect();
    // The group `compare` has no operation that the others don't have.
    for builtin in BUILTIN.iter().filter(|b| b.group() != Some("compare")) {
        let recipe = Recipe::load(builtin.name, &[]).unwrap();
        let plan = Plan::new(&recipe.model.layers).unwrap();
        let [ours, reference] = [&wgpu, &native].map(|compute| {
            let (images, _) = digits.select(&indices);
            let engine = compute.engine(recipe.setup(&plan)).unwrap();
            engine.logits(&images)
        });
        let pairs = ours.iter().zip(&reference);
        let difference = pairs.map(|(a, b)| (a - b).abs()).fold(0f32, f32::max);
        println!("{}: logits differ by {difference:.1e}", builtin.name);
        assert_eq!(ours.len(), 1000);
        assert!(difference < 1e-4, "{}: {difference:e}", builtin.name);
    }
}

#[test]
fn a_run_on_a_thousand_digits_learns() {
    if wgpu().is_none() {
        return;
    }
    let folder = tempfile::tempdir().unwrap();
    let output = Command::new(env!("CARGO_BIN_EXE_mnistctl"))
        .args([
            "train", "--config", "cnn-9956", "--data", "sample", "--limit", "1000",
        ])
        .args([
            "--epochs",
            "5",
            "--backend",
            "wgpu",
            "--set",
            "optimizer.lr=0.05",
            "--out",
            "run",
        ])
        .current_dir(folder.path())
        .output()
        .unwrap();
    let stderr = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{stderr}");
    let summary = std::fs::read(folder.path().join("run/summary.json")).unwrap();
    let summary: serde_json::Value = serde_json::from_slice(&summary).unwrap();
    let accuracy = summary["test"]["accuracy"].as_f64().unwrap();
    println!("test accuracy {accuracy}");
    assert!(accuracy > 0.6, "test accuracy {accuracy}");
}
