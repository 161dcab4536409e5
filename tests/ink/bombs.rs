//! Small files that claim, or unfold to, more than fits into memory or time.

use std::io::Write;
use std::time::{Duration, Instant};

use flate2::Compression;
use flate2::write::ZlibEncoder;
use mnistctl::ink::decode::{MAX_MEMORY, memory};

use crate::bad_files::rle_bmp;
use crate::common::{file, grey_tiff, raw_png, raw_tiff, raw_webp, try_page};

/// The header of a GIF with two colours, and of its first frame.
fn gif(canvas: u16, frame: u16) -> Vec<u8> {
    let mut gif = b"GIF89a".to_vec();
    gif.extend([canvas.to_le_bytes(), canvas.to_le_bytes()].concat());
    gif.extend([0x80, 0, 0, 0, 0, 0, 255, 255, 255, b',', 0, 0, 0, 0]);
    gif.extend([frame.to_le_bytes(), frame.to_le_bytes()].concat());
    gif.extend([0, 2, 2, 0x44, 1, 0, b';']);
    gif
}

fn bmp(width: i32, height: i32) -> Vec<u8> {
    let mut bmp = rle_bmp(1, 1);
    bmp[18..22].copy_from_slice(&width.to_le_bytes());
    bmp[22..26].copy_from_slice(&height.to_le_bytes());
    bmp
}

/// A JPEG whose frame header has other sides.
fn jpeg(width: u16, height: u16) -> Vec<u8> {
    let mut jpeg = file("rgb.jpg");
    let frame = jpeg
        .windows(2)
        .position(|pair| pair == [0xFF, 0xC0])
        .unwrap();
    jpeg[frame + 5..frame + 7].copy_from_slice(&height.to_be_bytes());
    jpeg[frame + 7..frame + 9].copy_from_slice(&width.to_be_bytes());
    jpeg
}

/// A lossy WebP's image, of which only the header is there.
fn vp8(width: u16, height: u16) -> Vec<u8> {
    let mut vp8 = vec![0x10, 0, 0, 0x9D, 0x01, 0x2A];
    vp8.extend([width.to_le_bytes(), height.to_le_bytes()].concat());
    vp8.resize(1000, 0);
    vp8
}

fn zeros(count: usize) -> Vec<u8> {
    let mut zlib = ZlibEncoder::new(Vec::new(), Compression::best());
    let chunk = vec![0; 1 << 20];
    for _ in 0..count >> 20 {
        zlib.write_all(&chunk).unwrap();
    }
    zlib.finish().unwrap()
}

#[test]
fn sizes_that_no_memory_holds_are_refused_at_once() {
    let canvas = |side: u32, image: &[u8]| {
        let side = (side - 1).to_le_bytes();
        let header = [&[0; 4], &side[..3], &side[..3]].concat();
        raw_webp(&[(b"VP8X", &header), (b"VP8 ", image)])
    };
    let cases = [
        (
            "PNG",
            raw_png((100_000, 100_000), 8, 0, &[], &[]),
            "is too large, 100000x100000",
        ),
        (
            "a heavy PNG",
            raw_png((19_900, 19_900), 8, 2, &[], &[]),
            "is too large, 19900x19900",
        ),
        ("JPEG", jpeg(65_535, 65_535), "is too large, 65535x65535"),
        ("GIF", gif(65_535, 1), "is too large, 65535x65535"),
        ("a GIF's frame", gif(28, 65_535), "larger than the picture"),
        ("BMP", bmp(60_000, 60_000), "is too large, 60000x60000"),
        (
            "a BMP of 100,000",
            bmp(100_000, 100_000),
            "is a damaged picture (Image too large",
        ),
        (
            "WebP",
            raw_webp(&[(b"VP8 ", &vp8(16_383, 16_383))]),
            "is too large, 16383x16383",
        ),
        (
            "a WebP's canvas",
            canvas(1 << 24, &vp8(28, 28)),
            "is a damaged picture (",
        ),
        (
            "a WebP's frame",
            canvas(28, &vp8(16_383, 16_383)),
            "larger than the picture",
        ),
        (
            "PNM",
            b"P5 100000 100000 255\n".to_vec(),
            "is too large, 100000x100000",
        ),
        (
            "plain PNM",
            b"P3 99999 99999 255\n1".to_vec(),
            "is too large, 99999x99999",
        ),
        (
            "PAM",
            b"P7\nWIDTH 100000\nHEIGHT 100000\nDEPTH 4\nMAXVAL 255\nTUPLTYPE RGB_ALPHA\nENDHDR\n"
                .to_vec(),
            "is too large, 100000x100000",
        ),
        (
            "TIFF",
            raw_tiff(&grey_tiff(100_000, 100_000, 1, 9), &[]),
            "is too large, 100000x100000",
        ),
    ];
    for (context, bytes, words) in cases {
        let began = Instant::now();
        let error = try_page(&bytes).map(|_| context).unwrap_err().to_string();
        assert!(error.contains(words), "{context}: {error}");
        assert!(began.elapsed() < Duration::from_millis(100), "{context}");
        assert_eq!(memory(&bytes), 0, "{context}");
    }
}

