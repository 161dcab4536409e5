//! The complete MNIST, compared with what an independent reader makes of it.

use std::fs;
use std::path::Path;

use mnistctl::dataset::{DataArg, Part, find, verify};

use crate::made::NAMES;

/// The complete MNIST, unpacked, where this machine has it beside the project.
fn mnist() -> Option<tempfile::TempDir> {
    let shared = Path::new(env!("CARGO_MANIFEST_DIR"))
        .ancestors()
        .skip(1)
        .find_map(|folder| {
            let shared = folder.join("shared/mnist");
            shared.is_dir().then_some(shared)
        })?;
    let folder = tempfile::tempdir().unwrap();
    for name in NAMES {
        let packed = fs::File::open(shared.join(format!("{name}.gz"))).unwrap();
        let mut unpacked = fs::File::create(folder.path().join(name)).unwrap();
        std::io::copy(&mut flate2::read::GzDecoder::new(packed), &mut unpacked).unwrap();
    }
    Some(folder)
}

#[test]
fn mnist_is_read_as_the_mnist_crate_reads_it() {
    let Some(folder) = mnist() else {
        eprintln!("skipped: there is no shared/mnist beside the project");
        return;
    };
    let checks = verify(folder.path()).unwrap();
    assert!(checks.iter().all(|check| check.is_ok()), "{checks:?}");

    let reference = mnist::MnistBuilder::new()
        .base_path(folder.path().to_str().unwrap())
        .label_format_digit()
        .training_set_length(60_000)
        .validation_set_length(0)
        .test_set_length(10_000)
        .finalize();
    let source = find(&DataArg::Folder(folder.path().to_path_buf())).unwrap();
    let train = source.load(Part::Train).unwrap();
    assert!(
        train.digits.pixels() == reference.trn_img && train.digits.labels() == reference.trn_lbl
    );
    let test = source.load(Part::Test).unwrap();
    assert!(test.digits.pixels() == reference.tst_img && test.digits.labels() == reference.tst_lbl);
    assert!(test.sha256.starts_with("0fa7898d"));
}
