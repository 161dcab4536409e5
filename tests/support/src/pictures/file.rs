//! A finished page -> the bytes of a picture file.

use std::io::Cursor;

use image::codecs::jpeg::JpegEncoder;
use image::{DynamicImage, GrayImage, ImageEncoder, ImageFormat, Rgb as Pixel, RgbImage};

use super::page::{Page, luminance};

/// Linear light -> a byte of sRGB.
pub fn srgb(value: f32) -> u8 {
    (255.0 * encoded(value) + 0.5) as u8
}

/// Linear light -> sRGB, both 0 to 1.
pub fn encoded(value: f32) -> f32 {
    let value = value.clamp(0.0, 1.0);
    if value <= 0.003_130_8 {
        12.92 * value
    } else {
        1.055 * value.powf(1.0 / 2.4) - 0.055
    }
}

/// `srgb` by table, for every pixel of a page.
struct Table(Vec<u8>);

impl Table {
    /// Fine enough that dark values, where sRGB is steep, are off by one byte at most.
    const STEPS: usize = 1 << 14;

    fn new() -> Self {
        let entry = |step| srgb(step as f32 / Self::STEPS as f32);
        Self((0..=Self::STEPS).map(entry).collect())
    }

    fn at(&self, value: f32) -> u8 {
        self.0[(value.clamp(0.0, 1.0) * Self::STEPS as f32 + 0.5) as usize]
    }
}

pub fn colour(page: &Page) -> RgbImage {
    let table = Table::new();
    let mut image = RgbImage::new(page.width as u32, page.height as u32);
    for (pixel, light) in image.pixels_mut().zip(&page.pixels) {
        *pixel = Pixel(light.map(|value| table.at(value)));
    }
    image
}

pub fn grey(page: &Page) -> GrayImage {
    let table = Table::new();
    let mut image = GrayImage::new(page.width as u32, page.height as u32);
    for (pixel, light) in image.pixels_mut().zip(&page.pixels) {
        pixel.0[0] = table.at(luminance(*light));
    }
    image
}

pub fn encode(image: impl Into<DynamicImage>, format: ImageFormat) -> Vec<u8> {
    let mut bytes = Cursor::new(Vec::new());
    let written = image.into().write_to(&mut bytes, format);
    written.expect("the format takes such pixels");
    bytes.into_inner()
}

pub fn png(page: &Page) -> Vec<u8> {
    encode(colour(page), ImageFormat::Png)
}

pub fn jpeg(page: &Page, quality: u8) -> Vec<u8> {
    let mut bytes = Vec::new();
    let encoder = JpegEncoder::new_with_quality(&mut bytes, quality);
    let written = encoder.write_image(
        &colour(page),
        page.width as u32,
        page.height as u32,
        image::ExtendedColorType::Rgb8,
    );
    written.expect("memory takes all bytes");
    bytes
}

/// As a camera stores a picture that it took while held sideways: the pixels as the sensor has them,
/// and an EXIF orientation (3, 6 or 8) that says how to turn them upright.
pub fn turned_jpeg(page: &Page, quality: u8, orientation: u8) -> Vec<u8> {
    let upright = DynamicImage::from(colour(page));
    let stored = match orientation {
        3 => upright.rotate180(),
        6 => upright.rotate270(),
        _ => upright.rotate90(),
    };
    // A TIFF header and a directory of one entry: tag 0x112, a short, one of it.
    let mut exif = b"MM\0*\0\0\0\x08\0\x01\x01\x12\0\x03\0\0\0\x01".to_vec();
    exif.extend([0, orientation, 0, 0, 0, 0, 0, 0]);
    let mut bytes = Vec::new();
    let mut encoder = JpegEncoder::new_with_quality(&mut bytes, quality);
    encoder.set_exif_metadata(exif).expect("JPEG has EXIF");
    stored
        .write_with_encoder(encoder)
        .expect("memory takes all bytes");
    bytes
}

/// A PNG with one bit a pixel, as fax machines and scanners write; `image` has no encoder for it.
/// The rows are stored without compression.
pub fn one_bit_png(page: &Page, threshold: f32) -> Vec<u8> {
    let mut rows = Vec::new();
    for row in page.pixels.chunks_exact(page.width) {
        // No filter.
        rows.push(0);
        for eight in row.chunks(8) {
            let bits = eight.iter().zip((0..8).rev());
            let white = |pixel: &[f32; 3]| u8::from(encoded(luminance(*pixel)) > threshold);
            rows.push(bits.map(|(pixel, place)| white(pixel) << place).sum());
        }
    }
    let mut header = Vec::new();
    header.extend((page.width as u32).to_be_bytes());
    header.extend((page.height as u32).to_be_bytes());
    header.extend([1, 0, 0, 0, 0]);

    let mut zlib = vec![0x78, 0x01];
    let blocks: Vec<&[u8]> = rows.chunks(0xffff).collect();
    for (number, block) in blocks.iter().enumerate() {
        zlib.push(u8::from(number + 1 == blocks.len()));
        zlib.extend((block.len() as u16).to_le_bytes());
        zlib.extend((!(block.len() as u16)).to_le_bytes());
        zlib.extend(*block);
    }
    let adler = |(a, b): (u32, u32), byte: &u8| {
        let a = (a + u32::from(*byte)) % 65521;
        (a, (b + a) % 65521)
    };
    let (a, b) = rows.iter().fold((1, 0), adler);
    zlib.extend(((b << 16) | a).to_be_bytes());

    let mut bytes = b"\x89PNG\r\n\x1a\n".to_vec();
    for (name, content) in [(b"IHDR", &header), (b"IDAT", &zlib), (b"IEND", &Vec::new())] {
        let start = bytes.len() + 4;
        bytes.extend((content.len() as u32).to_be_bytes());
        bytes.extend(name);
        bytes.extend(content);
        let crc = crc32(&bytes[start..]);
        bytes.extend(crc.to_be_bytes());
    }
    bytes
}

fn crc32(bytes: &[u8]) -> u32 {
    let mut crc = !0;
    for byte in bytes {
        crc ^= u32::from(*byte);
        for _ in 0..8 {
            crc = (crc >> 1) ^ (0xedb8_8320 & (!(crc & 1)).wrapping_add(1));
        }
    }
    !crc
}
