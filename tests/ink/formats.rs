//! Every format and way to store colours comes out as the same page.

use std::io::Cursor;

use image::{
    DynamicImage, GrayAlphaImage, GrayImage, ImageBuffer, ImageFormat, Luma, LumaA, Rgb,
    Rgb32FImage, RgbImage, Rgba, RgbaImage,
};

use crate::common::{PNG, encode, file, page, random, raw_png};

/// A place in the ink of the pictures of `files`, and two on their paper.
const IN_INK: (u32, u32) = (12, 10);
const ON_PAPER: [(u32, u32); 2] = [(2, 2), (27, 17)];

fn assert_near(found: Rgb<u8>, expected: [u8; 3], bound: u8, context: &str) {
    let off = found.0.iter().zip(expected).map(|(a, b)| a.abs_diff(b));
    assert!(
        off.max() <= Some(bound),
        "{context}: {:?} instead of {expected:?}",
        found.0
    );
}

#[test]
fn what_other_programs_write_keeps_its_colours() {
    let (ink, paper) = ([200, 30, 30], [240, 240, 250]);
    let grey = ([70; 3], [230; 3]);
    let black = ([0; 3], [255; 3]);
    let on_white = (ink, [255; 3]);
    let coloured = (ink, paper);
    let mut cases = vec![
        ("grey.jpg".to_string(), grey, 3),
        ("grey-progressive.jpg".into(), grey, 3),
        ("rgb.jpg".into(), coloured, 6),
        ("rgb-progressive.jpg".into(), coloured, 6),
        ("subsampled.jpg".into(), coloured, 6),
        ("cmyk.jpg".into(), coloured, 6),
        ("cmyk-progressive.jpg".into(), coloured, 6),
        ("grey-lossy.webp".into(), grey, 3),
        ("rgb-lossy.webp".into(), coloured, 8),
        ("clear-lossy.webp".into(), on_white, 8),
        ("grey.webp".into(), grey, 0),
        ("rgb.webp".into(), coloured, 0),
        ("clear.webp".into(), on_white, 0),
        // Of an animation the first frame.
        ("animated.webp".into(), coloured, 8),
        ("animated.gif".into(), coloured, 0),
        ("interlaced.gif".into(), coloured, 0),
        ("clear.gif".into(), on_white, 0),
        ("bilevel.bmp".into(), black, 0),
        ("palette.bmp".into(), coloured, 0),
        ("bilevel.pbm".into(), black, 0),
        ("sixteen.pgm".into(), grey, 0),
        ("bilevel-group4.tif".into(), black, 0),
        ("grey-jpeg.tif".into(), grey, 3),
    ];
    for compression in ["raw", "lzw", "deflate", "packbits"] {
        for (name, colours) in [
            ("bilevel", black),
            ("grey", grey),
            ("sixteen", grey),
            ("palette", coloured),
            ("rgb", coloured),
            ("clear", on_white),
            ("cmyk", coloured),
        ] {
            cases.push((format!("{name}-{compression}.tif"), colours, 0));
        }
    }
    for (name, (ink, paper), bound) in cases {
        let page = page(&file(&name));
        assert_eq!(
            (page.image.dimensions(), page.scale),
            ((30, 20), 1),
            "{name}"
        );
        assert_near(*page.image.get_pixel(IN_INK.0, IN_INK.1), ink, bound, &name);
        for (x, y) in ON_PAPER {
            assert_near(*page.image.get_pixel(x, y), paper, bound, &name);
        }
        if bound == 0 {
            for (x, y, &pixel) in page.image.enumerate_pixels() {
                let inside = (10..16).contains(&x) && (5..15).contains(&y);
                assert_near(pixel, if inside { ink } else { paper }, 0, &name);
            }
        }
    }
}

