//! A decoded picture -> an 8-bit RGB page: laid on paper, and shrunk by a whole factor.
//!
//! It reads the decoder's own pixels, so that no second picture of full size is ever made.

use image::{DynamicImage, ImageBuffer, Pixel, RgbImage};
use rayon::prelude::*;

use super::tiff::Palette;

/// Another thread is not worth starting for rows with fewer pixels in all.
const MIN_PIXELS: usize = 1 << 16;

/// Makes each block of `scale` x `scale` pixels of a picture one pixel of the page, their mean; at
/// the right and the bottom edge, blocks may be smaller.
pub fn shrink(picture: DynamicImage, palette: Option<&Palette>, scale: u32) -> RgbImage {
    use DynamicImage as D;
    let scale = scale as usize;
    match (palette, picture) {
        (Some(colors), D::ImageLuma8(picture)) => average(&picture, scale, |row, to| {
            convert(row, to, |&[index]: &[u8; 1]| colors[usize::from(index)]);
        }),
        (_, D::ImageLuma8(picture)) => average(&picture, scale, |row, to| {
            convert(row, to, |&[level]: &[u8; 1]| [level; 3]);
        }),
        (_, D::ImageRgb8(picture)) => average(&picture, scale, |row, to| {
            to.copy_from_slice(row);
        }),
        (_, D::ImageLuma16(picture)) => average(&picture, scale, |row, to| {
            convert(row, to, |&[level]: &[u16; 1]| [from_16(level); 3]);
        }),
        (_, D::ImageRgb16(picture)) => average(&picture, scale, |row, to| {
            convert(row, to, |color: &[u16; 3]| color.map(from_16));
        }),
        (_, D::ImageRgb32F(picture)) => average(&picture, scale, |row, to| {
            convert(row, to, |color: &[f32; 3]| color.map(from_float));
        }),
        (_, D::ImageLumaA8(picture)) => on_paper(&picture, scale, |&[l, a]: &[u8; 2]| [l, l, l, a]),
        (_, D::ImageRgba8(picture)) => on_paper(&picture, scale, |&color: &[u8; 4]| color),
        (_, D::ImageLumaA16(picture)) => on_paper(&picture, scale, |color: &[u16; 2]| {
            let [level, alpha] = color.map(from_16);
            [level, level, level, alpha]
        }),
        (_, D::ImageRgba16(picture)) => {
            on_paper(&picture, scale, |color: &[u16; 4]| color.map(from_16))
        }
        // 32-bit floats, and whatever a later `image` may add.
        (_, other) => on_paper(&other.into_rgba32f(), scale, |color: &[f32; 4]| {
            color.map(from_float)
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

/// A row's pixels, one by one.
fn convert<S, const N: usize>(row: &[S], to: &mut [u8], color: impl Fn(&[S; N]) -> [u8; 3]) {
    let (pixels, _) = row.as_chunks::<N>();
    let (to, _) = to.as_chunks_mut::<3>();
    for (to, pixel) in to.iter_mut().zip(pixels) {
        *to = color(pixel);
    }
}

/// Lays a transparent picture on paper: white, or black when the ink is light. `color` gives red,
/// green, blue and alpha.
///
/// The ink is what is drawn on a mostly transparent ground. A mostly opaque picture brings its own
/// paper, so white goes behind it.
fn on_paper<P: Pixel<Subpixel: Sync>, const N: usize>(
    picture: &ImageBuffer<P, Vec<P::Subpixel>>,
    scale: usize,
    color: impl Fn(&[P::Subpixel; N]) -> [u8; 4] + Sync,
) -> RgbImage {
    let sums = picture.as_raw().par_chunks(MIN_PIXELS * N).map(|pixels| {
        let (mut coverage, mut light) = (0_u64, 0_u64);
        for pixel in pixels.as_chunks::<N>().0 {
            let [r, g, b, alpha] = color(pixel).map(u32::from);
            coverage += u64::from(alpha);
            // Rec. 709, in ten-thousandths.
            light += u64::from(alpha * (2126 * r + 7152 * g + 722 * b));
        }
        (coverage, light)
    });
    let (coverage, light) = sums.reduce(|| (0, 0), |a, b| (a.0 + b.0, a.1 + b.1));
    let pixels = u64::from(picture.width()) * u64::from(picture.height());
    let mostly_transparent = coverage < pixels * 255 / 2;
    let light_ink = light > coverage * 1_270_000;
    let paper = if mostly_transparent && light_ink {
        0
    } else {
        255
    };

    average(picture, scale, |row, to| {
        convert(row, to, |pixel| {
            let [r, g, b, alpha] = color(pixel).map(u32::from);
            // At most 255, so the cast cannot cut.
            [r, g, b].map(|level| ((level * alpha + paper * (255 - alpha) + 127) / 255) as u8)
        });
    })
}

/// The page of a picture; `convert` turns one row at a time into RGB bytes.
fn average<P: Pixel<Subpixel: Sync>>(
    picture: &ImageBuffer<P, Vec<P::Subpixel>>,
    scale: usize,
    convert: impl Fn(&[P::Subpixel], &mut [u8]) + Sync,
) -> RgbImage {
    let (width, height) = (picture.width() as usize, picture.height() as usize);
    let row_length = width * usize::from(P::CHANNEL_COUNT);
    let (page_width, page_height) = (width.div_ceil(scale), height.div_ceil(scale));
    let mut page = vec![0; page_width * page_height * 3];
    page.par_chunks_exact_mut(page_width * 3)
        .zip(picture.as_raw().par_chunks(row_length * scale))
        .with_min_len((MIN_PIXELS / (width * scale)).max(1))
        .for_each_init(
            || (vec![0; width * 3], vec![0; width * 3]),
            |(rgb, sums), (to, rows)| {
                if scale == 1 {
                    return convert(rows, to);
                }
                // The sums fit: no picture is so long that there are more than 257 rows.
                sums.fill(0_u16);
                for row in rows.chunks_exact(row_length) {
                    convert(row, rgb);
                    for (sum, &level) in sums.iter_mut().zip(rgb.iter()) {
                        *sum += u16::from(level);
                    }
                }
                means(sums, rows.len() / row_length, scale, to);
            },
        );
    RgbImage::from_raw(page_width as u32, page_height as u32, page).expect("it has this many bytes")
}

/// A row of the page, from the sums of `height` rows of the picture.
fn means(sums: &[u16], height: usize, scale: usize, page: &mut [u8]) {
    let (sums, _) = sums.as_chunks::<3>();
    let (page, _) = page.as_chunks_mut::<3>();
    let whole = sums.chunks_exact(scale);
    let rest = whole.remainder();
    let (page, last) = page.split_at_mut(whole.len());
    mean(whole, height * scale, page);
    if !rest.is_empty() {
        mean(std::iter::once(rest), height * rest.len(), last);
    }
}

/// Divides the totals of blocks of `count` pixels, given by their columns' sums.
fn mean<'a>(blocks: impl Iterator<Item = &'a [[u16; 3]]>, count: usize, page: &mut [[u8; 3]]) {
    // A division as a multiplication: exact, since the totals are far below 2^32 / count.
    let reciprocal = (1 << 32) / count as u64 + 1;
    for (to, block) in page.iter_mut().zip(blocks) {
        let mut totals = [count as u32 / 2; 3];
        for sum in block {
            for (total, &sum) in totals.iter_mut().zip(sum) {
                *total += u32::from(sum);
            }
        }
        // At most 255, so the cast cannot cut.
        *to = totals.map(|total| ((u64::from(total) * reciprocal) >> 32) as u8);
    }
}
