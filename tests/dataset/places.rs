//! Finding and reading the files: names, places, and what is said when they are not there.

use std::fs;
use std::path::{Path, PathBuf};

use crate::made::{NAMES, assert_says, folder, gzip, images, labels_with, load_error, sha256};
use mnistctl::dataset::{
    CLASSES, DataArg, Downloader, FileState, Places, Published, Source, Split, find, verify,
};
use support::listing;

#[test]
fn the_sample_is_read_and_balanced() {
    let source = find(&"sample".into()).unwrap();
    assert_eq!(source, Source::Sample);
    assert_eq!(source.describe(), "sample");
    for (part, count) in [(Split::Train, 4000), (Split::Test, 1000)] {
        let split = source.load(part).unwrap();
        assert_eq!(split.digits.len(), count);
        assert_eq!(split.digits.pixels().len(), count * 784);
        assert_eq!(split.sha256.len(), 64);
        for class in 0..CLASSES as u8 {
            let of_class = split
                .digits
                .labels()
                .iter()
                .filter(|&&label| label == class)
                .count();
            assert_eq!(of_class, count / CLASSES);
        }
        // Paper is 0: most of a digit's pixels are, and its corner.
        let image = split.digits.image(count - 1);
        assert_eq!((image.len(), image[0]), (784, 0));
    }
}

#[test]
fn every_name_and_form_of_a_file_is_read() {
    let forms: [fn(&str) -> String; 4] = [
        |name| name.to_owned(),
        |name| name.replace("-idx", ".idx"),
        |name| format!("{name}.gz"),
        |name| format!("{}.gz", name.replace("-idx", ".idx")),
    ];
    let mut hashes = Vec::new();
    for form in forms {
        // Compressed or not is told by the content: each name is tried with both.
        for compressed in [false, true] {
            let folder = folder();
            for name in NAMES {
                let bytes = fs::read(folder.path().join(name)).unwrap();
                fs::remove_file(folder.path().join(name)).unwrap();
                let bytes = if compressed { gzip(&bytes) } else { bytes };
                fs::write(folder.path().join(form(name)), bytes).unwrap();
            }
            let source = find(&DataArg::Folder(folder.path().to_path_buf())).unwrap();
            let train = source.load(Split::Train).unwrap();
            let test = source.load(Split::Test).unwrap();
            assert_eq!((train.digits.len(), test.digits.len()), (12, 5));
            assert_eq!(train.digits.label(11), 1);
            assert_eq!(test.digits.image(1)[0], (784 % 251) as u8);
            hashes.push((train.sha256, test.sha256));
        }
    }
    hashes.dedup();
    assert_eq!(hashes, [(sha256(&images(12)), sha256(&images(5)))]);
}

#[test]
fn a_plain_file_goes_before_a_compressed_one_and_a_folder_hides_none() {
    let folder = folder();
    let plain = folder.path().join(NAMES[3]);
    let packed = folder.path().join(format!("{}.gz", NAMES[3]));
    fs::write(&packed, gzip(&labels_with(0x801, 5, &[9; 5]))).unwrap();
    let source = Source::Folder(folder.path().to_path_buf());
    assert_eq!(
        source.load(Split::Test).unwrap().digits.labels(),
        [0, 1, 2, 3, 4]
    );
    fs::remove_file(&plain).unwrap();
    fs::create_dir(&plain).unwrap();
    assert_eq!(source.load(Split::Test).unwrap().digits.labels(), [9; 5]);
}

#[test]
fn only_the_asked_part_is_read() {
    let folder = folder();
    fs::write(folder.path().join(NAMES[0]), "damaged").unwrap();
    let source = find(&DataArg::Folder(folder.path().to_path_buf())).unwrap();
    assert_eq!(source.load(Split::Test).unwrap().digits.len(), 5);
    assert!(source.load(Split::Train).is_err());
}

#[test]
fn missing_files_are_all_named() {
    let folder = folder();
    for name in &NAMES[1..3] {
        fs::remove_file(folder.path().join(name)).unwrap();
    }
    let path = folder.path().to_path_buf();
    let message = find(&DataArg::Folder(path.clone()))
        .unwrap_err()
        .to_string();
    assert_says(
        &message,
        &[path.to_str().unwrap(), NAMES[1], " and ", NAMES[2]],
    );
    assert!(
        !message.contains(NAMES[0]) && !message.contains(NAMES[3]),
        "{message}"
    );
    assert_says(&load_error(&path, Split::Test), &[NAMES[2]]);
}

