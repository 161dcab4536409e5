//! Reading one IDX file, plain or gzip, believing nothing in it before it is checked.
//!
//! An images file is a header of four big-endian `u32` (magic 0x803, count, rows, columns) and
//! `count * rows * columns` bytes; a labels file is a header of two (magic 0x801, count) and
//! `count` bytes. A file passes only when all of this is so, with exactly the length its header
//! declares, 28x28 pixels, labels 0 to 9 and, for gzip, a sound checksum.
//!
//! A hostile file can waste neither memory nor time: the header is checked before anything is
//! allocated, no more is decompressed than the header declares (and one byte, to see whether there
//! is more), and no more is reserved than the file's own size can yield.

use std::fs::{self, File};
use std::io::{self, BufRead, BufReader, Cursor, ErrorKind, Read};
use std::path::Path;

use flate2::bufread::GzDecoder;
use sha2::{Digest, Sha256};

use crate::dataset::kind::{GZIP, Kind, recognise};
use crate::dataset::{CLASSES, DatasetError, SIDE};

/// The most items that any file may declare: over ten times MNIST, and 784 MB of pixels.
pub(super) const MOST_ITEMS: u32 = 1_000_000;

/// Deflate's best ratio: one bit of input for the longest match (258 bytes) is 1 to 1032 with its
/// distance.
const BEST_RATIO: u64 = 1032;

/// What a sound file holds.
pub(super) struct Contents {
    /// The items' bytes, without the header: `[count, 784]` pixels or `[count]` labels.
    pub items: Vec<u8>,
    /// The number of items, at least 1.
    pub count: usize,
    /// The sha256 of the whole uncompressed file, header included, in lower-case hex.
    pub sha256: String,
    /// Whether the file was compressed.
    pub gzip: bool,
}

/// Reads and checks the file at a path. `most` is the largest count to accept.
pub(super) fn read(file: &Path, kind: Kind, most: u32) -> Result<Contents, DatasetError> {
    let path = file.to_path_buf();
    // Asked before opening: opening a named pipe would wait for a writer for ever.
    let metadata = match fs::metadata(file) {
        Ok(metadata) => metadata,
        Err(cause) if cause.kind() == ErrorKind::NotFound => {
            return Err(DatasetError::Missing { file: path });
        }
        Err(cause) => return Err(DatasetError::Io { file: path, cause }),
    };
    if metadata.is_dir() {
        return Err(DatasetError::IsFolder { file: path });
    }
    if !metadata.is_file() {
        return Err(DatasetError::NotRegular { file: path });
    }
    match File::open(file) {
        Ok(open) => parse(
            file,
            BufReader::with_capacity(1 << 16, open),
            metadata.len(),
            kind,
            most,
        ),
        Err(cause) => Err(DatasetError::Io { file: path, cause }),
    }
}

/// The sha256 of a file as it is stored, in lower-case hex.
pub(super) fn file_sha256(file: &Path) -> Result<String, DatasetError> {
    let hash = || {
        let mut hasher = Sha256::new();
        let mut input = BufReader::with_capacity(1 << 16, File::open(file)?);
        loop {
            let bytes = input.fill_buf()?;
            if bytes.is_empty() {
                return Ok(hex(hasher));
            }
            hasher.update(bytes);
            let read = bytes.len();
            input.consume(read);
        }
    };
    hash().map_err(|cause| DatasetError::Io {
        file: file.to_path_buf(),
        cause,
    })
}

/// Reads and checks `input`, which is `stored` bytes long and called `file` in messages.
pub(super) fn parse(
    file: &Path,
    mut input: impl BufRead,
    stored: u64,
    kind: Kind,
    most: u32,
) -> Result<Contents, DatasetError> {
    let io = |cause| DatasetError::Io {
        file: file.to_path_buf(),
        cause,
    };
    let mut start = Vec::with_capacity(GZIP.len());
    input
        .by_ref()
        .take(GZIP.len() as u64)
        .read_to_end(&mut start)
        .map_err(io)?;
    let gzip = start == GZIP;
    let mut input = Cursor::new(start).chain(input);
    if !gzip {
        return parse_plain(file, &mut input, Size::Exactly(stored), kind, most).map_err(|fault| {
            match fault {
                Fault::Read(cause) => io(cause),
                Fault::Content(error) => error,
            }
        });
    }

    let mut unpacked = GzDecoder::new(input);
    let size = Size::AtMost(stored.saturating_mul(BEST_RATIO));
    let mut contents = parse_plain(file, &mut unpacked, size, kind, most).map_err(|fault| {
        let path = file.to_path_buf();
        match fault {
            Fault::Content(error) => error,
            Fault::Read(cause) => match cause.kind() {
                ErrorKind::UnexpectedEof => DatasetError::GzipTruncated { file: path, stored },
                ErrorKind::InvalidInput | ErrorKind::InvalidData => {
                    DatasetError::Gzip { file: path, cause }
                }
                _ => io(cause),
            },
        }
    })?;
    // The checksum was compared when the decoder reached its end; what is left now is no part of
    // it.
    let mut rest = unpacked.into_inner();
    if !rest.fill_buf().map_err(io)?.is_empty() {
        return Err(DatasetError::GzipTrailing {
            file: file.to_path_buf(),
        });
    }
    contents.gzip = true;
    Ok(contents)
}

