//! What is damaged, cut off or no picture at all.

use image::{DynamicImage, GrayImage, ImageFormat, Luma, RgbImage};

use crate::common::{JPEG, PNG, encode, file, page, random, raw_png, read, stroke, try_page};

/// One file of each format and kind of compression, by the name of where it comes from.
fn one_of_each() -> Vec<(String, Vec<u8>)> {
    let names = [
        "rgb.jpg",
        "rgb-progressive.jpg",
        "cmyk.jpg",
        "animated.gif",
        "interlaced.gif",
        "clear.gif",
        "bilevel.bmp",
        "palette.bmp",
        "rgb-lossy.webp",
        "clear-lossy.webp",
        "rgb.webp",
        "animated.webp",
        "bilevel.pbm",
        "sixteen.pgm",
        "rgb-raw.tif",
        "rgb-lzw.tif",
        "rgb-deflate.tif",
        "rgb-packbits.tif",
        "palette-raw.tif",
        "bilevel-group4.tif",
        "grey-jpeg.tif",
    ];
    let mut files: Vec<(String, Vec<u8>)> = names.map(|name| (name.into(), file(name))).into();
    let grey = stroke(255, 0);
    let colour = DynamicImage::from(grey.clone()).to_rgba8();
    files.push(("grey.png".into(), encode(grey.clone(), PNG)));
    files.push(("rgba.png".into(), encode(colour, PNG)));
    files.push(("rle.bmp".into(), rle_bmp(40, 4)));
    let numbers: Vec<String> = grey.iter().map(u8::to_string).collect();
    let plain = format!("P2\n40 60\n255\n{}\n", numbers.join(" "));
    files.push(("plain.pgm".into(), plain.into_bytes()));
    files
}

/// A BMP with 8 bits and run lengths, each row one run.
pub fn rle_bmp(width: u32, height: u32) -> Vec<u8> {
    let palette = 1024;
    let mut bmp = b"BM".to_vec();
    for number in [0, 0, 54 + palette, 40, width, height] {
        bmp.extend(u32::to_le_bytes(number));
    }
    bmp.extend([1, 0, 8, 0]);
    for number in [1, 0, 0, 0, 256, 0] {
        bmp.extend(u32::to_le_bytes(number));
    }
    bmp.resize(54 + palette as usize, 7);
    for _ in 0..height {
        bmp.extend([width.min(255) as u8, 1, 0, 0]);
    }
    bmp.extend([0, 1]);
    bmp
}

#[test]
fn what_is_cut_off_is_refused() {
    for (name, bytes) in one_of_each() {
        let whole = page(&bytes).image;
        let step = bytes.len().div_ceil(400);
        for length in (1..bytes.len()).step_by(step) {
            // Where nothing but what comes behind the picture is missing, it is still whole.
            if let Ok(page) = try_page(&bytes[..length]) {
                let context = format!("{name} cut after {length} of {} bytes", bytes.len());
                let last_number = name == "plain.pgm" && length + 5 > bytes.len();
                assert!(page.image == whole || last_number, "{context}");
            }
        }
        let half = try_page(&bytes[..bytes.len() / 2]).unwrap_err().to_string();
        let expected = ["is cut off before the end", "is a damaged picture ("];
        assert!(
            expected.iter().any(|words| half.contains(words)),
            "{name}: {half}"
        );
    }
}

#[test]
fn damage_never_panics_and_never_hangs() {
    let mut random = random();
    for (name, original) in one_of_each() {
        for _ in 0..2000 {
            let mut bytes = original.clone();
            for _ in 0..=random(4) {
                let at = random(bytes.len());
                bytes[at] = match random(4) {
                    0 => 0,
                    1 => 0xFF,
                    _ => bytes[at] ^ 1 << random(8),
                };
            }
            if random(4) == 0 {
                bytes.truncate(random(bytes.len()));
                // Makes the decoder see a JPEG that would be refused for its missing end.
                bytes.extend([0xFF, 0xD9]);
            }
            // Whether it is read is up to the damage.
            if let Err(error) = try_page(&bytes) {
                let sentence = error.to_string();
                assert!(
                    !sentence.contains("contradict"),
                    "{name} made a decoder panic"
                );
                assert!(sentence.len() < 300, "{name}: {sentence}");
            }
        }
    }
}

