//! A page's parts -> its lines of writing.

use std::cmp::Reverse;

use super::super::strokes::{Extent, Part, Parts};

/// One line of writing.
pub struct Row {
    /// The numbers of its parts, from 0, from left to right.
    pub parts: Vec<usize>,
    /// How high most of its digits are, in pixels.
    pub height: f32,
}

/// What is smaller than this share of a line's height is a piece of a digit, or no digit at all.
pub const SMALL: f32 = 0.45;

/// More parts than this are a texture: the largest count.
const MOST: usize = 2000;

/// The lines of writing, from top to bottom, of the parts that are in the same ink as `main`.
pub fn rows(parts: &Parts, main: &Part) -> Vec<Row> {
    let all = &parts.parts;
    let mut written: Vec<usize> = (0..all.len())
        .filter(|&i| is_writing(parts, &all[i], main))
        .collect();
    written.sort_by_key(|&i| Reverse(all[i].area));
    written.truncate(MOST);
    let height = usual_height(&written, all);
    let (mut high, low): (Vec<usize>, Vec<usize>) = written
        .into_iter()
        .partition(|&i| all[i].extent.height() as f32 >= SMALL * height);

    high.sort_by_key(|&i| all[i].extent.left);
    let mut lines: Vec<Vec<usize>> = Vec::new();
    for part in high {
        // The last of a line, so that it may slope.
        let shared = |line: &Vec<usize>| {
            let last = line[line.len() - 1];
            shared_rows(&all[last].extent, &all[part].extent)
        };
        match lines
            .iter_mut()
            .max_by(|a, b| shared(a).total_cmp(&shared(b)))
        {
            Some(line) if shared(line) > 0.4 => line.push(part),
            _ => lines.push(vec![part]),
        }
    }
    let mut rows: Vec<Row> = lines
        .into_iter()
        .map(|parts| Row {
            height: usual_height(&parts, all),
            parts,
        })
        .collect();
    for part in low {
        add_low(&mut rows, part, all);
    }
    for row in &mut rows {
        row.parts
            .sort_by_key(|&i| all[i].extent.left + all[i].extent.right);
    }
    rows.sort_by_key(|row| {
        let middles = row
            .parts
            .iter()
            .map(|&i| all[i].extent.top + all[i].extent.bottom);
        middles.sum::<usize>() / row.parts.len()
    });
    rows
}

/// Whether a part is in the same ink as the main one, and neither a line, a frame nor a speck.
fn is_writing(parts: &Parts, part: &Part, main: &Part) -> bool {
    let extent = &part.extent;
    if *extent == main.extent {
        return true;
    }
    let (width, height) = (parts.width, parts.labels.len() / parts.width.max(1));
    let as_dark = part.peak > 0.5 * main.peak;
    let size = main.extent.height();
    // A pen is as wide as it is: what is much wider is something else, or a digit whose loop ran
    // full of ink.
    let alike = extent.height() * 2 > size && extent.height() < 2 * size;
    let same_pen = part.radius < 2.5 * main.radius + 1.0
        || alike && 2.0 * part.radius < 0.5 * extent.longest() as f32;
    let is_speck = extent.longest() * 8 <= size;
    let is_huge = extent.height() >= 3 * size;
    let touches = |part: &Part| part.contact.iter().any(|&contact| contact > 0.0);
    let at_border =
        part.contact.iter().any(|&contact| contact > 0.7) || touches(part) && !touches(main);
    let spans = extent.height() * 20 > height * 19
        || extent.width() * 20 > width * 19 && extent.height() * 4 < extent.width();
    // A line drawn under a number, and no bar of a 5.
    let is_flat = extent.width() > 4 * extent.height() && extent.width() > size;
    let is_frame = parts.framed(part)
        && parts.parts.iter().any(|other| {
            extent.contains(&other.extent)
                && other.extent != *extent
                && other.extent.longest() * 3 > extent.longest()
        });
    as_dark && same_pen && !(is_speck || is_huge || at_border || spans || is_flat || is_frame)
}

/// The middle one of the heights, of those that are at least half the largest; 0 for no parts.
fn usual_height(chosen: &[usize], parts: &[Part]) -> f32 {
    let mut heights: Vec<usize> = chosen.iter().map(|&i| parts[i].extent.height()).collect();
    heights.sort_unstable();
    let Some(&most) = heights.last() else {
        return 0.0;
    };
    heights.retain(|height| height * 2 >= most);
    heights[heights.len() / 2] as f32
}

/// Adds a low part to the nearest line, if it is near one.
fn add_low(rows: &mut [Row], part: usize, parts: &[Part]) {
    let extent = parts[part].extent;
    let apart = |row: &Row| {
        let each = row
            .parts
            .iter()
            .map(|&i| distance(&parts[i].extent, &extent));
        each.min().unwrap_or(usize::MAX)
    };
    let Some(row) = rows.iter_mut().min_by_key(|row| apart(row)) else {
        return;
    };
    let size = extent.longest() as f32 / row.height;
    // A digit of its own, such as a 5 with a long bar, or a piece of one.
    let reach = if size > SMALL { 1.0 } else { 0.35 };
    if apart(row) as f32 <= reach * row.height && size > 0.1 {
        row.parts.push(part);
    }
}

/// How much of the lower one's height two extents have in common, 0 to 1.
fn shared_rows(one: &Extent, other: &Extent) -> f32 {
    let (top, bottom) = (one.top.max(other.top), one.bottom.min(other.bottom));
    bottom.saturating_sub(top) as f32 / one.height().min(other.height()) as f32
}

/// How far apart two extents are across or down, in pixels.
fn distance(one: &Extent, other: &Extent) -> usize {
    let gap =
        |a: (usize, usize), b: (usize, usize)| b.0.saturating_sub(a.1).max(a.0.saturating_sub(b.1));
    let across = gap((one.left, one.right), (other.left, other.right));
    let down = gap((one.top, one.bottom), (other.top, other.bottom));
    across.max(down)
}
