//! The confusion matrix as a picture.

use plotters::coord::Shift;
use plotters::drawing::DrawingAreaErrorKind;
use plotters::element::Rectangle;
use plotters::prelude::{DrawingArea, DrawingBackend};
use plotters::style::text_anchor::{HPos, VPos};
use plotters::style::{Color, FontTransform};

use super::frame::draw_title;
use super::{Chart, SCALE, palette, text};
use crate::dataset::CLASSES;

/// A cell's width and height, and where the first one is, in CSS pixels.
const CELL: (i32, i32) = (42, 36);
const LEFT: i32 = 48;
const TOP: i32 = 76;
const BOTTOM: i32 = 12;

/// How often each digit was taken for each, `counts[true][predicted]`: true digit down, predicted
/// digit across. Right answers are blue and wrong ones orange, each darker by the logarithm of
/// how often, so that single errors show beside thousands of right answers.
#[derive(Debug, Clone, PartialEq)]
pub struct MatrixChart {
    pub title: String,
    pub counts: [[u64; CLASSES]; CLASSES],
}

impl Chart for MatrixChart {
    fn title(&self) -> &str {
        &self.title
    }

    fn height(&self) -> i32 {
        TOP + CLASSES as i32 * CELL.1 + BOTTOM
    }

    fn draw_on<DB: DrawingBackend>(
        &self,
        area: &DrawingArea<DB, Shift>,
    ) -> Result<(), DrawingAreaErrorKind<DB::ErrorType>> {
        draw_title(area, &self.title)?;
        let most = |right: bool| {
            let cells = self
                .cells()
                .filter(|(row, column, _)| (row == column) == right);
            cells.map(|(_, _, count)| count).max().unwrap_or(0)
        };
        let (most_right, most_wrong) = (most(true), most(false));
        let corner = |row: usize, column: usize| {
            let (x, y) = (LEFT + column as i32 * CELL.0, TOP + row as i32 * CELL.1);
            (x * SCALE, y * SCALE)
        };
        let middle = |row: usize, column: usize| {
            let (x, y) = corner(row, column);
            (x + CELL.0 * SCALE / 2, y + CELL.1 * SCALE / 2)
        };

        for (row, column, count) in self.cells() {
            let right = row == column;
            let most = if right { most_right } else { most_wrong };
            let background = match count {
                0 => palette::PAPER,
                _ => palette::cell(count, most, right),
            };
            let outline = [corner(row, column), corner(row + 1, column + 1)];
            area.draw(&Rectangle::new(outline, background.filled()))?;
            let grid = palette::GRID.stroke_width(SCALE as u32 / 2);
            area.draw(&Rectangle::new(outline, grid))?;
            if count > 0 {
                let ink = palette::text_on(background);
                let style = text::style(text::NORMAL, ink, HPos::Center, VPos::Center);
                area.draw_text(&short(count), &style, middle(row, column))?;
            }
        }

        let digits = text::style(text::NORMAL, palette::INK, HPos::Center, VPos::Center);
        for digit in 0..CLASSES {
            let (across, down) = (middle(0, digit).0, middle(digit, 0).1);
            area.draw_text(&digit.to_string(), &digits, (across, (TOP - 13) * SCALE))?;
            area.draw_text(&digit.to_string(), &digits, ((LEFT - 13) * SCALE, down))?;
        }
        let names = text::style(text::NORMAL, palette::MUTED, HPos::Center, VPos::Center);
        let centre = corner(CLASSES / 2, CLASSES / 2);
        area.draw_text("predicted digit", &names, (centre.0, (TOP - 32) * SCALE))?;
        let upwards = names.transform(FontTransform::Rotate270);
        area.draw_text("true digit", &upwards, (14 * SCALE, centre.1))
    }
}

impl MatrixChart {
    fn cells(&self) -> impl Iterator<Item = (usize, usize, u64)> {
        let rows = self.counts.iter().enumerate();
        rows.flat_map(|(row, counts)| {
            let columns = counts.iter().enumerate();
            columns.map(move |(column, &count)| (row, column, count))
        })
    }
}

/// A count in a cell's width: up to five digits, then thousands.
fn short(count: u64) -> String {
    match count {
        0..100_000 => count.to_string(),
        _ => format!("{}k", count / 1000),
    }
}