#[test]
fn what_is_no_folder_is_said() {
    let folder = folder();
    let nowhere = folder.path().join("nowhere");
    let message = find(&DataArg::Folder(nowhere.clone()))
        .unwrap_err()
        .to_string();
    assert_says(&message, &["no folder", nowhere.to_str().unwrap()]);
    assert_says(
        &load_error(&nowhere, Split::Train),
        &["no folder", nowhere.to_str().unwrap()],
    );
    let file = folder.path().join(NAMES[0]);
    let message = find(&DataArg::Folder(file.clone()))
        .unwrap_err()
        .to_string();
    assert_says(&message, &["is a file", file.to_str().unwrap()]);
    assert_says(&find(&"".into()).unwrap_err().to_string(), &["empty name"]);
}

/// Places in a folder of the test's own, with no mirror to download from.
fn places(root: &Path) -> Places {
    let downloader = Downloader {
        mirrors: vec!["http://127.0.0.1:9/mnist/".to_owned()],
        progress: false,
        ..Downloader::default()
    };
    Places {
        variable: None,
        local: root.join("local"),
        cache: Some(root.join("cache")),
        downloader,
    }
}

fn copy_to(to: &Path) -> PathBuf {
    fs::create_dir_all(to).unwrap();
    let from = folder();
    for name in NAMES {
        fs::copy(from.path().join(name), to.join(name)).unwrap();
    }
    to.to_path_buf()
}

#[test]
fn auto_looks_in_the_usual_places_in_order() {
    let root = tempfile::tempdir().unwrap();
    let mut places = places(root.path());
    let cache = copy_to(&root.path().join("cache"));
    assert_eq!(places.find(&DataArg::Auto).unwrap(), Source::Folder(cache));
    let local = copy_to(&root.path().join("local"));
    assert_eq!(
        places.find(&DataArg::Auto).unwrap(),
        Source::Folder(local.clone())
    );
    let named = copy_to(&root.path().join("named"));
    places.variable = Some(named.clone());
    assert_eq!(
        places.find(&DataArg::Auto).unwrap(),
        Source::Folder(named.clone())
    );

    // What the variable names is used or refused; the other places are not taken instead.
    fs::remove_file(named.join(NAMES[0])).unwrap();
    let message = places.find(&DataArg::Auto).unwrap_err().to_string();
    assert_says(
        &message,
        &[
            "MNISTCTL_DATA is set",
            named.to_str().unwrap(),
            NAMES[0],
            "unset",
        ],
    );
    // An incomplete local folder is passed over.
    places.variable = None;
    fs::remove_file(local.join(NAMES[0])).unwrap();
    assert_eq!(
        places.find(&DataArg::Auto).unwrap(),
        Source::Folder(root.path().join("cache"))
    );
}

#[test]
fn without_files_and_network_the_error_says_what_to_do() {
    let root = tempfile::tempdir().unwrap();
    let mut places = places(root.path());
    let message = places.find(&DataArg::Auto).unwrap_err().to_string();
    let cache = root.path().join("cache");
    let words = [
        "--data sample",
        "--data FOLDER",
        "MNISTCTL_DATA",
        "mnistctl data download",
        "http://127.0.0.1:9/mnist/",
    ];
    assert_says(&message, &words);
    assert_says(&message, &["cannot be reached", cache.to_str().unwrap()]);
    assert!(
        message.lines().all(|line| !line.trim().is_empty()),
        "{message}"
    );
    assert_eq!(listing(&cache), [""; 0]);

    places.cache = None;
    assert_says(
        &places.find(&DataArg::Auto).unwrap_err().to_string(),
        &["no cache folder", "--data sample"],
    );
}

#[test]
fn arguments_are_told_apart() {
    assert_eq!(DataArg::from("auto"), DataArg::default());
    assert_eq!(DataArg::from("sample"), DataArg::Sample);
    assert_eq!(
        DataArg::from("./sample"),
        DataArg::Folder("./sample".into())
    );
    for text in ["auto", "sample", "some/folder"] {
        assert_eq!(DataArg::from(text).to_string(), text);
    }
}

#[test]
fn verify_tells_each_file() {
    let folder = folder();
    fs::remove_file(folder.path().join(NAMES[1])).unwrap();
    fs::write(folder.path().join(NAMES[2]), "text").unwrap();
    let checks = verify(folder.path(), Published::Mnist).unwrap();
    assert_eq!(checks.len(), 4);
    let lines: Vec<String> = checks.iter().map(ToString::to_string).collect();
    let found = sha256(&images(12));
    for (line, words) in lines
        .iter()
        .zip([[NAMES[0], "different", &found], [NAMES[1], "missing", ""]])
    {
        words
            .iter()
            .for_each(|word| assert!(line.contains(word), "{line}"));
    }
    assert!(
        matches!(checks[2].state, FileState::Unusable(_)),
        "{}",
        lines[2]
    );
    assert!(
        matches!(checks[3].state, FileState::Different { .. }),
        "{}",
        lines[3]
    );
    assert!(checks.iter().all(|check| !check.is_ok()));
    assert_says(
        &verify(&folder.path().join("none"), Published::Mnist)
            .unwrap_err()
            .to_string(),
        &["no folder", "none"],
    );
}
