//! Pictures of digits, good and bad, through `ink`'s public functions.

use std::fs;
use std::io::{Cursor, Read, Write};
use std::path::{Path, PathBuf};

use flate2::Crc;
use flate2::read::GzDecoder;
use flate2::write::ZlibEncoder;
use image::imageops::{self, FilterType};
use image::{DynamicImage, GrayImage, ImageFormat, Luma, LumaA, RgbImage, Rgba};
use mnistctl::ink::files::{Input, expand};
use mnistctl::ink::{self, Digit, InkError};

const PNG: ImageFormat = ImageFormat::Png;
const JPEG: ImageFormat = ImageFormat::Jpeg;

/// The first `count` test digits of the sample.
fn digits(count: usize) -> Vec<[u8; 784]> {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("data/sample/t10k-images-idx3-ubyte.gz");
    let mut bytes = Vec::new();
    GzDecoder::new(fs::File::open(path).unwrap())
        .read_to_end(&mut bytes)
        .unwrap();
    let images = bytes[16..].chunks_exact(784).take(count);
    images.map(|image| image.try_into().unwrap()).collect()
}

fn picture(digit: &[u8; 784]) -> GrayImage {
    GrayImage::from_raw(28, 28, digit.to_vec()).unwrap()
}

fn encode(picture: impl Into<DynamicImage>, format: ImageFormat) -> Vec<u8> {
    let mut bytes = Cursor::new(Vec::new());
    picture.into().write_to(&mut bytes, format).unwrap();
    bytes.into_inner()
}

fn read(bytes: &[u8]) -> Result<Digit, InkError> {
    ink::read_bytes("seven.png", bytes)
}

/// A digit ten times as large, on a page with uneven margins.
fn page(digit: &[u8; 784], filter: FilterType, paper: u8, ink: u8) -> GrayImage {
    let large = imageops::resize(&picture(digit), 280, 280, filter);
    let mut page = GrayImage::new(400, 330);
    imageops::replace(&mut page, &large, 80, 20);
    for pixel in page.pixels_mut() {
        let share = f32::from(pixel.0[0]) / 255.0;
        pixel.0[0] = (f32::from(paper) + share * (f32::from(ink) - f32::from(paper))) as u8;
    }
    page
}

/// The mean absolute difference, and the distance between the centres of mass per axis.
fn compare(one: &[u8; 784], other: &[u8; 784]) -> (f64, f64) {
    let differences = one
        .iter()
        .zip(other)
        .map(|(a, b)| f64::from(a.abs_diff(*b)));
    let (ones, others) = (centre(one), centre(other));
    (
        differences.sum::<f64>() / 784.0,
        (ones.0 - others.0).abs().max((ones.1 - others.1).abs()),
    )
}

fn centre(pixels: &[u8]) -> (f64, f64) {
    let (mut mass, mut x, mut y) = (0.0, 0.0, 0.0);
    for (i, &level) in pixels.iter().enumerate() {
        mass += f64::from(level);
        x += f64::from(level) * (i % 28) as f64;
        y += f64::from(level) * (i / 28) as f64;
    }
    (x / mass, y / mass)
}

/// A vertical stroke, 40x60 pixels: the plainest picture of a one.
fn stroke(paper: u8, ink: u8) -> GrayImage {
    GrayImage::from_fn(40, 60, |x, y| {
        let inside = (17..23).contains(&x) && (10..50).contains(&y);
        Luma([if inside { ink } else { paper }])
    })
}

