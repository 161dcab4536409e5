//! The complete MNIST, compared with what an independent reader makes of it.

use std::fs;
use std::path::PathBuf;

use mnistctl::dataset::{DataArg, Published, Split, VARIABLE, find, verify};

use crate::made::NAMES;

/// The complete MNIST, unpacked, when `$MNISTCTL_DATA` says where it is.
fn mnist() -> Option<tempfile::TempDir> {
    let packed = PathBuf::from(std::env::var_os(VARIABLE)?);
    let folder = tempfile::tempdir().unwrap();
    for name in NAMES {
        let gz = fs::File::open(packed.join(format!("{name}.gz"))).unwrap();
        let mut unpacked = fs::File::create(folder.path().join(name)).unwrap();
        std::io::copy(&mut flate2::read::GzDecoder::new(gz), &mut unpacked).unwrap();
    }
    Some(folder)
}

#[test]
fn mnist_is_read_as_the_mnist_crate_reads_it() {
    let Some(folder) = mnist() else {
        eprintln!("skipped: {VARIABLE} is not set to a folder with the complete MNIST");
        return;
    };
    let checks = verify(folder.path(), Published::Mnist).unwrap();
    assert!(checks.iter().all(|check| check.is_ok()), "{checks:?}");

    let reference = mnist::MnistBuilder::new()
        .base_path(folder.path().to_str().unwrap())
        .label_format_digit()
        .training_set_length(60_000)
        .validation_set_length(0)
        .test_set_length(10_000)
        .finalize();
    let source = find(&DataArg::Folder(folder.path().to_path_buf())).unwrap();
    let train = source.load(Split::Train).unwrap();
    assert!(
        train.digits.pixels() == reference.trn_img && train.digits.labels() == reference.trn_lbl
    );
    let test = source.load(Split::Test).unwrap();
    assert!(test.digits.pixels() == reference.tst_img && test.digits.labels() == reference.tst_lbl);
    assert!(test.sha256.starts_with("0fa7898d"));
}