#[test]
fn grey_levels_come_through_exactly() {
    let levels = GrayImage::from_fn(16, 16, |x, y| Luma([(16 * y + x) as u8]));
    let grey = DynamicImage::from(levels.clone());
    let mut cases = Vec::new();
    for format in [
        PNG,
        ImageFormat::Bmp,
        ImageFormat::WebP,
        ImageFormat::Tiff,
        ImageFormat::Pnm,
    ] {
        for picture in [grey.clone(), grey.to_rgb8().into()] {
            cases.push((
                format!("{format:?} {:?}", picture.color()),
                encode(picture, format),
            ));
        }
    }
    for format in [PNG, ImageFormat::Tiff] {
        for picture in [
            DynamicImage::from(grey.to_luma16()),
            grey.to_rgb16().into(),
            grey.to_rgba16().into(),
        ] {
            cases.push((
                format!("{format:?} {:?}", picture.color()),
                encode(picture, format),
            ));
        }
    }
    for picture in [
        DynamicImage::from(grey.to_luma_alpha8()),
        grey.to_rgba8().into(),
        grey.to_luma_alpha16().into(),
    ] {
        cases.push((format!("Png {:?}", picture.color()), encode(picture, PNG)));
    }
    for picture in [
        DynamicImage::from(grey.to_rgb32f()),
        grey.to_rgba32f().into(),
    ] {
        cases.push((
            format!("{:?}", picture.color()),
            encode(picture, ImageFormat::Tiff),
        ));
    }
    cases.push(("GIF".into(), encode(grey.to_rgba8(), ImageFormat::Gif)));
    let numbers: Vec<String> = levels.iter().map(u8::to_string).collect();
    let plain = format!("P2\n# levels\n16 16\n255\n{}\n", numbers.join(" "));
    cases.push(("plain PNM".into(), plain.into_bytes()));

    for (context, bytes) in cases {
        let page = page(&bytes).image;
        assert_eq!(page.dimensions(), (16, 16), "{context}");
        for (x, y, pixel) in page.enumerate_pixels() {
            let level = levels.get_pixel(x, y).0[0];
            assert_eq!(pixel.0, [level; 3], "{context} at ({x}, {y})");
        }
    }
}

#[test]
fn few_bits_and_odd_maxima_fill_the_range() {
    // 1, 2 and 4 bits: the lowest and the highest level next to each other.
    for depth in [1, 2, 4] {
        let row = [0, !(0xFF_u8 >> depth) >> depth];
        let page = page(&raw_png((2, 1), depth, 0, &[], &row)).image;
        assert_eq!(page.into_raw(), [0, 0, 0, 255, 255, 255], "{depth} bits");
    }
    for (pnm, level) in [
        (&b"P5 1 1 1\n\x01"[..], 255),
        (b"P5 1 1 15\n\x05", 85),
        (b"P5 1 1 1000\n\x01\xF4", 128),
        (b"P2 1 1 4\n1\n", 64),
        (b"P1 1 1\n0\n", 255),
    ] {
        assert_eq!(page(pnm).image.into_raw(), [level; 3]);
    }
}

#[test]
fn transparent_pictures_are_laid_on_paper_that_shows_their_ink() {
    let drawn = |ink: [u8; 3]| -> RgbaImage {
        ImageBuffer::from_fn(20, 20, |x, _| match x {
            8..12 => Rgba([ink[0], ink[1], ink[2], 255]),
            // What nobody sees must not count.
            _ => Rgba([255, 255, 255, 0]),
        })
    };
    for (ink, paper) in [
        ([0, 0, 0], 255),
        ([200, 30, 30], 255),
        ([20, 20, 220], 255),
        ([255, 255, 255], 0),
        ([250, 240, 90], 0),
    ] {
        for format in [PNG, ImageFormat::WebP, ImageFormat::Tiff, ImageFormat::Gif] {
            let page = page(&encode(drawn(ink), format)).image;
            let context = format!("{ink:?}, {format:?}");
            // GIF's encoder chooses its own palette.
            assert_near(*page.get_pixel(10, 10), ink, 4, &context);
            assert_eq!(page.get_pixel(2, 10).0, [paper; 3], "{context}");
        }
    }

    // Half covered is half ink, channel by channel.
    let half = RgbaImage::from_pixel(4, 4, Rgba([200, 30, 30, 128]));
    let page_of_half = page(&encode(half, PNG)).image;
    assert_near(
        *page_of_half.get_pixel(0, 0),
        [227, 142, 142],
        1,
        "half covered",
    );

    // A white page with transparent edges brings its own paper.
    let framed: GrayAlphaImage = ImageBuffer::from_fn(20, 20, |x, _| match x {
        0 => LumaA([0, 0]),
        8..12 => LumaA([0, 255]),
        _ => LumaA([255, 255]),
    });
    let framed = page(&encode(framed, PNG)).image;
    assert_eq!(framed.get_pixel(0, 5).0, [255; 3]);
    assert_eq!(framed.get_pixel(10, 5).0, [0; 3]);
}

