//! Plain IDX: an images file with its labels file behind it.

use std::path::Path;

use mnistctl::dataset::LoadedSplit;

/// The files' own bytes and, for what begins like gzip, a decoder's tables.
pub fn memory(data: &[u8]) -> usize {
    (256 << 10) + 2 * data.len()
}

pub fn check(data: &[u8]) {
    let labels = data.windows(4).rposition(|magic| magic == [0, 0, 8, 1]);
    let files = data.split_at(labels.unwrap_or(data.len()));
    check_files([files.0, files.1]);
}

/// What is read of two files holds together.
pub fn check_files(files: [&[u8]; 2]) {
    match LoadedSplit::parse(files, [Path::new("images"), Path::new("labels")]) {
        Ok(split) => {
            let digits = split.digits;
            assert!(!digits.is_empty() && digits.pixels().len() == digits.len() * 784);
            assert!(digits.labels().iter().all(|&label| label < 10));
            assert_eq!(split.sha256.len(), 64);
        }
        Err(error) => assert!(!error.to_string().is_empty()),
    }
}
