//! Scatter charts: one figure against another, a point for each network.

use plotters::coord::Shift;
use plotters::drawing::DrawingAreaErrorKind;
use plotters::element::{Circle, PathElement, Polygon};
use plotters::prelude::{DrawingArea, DrawingBackend};
use plotters::style::{Color, RGBColor};

use super::frame::Frame;
use super::legend::Legend;
use super::{Chart, SCALE, Scale, palette};

/// Half a marker's width, in CSS pixels.
const RADIUS: i32 = 6;

/// One point of a [`ScatterChart`].
#[derive(Debug, Clone, PartialEq)]
pub struct ScatterPoint {
    pub name: String,
    pub x: f64,
    pub y: f64,
    /// The ends of the bar through the point, such as the range over seeds.
    pub y_range: Option<(f64, f64)>,
}

/// Points that the legend names by their colour and shape: labels beside them would overlap as
/// soon as two networks are alike.
#[derive(Debug, Clone, PartialEq)]
pub struct ScatterChart {
    pub title: String,
    pub x_label: String,
    pub x_scale: Scale,
    pub y_label: String,
    pub y_scale: Scale,
    /// A point that a scale can't show, such as NaN, is left out.
    pub points: Vec<ScatterPoint>,
}

impl ScatterChart {
    fn frame(&self) -> Frame<'_> {
        let ends = self.points.iter().flat_map(|point| {
            let (low, high) = point.y_range.unwrap_or((point.y, point.y));
            [(point.x, low), (point.x, point.y), (point.x, high)]
        });
        Frame::new(
            &self.title,
            (&self.x_label, self.x_scale),
            (&self.y_label, self.y_scale),
            ends,
            Legend::new(self.points.iter().map(|point| point.name.as_str())),
        )
    }
}

impl Chart for ScatterChart {
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
        let plot = frame.draw_on(area)?;
        let pixel = |x: f64, y: f64| {
            let place = (frame.x.place(x)?, frame.y.place(y)?);
            Some(plot.backend_coord(&place))
        };
        for (index, point) in self.points.iter().enumerate() {
            let colour = palette::colour(index);
            if let Some((low, high)) = point.y_range
                && let (Some(from), Some(to)) = (pixel(point.x, low), pixel(point.x, high))
            {
                let style = colour.stroke_width((2 * SCALE) as u32);
                area.draw(&PathElement::new([from, to], style))?;
            }
            if let Some(centre) = pixel(point.x, point.y) {
                draw_marker(area, index, centre, colour)?;
            }
        }
        let legend = frame.legend_area(area);
        frame.legend.draw_on(&legend, |index, from, to| {
            let centre = ((from.0 + to.0) / 2, from.1);
            draw_marker(&legend, index, centre, palette::colour(index))
        })
    }
}

/// Seven colours and five shapes: the first 35 points differ, and neighbours differ in both.
fn draw_marker<DB: DrawingBackend>(
    area: &DrawingArea<DB, Shift>,
    index: usize,
    (x, y): (i32, i32),
    colour: RGBColor,
) -> Result<(), DrawingAreaErrorKind<DB::ErrorType>> {
    let r = RADIUS * SCALE;
    let corners: &[(i32, i32)] = match index % 5 {
        0 => return area.draw(&Circle::new((x, y), r, colour.filled())),
        1 => &[(-r, -r), (r, -r), (r, r), (-r, r)],
        2 => &[(0, -r), (r, r), (-r, r)],
        3 => &[(0, -r), (r, 0), (0, r), (-r, 0)],
        _ => &[(-r, -r), (r, -r), (0, r)],
    };
    let corners: Vec<(i32, i32)> = corners.iter().map(|&(dx, dy)| (x + dx, y + dy)).collect();
    area.draw(&Polygon::new(corners, colour.filled()))
}
