//! `import`, of what PyTorch and safetensors wrote and of what they would never write.

use std::fs;
use std::path::{Path, PathBuf};

use mnistctl::dataset::{Source, Split};
use mnistctl::engine::Backend;
use mnistctl::evaluation::Ensemble;
use mnistctl::training::Checkpoint;
use serde_json::json;
use support::World;

use crate::tools::{ALL_LAYERS, export, logits, test_images, untrained};
use mnistctl::recipe::Recipe;

fn fixture(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("tests/interop/fixtures")
        .join(name)
}

/// The digits that a checkpoint reads in the sample's test images.
fn digits(checkpoint: &Path) -> Vec<u8> {
    let compute = Backend::Native.compute(2).unwrap();
    let ensemble = Ensemble::load(&[checkpoint.to_path_buf()], &compute).unwrap();
    let digits = Source::Sample.load(Split::Test).unwrap().digits;
    let indices: Vec<u32> = (0..digits.len() as u32).collect();
    let (images, _) = digits.select(&indices);
    let predictions = ensemble.predict(&images).unwrap();
    predictions.iter().map(|p| p.digit() as u8).collect()
}

#[test]
fn networks_that_pytorch_trained_read_the_same_digits() {
    let expected = fs::read(fixture("cnn.answers")).unwrap();
    for name in ["cnn.pt", "cnn.safetensors"] {
        let world = World::new();
        fs::copy(fixture(name), world.path(name)).unwrap();
        let finished = world.run(&format!("import {name} --config cnn-9956"));
        assert_eq!((finished.code, finished.stdout.as_str()), (0, "cnn.mpk\n"));
        finished.assert_says(&[
            "conv1.weight -> 0.weight",
            "norm2.running_var -> 5.running_var",
        ]);
        finished.assert_says(&["fc1.bias -> 9.bias", "fc2.weight -> 12.weight"]);
        assert!(digits(&world.path("cnn.mpk")) == expected, "{name}");
        let printed = world.ok("eval --checkpoint cnn.mpk --data sample --json");
        let figures: serde_json::Value = serde_json::from_str(&printed).unwrap();
        assert_eq!(figures["errors"], json!(36), "as make_fixtures.py printed");
    }
}

/// In half precision, under a key, beside an optimizer's moments.
#[test]
fn a_training_script_s_own_checkpoint_is_read() {
    let world = World::new();
    let weights = fixture("cnn-half.pt");
    world.ok(&format!(
        "import {} --config cnn-9956 --output half.mpk",
        weights.display()
    ));
    let expected = fs::read(fixture("cnn.answers")).unwrap();
    let found = digits(&world.path("half.mpk"));
    let different = found.iter().zip(&expected).filter(|(a, b)| a != b).count();
    assert!(
        different <= 3,
        "{different} of {} digits differ",
        expected.len()
    );
}

#[test]
fn what_was_exported_comes_back_the_same() {
    let world = World::new();
    world.write("all-layers.toml", ALL_LAYERS);
    let path = world.path("all-layers.mpk");
    let recipe = Recipe::parse("all-layers.toml", ALL_LAYERS, &[]).unwrap();
    untrained(recipe).save(&path).unwrap();
    export(&world, &[&path], "--format safetensors");
    let words = ["all-layers.mpk is there already", "--output"];
    world.refused(
        "import all-layers.safetensors --config all-layers.toml",
        &words,
    );
    let finished =
        world.run("import all-layers.safetensors --config all-layers.toml --output back.mpk");
    assert_eq!(
        (finished.code, finished.stderr.as_str()),
        (0, ""),
        "names are ours"
    );
    let back = world.path("back.mpk");
    let images = test_images();
    assert!(logits(&path, &images[..100]) == logits(&back, &images[..100]));
    assert_eq!(
        Checkpoint::load(&back).unwrap().tensors,
        Checkpoint::load(&path).unwrap().tensors
    );
}

/// A safetensors file with this header.
fn safetensors(header: &serde_json::Value, data: usize) -> Vec<u8> {
    let header = header.to_string();
    let length = (header.len() as u64).to_le_bytes();
    [&length[..], header.as_bytes(), &vec![0; data]].concat()
}

fn tensor(dtype: &str, shape: &[u64], offsets: [u64; 2]) -> serde_json::Value {
    json!({ "dtype": dtype, "shape": shape, "data_offsets": offsets })
}

