//! What these tests share: pictures, and files that no encoder writes.

use std::fs;
use std::io::{Cursor, Read, Write};
use std::path::Path;

use flate2::Crc;
use flate2::read::GzDecoder;
use flate2::write::ZlibEncoder;
use image::{DynamicImage, GrayImage, ImageFormat, Luma};
use mnistctl::ink::decode::{Page, decode};
use mnistctl::ink::{self, Digit, InkError};

pub const PNG: ImageFormat = ImageFormat::Png;
pub const JPEG: ImageFormat = ImageFormat::Jpeg;

/// The first `count` test digits of the sample.
pub fn digits(count: usize) -> Vec<[u8; 784]> {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("data/sample/t10k-images-idx3-ubyte.gz");
    let mut bytes = Vec::new();
    GzDecoder::new(fs::File::open(path).unwrap())
        .read_to_end(&mut bytes)
        .unwrap();
    let images = bytes[16..].chunks_exact(784).take(count);
    images.map(|image| image.try_into().unwrap()).collect()
}

pub fn picture(digit: &[u8; 784]) -> GrayImage {
    GrayImage::from_raw(28, 28, digit.to_vec()).unwrap()
}

pub fn encode(picture: impl Into<DynamicImage>, format: ImageFormat) -> Vec<u8> {
    let mut bytes = Cursor::new(Vec::new());
    picture.into().write_to(&mut bytes, format).unwrap();
    bytes.into_inner()
}

pub fn page(bytes: &[u8]) -> Page {
    try_page(bytes).unwrap_or_else(|error| panic!("{error}"))
}

pub fn try_page(bytes: &[u8]) -> Result<Page, InkError> {
    decode("seven.png", bytes)
}

/// A picture that another program wrote; `make.py` beside it says how.
pub fn file(name: &str) -> Vec<u8> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/ink/files");
    fs::read(folder.join(name)).unwrap_or_else(|error| panic!("{name}: {error}"))
}

/// Numbers that look random and are the same in every run.
pub fn random() -> impl FnMut(usize) -> usize {
    let mut state = 0x9E37_79B9_7F4A_7C15_u64;
    move |below| {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        (state % below as u64) as usize
    }
}

/// What is likeliest the digit of a picture.
pub fn read(bytes: &[u8]) -> Result<Digit, InkError> {
    Ok(ink::read_bytes("seven.png", bytes)?.take(0))
}

/// A vertical stroke, 40x60 pixels: the plainest picture of a one.
pub fn stroke(paper: u8, ink: u8) -> GrayImage {
    GrayImage::from_fn(40, 60, |x, y| {
        let inside = (17..23).contains(&x) && (10..50).contains(&y);
        Luma([if inside { ink } else { paper }])
    })
}

/// What every picture of `stroke` must become, whatever its format: 20 rows of 3 columns, full ink.
pub fn assert_is_stroke(digit: &Digit, context: &str) {
    for (i, &level) in digit.pixels.iter().enumerate() {
        let (x, y) = (i % 28, i / 28);
        // The centre of mass lies between two rows, so it may come to either.
        let inside = (13..16).contains(&x) && (4..25).contains(&y);
        assert!(inside || level == 0, "{context}: ink at ({x}, {y})");
    }
    let inked = digit.pixels.iter().filter(|&&level| level > 240).count();
    assert_eq!(inked, 60, "{context}: {}", ink::preview(&digit.pixels, 28));
}

/// A PNG made by hand, for what the encoder will not write. `chunks` go between IHDR and IDAT.
pub fn raw_png(
    size: (u32, u32),
    depth: u8,
    colour: u8,
    chunks: &[(&[u8; 4], &[u8])],
    data: &[u8],
) -> Vec<u8> {
    fn chunk(png: &mut Vec<u8>, kind: &[u8; 4], data: &[u8]) {
        let mut crc = Crc::new();
        crc.update(kind);
        crc.update(data);
        png.extend((data.len() as u32).to_be_bytes());
        png.extend(kind);
        png.extend(data);
        png.extend(crc.sum().to_be_bytes());
    }
    let mut header = [size.0.to_be_bytes(), size.1.to_be_bytes()].concat();
    header.extend([depth, colour, 0, 0, 0]);
    let mut compressed = ZlibEncoder::new(Vec::new(), flate2::Compression::default());
    compressed.write_all(data).unwrap();

    let mut png = b"\x89PNG\r\n\x1a\n".to_vec();
    chunk(&mut png, b"IHDR", &header);
    for (kind, data) in chunks {
        chunk(&mut png, kind, data);
    }
    chunk(&mut png, b"IDAT", &compressed.finish().unwrap());
    chunk(&mut png, b"IEND", &[]);
    png
}

/// A little-endian TIFF with these entries (tag, type, count, value), and data from byte 200 on.
pub fn raw_tiff(entries: &[(u16, u16, u32, u32)], data: &[u8]) -> Vec<u8> {
    let mut tiff = b"II*\0\x08\0\0\0".to_vec();
    tiff.extend((entries.len() as u16).to_le_bytes());
    for &(tag, kind, count, value) in entries {
        tiff.extend(tag.to_le_bytes());
        tiff.extend(kind.to_le_bytes());
        tiff.extend(count.to_le_bytes());
        tiff.extend(value.to_le_bytes());
    }
    tiff.resize(200, 0);
    tiff.extend(data);
    tiff
}

/// The entries of a grey TIFF in one strip, for [`raw_tiff`].
pub fn grey_tiff(
    width: u32,
    height: u32,
    compression: u32,
    length: usize,
) -> Vec<(u16, u16, u32, u32)> {
    vec![
        (256, 4, 1, width),
        (257, 4, 1, height),
        (258, 3, 1, 8),
        (259, 3, 1, compression),
        (262, 3, 1, 1),
        (273, 4, 1, 200),
        (277, 3, 1, 1),
        (278, 4, 1, height),
        (279, 4, 1, length as u32),
    ]
}

/// A WebP of these chunks.
pub fn raw_webp(chunks: &[(&[u8; 4], &[u8])]) -> Vec<u8> {
    let mut body = b"WEBP".to_vec();
    for (kind, data) in chunks {
        body.extend(*kind);
        body.extend((data.len() as u32).to_le_bytes());
        body.extend(*data);
        body.resize(body.len().next_multiple_of(2), 0);
    }
    [b"RIFF", &(body.len() as u32).to_le_bytes()[..], &body].concat()
}
