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
pub use gallery::{Gallery, Thumbnail, digit_png};
pub use line::{LineChart, Marker, Series};
pub use matrix::MatrixChart;
pub use palette::{Dash, dark_rules};
pub use scatter::{ScatterChart, ScatterPoint};

use crate::files::{FileError, write_atomically};

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

    /// The chart's height in CSS pixels.
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
    let size = size(chart);
    let svg = svg(chart)?;
    let mut pixels = vec![0; (size.0 * size.1 * 3) as usize];
    on(chart, BitMapBackend::with_buffer(&mut pixels, size)).map_err(problem)?;
    let (pixels, size) = halved(&pixels, size);
    Ok(Picture {
        title: chart.title().to_string(),
        svg,
        png: png(&pixels, size, image::ExtendedColorType::Rgb8).map_err(problem)?,
    })
}

/// Draws a chart as SVG only.
pub fn svg<C: Chart>(chart: &C) -> Result<String, PictureError> {
    let mut svg = String::new();
    on(chart, SVGBackend::with_string(&mut svg, size(chart))).map_err(|problem| PictureError {
        title: chart.title().to_string(),
        problem,
    })?;
    Ok(in_css_pixels(&svg, chart.height()))
}

/// Width and height as they are drawn.
fn size<C: Chart>(chart: &C) -> (u32, u32) {
    ((WIDTH * SCALE) as u32, (chart.height() * SCALE) as u32)
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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::dataset::Classes;

    fn chart() -> LineChart {
        let series = |name: &str, y: f64| Series {
            name: name.into(),
            points: (1..=30).map(|x| (f64::from(x), y)).collect(),
            dash: None,
        };
        LineChart {
            title: "a <title> & more".into(),
            x_label: "epoch".into(),
            y_label: "loss".into(),
            y_scale: Scale::Linear,
            series: vec![series("first", 1.0), series("second", 2.0)],
            markers: Vec::new(),
        }
    }

    #[test]
    fn svg_and_png_show_the_same_lines() {
        let picture = draw(&chart()).unwrap();
        let png = image::load_from_memory(&picture.png).unwrap().to_rgb8();
        assert_eq!(png.dimensions(), (960, chart().height() as u32 * 2));
        assert!(picture.svg.starts_with("<svg width=\"480\""));
        let lines = picture.svg.lines();
        for (index, colour) in ["0072B2", "D55E00"].into_iter().enumerate() {
            let line = lines
                .clone()
                .find(|line| {
                    line.contains("<polyline") && line.contains(colour) && line.len() > 300
                })
                .unwrap_or_else(|| panic!("no line of colour {colour}"));
            let points = line.split("points=\"").nth(1).unwrap();
            let points: Vec<(u32, u32)> = points
                .split_whitespace()
                .filter_map(|pair| pair.split_once(','))
                .map(|(x, y)| (x.parse().unwrap(), y.parse().unwrap()))
                .collect();
            assert_eq!(points.len(), 30);
            let (x, y) = points[15];
            let plotters::style::RGBColor(r, g, b) = palette::colour(index);
            assert_eq!(png.get_pixel(x / 2, y / 2).0, [r, g, b]);
        }
        assert!(picture.svg.contains("a &lt;title&gt; &amp; more"));
        assert_eq!(draw(&chart()).unwrap(), picture);
    }

    #[test]
    fn charts_of_nothing_and_of_odd_numbers_can_be_drawn() {
        let odd = [
            f64::NAN,
            f64::INFINITY,
            -1.0,
            0.0,
            1.0,
            1e300,
            f64::MIN_POSITIVE,
        ];
        for scale in [Scale::Linear, Scale::Log, Scale::Accuracy] {
            for count in 0..=odd.len() {
                let points: Vec<(f64, f64)> = odd[..count].iter().map(|&y| (y, y)).collect();
                let line = LineChart {
                    y_scale: scale,
                    series: vec![Series {
                        name: "odd".into(),
                        points: points.clone(),
                        dash: None,
                    }],
                    ..chart()
                };
                draw(&line).unwrap();
                let point = |&(x, y): &(f64, f64)| ScatterPoint {
                    name: "x".repeat(300),
                    x,
                    y,
                    y_range: Some((y, 2.0 * y)),
                };
                let scatter = ScatterChart {
                    title: "odd".repeat(100),
                    x_label: String::new(),
                    x_scale: scale,
                    y_label: String::new(),
                    y_scale: scale,
                    points: points.iter().map(point).collect(),
                };
                draw(&scatter).unwrap();
            }
        }
        let counts = [[u64::MAX / 200; 10]; 10];
        draw(&MatrixChart {
            title: String::new(),
            counts,
            classes: Classes::default(),
        })
        .unwrap();
        let wide = (0..10).map(|digit| format!("{digit}{}", "W".repeat(39)));
        draw(&MatrixChart {
            title: String::new(),
            counts,
            classes: Classes::named(wide.collect()).unwrap(),
        })
        .unwrap();
        let none = Gallery {
            thumbnails: Vec::new(),
            columns: 8,
            row_names: Vec::new(),
        };
        none.png().unwrap();
    }

    #[test]
    fn halving_takes_the_mean() {
        let four = [[0, 10, 255], [2, 20, 255], [4, 30, 255], [6, 40, 255]].concat();
        assert_eq!(halved(&four, (2, 2)), (vec![3, 25, 255], (1, 1)));
    }
}