#[test]
fn pictures_without_pixels_are_refused() {
    let vp8x = [0; 10];
    for (context, bytes) in [
        ("PNG", raw_png((0, 9), 8, 0, &[], &[])),
        ("JPEG", jpeg(0, 9)),
        ("GIF", gif(0, 0)),
        ("BMP", bmp(0, 9)),
        ("WebP", raw_webp(&[(b"VP8 ", &vp8(0, 9))])),
        ("WebP without an image", raw_webp(&[(b"VP8X", &vp8x)])),
        ("PNM", b"P5 0 9 255\n".to_vec()),
        ("TIFF", raw_tiff(&grey_tiff(0, 9, 1, 0), &[])),
    ] {
        let error = try_page(&bytes).map(|_| context).unwrap_err().to_string();
        let expected = ["is a damaged picture (", "can't be read ("];
        assert!(
            expected.iter().any(|words| error.contains(words)),
            "{context}: {error}"
        );
    }
}

/// What is inflated beside the picture is either not looked at, or bounded.
#[test]
fn what_unfolds_beside_a_picture_does_no_harm() {
    let gigabyte = zeros(1 << 30);
    let text = [b"a\0\0", &gigabyte[..]].concat();
    let xmp = [b"XML:com.adobe.xmp\0\x01\0\0\0", &gigabyte[..]].concat();
    for (kind, data) in [(b"zTXt", &text), (b"iCCP", &text), (b"iTXt", &xmp)] {
        let png = raw_png((1, 1), 8, 0, &[(kind, data)], &[0, 9]);
        assert_eq!(try_page(&png).unwrap().image.into_raw(), [9; 3]);
    }
    let mut exif = b"II*\0".to_vec();
    exif.extend([0xFF; 4]);
    let mut webp = raw_webp(&[
        (b"VP8X", &[8, 0, 0, 0, 27, 0, 0, 27, 0, 0]),
        (b"EXIF", &exif),
    ]);
    let size = webp.len() - exif.len() - 4;
    webp[size..size + 4].copy_from_slice(&0xFFFF_FFF0_u32.to_le_bytes());
    let error = try_page(&webp).unwrap_err().to_string();
    assert!(error.contains("is cut off"), "{error}");
}

#[test]
fn tiffs_are_not_believed() {
    let bomb = zeros(1 << 28);
    // More data than the picture has pixels for.
    let tiff = raw_tiff(&grey_tiff(10, 10, 8, bomb.len()), &bomb);
    assert_eq!(try_page(&tiff).unwrap().image.dimensions(), (10, 10));

    let mut strips = grey_tiff(100, 100, 1, 9);
    strips[5].2 = 100_000_000;
    let mut tiles = grey_tiff(10, 10, 8, 9);
    tiles[5] = (322, 4, 1, 2_000_000_000);
    // A JPEG inside that is larger than the picture.
    let inner = jpeg(16_000, 16_000);
    let jpeg_inside = raw_tiff(&grey_tiff(30, 20, 7, inner.len()), &inner);
    for (context, bytes) in [
        ("strips", raw_tiff(&strips, &[])),
        ("tiles", raw_tiff(&tiles, &bomb)),
        ("a JPEG inside", jpeg_inside),
    ] {
        let error = try_page(&bytes).map(|_| context).unwrap_err().to_string();
        assert!(
            error.contains("is a damaged picture ("),
            "{context}: {error}"
        );
    }
}

#[test]
fn a_jpeg_is_not_drawn_a_thousand_times_over() {
    let progressive = file("rgb-progressive.jpg");
    let end = progressive.len() - 2;
    // Another look at the first five coefficients of the first component, without data.
    let scan = [0xFF, 0xDA, 0, 8, 1, 1, 0, 1, 5, 0, 0, 0];
    let with_scans = |count: usize| {
        [
            &progressive[..end],
            &scan.repeat(count),
            &progressive[end..],
        ]
        .concat()
    };
    assert!(try_page(&with_scans(3)).is_ok());
    let error = try_page(&with_scans(5000)).unwrap_err().to_string();
    assert!(error.contains("times over"), "{error}");
}

#[test]
fn a_pam_without_an_end_is_not_collected() {
    let mut pam = b"P7\nTUPLTYPE ".to_vec();
    pam.resize(1 << 20, b'A');
    let error = try_page(&pam).unwrap_err().to_string();
    assert!(error.contains("its header has no end"), "{error}");
}

#[test]
fn the_estimate_covers_the_picture() {
    let png = raw_png((4000, 3000), 8, 2, &[], &[]);
    // The decoded picture, or what is made of its page.
    assert!((36_000_000..200_000_000).contains(&memory(&png)));
    let small = file("rgb.jpg");
    assert!(memory(&small) < 100_000);
    assert_eq!(memory(b"seven"), 0);
    // The largest that is read at all.
    let largest = raw_png((9_400, 9_400), 8, 2, &[], &[]);
    assert!(memory(&largest) > 250_000_000 && memory(&largest) <= MAX_MEMORY);
}
