//! The legend: below the chart, where it covers nothing, in as many rows as it needs.

use plotters::coord::Shift;
use plotters::drawing::DrawingAreaErrorKind;
use plotters::prelude::{DrawingArea, DrawingBackend};
use plotters::style::text_anchor::{HPos, VPos};

use super::{SCALE, WIDTH, palette, text};

const ROW: i32 = 20;
/// The sample of the line or marker, and its distance from the name.
const SAMPLE: i32 = 28;
const GAP: i32 = 6;
const BETWEEN: i32 = 16;
const SIDE: i32 = 12;

/// Names with their places, in CSS pixels from the legend's upper left corner.
pub(super) struct Legend {
    entries: Vec<Entry>,
    rows: i32,
}

struct Entry {
    name: String,
    /// The left end of the sample, the middle of the row.
    x: i32,
    y: i32,
}

impl Legend {
    /// A legend for two names or more; a single series needs none.
    pub fn new<'a>(names: impl Iterator<Item = &'a str>) -> Self {
        let names: Vec<&str> = names.collect();
        let mut legend = Self {
            entries: Vec::new(),
            rows: 0,
        };
        if names.len() < 2 {
            return legend;
        }
        let most = WIDTH - 2 * SIDE - SAMPLE - GAP;
        let names: Vec<String> = names
            .into_iter()
            .map(|name| text::shortened(name, text::SMALL, most))
            .collect();
        // Columns of one width are easier to read than a flowing text.
        let widest = names.iter().map(|name| text::width(name, text::SMALL));
        let column = SAMPLE + GAP + widest.max().unwrap_or(0) + BETWEEN;
        let columns = ((WIDTH - 2 * SIDE + BETWEEN) / column).clamp(1, 4) as usize;
        legend.rows = names.len().div_ceil(columns) as i32;
        for (index, name) in names.into_iter().enumerate() {
            legend.entries.push(Entry {
                name,
                x: SIDE + (index % columns) as i32 * column,
                y: (index / columns) as i32 * ROW + ROW / 2,
            });
        }
        legend
    }

    /// The height in CSS pixels.
    pub fn height(&self) -> i32 {
        self.rows * ROW
    }

    /// Draws the names; `sample` draws what stands for entry `index` from `from` to `to`, in
    /// pixels of `area`.
    pub fn draw_on<DB: DrawingBackend>(
        &self,
        area: &DrawingArea<DB, Shift>,
        sample: impl Fn(
            usize,
            (i32, i32),
            (i32, i32),
        ) -> Result<(), DrawingAreaErrorKind<DB::ErrorType>>,
    ) -> Result<(), DrawingAreaErrorKind<DB::ErrorType>> {
        let style = text::style(text::SMALL, palette::INK, HPos::Left, VPos::Center);
        for (index, entry) in self.entries.iter().enumerate() {
            let at = |x: i32| (x * SCALE, entry.y * SCALE);
            sample(index, at(entry.x), at(entry.x + SAMPLE))?;
            area.draw_text(&entry.name, &style, at(entry.x + SAMPLE + GAP))?;
        }
        Ok(())
    }
}
