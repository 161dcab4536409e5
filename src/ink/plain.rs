//! A picture of something that is no digit -> 28x28 pixels, the plain way: nothing is looked for in it.

use image::imageops::{self, FilterType};
use image::{GrayImage, Luma, RgbImage};

use super::{Digit, SIDE};

/// Grey, light on dark, and scaled so that its longer side has 28 pixels, with the border's level
/// beside its shorter one. A picture of 28x28 pixels only becomes grey.
pub fn plain(page: &RgbImage) -> Digit {
    let mut grey = imageops::grayscale(page);
    let side = SIDE as u32;
    if grey.dimensions() != (side, side) {
        let mut level = border(&grey);
        if level > 127 {
            imageops::invert(&mut grey);
            level = 255 - level;
        }
        grey = fitted(&grey, level);
    }
    let mut pixels = [0; SIDE * SIDE];
    pixels.copy_from_slice(grey.as_raw());
    Digit { pixels }
}

/// The median level of the outermost pixels: that of what is behind things, mostly.
fn border(grey: &GrayImage) -> u8 {
    let (right, bottom) = (grey.width() - 1, grey.height() - 1);
    let is_border = |x, y| x == 0 || y == 0 || x == right || y == bottom;
    let levels = grey
        .enumerate_pixels()
        .filter(|(x, y, _)| is_border(*x, *y));
    let mut levels: Vec<u8> = levels.map(|(_, _, level)| level.0[0]).collect();
    let middle = levels.len() / 2;
    *levels.select_nth_unstable(middle).1
}

/// Scaled as PyTorch's `Resize` does it, linearly over all pixels that one is made of.
fn fitted(grey: &GrayImage, level: u8) -> GrayImage {
    let longest = f64::from(grey.width().max(grey.height()));
    let scaled = |length: u32| (f64::from(length) * SIDE as f64 / longest).round() as u32;
    let (width, height) = (scaled(grey.width()).max(1), scaled(grey.height()).max(1));
    let small = imageops::resize(grey, width, height, FilterType::Triangle);
    let side = SIDE as u32;
    let mut square = GrayImage::from_pixel(side, side, Luma([level]));
    let place = ((side - width) / 2, (side - height) / 2);
    imageops::replace(&mut square, &small, place.0.into(), place.1.into());
    square
}

#[cfg(test)]
mod tests {
    use super::*;
    use image::Rgb;

    #[test]
    fn a_small_picture_stays_and_a_large_one_becomes_light_on_dark() {
        let small = RgbImage::from_fn(28, 28, |x, y| Rgb([(x * 9 + y % 3) as u8; 3]));
        let levels: Vec<u8> = small.pixels().map(|pixel| pixel.0[0]).collect();
        assert_eq!(plain(&small).pixels[..], levels[..]);

        // A dark bar on white, 56 wide and 28 high: 28 x 14 in the middle.
        let page = RgbImage::from_fn(56, 28, |x, _| match x {
            20..36 => Rgb([0; 3]),
            _ => Rgb([255; 3]),
        });
        let pixels = plain(&page).pixels;
        let at = |x: usize, y: usize| pixels[y * SIDE + x];
        assert_eq!(
            [at(13, 6), at(13, 7), at(13, 20), at(13, 21)],
            [0, 255, 255, 0]
        );
        assert_eq!(
            [at(8, 14), at(11, 14), at(16, 14), at(19, 14)],
            [0, 255, 255, 0]
        );
        // Black on one pixel, and one pixel high: nothing to divide by.
        plain(&RgbImage::new(1, 1));
        plain(&RgbImage::new(3000, 1));
    }
}
