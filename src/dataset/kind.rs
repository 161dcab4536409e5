//! What a file holds, as its first bytes tell: images, labels, or something that isn't IDX at all.

use crate::dataset::PIXELS;

/// What every gzip file starts with.
pub(super) const GZIP: [u8; 2] = [0x1f, 0x8b];

/// What an IDX file holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// 28x28 pixels an item.
    Images,
    /// A byte an item.
    Labels,
}

impl Kind {
    /// The word for it in messages.
    pub(super) fn name(self) -> &'static str {
        match self {
            Kind::Images => "images",
            Kind::Labels => "labels",
        }
    }

    /// The number that its files start with.
    pub(super) fn magic(self) -> u32 {
        match self {
            Kind::Images => 0x803,
            Kind::Labels => 0x801,
        }
    }

    /// The length of the header.
    pub(super) fn header_bytes(self) -> usize {
        match self {
            Kind::Images => 16,
            Kind::Labels => 8,
        }
    }

    /// The length of one item.
    pub(super) fn item_bytes(self) -> usize {
        match self {
            Kind::Images => PIXELS,
            Kind::Labels => 1,
        }
    }

    /// The other kind.
    pub(super) fn other(self) -> Self {
        match self {
            Kind::Images => Kind::Labels,
            Kind::Labels => Kind::Images,
        }
    }
}

/// What a file that isn't IDX seems to be, by its first (up to 16) bytes.
pub(super) fn recognise(head: &[u8]) -> Option<&'static str> {
    const KNOWN: [(&[u8], &str); 11] = [
        (b"\x89PNG", "a PNG picture"),
        (b"\xff\xd8\xff", "a JPEG picture"),
        (b"GIF8", "a GIF picture"),
        (b"PK\x03\x04", "a zip archive (unpack it first)"),
        (b"7z\xbc\xaf", "a 7z archive (unpack it first)"),
        (b"BZh", "a bzip2 file (unpack it first)"),
        (b"\xfd7zXZ", "an xz file (unpack it first)"),
        (&GZIP, "a gzip file inside a gzip file (unpack it once)"),
        (b"\x93NUMPY", "a NumPy array"),
        (b"%PDF", "a PDF document"),
        (
            b"version https://",
            "a Git LFS pointer (fetch the file itself with `git lfs pull`)",
        ),
    ];
    if let Some((_, what)) = KNOWN.iter().find(|(start, _)| head.starts_with(start)) {
        return Some(what);
    }
    let text = head
        .strip_prefix(b"\xef\xbb\xbf")
        .unwrap_or(head)
        .trim_ascii_start();
    if text.starts_with(b"<") {
        return Some("an HTML page");
    }
    let printable = |byte: &u8| byte.is_ascii_graphic() || byte.is_ascii_whitespace();
    head.iter().all(printable).then_some("a text file")
}
