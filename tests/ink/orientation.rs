//! EXIF orientation, in each format that has it.

use image::{DynamicImage, GrayImage, ImageFormat, Luma, RgbImage};

use crate::common::{JPEG, PNG, encode, page, raw_png, raw_tiff, raw_webp};

/// What the camera stored: six squares of 16x16 pixels, each of its own grey.
fn stored() -> GrayImage {
    GrayImage::from_fn(48, 32, |x, y| {
        Luma([(40 * (3 * (y / 16) + x / 16) + 20) as u8])
    })
}

/// Which stored pixel is seen at (x, y), as the EXIF standard defines each orientation.
fn seen_at(orientation: u8, (x, y): (u32, u32), (width, height): (u32, u32)) -> (u32, u32) {
    match orientation {
        2 => (width - 1 - x, y),
        3 => (width - 1 - x, height - 1 - y),
        4 => (x, height - 1 - y),
        5 => (y, x),
        6 => (y, height - 1 - x),
        7 => (width - 1 - y, height - 1 - x),
        8 => (width - 1 - y, x),
        _ => (x, y),
    }
}

fn assert_turned(bytes: &[u8], orientation: u8, bound: u8, context: &str) {
    let stored = stored();
    let page: RgbImage = page(bytes).image;
    let (width, height) = stored.dimensions();
    let expected = if (5..=8).contains(&orientation) {
        (height, width)
    } else {
        (width, height)
    };
    assert_eq!(page.dimensions(), expected, "{context} {orientation}");
    for (x, y, pixel) in page.enumerate_pixels() {
        let (u, v) = seen_at(orientation, (x, y), (width, height));
        let level = stored.get_pixel(u, v).0[0];
        let off = pixel.0.iter().map(|found| found.abs_diff(level)).max();
        assert!(off <= Some(bound), "{context} {orientation} at ({x}, {y})");
    }
}

#[test]
fn pictures_are_turned_as_their_exif_says() {
    let stored = stored();
    // 9 is none of the eight: such a picture is left as it is.
    for orientation in 1..=9 {
        // A little-endian TIFF with one entry.
        let mut exif = b"II*\0\x08\0\0\0\x01\0\x12\x01\x03\0\x01\0\0\0".to_vec();
        exif.extend([orientation, 0, 0, 0, 0, 0, 0, 0]);

        let rows = stored.as_raw().chunks(48);
        let rows: Vec<u8> = rows.flat_map(|row| [&[0], row].concat()).collect();
        let png = raw_png((48, 32), 8, 0, &[(b"eXIf", &exif)], &rows);
        assert_turned(&png, orientation, 0, "PNG");

        let mut jpeg = encode(stored.clone(), JPEG);
        let length = ((exif.len() + 8) as u16).to_be_bytes();
        let segment = [&b"\xFF\xE1"[..], &length, b"Exif\0\0", &exif].concat();
        jpeg.splice(2..2, segment);
        assert_turned(&jpeg, orientation, 8, "JPEG");

        let plain = encode(
            DynamicImage::from(stored.clone()).to_rgb8(),
            ImageFormat::WebP,
        );
        // Canvas of 48x32 with EXIF; the image's own chunk begins after the file's header.
        let header = [8, 0, 0, 0, 47, 0, 0, 31, 0, 0];
        let image = &plain[20..];
        let webp = raw_webp(&[(b"VP8X", &header), (b"VP8L", image), (b"EXIF", &exif)]);
        assert_turned(&webp, orientation, 0, "WebP");

        let mut entries = crate::common::grey_tiff(48, 32, 1, 48 * 32);
        entries.insert(6, (274, 3, 1, u32::from(orientation)));
        let tiff = raw_tiff(&entries, stored.as_raw());
        assert_turned(&tiff, orientation, 0, "TIFF");
    }
}

#[test]
fn a_picture_is_turned_after_it_was_shrunk() {
    // 4,100 pixels wide with a black left end, to be seen turned by 90 degrees.
    let mut entries = crate::common::grey_tiff(4100, 10, 1, 41_000);
    entries.insert(6, (274, 3, 1, 6));
    let row: Vec<u8> = (0..4100).map(|x| if x < 100 { 0 } else { 255 }).collect();
    let page = page(&raw_tiff(&entries, &row.repeat(10)));
    assert_eq!((page.scale, page.image.dimensions()), (4, (3, 1025)));
    assert_eq!(page.image.get_pixel(1, 15).0, [0; 3]);
    assert_eq!(page.image.get_pixel(1, 980).0, [255; 3]);
}

#[test]
fn exif_that_makes_no_sense_is_ignored() {
    let rows: Vec<u8> = stored()
        .as_raw()
        .chunks(48)
        .flat_map(|row| [&[0], row].concat())
        .collect();
    for exif in [&b""[..], b"II", b"II*\0\xFF\xFF\xFF\xFF", &[0xFF; 100]] {
        let png = raw_png((48, 32), 8, 0, &[(b"eXIf", exif)], &rows);
        assert_turned(&png, 1, 0, "PNG");
    }
    assert_turned(&encode(stored(), PNG), 1, 0, "PNG without");
}
