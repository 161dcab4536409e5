//! A decoded picture -> an 8-bit RGB page: laid on paper, and shrunk by a whole factor.
//!
//! It reads the decoder's own pixels, so that no second picture of full size is ever made.

use image::{DynamicImage, ImageBuffer, Pixel, RgbImage};
use rayon::prelude::*;

use super::tiff::Palette;

/// Rows of fewer pixels in all are not worth another thread.
const MIN_PIXELS: usize = 1 << 16;

/// Red, green, blue and alpha.
type Rgba = [u8; 4];

/// Makes each `scale` x `scale` pixels of a picture one of the page, by their mean; at the right
/// and the bottom, of as many as there are.
pub fn shrink(picture: DynamicImage, palette: Option<&Palette>, scale: u32) -> RgbImage {
    use DynamicImage as D;
    let scale = scale as usize;
    match (palette, picture) {
        (Some(colors), D::ImageLuma8(picture)) => opaque(&picture, scale, |p| {
            let [r, g, b] = colors[usize::from(p[0])];
            [r, g, b, 255]
        }),
        (_, D::ImageLuma8(picture)) => opaque(&picture, scale, |p| [p[0], p[0], p[0], 255]),
        (_, D::ImageRgb8(picture)) => opaque(&picture, scale, |p| [p[0], p[1], p[2], 255]),
        (_, D::ImageLuma16(picture)) => opaque(&picture, scale, |p| {
            let level = from_16(p[0]);
            [level, level, level, 255]
        }),
        (_, D::ImageRgb16(picture)) => opaque(&picture, scale, |p| {
            [from_16(p[0]), from_16(p[1]), from_16(p[2]), 255]
        }),
        (_, D::ImageRgb32F(picture)) => opaque(&picture, scale, |p| {
            [from_float(p[0]), from_float(p[1]), from_float(p[2]), 255]
        }),
        (_, D::ImageLumaA8(picture)) => on_paper(&picture, scale, |p| [p[0], p[0], p[0], p[1]]),
        (_, D::ImageRgba8(picture)) => on_paper(&picture, scale, |p| [p[0], p[1], p[2], p[3]]),
        (_, D::ImageLumaA16(picture)) => on_paper(&picture, scale, |p| {
            let level = from_16(p[0]);
            [level, level, level, from_16(p[1])]
        }),
        (_, D::ImageRgba16(picture)) => on_paper(&picture, scale, |p| {
            [from_16(p[0]), from_16(p[1]), from_16(p[2]), from_16(p[3])]
        }),
        // 32-bit floats, and whatever a later `image` may add.
        (_, other) => on_paper(&other.into_rgba32f(), scale, |p| {
            [
                from_float(p[0]),
                from_float(p[1]),
                from_float(p[2]),
                from_float(p[3]),
            ]
        }),
    }
}

/// The nearest 8-bit level.
fn from_16(level: u16) -> u8 {
    ((u32::from(level) + 128) / 257) as u8
}

/// The nearest 8-bit level of what is black at 0 and white at 1. Nothing that is not a number gets
/// through a cast.
fn from_float(level: f32) -> u8 {
    (level * 255.0).round() as u8
}

fn opaque<P: Pixel<Subpixel: Sync>>(
    picture: &ImageBuffer<P, Vec<P::Subpixel>>,
    scale: usize,
    color: impl Fn(&[P::Subpixel]) -> Rgba + Sync,
) -> RgbImage {
    average(picture, scale, |p| {
        let [r, g, b, _] = color(p);
        [r, g, b]
    })
}

/// Lays a transparent picture on paper: white, or black when the ink is light.
///
/// The ink is what is drawn on a mostly transparent ground. A mostly opaque picture brings its own
/// paper, so white goes behind it.
fn on_paper<P: Pixel<Subpixel: Sync>>(
    picture: &ImageBuffer<P, Vec<P::Subpixel>>,
    scale: usize,
    color: impl Fn(&[P::Subpixel]) -> Rgba + Sync,
) -> RgbImage {
    let channels = usize::from(P::CHANNEL_COUNT);
    let (coverage, light) = picture
        .as_raw()
        .par_chunks(MIN_PIXELS * channels)
        .map(|pixels| {
            let (mut coverage, mut light) = (0_u64, 0_u64);
            for pixel in pixels.chunks_exact(channels) {
                let [r, g, b, alpha] = color(pixel).map(u64::from);
                coverage += alpha;
                // Rec. 709, in ten-thousandths.
                light += alpha * (2126 * r + 7152 * g + 722 * b);
            }
            (coverage, light)
        })
        .reduce(|| (0, 0), |a, b| (a.0 + b.0, a.1 + b.1));
    let pixels = u64::from(picture.width()) * u64::from(picture.height());
    let mostly_transparent = coverage < pixels * 255 / 2;
    let light_ink = light > coverage * 1_270_000;
    let paper = if mostly_transparent && light_ink {
        0
    } else {
        255
    };

    average(picture, scale, |p| {
        let [r, g, b, alpha] = color(p).map(u32::from);
        // At most 255, so the cast cannot cut.
        [r, g, b].map(|level| ((level * alpha + paper * (255 - alpha) + 127) / 255) as u8)
    })
}

fn average<P: Pixel<Subpixel: Sync>>(
    picture: &ImageBuffer<P, Vec<P::Subpixel>>,
    scale: usize,
    color: impl Fn(&[P::Subpixel]) -> [u8; 3] + Sync,
) -> RgbImage {
    let channels = usize::from(P::CHANNEL_COUNT);
    let (width, height) = (picture.width() as usize, picture.height() as usize);
    let row_length = width * channels;
    let (page_width, page_height) = (width.div_ceil(scale), height.div_ceil(scale));
    let mut page = vec![0; page_width * page_height * 3];
    page.par_chunks_exact_mut(page_width * 3)
        .zip(picture.as_raw().par_chunks(row_length * scale))
        .with_min_len((MIN_PIXELS / (width * scale)).max(1))
        .for_each_init(
            || vec![[0_u32; 3]; page_width],
            |sums, (to, rows)| {
                if scale == 1 {
                    for (to, from) in to.chunks_exact_mut(3).zip(rows.chunks_exact(channels)) {
                        to.copy_from_slice(&color(from));
                    }
                    return;
                }
                sums.fill([0; 3]);
                for row in rows.chunks_exact(row_length) {
                    for (sum, pixels) in sums.iter_mut().zip(row.chunks(scale * channels)) {
                        for pixel in pixels.chunks_exact(channels) {
                            let color = color(pixel);
                            for (sum, level) in sum.iter_mut().zip(color) {
                                *sum += u32::from(level);
                            }
                        }
                    }
                }
                let rows = rows.len() / row_length;
                for (x, (to, sum)) in to.chunks_exact_mut(3).zip(sums).enumerate() {
                    let columns = scale.min(width - x * scale);
                    let count = (rows * columns) as u32;
                    for (to, sum) in to.iter_mut().zip(sum) {
                        *to = ((*sum + count / 2) / count) as u8;
                    }
                }
            },
        );
    RgbImage::from_raw(page_width as u32, page_height as u32, page).expect("it has this many bytes")
}
