//! Files that must be refused, with what the message must say.

use std::fs;

use mnistctl::dataset::{Source, Split};

use crate::made::{
    NAMES, assert_says, folder, gzip, images, images_with, labels, labels_with, load_error,
};

#[test]
fn a_bad_file_is_refused_with_its_name_and_what_is_wrong() {
    // The digits of the test part are 5; NAMES[2] are its images, NAMES[3] its labels.
    let whole = gzip(&images(5));
    let with = |bytes: &[u8], more: &[u8]| [bytes, more].concat();
    let mut bad_sum = whole.clone();
    let end = bad_sum.len();
    bad_sum[end - 6] ^= 1;
    let bomb = gzip(&with(&images(5), &vec![0; 50_000_000]));
    let table: Vec<(usize, Vec<u8>, &[&str])> = vec![
        (2, vec![], &["empty"]),
        (2, gzip(b""), &["empty"]),
        (2, whole[..whole.len() / 2].to_vec(), &["truncated gzip"]),
        (
            2,
            whole[..1].to_vec(),
            &["truncated", "needs 16 bytes", "1 bytes"],
        ),
        (2, bad_sum, &["damaged gzip"]),
        (2, with(&whole, b"\0"), &["trailing bytes", "gzip"]),
        (2, with(&whole, &whole), &["trailing bytes", "gzip"]),
        (2, gzip(&whole), &["gzip file inside a gzip file"]),
        (
            2,
            images(5)[..15].to_vec(),
            &["truncated", "needs 16 bytes", "15 bytes"],
        ),
        (
            2,
            images(5)[..3000].to_vec(),
            &["truncated", "3936 bytes", "3000"],
        ),
        (
            2,
            gzip(&images(5)[..3000]),
            &["truncated", "3936 bytes", "3000"],
        ),
        (
            2,
            with(&images(5), b"x"),
            &["trailing", "3936 bytes", "3937"],
        ),
        (2, bomb, &["trailing", "3936 bytes", "more"]),
        (
            2,
            images_with(0x802, 5, 28, 28, 3920),
            &["magic number is 0x00000802", "expected 0x00000803"],
        ),
        (
            2,
            images_with(0x803, 5, 27, 27, 5 * 27 * 27),
            &["27x27", "28x28"],
        ),
        (
            2,
            images_with(0x803, 5, u32::MAX, u32::MAX, 3920),
            &["4294967295x4294967295"],
        ),
        (
            2,
            images_with(0x803, 0, 28, 28, 0),
            &["0 images", "from 1 to"],
        ),
        (
            2,
            images_with(0x803, 4_000_000_000, 28, 28, 3920),
            &["4000000000 images", "1000000"],
        ),
        (
            2,
            gzip(&images_with(0x803, 4_000_000_000, 28, 28, 3920)),
            &["4000000000 images"],
        ),
        (
            2,
            gzip(&images_with(0x803, 1_000_000, 28, 28, 3920)),
            &["truncated", "784000016", "3936"],
        ),
        (2, labels(5), &["looks like the labels file", "swapped"]),
        (3, images(5), &["looks like the images file", "swapped"]),
        (
            3,
            labels_with(0x801, 5, &[0, 1, 10, 3, 4]),
            &["label 10 at position 2"],
        ),
        (
            3,
            labels_with(0x801, 5, &[0, 1, 2, 3]),
            &["truncated", "13 bytes", "12"],
        ),
        (
            3,
            labels_with(0x801, 5, &[0; 6]),
            &["trailing", "13 bytes", "14"],
        ),
        (
            3,
            gzip(&labels_with(0x801, 1, &[0; 100])),
            &["trailing", "9 bytes", "more"],
        ),
        (3, labels(4), &["5 images", "4 labels", NAMES[2]]),
        (
            2,
            b"\x89PNG\r\n\x1a\n\0\0\0\rIHDR".to_vec(),
            &["PNG picture"],
        ),
        (2, b"\n<!DOCTYPE html><html>404".to_vec(), &["HTML page"]),
        (
            2,
            b"PK\x03\x04rest of it is here".to_vec(),
            &["zip archive"],
        ),
        (3, b"label\n7\n2\n1\n".to_vec(), &["text file"]),
        (
            2,
            b"version https://git-lfs.github.com/spec/v1".to_vec(),
            &["git lfs pull"],
        ),
    ];
    for (which, bytes, words) in table {
        let folder = folder();
        fs::write(folder.path().join(NAMES[which]), &bytes).unwrap();
        let message = load_error(folder.path(), Split::Test);
        assert_says(&message, words);
        assert_says(
            &message,
            &[folder.path().join(NAMES[which]).to_str().unwrap()],
        );
    }
}

#[test]
fn what_is_no_regular_file_is_refused() {
    let folder = folder();
    let path = folder.path().join(NAMES[2]);
    fs::remove_file(&path).unwrap();
    fs::create_dir(&path).unwrap();
    assert_says(
        &load_error(folder.path(), Split::Test),
        &[path.to_str().unwrap(), "is a folder"],
    );
    #[cfg(unix)]
    {
        fs::remove_dir(&path).unwrap();
        std::os::unix::fs::symlink("/dev/zero", &path).unwrap();
        assert_says(
            &load_error(folder.path(), Split::Test),
            &[path.to_str().unwrap(), "device"],
        );
    }
}

#[test]
fn no_damage_makes_reading_panic_or_pass() {
    // Every truncation of a gzip file, and every header byte at several values, plain and
    // compressed.
    let folder = folder();
    let path = folder.path().join(NAMES[3]);
    let source = Source::Folder(folder.path().to_path_buf());
    let whole = gzip(&labels(5));
    for length in 0..whole.len() {
        fs::write(&path, &whole[..length]).unwrap();
        assert!(
            source.load(Split::Test).is_err(),
            "passed, cut to {length} bytes"
        );
    }
    let plain = labels(5);
    for position in 0..8 {
        for value in [0, 1, 3, 8, 0x1f, 0x7f, 0x80, 0xff] {
            let mut bytes = plain.clone();
            if bytes[position] == value {
                continue;
            }
            bytes[position] = value;
            for bytes in [gzip(&bytes), bytes] {
                fs::write(&path, bytes).unwrap();
                assert!(
                    source.load(Split::Test).is_err(),
                    "passed, {value} at {position}"
                );
            }
        }
    }
    for position in 0..whole.len() {
        // A flag or a time in the gzip header may be anything: it must not panic, and what passes
        // is right.
        let mut bytes = whole.clone();
        bytes[position] ^= 0x10;
        fs::write(&path, bytes).unwrap();
        if let Ok(split) = source.load(Split::Test) {
            assert_eq!(split.digits.labels(), [0, 1, 2, 3, 4]);
        }
    }
}
