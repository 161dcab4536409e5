//! What a WebP's chunks tell before it is decoded.

use super::Fault;

/// No picture has more chunks than this: each frame of an animation is one.
const MAX_CHUNKS: usize = 100_000;

/// A chunk: what it is, what it holds, and where the next one begins.
type Chunk<'a> = (&'a [u8; 4], &'a [u8], usize);

/// The memory that decoding takes besides the picture, in bytes.
///
/// The decoder allocates a chunk on its header's word, and it decodes a frame whatever its size
/// before it compares that with the picture's.
pub fn check(bytes: &[u8]) -> Result<u64, Fault> {
    let size = *bytes[4..].first_chunk().ok_or(Fault::CutOff)?;
    // What comes behind the picture's end is not part of it.
    let end = 8 + u32::from_le_bytes(size) as usize;
    let mut aside = 0;
    let (mut at, mut chunks) = (12, 0);
    while at < end {
        let (kind, data, next) = chunk(bytes, at)?;
        aside = aside.max(match kind {
            b"ANMF" => frame(data)?,
            _ => pixels(kind, data) * BESIDE,
        });
        at = next;
        chunks += 1;
        if chunks > MAX_CHUNKS {
            return Err(Fault::Damaged("it has too many parts".into()));
        }
    }
    Ok(aside)
}

/// Bytes per pixel that a still picture takes besides the result: 1.5 before the conversion from
/// YCbCr and 5 for its transparency, or 4 for a lossless one.
const BESIDE: u64 = 7;

/// The same for a frame of an animation, with the frame itself and the canvas that it is laid on.
const BESIDE_FRAME: u64 = BESIDE + 8;

/// What a frame of an animation takes. Only the first is decoded, but none has a reason to be
/// larger.
fn frame(data: &[u8]) -> Result<u64, Fault> {
    let position_and_size = 16;
    let data = data.get(position_and_size..).ok_or(Fault::CutOff)?;
    let (mut kind, mut image, next) = chunk(data, 0)?;
    if kind == b"ALPH" {
        (kind, image, _) = chunk(data, next)?;
    }
    Ok(pixels(kind, image) * BESIDE_FRAME)
}

fn chunk(bytes: &[u8], at: usize) -> Result<Chunk<'_>, Fault> {
    let rest = bytes.get(at..).ok_or(Fault::CutOff)?;
    let (kind, rest) = rest.split_first_chunk().ok_or(Fault::CutOff)?;
    let (size, rest) = rest.split_first_chunk().ok_or(Fault::CutOff)?;
    let size = u32::from_le_bytes(*size) as usize;
    let data = rest.get(..size).ok_or(Fault::CutOff)?;
    // Chunks begin at even places.
    Ok((kind, data, at + 8 + size.next_multiple_of(2)))
}

/// The pixels of an image; 0 of anything else.
fn pixels(kind: &[u8; 4], data: &[u8]) -> u64 {
    let number = |at: usize| data.get(at).copied().map_or(0, u64::from);
    let (width, height) = match kind {
        b"VP8 " => (
            (number(6) | number(7) << 8) & 0x3FFF,
            (number(8) | number(9) << 8) & 0x3FFF,
        ),
        b"VP8L" => {
            let bits = number(1) | number(2) << 8 | number(3) << 16 | number(4) << 24;
            ((bits & 0x3FFF) + 1, (bits >> 14 & 0x3FFF) + 1)
        }
        _ => (0, 0),
    };
    width * height
}