#[test]
fn weights_that_do_not_fit_are_refused_with_their_names() {
    let world = World::with_tiny();
    let ours = |weight: &[u64], bias: &[u64]| {
        let end = 4 * weight.iter().product::<u64>();
        let all = end + 4 * bias.iter().product::<u64>();
        let header = json!({
            "1.weight": tensor("F32", weight, [0, end]),
            "1.bias": tensor("F32", bias, [end, all]),
        });
        safetensors(&header, all as usize)
    };
    let cnn = fs::read(fixture("cnn.pt")).unwrap();
    let half = ours(&[10, 784], &[10]);
    // The same archive with its entries called compressed, in the central directory and before each.
    let mut compressed = cnn.clone();
    for (signature, method) in [(&b"PK\x03\x04"[..], 8), (&b"PK\x01\x02"[..], 10)] {
        let places = 0..cnn.len() - 4;
        let entries = places.filter(|&at| cnn[at..].starts_with(signature));
        entries.for_each(|at| compressed[at + method] = 8);
    }
    let table: Vec<(&str, Vec<u8>, &[&str])> = vec![
        ("empty", vec![], &["neither safetensors nor a state_dict"]),
        ("text", b"not weights at all".to_vec(), &["neither safetensors nor a state_dict"]),
        ("cnn.pt", cnn.clone(), &["nothing left in it for its layer 2, linear", "weight [10, 784]", "conv1.weight"]),
        ("compressed.pt", compressed, &["its parts are compressed"]),
        ("half.pt", cnn[..cnn.len() / 2].to_vec(), &["neither safetensors nor a state_dict"]),
        ("half", half[..half.len() / 2].to_vec(), &["neither safetensors nor a state_dict"]),
        ("shape", ours(&[10, 783], &[10]), &["1.weight has the shape [10, 783]", "layer 2, linear", "[10, 784]"]),
        (
            "missing",
            safetensors(&json!({ "1.weight": tensor("F32", &[10, 784], [0, 31360]) }), 31360),
            &["1.bias, of its layer 2, linear, is missing"],
        ),
        (
            "more",
            safetensors(
                &json!({
                    "1.weight": tensor("F32", &[10, 784], [0, 31360]),
                    "1.bias": tensor("F32", &[10], [31360, 31400]),
                    "2.bias": tensor("F32", &[3], [31400, 31412]),
                }),
                31412,
            ),
            &["no layer needs what is left of it: 2.bias"],
        ),
        (
            "integers",
            safetensors(
                &json!({
                    "1.weight": tensor("I8", &[10, 784], [0, 7840]),
                    "1.bias": tensor("F32", &[10], [7840, 7880]),
                }),
                7880,
            ),
            &["1.weight", "is missing"],
        ),
        (
            "float8",
            safetensors(&json!({ "1.weight": tensor("F8_E4M3", &[10, 784], [0, 7840]) }), 7840),
            &["1.weight", "F8_E4M3", "float32"],
        ),
        (
            "overlap",
            safetensors(
                &json!({
                    "1.weight": tensor("F32", &[10, 784], [0, 31360]),
                    "1.bias": tensor("F32", &[10], [31340, 31380]),
                }),
                31380,
            ),
            &["neither safetensors nor a state_dict", "offset"],
        ),
        (
            "huge",
            safetensors(&json!({ "1.weight": tensor("F32", &[1 << 62, 2], [0, 1 << 63]) }), 8),
            &["neither safetensors nor a state_dict"],
        ),
        (
            "long",
            [&(1u64 << 63).to_le_bytes()[..], b"{}"].concat(),
            &["neither safetensors nor a state_dict", "header"],
        ),
        (
            "nan",
            {
                let mut bytes = half.clone();
                let last = bytes.len() - 4;
                bytes[last..].copy_from_slice(&f32::NAN.to_le_bytes());
                bytes
            },
            &["1.bias", "not finite"],
        ),
        (
            // What `pickle.loads` would run: os.system("touch owned").
            "code",
            b"\x80\x02cposix\nsystem\nX\x0b\x00\x00\x00touch owned\x85R.".to_vec(),
            &["neither safetensors nor a state_dict"],
        ),
        (
            "state.pt",
            b"\x80\x02}X\x08\x00\x00\x001.weightcposix\nsystem\nX\x0b\x00\x00\x00touch owned\x85Rs.".to_vec(),
            &["neither safetensors nor a state_dict"],
        ),
    ];
    for (name, content, words) in table {
        world.write("weights", content);
        println!("{name}");
        world.refused("import weights --config tiny.toml --output out.mpk", words);
    }
    world.refused(
        "import nowhere.pt --config tiny.toml",
        &["can't read the weights nowhere.pt"],
    );
    fs::create_dir(world.path("folder")).unwrap();
    world.refused(
        "import folder --config tiny.toml",
        &["folder", "it is not a file"],
    );
}
