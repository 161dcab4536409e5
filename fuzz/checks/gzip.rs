//! Gzip-compressed IDX: an images file with its labels file behind it.

use super::idx::check_files;

/// Deflate makes up to 1,032 bytes of one; no more of them are read than the header declares.
pub fn memory(data: &[u8]) -> usize {
    (256 << 10) + 3 * 1032 * data.len()
}

pub fn check(data: &[u8]) {
    let labels = data.windows(3).rposition(|start| start == [0x1f, 0x8b, 8]);
    let files = data.split_at(labels.unwrap_or(data.len()));
    check_files([files.0, files.1]);
}
