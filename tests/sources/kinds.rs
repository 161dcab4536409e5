//! A kind of layer, optimizer or augmentation is one file and two lines beside it: its `mod` line and
//! its line in the registry.

use std::fs;
use std::path::Path;

use crate::rust_files;

/// The folders with one file a kind, and the files there that are no kinds.
const FOLDERS: [(&str, &[&str]); 4] = [
    (
        "network/layers",
        &["mod", "activation", "padding", "window"],
    ),
    ("optimizer", &["mod", "state"]),
    ("dataset/augment", &["mod", "canvas", "segment", "tests"]),
    ("interchange/export", &["mod", "error"]),
];

/// Whether `word` stands in `line` by itself.
fn names(line: &str, word: &str) -> bool {
    let code = line.split("//").next().unwrap_or_default();
    let mut words = code.split(|c: char| !c.is_alphanumeric() && c != '_');
    words.any(|found| found == word)
}

#[test]
fn a_kind_is_one_file_and_two_lines() {
    let src = Path::new(env!("CARGO_MANIFEST_DIR")).join("src");
    let mut files = Vec::new();
    rust_files(&src, &mut files);
    let mut kinds = 0;
    for (folder, others) in FOLDERS {
        let registry = fs::read_to_string(src.join(folder).join("mod.rs")).unwrap();
        for entry in fs::read_dir(src.join(folder)).unwrap() {
            let path = entry.unwrap().path();
            let kind = path.file_stem().unwrap().to_str().unwrap();
            if others.contains(&kind) {
                continue;
            }
            kinds += 1;
            let lines: Vec<&str> = registry.lines().filter(|line| names(line, kind)).collect();
            assert_eq!(lines.len(), 2, "{folder}/{kind}.rs: {lines:?}");
            // Beyond its folder nobody knows the file.
            let inside = format!("{}::{kind}", folder.rsplit('/').next().unwrap());
            for other in files
                .iter()
                .filter(|file| !file.starts_with(src.join(folder)))
            {
                let text = fs::read_to_string(other).unwrap();
                let found = text.lines().find(|line| line.contains(&inside));
                assert_eq!(found, None, "{}", other.display());
            }
        }
    }
    // Or this would pass wherever the sources aren't.
    assert!(kinds > 30, "{kinds}");
}
