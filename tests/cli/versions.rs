//! Checkpoints of every format version there was. `tests/checkpoints` keeps two of each, which the
//! program of that time wrote: of a run on the first 1,000 images of the sample that ended after
//! three epochs. They are never made again. `tests/checkpoints/make` has made those of the newest
//! version, with a residual block and all that version 1 had.

use std::fs;
use std::path::Path;

use mnistctl::kernels::Isa;
use mnistctl::training::{Checkpoint, VERSION};

use support::{World, number};

fn kept(name: &str) -> Vec<u8> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/checkpoints");
    fs::read(folder.join(name)).unwrap()
}

/// Asserts that a checkpoint measures as it did when it was written, apart from what another
/// processor rounds.
fn assert_measures(world: &World, name: &str, loss: f64, errors: f64) {
    let args = format!("eval --json --data sample --checkpoint {name}");
    let measured = serde_json::from_str(&world.ok(&args)).unwrap();
    assert!(
        (number(&measured, "/loss") - loss).abs() < 1e-3,
        "{measured}"
    );
    assert!(
        (number(&measured, "/errors") - errors).abs() <= 2.0,
        "{measured}"
    );
}

#[test]
fn version_1_is_read() {
    let world = World::new();
    world.write("old.mpk", kept("version-1-best.mpk"));
    assert_measures(&world, "old.mpk", 0.638048, 141.0);
    world.write("last.mpk", kept("version-1-last.mpk"));
    assert_measures(&world, "last.mpk", 0.638048, 141.0);
}

/// Its augmentation is in the old form, whose random numbers there are no longer.
#[test]
fn version_1_does_not_go_on_with_other_random_numbers() {
    let world = World::new();
    fs::create_dir(world.path("old")).unwrap();
    world.write("old/last.mpk", kept("version-1-last.mpk"));
    world.refused(
        "train --resume old --epochs 6",
        &["the run in old can't be continued", "other random numbers"],
    );
    assert_eq!(world.read("old/last.mpk"), kept("version-1-last.mpk"));
}

/// With batch normalisation, dropout, augmentation, Adam, a plateau and averaged weights: all that
/// the version's resume part holds is needed to come near the figures that it came to when it was
/// written.
#[test]
fn the_resume_part_of_version_1_is_whole() {
    let world = World::new();
    fs::create_dir(world.path("old")).unwrap();
    let path = Path::new("version-1-last.mpk");
    let mut checkpoint = Checkpoint::parse(&kept("version-1-last.mpk"), path).unwrap();
    assert!(checkpoint.old_augment);
    checkpoint.old_augment = false;
    checkpoint.save(&world.path("old/last.mpk")).unwrap();
    world.ok("train --resume old --epochs 6 --threads 1");
    let metrics = world.metrics("old");
    assert_eq!(metrics.len(), 6);
    let losses = [1.915967, 1.100357, 0.635013, 0.454332, 0.370661, 0.324173];
    for (line, loss) in metrics.iter().zip(losses) {
        assert!((number(line, "/val/loss") - loss).abs() < 1e-2, "{line}");
    }
    // Of the images that it goes on with, varied as today.
    assert_measures(&world, "old/best.mpk", 0.324358, 98.0);
}

#[test]
fn version_2_is_read() {
    let world = World::new();
    for name in ["version-2-best.mpk", "version-2-last.mpk"] {
        world.write(name, kept(name));
        assert_measures(&world, name, 0.452998, 109.0);
    }
}

/// The resume part goes on to what it came to when it was written.
#[test]
fn version_2_goes_on() {
    let world = World::new();
    fs::create_dir(world.path("old")).unwrap();
    world.write("old/last.mpk", kept("version-2-last.mpk"));
    world.ok("train --resume old --epochs 6 --threads 1");
    let metrics = world.metrics("old");
    assert_eq!(metrics.len(), 6);
    let losses = [1.797788, 0.879397, 0.456026, 0.334562, 0.280910, 0.259351];
    for (line, loss) in metrics.iter().zip(losses) {
        assert!((number(line, "/val/loss") - loss).abs() < 1e-2, "{line}");
    }
    assert_measures(&world, "old/best.mpk", 0.247454, 68.0);
}

/// Whoever goes on with a checkpoint, or compares two, has to know what computed them.
#[test]
fn checkpoints_record_what_computed_them() {
    let world = World::with_tiny();
    let train = "train --config tiny.toml --data sample --limit 100 --out";
    world.ok(&format!("{train} ours"));
    world.ok(&format!("{train} burns --backend ndarray"));
    for (run, backend, isa) in [
        ("ours", "native", Some(Isa::best().to_string())),
        ("burns", "ndarray", None),
    ] {
        for file in ["best.mpk", "last.mpk"] {
            let checkpoint = Checkpoint::load(&world.path(&format!("{run}/{file}"))).unwrap();
            assert_eq!(checkpoint.version, VERSION);
            let computed_by = checkpoint.computed_by.unwrap();
            assert_eq!(computed_by.backend, backend, "{run}/{file}");
            assert_eq!(computed_by.isa, isa, "{run}/{file}");
        }
    }
}

/// The first pixel is white paper in every image. Without normalisation it is 0, so no gradient
/// ever reaches the ten weights behind it: the first column of PyTorch's `[out, in]` weight.
#[test]
fn moments_are_laid_out_as_their_parameters() {
    let world = World::with_tiny();
    world.ok(
        "train --config tiny.toml --data sample --limit 500 --out run \
         --set optimizer.momentum=0.9 --set data.normalize.mean=0 --set data.normalize.std=1",
    );
    let last = Checkpoint::load(&world.path("run/last.mpk")).unwrap();
    let moments = last.resume.unwrap().optimizer.moments;
    let names: Vec<&str> = moments.iter().map(|of| of.name.as_str()).collect();
    assert_eq!(names, ["1.weight", "1.bias"]);
    assert!(moments.iter().all(|of| of.second.is_none()));
    let weight = moments[0].first.as_ref().unwrap();
    assert_eq!(weight.len(), 7840);
    for row in weight.chunks_exact(784) {
        assert_eq!(row[0], 0.0);
        assert!(row.iter().any(|&moment| moment != 0.0));
    }
}

#[test]
fn a_newer_version_is_refused_before_the_rest_is_looked_at() {
    let world = World::new();
    let old = kept("version-1-best.mpk");
    let version = b"\xa7version\x01";
    let at = old.windows(9).position(|window| window == version).unwrap();
    // What a later version may bring: another key, and one that is gone.
    let mut new = old.clone();
    let newer = VERSION as u8 + 1;
    new[at + 8] = newer;
    let key = new
        .windows(7)
        .position(|window| window == b"metrics")
        .unwrap();
    new[key..key + 7].copy_from_slice(b"history");
    world.write("new.mpk", &new);
    let found = format!("new.mpk has format version {newer}");
    let words = [found.as_str(), "reads versions 1 to", "newer"];
    world.refused("eval --data sample --checkpoint new.mpk", &words);
    fs::create_dir(world.path("run")).unwrap();
    world.write("run/last.mpk", &new);
    world.refused("train --resume run", &words[1..]);
}
