//! Digits in rows, as one PNG.

use image::ExtendedColorType;
use plotters::prelude::{BitMapBackend, IntoDrawingArea};
use plotters::style::text_anchor::{HPos, VPos};

use super::{PNG_SCALE, PictureError, SCALE, halved, palette, png, text};
use crate::dataset::{PIXELS, SIDE};

/// A digit's side in the picture, in CSS pixels, and the room around it.
const DIGIT: i32 = 56;
const GAP: i32 = 8;
const CAPTION: i32 = 18;
/// The least room for the word before a row.
const NAME: i32 = 28;

/// One digit of a [`Gallery`].
#[derive(Debug, Clone, PartialEq)]
pub struct Thumbnail {
    /// 784 bytes: 0 is paper, 255 is ink.
    pub pixels: Vec<u8>,
    /// A few letters below it; may be empty.
    pub caption: String,
}

/// Digits in rows, from left to right and from top to bottom.
#[derive(Debug, Clone, PartialEq)]
pub struct Gallery {
    pub thumbnails: Vec<Thumbnail>,
    pub columns: usize,
    /// A word before each row, or nothing.
    pub row_names: Vec<String>,
}

impl Gallery {
    /// Draws all digits, dark on light.
    pub fn png(&self) -> Result<Vec<u8>, PictureError> {
        let problem = |problem: String| PictureError {
            title: "gallery of digits".to_string(),
            problem,
        };
        let captions = self
            .thumbnails
            .iter()
            .any(|thumbnail| !thumbnail.caption.is_empty());
        let names = self.row_names.iter();
        let widest = names.map(|name| text::width(name, text::SMALL)).max();
        let left = widest.map_or(GAP, |widest| NAME.max(widest + 2 * GAP));
        let caption = if captions { CAPTION } else { 0 };
        let widest = self
            .thumbnails
            .iter()
            .map(|thumbnail| text::width(&thumbnail.caption, text::SMALL));
        let column = DIGIT.max(widest.max().unwrap_or(0)) + GAP;
        let row = DIGIT + caption + GAP;
        let columns = self.columns.clamp(1, self.thumbnails.len().max(1));
        let rows = self.thumbnails.len().div_ceil(columns).max(1);
        let size = (
            ((left + columns as i32 * column) * SCALE) as u32,
            ((GAP + rows as i32 * row) * SCALE) as u32,
        );

        // The text first, and the digits into the halved picture, where their pixels stay sharp.
        let mut pixels = vec![0xFF; (size.0 * size.1 * 3) as usize];
        let corner = |index: usize| {
            let (x, y) = ((index % columns) as i32, (index / columns) as i32);
            (
                left + x * column + (column - GAP - DIGIT) / 2,
                GAP + y * row,
            )
        };
        let mut draw = || {
            text::register();
            let backend = BitMapBackend::with_buffer(&mut pixels, size);
            let area = backend.into_drawing_area();
            let style = text::style(text::SMALL, palette::INK, HPos::Center, VPos::Center);
            for (index, thumbnail) in self.thumbnails.iter().enumerate() {
                let (x, y) = corner(index);
                let place = (x + DIGIT / 2, y + DIGIT + CAPTION / 2);
                area.draw_text(
                    &thumbnail.caption,
                    &style,
                    (place.0 * SCALE, place.1 * SCALE),
                )?;
            }
            for (index, name) in self.row_names.iter().enumerate().take(rows) {
                let y = GAP + index as i32 * row + DIGIT / 2;
                area.draw_text(name, &style, (left / 2 * SCALE, y * SCALE))?;
            }
            area.present()
        };
        draw().map_err(|error| problem(error.to_string()))?;
        let (mut pixels, size) = halved(&pixels, size);
        let scale = PNG_SCALE as usize;
        for (index, thumbnail) in self.thumbnails.iter().enumerate() {
            let (x, y) = corner(index);
            let corner = (x as usize * scale, y as usize * scale);
            paint(&mut pixels, size.0 as usize, corner, &thumbnail.pixels);
        }
        png(&pixels, size, ExtendedColorType::Rgb8).map_err(problem)
    }
}

/// Paints a digit, enlarged by whole pixels, with its upper left corner at `(x, y)`.
fn paint(picture: &mut [u8], width: usize, (x, y): (usize, usize), digit: &[u8]) {
    let side = DIGIT as usize * PNG_SCALE as usize;
    for row in 0..side {
        for column in 0..side {
            let ink = digit[row * SIDE / side * SIDE + column * SIDE / side];
            let at = ((y + row) * width + x + column) * 3;
            picture[at..at + 3].fill(0xFF - ink);
        }
    }
}

/// One digit as a PNG of 28 x 28 grey pixels, dark on light.
pub fn digit_png(pixels: &[u8]) -> Result<Vec<u8>, PictureError> {
    debug_assert_eq!(pixels.len(), PIXELS);
    let paper: Vec<u8> = pixels.iter().map(|ink| 0xFF - ink).collect();
    let size = (SIDE as u32, SIDE as u32);
    png(&paper, size, ExtendedColorType::L8).map_err(|problem| PictureError {
        title: "digit".to_string(),
        problem,
    })
}
