//! What a TIFF's first directory tells before it is decoded.

use std::borrow::Cow;

use super::{Fault, MAX_SIDE};

/// The most values that an entry may have: each strip or tile of the picture has one.
const MAX_VALUES: u32 = 1 << 20;

/// From here on, entries are colour profiles, other programs' notes and the like, which may be
/// large and are not read.
const FIRST_METADATA: u16 = 700;

/// The entries that matter here.
const WIDTH: u16 = 256;
const HEIGHT: u16 = 257;
const BITS_PER_SAMPLE: u16 = 258;
const COMPRESSION: u16 = 259;
const PHOTOMETRIC: u16 = 262;
const COLOR_MAP: u16 = 320;
const TILE_WIDTH: u16 = 322;
const TILE_LENGTH: u16 = 323;

const JPEG: u32 = 7;
const BLACK_IS_ZERO: u16 = 1;
const PALETTE: u32 = 3;

/// The colours of up to 256 indices.
pub type Palette = [[u8; 3]; 256];

pub struct Header<'a> {
    /// The memory that decoding takes besides the picture, in bytes.
    pub aside: u64,
    /// The file as it can be decoded. `image` does not read pictures with a palette, so such a one
    /// is made a grey one here, whose levels are the indices.
    pub bytes: Cow<'a, [u8]>,
    pub palette: Option<Palette>,
}

pub fn check(bytes: &[u8]) -> Result<Header<'_>, Fault> {
    let file = File::new(bytes);
    let entries = file.entries().ok_or(Fault::CutOff)?;
    let lists = entries.iter().filter(|entry| entry.tag < FIRST_METADATA);
    if lists.map(|entry| entry.count).max() > Some(MAX_VALUES) {
        return Err(Fault::Damaged("it has too many parts".into()));
    }
    let value = |tag: u16| entries.iter().find(|entry| entry.tag == tag);
    let number = |tag: u16| value(tag).and_then(|entry| file.number(entry)).unwrap_or(0);
    // A row of a tile is allocated, however narrow the picture is.
    if number(TILE_WIDTH).max(number(TILE_LENGTH)) > MAX_SIDE {
        return Err(Fault::Damaged("its tiles are too large".into()));
    }

    // The decoder makes a second copy of the picture, for CMYK with a quarter more.
    let pixels = u64::from(number(WIDTH)) * u64::from(number(HEIGHT));
    let mut header = Header {
        aside: pixels.saturating_mul(pixel_bytes(&file, value(BITS_PER_SAMPLE))),
        bytes: bytes.into(),
        palette: None,
    };
    if number(COMPRESSION) == JPEG {
        let jpeg = largest_jpeg(bytes) * 4 + bytes.len() as u64;
        header.aside = header.aside.saturating_add(jpeg);
    }
    if number(PHOTOMETRIC) == PALETTE {
        let bits = number(BITS_PER_SAMPLE);
        let (Some(photometric), Some(colors)) = (value(PHOTOMETRIC), value(COLOR_MAP)) else {
            return Err(Fault::Damaged("it has no colours".into()));
        };
        header.palette = Some(file.palette(colors, bits).ok_or(Fault::CutOff)?);
        let mut grey = bytes.to_vec();
        let at = photometric.at + 8;
        grey[at..at + 2].copy_from_slice(&file.bytes_of(BLACK_IS_ZERO));
        header.bytes = grey.into();
        header.aside = header.aside.saturating_add(bytes.len() as u64);
    }
    Ok(header)
}

/// The bytes of a pixel.
fn pixel_bytes(file: &File, bits: Option<&Entry>) -> u64 {
    let Some(entry) = bits else { return 1 };
    let bits = u64::from(file.number(entry).unwrap_or(8));
    (u64::from(entry.count) * bits).div_ceil(8)
}

/// The pixels of the largest JPEG inside, of which the decoder believes every word.
fn largest_jpeg(bytes: &[u8]) -> u64 {
    let sizes = bytes.windows(9).filter_map(|window| match *window {
        [0xFF, 0xC0..=0xC2, 0, _, _, h1, h0, w1, w0] => {
            let side = |high, low| u64::from(u16::from_be_bytes([high, low]));
            Some(side(h1, h0) * side(w1, w0))
        }
        _ => None,
    });
    sizes.max().unwrap_or(0)
}

/// One value, or a list of them, and where it is in the file.
struct Entry {
    tag: u16,
    kind: u16,
    count: u32,
    at: usize,
}

struct File<'a> {
    bytes: &'a [u8],
    little: bool,
}

impl<'a> File<'a> {
    fn new(bytes: &'a [u8]) -> Self {
        Self {
            bytes,
            little: bytes.starts_with(b"II"),
        }
    }

    /// The first directory.
    fn entries(&self) -> Option<Vec<Entry>> {
        let at = self.u32(4)? as usize;
        let count = usize::from(self.u16(at)?);
        let entry = |i: usize| {
            let at = at + 2 + 12 * i;
            // The value, or where it is, must be there too.
            self.u32(at + 8)?;
            Some(Entry {
                tag: self.u16(at)?,
                kind: self.u16(at + 2)?,
                count: self.u32(at + 4)?,
                at,
            })
        };
        (0..count).map(entry).collect()
    }

    /// The first value of an entry of 16-bit or 32-bit numbers.
    fn number(&self, entry: &Entry) -> Option<u32> {
        const SHORT: u16 = 3;
        if entry.kind != SHORT {
            return self.u32(entry.at + 8);
        }
        // Up to two stand in the entry itself, more elsewhere.
        match entry.count {
            0..=2 => self.u16(entry.at + 8).map(u32::from),
            _ => self.u16(self.u32(entry.at + 8)? as usize).map(u32::from),
        }
    }

    /// The colours of a palette: all reds, all greens, all blues, 16 bits each.
    fn palette(&self, entry: &Entry, bits: u32) -> Option<Palette> {
        let colors = 1 << bits.min(8);
        let start = self.u32(entry.at + 8)? as usize;
        let mut palette = [[0; 3]; 256];
        for index in 0..colors {
            let level = |channel: usize| {
                let level = self.u16(start + 2 * (channel * colors + index))?;
                Some((level >> 8) as u8)
            };
            // A bilevel picture is decoded to the levels 0 and 255.
            let at = if bits == 1 { 255 * index } else { index };
            palette[at] = [level(0)?, level(1)?, level(2)?];
        }
        Some(palette)
    }

    fn u16(&self, at: usize) -> Option<u16> {
        let bytes = *self.bytes.get(at..)?.first_chunk()?;
        Some(if self.little {
            u16::from_le_bytes(bytes)
        } else {
            u16::from_be_bytes(bytes)
        })
    }

    fn u32(&self, at: usize) -> Option<u32> {
        let bytes = *self.bytes.get(at..)?.first_chunk()?;
        Some(if self.little {
            u32::from_le_bytes(bytes)
        } else {
            u32::from_be_bytes(bytes)
        })
    }

    fn bytes_of(&self, value: u16) -> [u8; 2] {
        if self.little {
            value.to_le_bytes()
        } else {
            value.to_be_bytes()
        }
    }
}
