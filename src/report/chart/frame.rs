//! What charts with two axes have in common: title, axes, grid and the legend below.

use plotters::chart::{ChartBuilder, ChartContext};
use plotters::coord::Shift;
use plotters::drawing::DrawingAreaErrorKind;
use plotters::prelude::{Cartesian2d, DrawingArea, DrawingBackend};
use plotters::style::Color;
use plotters::style::text_anchor::{HPos, VPos};

use super::axis::{Axis, Direction};
use super::legend::Legend;
use super::{SCALE, Scale, WIDTH, palette, text};

/// The plot's own height, and the rows around it, in CSS pixels.
const PLOT: i32 = 230;
const TITLE_ROW: i32 = 36;
/// Room for the x axis' ticks and label.
const BELOW: i32 = 44;
const RIGHT: i32 = 16;
const BOTTOM: i32 = 10;
/// Between the x axis' label and the legend.
const GAP: i32 = 8;
const GRID_LINE: u32 = SCALE as u32;

/// The plot, with places on its axes as coordinates.
pub(super) type Plot<'a, DB> = ChartContext<'a, DB, Cartesian2d<Axis, Axis>>;

pub(super) struct Frame<'a> {
    title: &'a str,
    pub x: Axis,
    pub y: Axis,
    pub legend: Legend,
    /// Room between title and plot, in CSS pixels, that the chart fills itself.
    pub strip: i32,
    /// Room left of the plot for the y axis' ticks and label.
    left: i32,
}

impl<'a> Frame<'a> {
    /// A frame that all points have room in. An axis is its label and its scale.
    pub fn new(
        title: &'a str,
        (x_label, x_scale): (&str, Scale),
        (y_label, y_scale): (&str, Scale),
        points: impl Iterator<Item = (f64, f64)> + Clone,
        legend: Legend,
    ) -> Self {
        let values = points.clone().map(|(_, y)| y);
        let y = Axis::new(y_label, y_scale, values, (Direction::Up, PLOT));
        let ticks = y
            .ticks
            .iter()
            .map(|(_, label)| text::width(label, text::SMALL));
        let left = 34 + ticks.max().unwrap_or(0);
        let values = points.map(|(x, _)| x);
        let x = Axis::new(
            x_label,
            x_scale,
            values,
            (Direction::Across, WIDTH - left - RIGHT),
        );
        Self {
            title,
            x,
            y,
            legend,
            strip: 0,
            left,
        }
    }

    /// The height in CSS pixels.
    pub fn height(&self) -> i32 {
        TITLE_ROW + self.strip + PLOT + BELOW + GAP + self.legend.height() + BOTTOM
    }

    /// Where a place on the x axis is, in CSS pixels from the left.
    pub fn x_pixel(&self, place: f64) -> i32 {
        let width = f64::from(WIDTH - self.left - RIGHT);
        self.left + ((place - self.x.low) / (self.x.high - self.x.low) * width).round() as i32
    }

    /// The top of the strip above the plot, in CSS pixels.
    pub fn strip_top(&self) -> i32 {
        TITLE_ROW
    }

    /// Draws title, axes and grid, and returns the plot to draw in.
    pub fn draw_on<DB: DrawingBackend>(
        &'a self,
        area: &'a DrawingArea<DB, Shift>,
    ) -> Result<Plot<'a, DB>, DrawingAreaErrorKind<DB::ErrorType>> {
        draw_title(area, self.title)?;
        let mut plot = ChartBuilder::on(area)
            .margin_top((TITLE_ROW + self.strip) * SCALE)
            .margin_bottom((GAP + self.legend.height() + BOTTOM) * SCALE)
            .margin_right(RIGHT * SCALE)
            .margin_left(8 * SCALE)
            .x_label_area_size(BELOW * SCALE)
            .y_label_area_size((self.left - 8) * SCALE)
            .build_cartesian_2d(self.x.clone(), self.y.clone())?;
        let labels = text::style(text::SMALL, palette::MUTED, HPos::Left, VPos::Top);
        let names = text::style(text::NORMAL, palette::INK, HPos::Left, VPos::Top);
        plot.configure_mesh()
            .bold_line_style(palette::GRID.stroke_width(GRID_LINE))
            .axis_style(palette::MUTED.stroke_width(GRID_LINE))
            .set_all_tick_mark_size(3 * SCALE)
            .label_style(labels)
            .axis_desc_style(names)
            .x_desc(self.x.label.as_str())
            .y_desc(self.y.label.as_str())
            .draw()?;
        Ok(plot)
    }

    /// The area of the legend.
    pub fn legend_area<DB: DrawingBackend>(
        &self,
        area: &DrawingArea<DB, Shift>,
    ) -> DrawingArea<DB, Shift> {
        let top = self.height() - self.legend.height() - BOTTOM;
        area.clone().shrink(
            (0, top * SCALE),
            (WIDTH * SCALE, self.legend.height() * SCALE),
        )
    }
}

/// Writes a chart's title at its top.
pub(super) fn draw_title<DB: DrawingBackend>(
    area: &DrawingArea<DB, Shift>,
    title: &str,
) -> Result<(), DrawingAreaErrorKind<DB::ErrorType>> {
    let style = text::style(text::TITLE, palette::INK, HPos::Left, VPos::Center);
    let title = text::shortened(title, text::TITLE, WIDTH - 24);
    area.draw_text(&title, &style, (12 * SCALE, TITLE_ROW / 2 * SCALE))
}
