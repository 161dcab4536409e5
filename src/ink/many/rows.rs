//! A page's components -> its lines of writing.

use std::cmp::Reverse;

use super::super::strokes::{BoundingBox, Component, Components};

/// One line of writing.
pub struct Row {
    /// The numbers of its components, from 0, from left to right.
    pub components: Vec<usize>,
    /// How high most of its digits are, in pixels.
    pub height: f32,
}

/// What is smaller than this share of a line's height is a piece of a digit, or no digit at all.
pub const SMALL: f32 = 0.45;

/// More components than this are a texture: the largest count.
const MOST: usize = 2000;

/// The lines of writing, from top to bottom, of the components that are in the same ink as `main`.
pub fn rows(components: &Components, main: &Component) -> Vec<Row> {
    let all = &components.all;
    let mut written: Vec<usize> = (0..all.len())
        .filter(|&i| is_writing(components, &all[i], main))
        .collect();
    written.sort_by_key(|&i| Reverse(all[i].area));
    written.truncate(MOST);
    let height = usual_height(&written, all);
    let (mut high, low): (Vec<usize>, Vec<usize>) = written
        .into_iter()
        .partition(|&i| all[i].bounds.height() as f32 >= SMALL * height);

    high.sort_by_key(|&i| all[i].bounds.left);
    let mut lines: Vec<Vec<usize>> = Vec::new();
    for component in high {
        // Compared with the last one of the line, so that the line may slope.
        let shared = |line: &Vec<usize>| {
            let last = line[line.len() - 1];
            shared_rows(&all[last].bounds, &all[component].bounds)
        };
        match lines
            .iter_mut()
            .max_by(|a, b| shared(a).total_cmp(&shared(b)))
        {
            Some(line) if shared(line) > 0.4 => line.push(component),
            _ => lines.push(vec![component]),
        }
    }
    let mut rows: Vec<Row> = lines
        .into_iter()
        .map(|components| Row {
            height: usual_height(&components, all),
            components,
        })
        .collect();
    for component in low {
        add_low(&mut rows, component, all);
    }
    for row in &mut rows {
        row.components
            .sort_by_key(|&i| all[i].bounds.left + all[i].bounds.right);
    }
    rows.sort_by_key(|row| {
        let middles = row
            .components
            .iter()
            .map(|&i| all[i].bounds.top + all[i].bounds.bottom);
        middles.sum::<usize>() / row.components.len()
    });
    rows
}

/// Whether a component is in the same ink as the main one, and neither a line, a frame nor a speck.
fn is_writing(components: &Components, component: &Component, main: &Component) -> bool {
    let bounds = &component.bounds;
    if *bounds == main.bounds {
        return true;
    }
    let (width, height) = (
        components.width,
        components.labels.len() / components.width.max(1),
    );
    let as_dark = component.peak > 0.5 * main.peak;
    let size = main.bounds.height();
    // A pen is as wide as it is: what is much wider is something else, or a digit whose loop ran
    // full of ink.
    let alike = bounds.height() * 2 > size && bounds.height() < 2 * size;
    let same_pen = component.radius < 2.5 * main.radius + 1.0
        || alike && 2.0 * component.radius < 0.5 * bounds.longest() as f32;
    let is_speck = bounds.longest() * 8 <= size;
    let is_huge = bounds.height() >= 3 * size;
    let touches = |component: &Component| component.contact.iter().any(|&contact| contact > 0.0);
    let at_border = component.contact.iter().any(|&contact| contact > 0.7)
        || touches(component) && !touches(main);
    let spans = bounds.height() * 20 > height * 19
        || bounds.width() * 20 > width * 19 && bounds.height() * 4 < bounds.width();
    // A line drawn under a number, and no bar of a 5.
    let is_flat = bounds.width() > 4 * bounds.height() && bounds.width() > size;
    let is_frame = components.framed(component)
        && components.all.iter().any(|other| {
            bounds.contains(&other.bounds)
                && other.bounds != *bounds
                && other.bounds.longest() * 3 > bounds.longest()
        });
    as_dark && same_pen && !(is_speck || is_huge || at_border || spans || is_flat || is_frame)
}

/// The median height of the components that are at least half as high as the highest; 0 if there
/// are none.
fn usual_height(chosen: &[usize], components: &[Component]) -> f32 {
    let mut heights: Vec<usize> = chosen
        .iter()
        .map(|&i| components[i].bounds.height())
        .collect();
    heights.sort_unstable();
    let Some(&most) = heights.last() else {
        return 0.0;
    };
    heights.retain(|height| height * 2 >= most);
    heights[heights.len() / 2] as f32
}

/// Adds a low component to the nearest line, if it is near one.
fn add_low(rows: &mut [Row], component: usize, components: &[Component]) {
    let bounds = components[component].bounds;
    let apart = |row: &Row| {
        let each = row
            .components
            .iter()
            .map(|&i| distance(&components[i].bounds, &bounds));
        each.min().unwrap_or(usize::MAX)
    };
    let Some(row) = rows.iter_mut().min_by_key(|row| apart(row)) else {
        return;
    };
    let size = bounds.longest() as f32 / row.height;
    // A digit of its own, such as a 5 with a long bar, or a piece of one.
    let reach = if size > SMALL { 1.0 } else { 0.35 };
    if apart(row) as f32 <= reach * row.height && size > 0.1 {
        row.components.push(component);
    }
}

/// How much of the lower one's height two bounding boxes have in common, 0 to 1.
fn shared_rows(one: &BoundingBox, other: &BoundingBox) -> f32 {
    let (top, bottom) = (one.top.max(other.top), one.bottom.min(other.bottom));
    bottom.saturating_sub(top) as f32 / one.height().min(other.height()) as f32
}

/// How far apart two bounding boxes are across or down, in pixels.
fn distance(one: &BoundingBox, other: &BoundingBox) -> usize {
    let gap =
        |a: (usize, usize), b: (usize, usize)| b.0.saturating_sub(a.1).max(a.0.saturating_sub(b.1));
    let across = gap((one.left, one.right), (other.left, other.right));
    let down = gap((one.top, one.bottom), (other.top, other.bottom));
    across.max(down)
}