/// What is known of the uncompressed length before reading.
enum Size {
    Exactly(u64),
    AtMost(u64),
}

/// Whether reading failed (which means other things for gzip than for plain files) or the content
/// is wrong.
enum Fault {
    Read(io::Error),
    Content(DatasetError),
}

impl From<DatasetError> for Fault {
    fn from(error: DatasetError) -> Self {
        Fault::Content(error)
    }
}

/// Reads and checks uncompressed bytes, to their end.
fn parse_plain(
    file: &Path,
    input: &mut dyn Read,
    size: Size,
    kind: Kind,
    most: u32,
) -> Result<Contents, Fault> {
    // As much as the longer header; of a labels file, that may be some labels too.
    let mut head = Vec::with_capacity(16);
    input.take(16).read_to_end(&mut head).map_err(Fault::Read)?;
    let (header, items) = head.split_at(kind.header_bytes().min(head.len()));
    let count = check_header(file, header, &head, kind, most)?;

    let expected_items = count as usize * kind.item_bytes();
    let expected = (header.len() + expected_items) as u64;
    let mut bytes = reserve(file, size, expected, expected_items)?;
    bytes.extend_from_slice(items);
    // One byte more than declared, so that the end itself is seen: there a gzip decoder compares
    // its checksum.
    let rest = (expected + 1).saturating_sub(head.len() as u64);
    input
        .take(rest)
        .read_to_end(&mut bytes)
        .map_err(Fault::Read)?;
    if bytes.len() < expected_items {
        let found = (header.len() + bytes.len()) as u64;
        return Err(truncated(file, expected, found).into());
    }
    if bytes.len() > expected_items {
        return Err(trailing(file, expected, "more".to_owned()).into());
    }
    if kind == Kind::Labels
        && let Some(position) = bytes
            .iter()
            .position(|&label| usize::from(label) >= CLASSES)
    {
        return Err(DatasetError::Label {
            file: file.to_path_buf(),
            position,
            value: bytes[position],
        }
        .into());
    }
    let hasher = Sha256::new().chain_update(header).chain_update(&bytes);
    Ok(Contents {
        items: bytes,
        count: count as usize,
        sha256: hex(hasher),
        gzip: false,
    })
}

fn hex(hasher: Sha256) -> String {
    let hash = hasher.finalize();
    hash.iter().map(|byte| format!("{byte:02x}")).collect()
}

/// Room for `items` bytes, if what is known of the file's length lets it have `expected` in all.
fn reserve(file: &Path, size: Size, expected: u64, items: usize) -> Result<Vec<u8>, DatasetError> {
    let most = match size {
        Size::Exactly(found) if found < expected => return Err(truncated(file, expected, found)),
        Size::Exactly(found) if found > expected => {
            return Err(trailing(file, expected, found.to_string()));
        }
        Size::Exactly(_) => items,
        Size::AtMost(bound) => usize::try_from(bound).unwrap_or(usize::MAX).min(items),
    };
    let mut bytes = Vec::new();
    match bytes.try_reserve_exact(most) {
        Ok(()) => Ok(bytes),
        Err(_) => Err(DatasetError::Memory {
            file: file.to_path_buf(),
            bytes: expected,
        }),
    }
}

fn truncated(file: &Path, expected: u64, found: u64) -> DatasetError {
    DatasetError::Truncated {
        file: file.to_path_buf(),
        expected,
        found,
    }
}

fn trailing(file: &Path, expected: u64, found: String) -> DatasetError {
    DatasetError::Trailing {
        file: file.to_path_buf(),
        expected,
        found,
    }
}

/// Checks the header and gives the count it declares. `head` is the header and what was read after
/// it.
fn check_header(
    file: &Path,
    header: &[u8],
    head: &[u8],
    kind: Kind,
    most: u32,
) -> Result<u32, DatasetError> {
    let file = file.to_path_buf();
    let wanted = kind.name();
    if head.is_empty() {
        return Err(DatasetError::Empty { file });
    }
    let word = |i: usize| match header.get(4 * i..4 * i + 4) {
        Some(&[a, b, c, d]) => Some(u32::from_be_bytes([a, b, c, d])),
        _ => None,
    };
    match word(0) {
        Some(magic) if magic == kind.magic() => (),
        Some(magic) if magic == kind.other().magic() => {
            return Err(DatasetError::Swapped {
                file,
                wanted,
                found: kind.other().name(),
                magic,
            });
        }
        found => match (recognise(head), found) {
            (Some(what), _) => return Err(DatasetError::Foreign { file, what, wanted }),
            (None, Some(found)) => {
                return Err(DatasetError::Magic {
                    file,
                    wanted,
                    found,
                    expected: kind.magic(),
                });
            }
            (None, None) => (),
        },
    }
    if header.len() < kind.header_bytes() {
        return Err(DatasetError::Header {
            file,
            expected: kind.header_bytes() as u64,
            found: header.len() as u64,
        });
    }
    if let (Kind::Images, Some(rows), Some(columns)) = (kind, word(2), word(3))
        && (rows as usize, columns as usize) != (SIDE, SIDE)
    {
        return Err(DatasetError::Shape {
            file,
            rows,
            columns,
        });
    }
    match word(1) {
        Some(count) if (1..=most).contains(&count) => Ok(count),
        count => Err(DatasetError::Count {
            file,
            wanted,
            count: count.unwrap_or(0),
            most,
        }),
    }
}
