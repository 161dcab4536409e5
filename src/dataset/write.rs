//! Writing a split as the two IDX files that everyone reads.

use std::path::Path;

use super::{Digits, Kind, SIDE, Split};
use crate::files::{FileError, write_atomically};

/// Writes the images and the labels of `split` into `folder`, each file whole or not at all.
pub fn write_split(folder: &Path, split: Split, digits: &Digits) -> Result<(), FileError> {
    let count = digits.len() as u32;
    let side = SIDE as u32;
    let files: [(&str, &[u32], &[u8]); 2] = [
        (
            split.images_file(),
            &[Kind::Images.magic(), count, side, side],
            digits.pixels(),
        ),
        (
            split.labels_file(),
            &[Kind::Labels.magic(), count],
            digits.labels(),
        ),
    ];
    for (name, header, items) in files {
        let header = header.iter().flat_map(|number| number.to_be_bytes());
        let bytes: Vec<u8> = header.chain(items.iter().copied()).collect();
        write_atomically(&folder.join(name), &bytes)?;
    }
    Ok(())
}