#[test]
fn palettes_of_pngs_may_have_a_transparent_colour() {
    let palette = [20, 20, 160, 250, 250, 60];
    let row = [0, 0, 1, 0];
    let png = |transparent: &[(&[u8; 4], &[u8])]| {
        let chunks = [&[(b"PLTE", &palette[..])], transparent].concat();
        page(&raw_png((3, 1), 8, 3, &chunks, &row)).image.into_raw()
    };
    assert_eq!(png(&[]), [20, 20, 160, 250, 250, 60, 20, 20, 160]);
    // Light ink on nothing: the paper is black.
    assert_eq!(png(&[(b"tRNS", &[0])]), [0, 0, 0, 250, 250, 60, 0, 0, 0]);
}

/// The mean of each block of pixels, computed the plain way.
fn shrunk(picture: &RgbImage, scale: u32) -> RgbImage {
    let (width, height) = picture.dimensions();
    RgbImage::from_fn(width.div_ceil(scale), height.div_ceil(scale), |x, y| {
        let (mut sums, mut count) = ([0.0; 3], 0.0);
        for v in (scale * y)..(scale * (y + 1)).min(height) {
            for u in (scale * x)..(scale * (x + 1)).min(width) {
                for (sum, &level) in sums.iter_mut().zip(&picture.get_pixel(u, v).0) {
                    *sum += f64::from(level);
                }
                count += 1.0;
            }
        }
        Rgb(sums.map(|sum: f64| (sum / count).round() as u8))
    })
}

#[test]
fn large_pictures_are_shrunk_by_a_whole_factor() {
    let mut random = random();
    for (width, height, scale) in [
        (1200, 40, 1),
        (1201, 40, 2),
        (37, 2400, 2),
        (37, 2401, 3),
        (9001, 3, 8),
    ] {
        let picture = RgbImage::from_fn(width, height, |_, _| {
            Rgb([random(256) as u8, random(256) as u8, random(256) as u8])
        });
        let page = page(&encode(picture.clone(), PNG));
        assert_eq!(page.scale, scale, "{width}x{height}");
        assert!(page.image == shrunk(&picture, scale), "{width}x{height}");
    }
}

#[test]
fn the_extension_does_not_matter() {
    let folder = tempfile::tempdir().unwrap();
    let digit = crate::common::digits(1)[0];
    for (name, format) in [
        ("seven.jpg", PNG),
        ("seven.png", ImageFormat::Bmp),
        ("seven.gif", ImageFormat::WebP),
        ("seven.txt", ImageFormat::Tiff),
        ("seven", ImageFormat::Pnm),
    ] {
        let path = folder.path().join(name);
        let mut bytes = Cursor::new(Vec::new());
        let picture = DynamicImage::from(crate::common::picture(&digit));
        picture.write_to(&mut bytes, format).unwrap();
        std::fs::write(&path, bytes.into_inner()).unwrap();
        let read = mnistctl::ink::read(&path).unwrap();
        assert!(read.candidates()[0].pixels == digit, "{name}");
    }
}

#[test]
fn floats_beyond_the_range_are_black_or_white() {
    let floats = Rgb32FImage::from_raw(1, 2, vec![-1.0, 0.0, f32::NAN, 0.5, 1.0, 9.0]).unwrap();
    let page = page(&encode(floats, ImageFormat::Tiff)).image;
    assert_eq!(page.into_raw(), [0, 0, 0, 128, 255, 255]);
}
