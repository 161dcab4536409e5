//! Charts as SVG text and PNG bytes, both from one description.
//!
//! Each chart says its height and draws itself on whatever plotters draws on; [`draw`] has it
//! drawn twice. All are as wide as half a desktop page or a whole phone, so that their text stays
//! readable on both.

mod axis;
mod frame;
mod gallery;
mod legend;
mod line;
mod matrix;
mod palette;
mod scatter;
mod text;

use std::path::Path;

use image::ImageEncoder;
use image::codecs::png::PngEncoder;
use plotters::coord::Shift;
use plotters::drawing::DrawingAreaErrorKind;
use plotters::prelude::{BitMapBackend, DrawingArea, DrawingBackend, IntoDrawingArea, SVGBackend};
use thiserror::Error;

pub use axis::Scale;
pub use gallery::{Gallery, Tile, digit_png};
pub use line::{LineChart, Marker, Series};
pub use matrix::MatrixChart;
pub use palette::{Dash, dark_rules};
pub use scatter::{ScatterChart, ScatterPoint};

use crate::training::files::{FileError, write_atomically};

/// The width of every chart, in CSS pixels.
const WIDTH: i32 = 480;
/// plotters places everything on whole pixels, so we draw on four to a CSS pixel.
const SCALE: i32 = 4;
/// The PNG has half of them: each of its pixels is the mean of 2 x 2, which smooths all edges.
const PNG_SCALE: u32 = SCALE as u32 / 2;

/// A picture that plotters or the PNG encoder refused to make.
#[derive(Debug, Error)]
#[error("can't draw the picture \"{title}\": {problem}")]
pub struct PictureError {
    title: String,
    problem: String,
}

/// A drawn chart.
#[derive(Debug, Clone, PartialEq)]
pub struct Picture {
    title: String,
    /// A whole SVG file, 480 CSS pixels wide.
    pub svg: String,
    /// A whole PNG file, 960 pixels wide.
    pub png: Vec<u8>,
}

impl Picture {
    /// What it shows.
    pub fn title(&self) -> &str {
        &self.title
    }

    /// Writes `NAME.svg` and `NAME.png` into a folder.
    pub fn save(&self, folder: &Path, name: &str) -> Result<(), FileError> {
        write_atomically(&folder.join(format!("{name}.svg")), self.svg.as_bytes())?;
        write_atomically(&folder.join(format!("{name}.png")), &self.png)
    }
}

/// Something that can be drawn on any of plotters' backends.
pub trait Chart {
    /// What the chart shows; stands above it.
    fn title(&self) -> &str;

    /// Its height in CSS pixels.
    fn height(&self) -> i32;

    /// Draws everything but the background. One CSS pixel is [`SCALE`] pixels of `area`.
    fn draw_on<DB: DrawingBackend>(
        &self,
        area: &DrawingArea<DB, Shift>,
    ) -> Result<(), DrawingAreaErrorKind<DB::ErrorType>>;
}

/// Draws a chart as SVG and as PNG. The same chart gives the same bytes.
pub fn draw<C: Chart>(chart: &C) -> Result<Picture, PictureError> {
    let problem = |problem: String| PictureError {
        title: chart.title().to_string(),
        problem,
    };
    let size = ((WIDTH * SCALE) as u32, (chart.height() * SCALE) as u32);

    let mut svg = String::new();
    on(chart, SVGBackend::with_string(&mut svg, size)).map_err(problem)?;

    let mut pixels = vec![0; (size.0 * size.1 * 3) as usize];
    on(chart, BitMapBackend::with_buffer(&mut pixels, size)).map_err(problem)?;
    let (pixels, size) = halved(&pixels, size);
    Ok(Picture {
        title: chart.title().to_string(),
        svg: in_css_pixels(&svg, chart.height()),
        png: png(&pixels, size, image::ExtendedColorType::Rgb8).map_err(problem)?,
    })
}

fn on<C: Chart, DB: DrawingBackend>(chart: &C, backend: DB) -> Result<(), String> {
    text::register();
    let area = backend.into_drawing_area();
    let draw = || {
        area.fill(&palette::PAPER)?;
        chart.draw_on(&area)?;
        area.present()
    };
    draw().map_err(|error| error.to_string())
}

/// Gives the picture its size in CSS pixels, in place of plotters' in drawn ones.
fn in_css_pixels(svg: &str, height: i32) -> String {
    let drawn = |side: i32| side * SCALE;
    let (width_there, height_there) = (drawn(WIDTH), drawn(height));
    svg.replacen(
        &format!("width=\"{width_there}\" height=\"{height_there}\""),
        &format!("width=\"{WIDTH}\" height=\"{height}\""),
        1,
    )
}

/// Half as wide and high, each pixel the mean of four. Both sides must be even.
fn halved(pixels: &[u8], (width, height): (u32, u32)) -> (Vec<u8>, (u32, u32)) {
    let row = width as usize * 3;
    let mut half = Vec::with_capacity(pixels.len() / 4);
    for rows in pixels.chunks_exact(2 * row) {
        let (upper, lower) = rows.split_at(row);
        for (upper, lower) in upper.chunks_exact(6).zip(lower.chunks_exact(6)) {
            for channel in 0..3 {
                let sum = [upper[channel], upper[channel + 3], lower[channel]]
                    .map(u16::from)
                    .iter()
                    .sum::<u16>()
                    + u16::from(lower[channel + 3]);
                half.push(((sum + 2) / 4) as u8);
            }
        }
    }
    (half, (width / 2, height / 2))
}

/// Encodes pixels, row by row, as a PNG file.
fn png(
    pixels: &[u8],
    (width, height): (u32, u32),
    color: image::ExtendedColorType,
) -> Result<Vec<u8>, String> {
    let mut bytes = Vec::new();
    PngEncoder::new(&mut bytes)
        .write_image(pixels, width, height, color)
        .map_err(|error| error.to_string())?;
    Ok(bytes)
}
