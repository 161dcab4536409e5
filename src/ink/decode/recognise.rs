//! The first bytes -> the format, whatever the file is called.

use image::ImageFormat;

use crate::ink::InkError;

/// The format that the first bytes announce, if it is one that can be read.
pub fn format(name: &str, bytes: &[u8]) -> Result<ImageFormat, InkError> {
    use ImageFormat::{Bmp, Gif, Jpeg, Png, Pnm, Tiff, WebP};
    if bytes.is_empty() {
        return Err(InkError::Empty { file: name.into() });
    }
    let reason = match image::guess_format(bytes) {
        Ok(format @ (Bmp | Gif | Jpeg | Png | Pnm | Tiff | WebP)) => return Ok(format),
        Ok(other) => format!("it is in the {other:?} format"),
        Err(_) => match other_format(bytes) {
            Some(other) => format!("it is in the {other} format"),
            None if is_text(bytes) => "it holds text".into(),
            None => "it starts like none of them".into(),
        },
    };
    Err(InkError::NotAPicture {
        file: name.into(),
        reason,
    })
}

/// Formats that people take for pictures and `image` has never heard of.
fn other_format(bytes: &[u8]) -> Option<&'static str> {
    let brand = bytes.get(4..12).unwrap_or_default();
    match brand {
        b"ftypheic" | b"ftypheix" | b"ftypmif1" | b"ftypheim" => Some("HEIC"),
        _ if bytes.starts_with(b"%PDF") => Some("PDF"),
        _ => None,
    }
}

/// Whether the beginning is text; a character that the cut goes through does not count.
fn is_text(bytes: &[u8]) -> bool {
    let start = &bytes[..bytes.len().min(1024)];
    match std::str::from_utf8(start) {
        Ok(_) => true,
        Err(error) => bytes.len() > start.len() && error.error_len().is_none(),
    }
}
