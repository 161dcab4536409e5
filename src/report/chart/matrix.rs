//! The confusion matrix as a picture.

use plotters::coord::Shift;
use plotters::drawing::DrawingAreaErrorKind;
use plotters::element::Rectangle;
use plotters::prelude::{DrawingArea, DrawingBackend};
use plotters::style::text_anchor::{HPos, VPos};
use plotters::style::{Color, FontTransform};

use super::frame::draw_title;
use super::{Chart, SCALE, WIDTH, palette, text};
use crate::dataset::{CLASSES, Classes};

/// A cell's width and height beside names of one letter, in CSS pixels; longer names take from the
/// width.
const CELL: (i32, i32) = (42, 36);
/// Where the first cell is, but for the names before it.
const LEFT: i32 = 39;
const TOP: i32 = 63;
const RIGHT: i32 = 12;
const BOTTOM: i32 = 12;
/// Room for a digit, and the most for a name; a longer one is shortened.
const DIGIT: (i32, i32) = (9, 13);
const LONGEST: i32 = 96;

/// How often each digit was taken for each, `counts[true][predicted]`: true digit down, predicted
/// digit across. Right answers are blue and wrong ones orange, each darker by the logarithm of
/// how often, so that single errors show beside thousands of right answers.
#[derive(Debug, Clone, PartialEq)]
pub struct MatrixChart {
    pub title: String,
    pub counts: [[u64; CLASSES]; CLASSES],
    pub classes: Classes,
}

impl Chart for MatrixChart {
    fn title(&self) -> &str {
        &self.title
    }

    fn height(&self) -> i32 {
        self.layout().top + CLASSES as i32 * CELL.1 + BOTTOM
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
        let layout = self.layout();
        let (left, top, cell) = (layout.left, layout.top, layout.cell);
        let corner = |row: usize, column: usize| {
            let (x, y) = (left + column as i32 * cell.0, top + row as i32 * cell.1);
            (x * SCALE, y * SCALE)
        };
        let middle = |row: usize, column: usize| {
            let (x, y) = corner(row, column);
            (x + cell.0 * SCALE / 2, y + cell.1 * SCALE / 2)
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
                let style = text::style(layout.size, ink, HPos::Center, VPos::Center);
                let count = short(count, cell.0, layout.size);
                area.draw_text(&count, &style, middle(row, column))?;
            }
        }

        // Digits stand in the middle of their room; names lie against the cells, upwards above them.
        let centred = text::style(layout.size, palette::INK, HPos::Center, VPos::Center);
        let (before, above) = match self.classes.are_named() {
            false => (centred.clone(), centred),
            true => {
                let before = text::style(layout.size, palette::INK, HPos::Right, VPos::Center);
                let above = text::style(layout.size, palette::INK, HPos::Left, VPos::Center);
                (before, above.transform(FontTransform::Rotate270))
            }
        };
        let gap = if self.classes.are_named() { 7 } else { 13 };
        for (class, name) in layout.names.iter().enumerate() {
            let (across, down) = (middle(0, class).0, middle(class, 0).1);
            area.draw_text(name, &above, (across, (top - gap) * SCALE))?;
            area.draw_text(name, &before, ((left - gap) * SCALE, down))?;
        }
        let names = text::style(text::NORMAL, palette::MUTED, HPos::Center, VPos::Center);
        let centre = corner(CLASSES / 2, CLASSES / 2);
        let noun = self.classes.noun();
        let predicted = format!("predicted {noun}");
        area.draw_text(&predicted, &names, (centre.0, 44 * SCALE))?;
        let upwards = names.transform(FontTransform::Rotate270);
        area.draw_text(&format!("true {noun}"), &upwards, (14 * SCALE, centre.1))
    }
}

/// Where everything is, in CSS pixels.
struct Layout {
    left: i32,
    top: i32,
    cell: (i32, i32),
    /// The classes, as they fit.
    names: Vec<String>,
    /// Of all text in and around the cells.
    size: i32,
}

impl MatrixChart {
    fn layout(&self) -> Layout {
        if !self.classes.are_named() {
            return Layout {
                left: LEFT + DIGIT.0,
                top: TOP + DIGIT.1,
                cell: CELL,
                names: self.classes.names(),
                size: text::NORMAL,
            };
        }
        let size = text::SMALL;
        let names = self.classes.names();
        let names: Vec<String> = names
            .iter()
            .map(|name| text::shortened(name, size, LONGEST))
            .collect();
        let widest = names.iter().map(|name| text::width(name, size)).max();
        let room = widest.unwrap_or(0);
        let left = LEFT + room;
        Layout {
            left,
            top: TOP + room,
            cell: ((WIDTH - left - RIGHT) / CLASSES as i32, CELL.1),
            names,
            size,
        }
    }

    fn cells(&self) -> impl Iterator<Item = (usize, usize, u64)> {
        let rows = self.counts.iter().enumerate();
        rows.flat_map(|(row, counts)| {
            let columns = counts.iter().enumerate();
            columns.map(move |(column, &count)| (row, column, count))
        })
    }
}

/// A count in a cell's width: all its digits, or thousands.
fn short(count: u64, width: i32, size: i32) -> String {
    let all = count.to_string();
    if count < 1_000 || text::width(&all, size) <= width {
        all
    } else {
        format!("{}k", count / 1000)
    }
}