/// What every picture of `stroke` must become, whatever its format: 20 rows of 3 columns, full ink.
fn assert_is_stroke(digit: &Digit, context: &str) {
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
fn raw_png(
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

#[test]
fn mnist_pictures_are_left_as_they_are() {
    let folder = tempfile::tempdir().unwrap();
    for (i, digit) in digits(500).iter().enumerate() {
        let path = folder.path().join(format!("{i}.png"));
        picture(digit).save(&path).unwrap();
        assert_eq!(&ink::read(&path).unwrap().pixels, digit, "digit {i}");
    }
}

#[test]
fn mnist_pictures_in_colour_are_left_as_they_are_too() {
    for digit in digits(20) {
        for colour in [
            DynamicImage::from(picture(&digit)).to_rgb8().into(),
            DynamicImage::from(picture(&digit)).to_rgba8().into(),
            DynamicImage::from(picture(&digit)).to_luma16().into(),
        ] {
            let colour: DynamicImage = colour;
            assert_eq!(read(&encode(colour, PNG)).unwrap().pixels, digit);
        }
    }
}

/// Measured over 300 digits: 0.5 on average for square pixels and 7.4 to 8.5 for smoothed ones,
/// 28 at worst, where the centre of mass lies between two pixels and is rounded the other way.
#[test]
fn enlarged_digits_come_back() {
    let digits = digits(25);
    for (filter, paper, ink, format, bound) in [
        (FilterType::Nearest, 255, 0, PNG, 2.0),
        (FilterType::Nearest, 190, 70, JPEG, 3.0),
        (FilterType::CatmullRom, 255, 0, PNG, 10.0),
        (FilterType::Triangle, 255, 0, JPEG, 10.0),
        (FilterType::Triangle, 40, 220, JPEG, 10.0),
    ] {
        let context = format!("{filter:?}, ink {ink} on {paper}, {format:?}");
        let mut total = 0.0;
        for digit in &digits {
            let read = read(&encode(page(digit, filter, paper, ink), format)).unwrap();
            let (difference, shift) = compare(digit, &read.pixels);
            assert!(difference < 35.0, "{context}: off by {difference}");
            assert!(shift <= 1.0, "{context}: shifted by {shift}");
            total += difference;
        }
        let mean = total / digits.len() as f64;
        assert!(mean < bound, "{context}: off by {mean} on average");
    }
}

#[test]
fn every_kind_of_png_and_jpeg_is_read() {
    let dark = stroke(255, 0);
    let with_alpha = |ink: u8| {
        DynamicImage::ImageRgba8(image::ImageBuffer::from_fn(40, 60, |x, y| {
            let alpha = 255 - dark.get_pixel(x, y).0[0];
            Rgba([ink, ink, ink, alpha])
        }))
    };
    let grey_alpha: image::GrayAlphaImage =
        image::ImageBuffer::from_fn(40, 60, |x, y| LumaA([30, 255 - dark.get_pixel(x, y).0[0]]));
    let framed_alpha: image::GrayAlphaImage = image::ImageBuffer::from_fn(40, 60, |x, y| {
        let edge = x == 0 || y == 0;
        LumaA([dark.get_pixel(x, y).0[0], if edge { 0 } else { 255 }])
    });
    // Index 0 is blue paper, index 1 yellow ink; every row starts with its filter type.
    let palette = [20, 20, 160, 250, 250, 60];
    let rows = |ink: u8| -> Vec<u8> {
        let row = |row: &[u8]| {
            [
                vec![0],
                row.iter().map(|&v| if v == 0 { ink } else { 0 }).collect(),
            ]
            .concat()
        };
        dark.as_raw().chunks(40).flat_map(row).collect()
    };

    let cases = [
        ("grey", encode(dark.clone(), PNG)),
        ("light ink", encode(stroke(0, 255), PNG)),
        ("faint ink", encode(stroke(180, 140), PNG)),
        ("grey paper, light ink", encode(stroke(90, 200), PNG)),
        (
            "rgb",
            encode(DynamicImage::from(dark.clone()).to_rgb8(), PNG),
        ),
        (
            "16 bits",
            encode(DynamicImage::from(dark.clone()).to_luma16(), PNG),
        ),
        (
            "16 bits rgba",
            encode(DynamicImage::from(dark.clone()).to_rgba16(), PNG),
        ),
        ("dark ink on nothing", encode(with_alpha(0), PNG)),
        ("light ink on nothing", encode(with_alpha(255), PNG)),
        ("grey and alpha", encode(grey_alpha, PNG)),
        (
            "a white page with transparent edges",
            encode(framed_alpha, PNG),
        ),
        (
            "palette",
            raw_png((40, 60), 8, 3, &[(b"PLTE", &palette)], &rows(1)),
        ),
        (
            "palette with a transparent colour",
            raw_png(
                (40, 60),
                8,
                3,
                &[(b"PLTE", &palette), (b"tRNS", &[0])],
                &rows(1),
            ),
        ),
        ("jpeg", encode(dark.clone(), JPEG)),
        (
            "colour jpeg",
            encode(DynamicImage::from(dark.clone()).to_rgb8(), JPEG),
        ),
    ];
    for (context, bytes) in cases {
        let digit = read(&bytes).unwrap_or_else(|error| panic!("{context}: {error}"));
        assert_is_stroke(&digit, context);
    }
}

#[test]
fn pictures_are_turned_as_their_exif_says() {
    // A little-endian TIFF with one entry: orientation 6, turn by 90 degrees clockwise.
    let exif = b"II*\0\x08\0\0\0\x01\0\x12\x01\x03\0\x01\0\0\0\x06\0\0\0\0\0\0\0";
    let upright = stroke(255, 0);
    let lying = imageops::rotate270(&upright);

    let rows: Vec<u8> = lying
        .as_raw()
        .chunks(60)
        .flat_map(|row| [&[0], row].concat())
        .collect();
    let png = raw_png((60, 40), 8, 0, &[(b"eXIf", exif)], &rows);
    assert_is_stroke(&read(&png).unwrap(), "png");

    let mut jpeg = encode(lying, JPEG);
    let segment = [b"\xFF\xE1\0\x22Exif\0\0".as_slice(), exif].concat();
    jpeg.splice(2..2, segment);
    assert_is_stroke(&read(&jpeg).unwrap(), "jpeg");
}

#[test]
fn specks_are_ignored() {
    let mut page = stroke(255, 0);
    page.put_pixel(1, 1, Luma([0]));
    page.put_pixel(38, 57, Luma([0]));
    assert_is_stroke(&read(&encode(page, PNG)).unwrap(), "specks");
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

    let not_a_picture = "seven.png is not a picture that can be read (PNG or JPEG): ";
    let no_ink = "seven.png shows no digit: ";
    let cut_off = "seven.png is cut off before the end of the picture: ";
    let cases = [
        ("text", b"seven\n".to_vec(), not_a_picture),
        ("binary", vec![0xC8; 99], not_a_picture),
        ("gif", b"GIF89a\x01\0\x01\0\0\0\0".to_vec(), not_a_picture),
        ("nothing", vec![], "seven.png is empty: "),
        ("half a png", png[..png.len() / 2].to_vec(), cut_off),
        ("a png's signature", png[..8].to_vec(), cut_off),
        ("half a jpeg", jpeg[..jpeg.len() / 2].to_vec(), cut_off),
        ("most of a jpeg", jpeg[..jpeg.len() - 8].to_vec(), cut_off),
        ("a jpeg's first bytes", jpeg[..3].to_vec(), cut_off),
        (
            "a huge png",
            header_only((100_000, 100_000)),
            "seven.png is too large, 100000x100000",
        ),
        (
            "a heavy png",
            header_only((19_000, 19_000)),
            "seven.png is too large, 19000x19000",
        ),
        (
            "no pixels",
            header_only((0, 9)),
            "seven.png is a damaged picture (",
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
fn a_line_one_pixel_wide_is_a_stroke() {
    for (width, height) in [(1, 2000), (2000, 1)] {
        let line = GrayImage::from_fn(width, height, |x, y| {
            Luma([if (500..900).contains(&x.max(y)) {
                0
            } else {
                255
            }])
        });
        let digit = read(&encode(line, PNG)).unwrap();
        assert_eq!(
            digit.pixels.iter().filter(|&&level| level == 255).count(),
            20
        );
    }
}

#[test]
fn bad_paths_are_refused_in_a_sentence() {
    let folder = tempfile::tempdir().unwrap();
    let missing = folder.path().join("missing.png");
    let message = |path: &Path| ink::read(path).unwrap_err().to_string();
    assert!(
        message(&missing)
            .ends_with("missing.png does not exist: check the spelling and the folder you are in")
    );
    assert!(message(folder.path()).contains(" is a folder, not a picture: "));

    let big = folder.path().join("big.png");
    fs::File::create(&big).unwrap().set_len(1 << 40).unwrap();
    assert!(message(&big).contains("big.png is larger than 128 MiB: "));
}

#[test]
fn damage_never_panics() {
    let mut state = 0x9E37_79B9_7F4A_7C15_u64;
    let mut random = move |below: usize| {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        (state % below as u64) as usize
    };
    let dark = stroke(255, 0);
    let colour = DynamicImage::from(dark.clone()).to_rgb8();
    for original in [encode(dark, PNG), encode(colour, JPEG)] {
        for _ in 0..2000 {
            let mut bytes = original.clone();
            for _ in 0..=random(4) {
                let at = random(bytes.len());
                bytes[at] ^= 1 << random(8);
            }
            if random(3) == 0 {
                bytes.truncate(random(bytes.len()));
                // Makes the decoder see a JPEG that would be refused for its missing end.
                bytes.extend([0xFF, 0xD9]);
            }
            // Whether it is read is up to the damage.
            let _ = read(&bytes);
        }
    }
}

#[test]
fn arguments_become_inputs() {
    let folder = tempfile::tempdir().unwrap();
    let at = |name: &str| folder.path().join(name);
    for name in ["b.JPG", "a.png", "c.jpeg", "notes.txt", ".hidden.png"] {
        fs::write(at(name), "").unwrap();
    }
    fs::create_dir(at("d.png")).unwrap();

    let given = [
        at("notes.txt"),
        folder.path().to_path_buf(),
        PathBuf::from("-"),
        at("d.png"),
    ];
    let inputs = expand(&given);
    let names: Vec<String> = inputs.iter().map(Input::name).collect();
    let path = |name: &str| at(name).display().to_string();
    assert_eq!(
        names,
        [
            path("notes.txt"),
            path("a.png"),
            path("b.JPG"),
            path("c.jpeg"),
            folder.path().display().to_string(),
            "standard input".into(),
            path("d.png"),
        ]
    );
    assert!(matches!(inputs[4], Input::Skipped { count: 2, .. }));
    assert!(matches!(inputs[5], Input::Stdin));
    let failed = inputs.into_iter().next_back().unwrap().read();
    let message = failed.unwrap().unwrap_err().to_string();
    assert!(message.contains("d.png has no picture in it"), "{message}");
}