#[test]
fn what_is_not_a_digit_is_refused_in_a_sentence() {
    let dark = stroke(255, 0);
    let (png, jpeg) = (encode(dark.clone(), PNG), encode(dark, JPEG));
    let plain = |level| encode(GrayImage::from_pixel(50, 40, Luma([level])), PNG);
    let noisy = GrayImage::from_fn(200, 200, |x, y| {
        Luma([200 + ((x * 7919 + y * 104_729) % 613 % 31) as u8])
    });
    let header_only = |size| raw_png(size, 8, 0, &[], &[]);

    let not_a_picture =
        "seven.png is not a picture that can be read (PNG, JPEG, GIF, BMP, WebP, TIFF or PNM): ";
    let no_ink = "seven.png shows no digit: ";
    let cut_off = "seven.png is cut off before the end of the picture: ";
    let cases = [
        ("text", b"seven\n".to_vec(), not_a_picture),
        ("binary", vec![0xC8; 99], not_a_picture),
        ("an icon", b"\0\0\x01\0\x01\0".to_vec(), not_a_picture),
        ("nothing", vec![], "seven.png is empty: "),
        ("half a png", png[..png.len() / 2].to_vec(), cut_off),
        ("a png's signature", png[..8].to_vec(), cut_off),
        ("half a jpeg", jpeg[..jpeg.len() / 2].to_vec(), cut_off),
        ("most of a jpeg", jpeg[..jpeg.len() - 8].to_vec(), cut_off),
        ("a jpeg's first bytes", jpeg[..3].to_vec(), cut_off),
        ("a gif's first bytes", b"GIF89a\x01\0".to_vec(), cut_off),
        (
            "a webp's first bytes",
            b"RIFF\xFF\0\0\0WEBP".to_vec(),
            cut_off,
        ),
        ("missing pixels", header_only((9, 9)), "seven.png is "),
        ("a white page", plain(255), no_ink),
        ("a black page", plain(0), no_ink),
        ("a black 28x28", encode(GrayImage::new(28, 28), PNG), no_ink),
        ("noise", encode(noisy, PNG), no_ink),
        ("one pixel", encode(GrayImage::new(1, 1), PNG), no_ink),
        ("a blank line", encode(RgbImage::new(1, 2000), PNG), no_ink),
    ];
    for (context, bytes, expected) in cases {
        match read(&bytes) {
            Err(error) => assert!(
                error.to_string().starts_with(expected),
                "{context}: {error}"
            ),
            Ok(_) => panic!("{context} was read"),
        }
    }
}

#[test]
fn formats_that_are_not_read_are_named() {
    for (bytes, name) in [
        (&b"\0\0\0\x18ftypheic\0\0\0\0mif1"[..], "HEIC"),
        (b"\0\0\0\x1Cftypavif\0\0\0\0mif1", "Avif"),
        (b"%PDF-1.7\n", "PDF"),
        (b"\0\0\x01\0\x01\0", "Ico"),
    ] {
        let error = try_page(bytes).unwrap_err().to_string();
        let expected = format!("it is in the {name} format; save it as PNG or JPEG");
        assert!(error.ends_with(&expected), "{error}");
    }
    // A page of text whose first kilobyte ends within a letter is text all the same.
    let letters = format!("x{}", "é".repeat(2000));
    let error = try_page(letters.as_bytes()).unwrap_err().to_string();
    assert!(error.contains("it holds text"), "{error}");
}

#[test]
fn kinds_of_a_format_that_are_not_read_are_named() {
    let mut entries = crate::common::grey_tiff(4, 4, 50_000, 16);
    let zstd = crate::common::raw_tiff(&entries, &[0; 16]);
    entries[3].3 = 1;
    entries[2].3 = 32;
    let floats = crate::common::raw_tiff(&entries, &[0; 64]);
    for bytes in [zstd, floats] {
        let error = try_page(&bytes).unwrap_err().to_string();
        let words = "seven.png is a picture of a kind that can't be read (";
        assert!(error.starts_with(words), "{error}");
    }
}

#[test]
fn a_picture_in_a_whole_file_of_another_kind_is_no_picture() {
    let mut bytes = b"%!PS\n".to_vec();
    bytes.extend(encode(stroke(255, 0), ImageFormat::Png));
    assert!(try_page(&bytes).is_err());
}
