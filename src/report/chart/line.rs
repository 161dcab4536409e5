//! Line charts: figures over epochs.

use plotters::coord::Shift;
use plotters::drawing::DrawingAreaErrorKind;
use plotters::element::{Circle, DashedPathElement, PathElement};
use plotters::prelude::{DrawingArea, DrawingBackend};
use plotters::style::text_anchor::{HPos, VPos};
use plotters::style::{Color, ShapeStyle};

use super::frame::Frame;
use super::legend::Legend;
use super::{Chart, Dash, SCALE, Scale, WIDTH, palette, text};

const LINE: i32 = 2;
/// A row of marker labels.
const STRIP_ROW: i32 = 17;
/// The most rows of labels; a label that has no room in them is left out.
const STRIP_ROWS: i32 = 3;
/// Lines with at most this many points show each of them: one epoch alone would be invisible.
const FEW: usize = 12;

/// One line of a [`LineChart`].
#[derive(Debug, Clone, PartialEq)]
pub struct Series {
    pub name: String,
    /// The points from left to right. Those that the scale can't show, such as NaN, are left out.
    pub points: Vec<(f64, f64)>,
    /// `None`: solid for the first seven series, dashed for the next seven, and so on.
    pub dash: Option<Dash>,
}

/// A vertical line with a few words above it, or none.
#[derive(Debug, Clone, PartialEq)]
pub struct Marker {
    pub x: f64,
    pub label: String,
}

/// Lines over a common x axis, each with its colour, and dashes where colours repeat.
#[derive(Debug, Clone, PartialEq)]
pub struct LineChart {
    pub title: String,
    pub x_label: String,
    pub y_label: String,
    pub y_scale: Scale,
    pub series: Vec<Series>,
    /// The markers from left to right.
    pub markers: Vec<Marker>,
}

impl LineChart {
    fn frame(&self) -> Frame<'_> {
        let points = self.series.iter().flat_map(|series| series.points.iter());
        let names = self.series.iter().map(|series| series.name.as_str());
        let mut frame = Frame::new(
            &self.title,
            (&self.x_label, Scale::Linear),
            (&self.y_label, self.y_scale),
            points.copied(),
            Legend::new(names),
        );
        let rows = self
            .marker_labels(&frame)
            .into_iter()
            .map(|label| label.row + 1);
        frame.strip = rows.max().unwrap_or(0) * STRIP_ROW;
        frame
    }

    /// The markers' labels in as few rows as keep them apart.
    fn marker_labels(&self, frame: &Frame<'_>) -> Vec<MarkerLabel<'_>> {
        let mut ends = [i32::MIN; STRIP_ROWS as usize];
        let mut labels = Vec::new();
        for marker in self
            .markers
            .iter()
            .filter(|marker| !marker.label.is_empty())
        {
            let Some(place) = frame.x.place(marker.x) else {
                continue;
            };
            let half = text::width(&marker.label, text::SMALL) / 2;
            // Centred over its line, but inside the picture.
            let middle = frame.x_pixel(place).clamp(half, (WIDTH - half).max(half));
            let free = |end: &i32| *end < middle - half;
            if let Some(row) = ends.iter().position(free) {
                ends[row] = middle + half + 6;
                labels.push(MarkerLabel {
                    text: &marker.label,
                    middle,
                    row: row as i32,
                });
            }
        }
        labels
    }

    fn style(&self, index: usize) -> (ShapeStyle, Dash) {
        let dash = self.series[index].dash.unwrap_or(palette::dash(index));
        (
            palette::colour(index).stroke_width((LINE * SCALE) as u32),
            dash,
        )
    }
}

struct MarkerLabel<'a> {
    text: &'a str,
    /// The middle of the text, in CSS pixels.
    middle: i32,
    /// The row, counted from the lowest.
    row: i32,
}

impl Chart for LineChart {
    fn title(&self) -> &str {
        &self.title
    }

    fn height(&self) -> i32 {
        self.frame().height()
    }

