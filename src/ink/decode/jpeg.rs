//! What a JPEG's segments tell before it is decoded.

use super::Fault;

/// No encoder writes more scans than this: a progressive picture has about ten.
const MAX_SCANS: u64 = 64;

/// The number of blocks of 8x8 samples that are decoded in about 2 seconds.
const MAX_BLOCKS: u64 = 60_000_000;

const START_OF_IMAGE: u8 = 0xD8;
const END_OF_IMAGE: u8 = 0xD9;
const START_OF_SCAN: u8 = 0xDA;

/// What the segments say about the picture.
#[derive(Default)]
struct Outline {
    width: u64,
    height: u64,
    components: u64,
    progressive: bool,
    scans: u64,
    /// Whether it has its end marker.
    complete: bool,
}

/// The memory that decoding takes besides the picture, in bytes.
///
/// The decoder paints what is missing grey without a word, and a digit without its lower half is
/// another digit: a picture must have its end marker. And it goes through the whole picture for
/// every scan, of which a small file can hold very many.
pub fn check(bytes: &[u8]) -> Result<u64, Fault> {
    let outline = outline(bytes);
    if !outline.complete {
        return Err(Fault::CutOff);
    }
    // The largest unit that the sampling factors allow is 32x32 pixels.
    let blocks = outline.width.div_ceil(32) * outline.height.div_ceil(32) * 16 * outline.components;
    if outline.scans > MAX_SCANS || outline.scans * blocks > MAX_BLOCKS {
        return Err(match outline.scans {
            0..=16 => Fault::TooLarge(outline.width as u32, outline.height as u32),
            scans => Fault::Damaged(format!("it is drawn {scans} times over")),
        });
    }
    // With several scans, all the coefficients are kept: two bytes each.
    let several = outline.progressive || outline.scans > 1;
    let coefficients = if several { blocks * 128 } else { 0 };
    // The decoder copies the file.
    Ok(coefficients + bytes.len() as u64)
}

/// Goes from segment to segment. The length of each is known, so neither a thumbnail's end marker
/// nor anything else inside one is taken for the picture's.
fn outline(bytes: &[u8]) -> Outline {
    let mut outline = Outline::default();
    let mut at = 2;
    while let Some(&[marker, kind]) = bytes.get(at..).and_then(|rest| rest.first_chunk()) {
        match kind {
            // Not a segment: image data, which goes on to the next marker, or damage, which the
            // decoder describes better.
            _ if marker != 0xFF => at += to_marker(&bytes[at..]),
            // Padding, a byte FF of the image data, and the markers that have no length.
            0xFF => at += 1,
            0x00 | 0x01 | 0xD0..=START_OF_IMAGE => at += 2,
            END_OF_IMAGE => {
                // One in front of the image data is not that of the picture.
                outline.complete = outline.scans > 0;
                return outline;
            }
            _ => {
                let segment = &bytes[at + 2..];
                let Some(&[high, low]) = segment.first_chunk() else {
                    return outline;
                };
                outline.take(kind, segment);
                at += 2 + usize::from(u16::from_be_bytes([high, low])).max(2);
            }
        }
    }
    outline
}

fn to_marker(bytes: &[u8]) -> usize {
    bytes
        .iter()
        .position(|&byte| byte == 0xFF)
        .unwrap_or(bytes.len())
}

impl Outline {
    fn take(&mut self, kind: u8, segment: &[u8]) {
        match kind {
            START_OF_SCAN => self.scans += 1,
            // Tables, not frames.
            0xC4 | 0xC8 | 0xCC => {}
            0xC0..=0xCF => {
                let number = |at: usize| segment.get(at).copied().map_or(0, u64::from);
                self.height = self.height.max(number(3) << 8 | number(4));
                self.width = self.width.max(number(5) << 8 | number(6));
                self.components = self.components.max(number(7));
                self.progressive |= kind == 0xC2;
            }
            _ => {}
        }
    }
}
