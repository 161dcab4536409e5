//! Bytes -> a greyscale page, the right way up.
//!
//! PNG and JPEG, recognised by their content. Nothing the bytes claim is trusted: sizes are
//! checked before a pixel is allocated.

use std::io::{Cursor, ErrorKind};

use image::metadata::Orientation;
use image::{
    DynamicImage, GrayAlphaImage, GrayImage, ImageDecoder, ImageError, ImageFormat, ImageReader,
    Limits,
};

use super::InkError;

/// The longest side that is decoded, in pixels.
const MAX_SIDE: u32 = 20_000;

/// The most memory that a decoded picture may take.
const MAX_DECODED_BYTES: u64 = 256 << 20;

/// Decodes a picture to 8-bit luma (Rec. 709 weights), without transparency, turned as its EXIF
/// orientation says.
pub fn decode(name: &str, bytes: &[u8]) -> Result<GrayImage, InkError> {
    let format = recognise(name, bytes)?;
    if format == ImageFormat::Jpeg && !jpeg_is_complete(bytes) {
        return Err(InkError::CutOff { file: name.into() });
    }

    // The sides are checked here rather than by the decoder, so that the message can name them.
    let mut limits = Limits::no_limits();
    limits.max_alloc = Some(MAX_DECODED_BYTES);
    let mut reader = ImageReader::with_format(Cursor::new(bytes), format);
    reader.limits(limits);
    let mut decoder = reader
        .into_decoder()
        .map_err(|error| explain(name, error))?;

    let (width, height) = decoder.dimensions();
    if width.max(height) > MAX_SIDE || decoder.total_bytes() > MAX_DECODED_BYTES {
        return Err(InkError::TooLarge {
            file: name.into(),
            width,
            height,
        });
    }

    // A picture whose EXIF data makes no sense is still a picture.
    let orientation = decoder.orientation().unwrap_or(Orientation::NoTransforms);
    let picture = DynamicImage::from_decoder(decoder).map_err(|error| explain(name, error))?;
    let grey = if picture.has_alpha() {
        flatten(&picture.into_luma_alpha8())
    } else {
        picture.into_luma8()
    };
    let mut page = DynamicImage::ImageLuma8(grey);
    page.apply_orientation(orientation);
    Ok(page.into_luma8())
}

/// The format that the first bytes announce, whatever the file is called.
fn recognise(name: &str, bytes: &[u8]) -> Result<ImageFormat, InkError> {
    if bytes.is_empty() {
        return Err(InkError::Empty { file: name.into() });
    }
    let reason = match image::guess_format(bytes) {
        Ok(format @ (ImageFormat::Png | ImageFormat::Jpeg)) => return Ok(format),
        Ok(other) => format!("it is in the {other:?} format"),
        Err(_) if std::str::from_utf8(bytes).is_ok() => "it holds text".into(),
        Err(_) => "it starts like neither".into(),
    };
    Err(InkError::NotAPicture {
        file: name.into(),
        reason,
    })
}

/// Whether a JPEG runs to its end marker.
///
/// The decoder paints what is missing grey without a word, and a digit without its lower half is
/// another digit. The search starts at the image data because a thumbnail before it has an end
/// marker of its own; within the data `FF D9` can be nothing else.
fn jpeg_is_complete(bytes: &[u8]) -> bool {
    let Some(start) = jpeg_scan_start(bytes) else {
        return false;
    };
    bytes[start..].windows(2).any(|pair| pair == [0xFF, 0xD9])
}

/// Where the segments before the image data end; `None` if the file ends first.
fn jpeg_scan_start(bytes: &[u8]) -> Option<usize> {
    const START_OF_SCAN: u8 = 0xDA;
    let mut at = 2;
    loop {
        let [marker, kind, high, low] = *bytes.get(at..)?.first_chunk()?;
        if marker != 0xFF {
            // Not a segment: damage, which the decoder describes better.
            return Some(at);
        }
        match kind {
            // Padding, and the markers that have no length.
            0xFF => at += 1,
            0x01 | 0xD0..=0xD8 => at += 2,
            START_OF_SCAN => return Some(at),
            _ => at += 2 + usize::from(u16::from_be_bytes([high, low])),
        }
    }
}

/// Lays a transparent picture on paper: white, or black when the ink is light.
///
/// The ink is what is drawn on a mostly transparent ground. A mostly opaque picture brings its own
/// paper, so white goes behind it.
fn flatten(picture: &GrayAlphaImage) -> GrayImage {
    let (mut coverage, mut light) = (0_u64, 0_u64);
    for pixel in picture.pixels() {
        let [luma, alpha] = pixel.0.map(u64::from);
        coverage += alpha;
        light += alpha * luma;
    }
    let pixels = u64::from(picture.width()) * u64::from(picture.height());
    let mostly_transparent = coverage < pixels * 255 / 2;
    let light_ink = light > coverage * 127;
    let paper = if mostly_transparent && light_ink {
        0
    } else {
        255
    };

    let mut page = GrayImage::new(picture.width(), picture.height());
    for (to, from) in page.pixels_mut().zip(picture.pixels()) {
        let [luma, alpha] = from.0.map(u32::from);
        // At most 255, so the cast cannot cut.
        to.0 = [((luma * alpha + paper * (255 - alpha) + 127) / 255) as u8];
    }
    page
}

/// What the decoder's error means to the user.
fn explain(name: &str, error: ImageError) -> InkError {
    let file = name.to_string();
    match error {
        ImageError::IoError(error) if error.kind() == ErrorKind::UnexpectedEof => {
            InkError::CutOff { file }
        }
        error => InkError::Damaged {
            file,
            reason: one_line(&error.to_string()),
        },
    }
}

/// A message of the decoder as part of a sentence.
fn one_line(message: &str) -> String {
    let words: Vec<&str> = message.split_whitespace().collect();
    words.join(" ").trim_end_matches('.').to_string()
}