    fn draw_on<DB: DrawingBackend>(
        &self,
        area: &DrawingArea<DB, Shift>,
    ) -> Result<(), DrawingAreaErrorKind<DB::ErrorType>> {
        let frame = self.frame();
        let mut plot = frame.draw_on(area)?;

        for marker in &self.markers {
            let Some(x) = frame.x.place(marker.x) else {
                continue;
            };
            let line = [(x, frame.y.low), (x, frame.y.high)];
            let style = palette::MUTED.stroke_width(SCALE as u32);
            let dashes = DashedPathElement::new(line, 3 * SCALE, 3 * SCALE, style);
            plot.draw_series(std::iter::once(dashes))?;
        }
        let style = text::style(text::SMALL, palette::MUTED, HPos::Center, VPos::Center);
        for label in self.marker_labels(&frame) {
            let row = frame.strip_top() + frame.strip - label.row * STRIP_ROW - STRIP_ROW / 2 - 2;
            area.draw_text(label.text, &style, (label.middle * SCALE, row * SCALE))?;
        }

        for (index, series) in self.series.iter().enumerate() {
            let (style, dash) = self.style(index);
            let place = |&(x, y): &(f64, f64)| Some((frame.x.place(x)?, frame.y.place(y)?));
            let points: Vec<(f64, f64)> = series.points.iter().filter_map(place).collect();
            if points.len() <= FEW {
                let dot = |&point: &(f64, f64)| Circle::new(point, 3 * SCALE, style.filled());
                plot.draw_series(points.iter().map(dot))?;
            }
            let points = thinned(&points, |point| plot.backend_coord(&point).0);
            match spacing(dash) {
                None => plot.draw_series(std::iter::once(PathElement::new(points, style)))?,
                Some((size, space)) => plot.draw_series(std::iter::once(
                    DashedPathElement::new(points, size, space, style),
                ))?,
            };
        }

        let legend = frame.legend_area(area);
        frame.legend.draw_on(&legend, |index, from, to| {
            let (style, dash) = self.style(index);
            match spacing(dash) {
                None => legend.draw(&PathElement::new([from, to], style)),
                Some((size, space)) => {
                    legend.draw(&DashedPathElement::new([from, to], size, space, style))
                }
            }
        })
    }
}

/// The length of a dash and of the space after it, in drawn pixels.
fn spacing(dash: Dash) -> Option<(i32, i32)> {
    match dash {
        Dash::Solid => None,
        Dash::Dashed => Some((6 * SCALE, 3 * SCALE)),
        Dash::Dotted => Some((2 * SCALE, 3 * SCALE)),
        Dash::Long => Some((12 * SCALE, 4 * SCALE)),
    }
}

/// Keeps of the points in each column of pixels only the first, lowest, highest and last: a line of
/// 100,000 epochs looks the same and its SVG is no larger than others.
fn thinned(points: &[(f64, f64)], column: impl Fn((f64, f64)) -> i32) -> Vec<(f64, f64)> {
    let mut kept = Vec::with_capacity(points.len());
    for points in points.chunk_by(|&a, &b| column(a) == column(b)) {
        if points.len() <= 4 {
            kept.extend_from_slice(points);
            continue;
        }
        let by_height = |a: &&(f64, f64), b: &&(f64, f64)| a.1.total_cmp(&b.1);
        kept.push(points[0]);
        kept.extend(points.iter().min_by(by_height));
        kept.extend(points.iter().max_by(by_height));
        kept.push(points[points.len() - 1]);
    }
    kept
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_long_line_keeps_its_peaks() {
        let points: Vec<(f64, f64)> = (0..10_000)
            .map(|i| (f64::from(i), if i == 4321 { 9.0 } else { f64::from(i % 7) }))
            .collect();
        let kept = thinned(&points, |(x, _)| (x / 100.0) as i32);
        assert_eq!(kept.len(), 400);
        assert!(kept.contains(&(4321.0, 9.0)));
    }

    #[test]
    fn marker_labels_keep_apart_and_inside() {
        let points: Vec<(f64, f64)> = (1..=100).map(|i| (f64::from(i), 1.0)).collect();
        let chart = LineChart {
            title: String::new(),
            x_label: String::new(),
            y_label: String::new(),
            y_scale: Scale::Linear,
            series: vec![Series {
                name: "a".into(),
                points,
                dash: None,
            }],
            markers: [1.0, 60.0, 62.0, 64.0, 66.0, 100.0]
                .map(|x| Marker {
                    x,
                    label: "learning rate 0.001".into(),
                })
                .to_vec(),
        };
        let frame = chart.frame();
        let labels = chart.marker_labels(&frame);
        // Three rows: the fourth of those that crowd has no room.
        assert_eq!(labels.len(), 5);
        let half = text::width("learning rate 0.001", text::SMALL) / 2;
        for (index, label) in labels.iter().enumerate() {
            assert!(label.middle - half >= 0 && label.middle + half <= WIDTH);
            for other in &labels[..index] {
                let apart = (label.middle - other.middle).abs() >= 2 * half;
                assert!(apart || label.row != other.row);
            }
        }
        assert_eq!(frame.strip, 3 * STRIP_ROW);
    }
}
