//! What the formats of picture files do to a picture.

use std::io::Cursor;

use image::codecs::pnm::{PnmEncoder, PnmSubtype, SampleEncoding};
use image::{ColorType, DynamicImage, ImageFormat, Luma, Rgba};
use image::{GrayAlphaImage, ImageBuffer, RgbaImage};

use crate::pictures::file::{self, colour, encode, encoded, grey};
use crate::pictures::page::{luminance, rgb};
use crate::pictures::random::Random;
use crate::pictures::shape::Shape;

use super::{Written, pen, sized, usual_size};

/// Small pictures suffer most from a low quality.
pub fn jpeg(shape: &Shape, random: &mut Random) -> Vec<u8> {
    let size = random.log_within(60.0..400.0);
    let size = sized(size, random);
    let written = Written::on_white(size, shape, random);
    file::jpeg(&written.page, random.whole(30..96) as u8)
}

/// Nothing but ink: what a drawing program exports without its background, dark or light.
pub fn transparent(shape: &Shape, random: &mut Random) -> Vec<u8> {
    let size = random.log_within(60.0..500.0);
    let (width, height) = sized(size, random);
    let scale = random.within(0.4..0.8) * width.min(height) as f32 / 20.0;
    let mask = shape.mask(pen(random), scale);
    let light = random.chance(0.4);
    let ink = if light {
        rgb(random.one_of(&[0xffffff, 0xf0f0f0, 0xffe664, 0xb4f0ff]))
    } else {
        rgb(random.one_of(&[0x000000, 0x202020, 0x1e3296, 0x961e28]))
    };
    let ink = ink.map(file::srgb);
    // Programs differ in what they leave where nothing shows: black, white or the ink's colour.
    let below = random.one_of(&[[0; 3], [255; 3], ink]);
    let mut image = RgbaImage::from_pixel(
        width as u32,
        height as u32,
        Rgba([below[0], below[1], below[2], 0]),
    );
    let left = random.whole(0..width - mask.ink.width + 1);
    let top = random.whole(0..height - mask.ink.height + 1);
    for y in 0..mask.ink.height {
        for x in 0..mask.ink.width {
            let alpha = (255.0 * mask.ink.at(x, y) + 0.5) as u8;
            if alpha > 0 {
                let pixel = Rgba([ink[0], ink[1], ink[2], alpha]);
                image.put_pixel((left + x) as u32, (top + y) as u32, pixel);
            }
        }
    }
    if random.chance(0.2) {
        let grey = image.pixels().flat_map(|pixel| {
            let Luma([value]) = image::Pixel::to_luma(pixel);
            [value, pixel.0[3]]
        });
        let grey = GrayAlphaImage::from_raw(width as u32, height as u32, grey.collect());
        return encode(grey.expect("two bytes a pixel"), ImageFormat::Png);
    }
    encode(image, ImageFormat::Png)
}

/// The same scans in the formats that are neither JPEG nor an 8-bit PNG.
pub fn other_formats(shape: &Shape, random: &mut Random) -> Vec<u8> {
    let size = usual_size(random);
    let page = Written::on_white(size, shape, random).page;
    let (width, height) = (page.width as u32, page.height as u32);
    let sixteen = |value: f32| (65535.0 * encoded(value) + 0.5) as u16;
    match random.whole(0..11) {
        0 => {
            let values = page.pixels.iter().map(|pixel| sixteen(luminance(*pixel)));
            let image: Option<ImageBuffer<Luma<u16>, Vec<u16>>> =
                ImageBuffer::from_raw(width, height, values.collect());
            encode(image.expect("a value a pixel"), ImageFormat::Png)
        }
        1 => {
            let values = page.pixels.iter().flat_map(|pixel| pixel.map(sixteen));
            let image: Option<ImageBuffer<image::Rgb<u16>, Vec<u16>>> =
                ImageBuffer::from_raw(width, height, values.collect());
            encode(image.expect("three values a pixel"), ImageFormat::Png)
        }
        2 => encode(grey(&page), ImageFormat::Png),
        // A palette of at most 256 colours.
        3 | 4 => encode(colour(&page), ImageFormat::Gif),
        5 => encode(colour(&page), ImageFormat::Bmp),
        6 | 7 => encode(colour(&page), ImageFormat::WebP),
        8 => encode(colour(&page), ImageFormat::Tiff),
        9 => pnm(
            DynamicImage::from(grey(&page)),
            PnmSubtype::Graymap(SampleEncoding::Binary),
        ),
        _ => pnm(
            DynamicImage::from(colour(&page)),
            random.one_of(&[
                PnmSubtype::Pixmap(SampleEncoding::Binary),
                PnmSubtype::Pixmap(SampleEncoding::Ascii),
            ]),
        ),
    }
}

fn pnm(image: DynamicImage, subtype: PnmSubtype) -> Vec<u8> {
    let mut bytes = Cursor::new(Vec::new());
    let mut encoder = PnmEncoder::new(&mut bytes).with_subtype(subtype);
    let (width, height) = (image.width(), image.height());
    let colour: ColorType = image.color();
    let written = encoder.encode(image.as_bytes(), width, height, colour.into());
    written.expect("the subtype takes such pixels");
    drop(encoder);
    bytes.into_inner()
}
