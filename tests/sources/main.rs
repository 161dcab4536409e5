//! What the sources promise and no compiler checks.

mod direction;
mod kinds;

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};

fn rust_files(folder: &Path, files: &mut Vec<PathBuf>) {
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            rust_files(&path, files);
        } else if path.extension().is_some_and(|extension| extension == "rs") {
            files.push(path);
        }
    }
}

/// The lint `unsafe_code` is denied in `Cargo.toml`, but an attribute could allow it again anywhere.
#[test]
fn unsafe_code_is_allowed_in_the_kernels_only() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let manifest = fs::read_to_string(root.join("Cargo.toml")).unwrap();
    assert!(manifest.contains("[lints.rust]\nunsafe_code = \"deny\"\n"));

    let mut files = Vec::new();
    for folder in ["src", "tests", "benches"] {
        rust_files(&root.join(folder), &mut files);
    }
    let (mut inside, mut outside) = (0, Vec::new());
    for path in &files {
        let name = path.strip_prefix(root).unwrap();
        let text = fs::read_to_string(path).unwrap();
        for line in text.lines().filter(|line| line.contains("unsafe")) {
            if name.starts_with("src/kernels") {
                inside += 1;
            } else if name != Path::new(file!()) {
                outside.push(format!("{}: {}", name.display(), line.trim()));
            }
        }
    }
    assert_eq!(outside, ["src/lib.rs: #[allow(unsafe_code)]"]);
    let library = fs::read_to_string(root.join("src/lib.rs")).unwrap();
    assert!(library.contains("#[allow(unsafe_code)]\npub mod kernels;\n"));
    // Or this would pass wherever the sources aren't.
    assert!(files.len() > 100 && inside > 10);
}

#[test]
fn every_dependency_has_its_reason_in_contributing() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let manifest = fs::read_to_string(root.join("Cargo.toml")).unwrap();
    let manifest: toml::Table = manifest.parse().unwrap();
    let tables = [
        &manifest["dependencies"],
        &manifest["target"]["cfg(unix)"]["dependencies"],
        &manifest["dev-dependencies"],
    ];
    let tables = tables.iter().flat_map(|table| table.as_table().unwrap());
    let wanted: BTreeSet<&str> = tables.map(|(name, _)| name.as_str()).collect();

    let text = fs::read_to_string(root.join("CONTRIBUTING.md")).unwrap();
    let rows = text.lines().filter_map(|line| line.strip_prefix("| `"));
    // The crates of a row are in backquotes, up to the next column.
    let crates = rows.flat_map(|row| row.split(" | ").next().unwrap().split(['`', ',', ' ']));
    let named: BTreeSet<&str> = crates.filter(|name| !name.is_empty()).collect();
    assert_eq!(named, wanted);
}
