//! Levels -> how much ink each pixel holds: what is paper is found out locally.
//!
//! The level of the paper under the ink is the lower one of two estimates:
//!
//! - a morphological closing, which fills what is narrower than a window and keeps the edges of
//!   shadows that are wider;
//! - the reconstruction by erosion from the edges of the picture ("fill holes": L. Vincent,
//!   "Morphological grayscale reconstruction in image analysis", 1993), which fills what lighter
//!   levels enclose, and so keeps a desk around the paper, a gradient and a shadow, whatever their
//!   size.
//!
//! Ink takes a share of the light away, in a shadow as beside it, so the amount is 1 - level / paper.

use super::plane::Plane;

/// The closing's window, as a share of the shorter side: wider than any pen's stroke.
const WINDOW: f32 = 0.45;

/// Paper darker than this counts as this dark: a share of next to no light is noise.
const DARKEST: f32 = 120.0;

/// For levels with dark ink on light paper, 0 to 255: the amount of ink, about 0 on paper, at most 1.
pub fn ink(levels: &Plane) -> Plane {
    let (width, height) = (levels.width, levels.height());
    let (shorter, longer) = (width.min(height) as f32, width.max(height) as f32);
    let reach = ((shorter * WINDOW).max(longer * WINDOW / 2.0) / 2.0).ceil() as usize;
    let smooth = levels.averaged(width.max(height) / 300);
    let closed = smooth.dilated(reach).eroded(reach);
    let filled = fill_holes(levels);
    let mut ink = levels.clone();
    for ((ink, &closed), &filled) in ink
        .values
        .iter_mut()
        .zip(&closed.values)
        .zip(&filled.values)
    {
        *ink = amount(*ink, closed.min(filled));
    }
    ink
}

/// How much ink makes paper of one level look like another.
fn amount(level: f32, paper: f32) -> f32 {
    (paper - level) / paper.max(DARKEST)
}

/// Raises every level to the lowest that a way from the edge has to climb over.
fn fill_holes(levels: &Plane) -> Plane {
    let (width, height) = (levels.width, levels.height());
    let level = |value: f32| value.round().clamp(0.0, 255.0) as usize;
    let mut filled = Plane::new(width, height, -1.0);
    let mut queues: Vec<Vec<u32>> = vec![Vec::new(); 256];
    for (position, value) in edge(levels) {
        filled.values[position] = value;
        queues[level(value)].push(position as u32);
    }
    let mut current = 0;
    while current < 256 {
        let Some(position) = queues[current].pop() else {
            current += 1;
            continue;
        };
        let position = position as usize;
        let (x, y) = (position % width, position / width);
        let here = filled.values[position];
        let mut visit = |next: usize| {
            if filled.values[next] < 0.0 {
                let raised = levels.values[next].max(here);
                filled.values[next] = raised;
                queues[level(raised).max(current)].push(next as u32);
            }
        };
        if x > 0 {
            visit(position - 1);
        }
        if x + 1 < width {
            visit(position + 1);
        }
        if y > 0 {
            visit(position - width);
        }
        if y + 1 < height {
            visit(position + width);
        }
    }
    filled
}

/// The picture's edge and the level of the paper there: closed along the edge, since ink may run
/// over it, and before that all around, since a printed line may lie on it.
fn edge(levels: &Plane) -> Vec<(usize, f32)> {
    let (width, height) = (levels.width, levels.height());
    let top: Vec<usize> = (0..width).collect();
    let right = (1..height).map(|y| y * width + width - 1);
    let bottom = (0..width.saturating_sub(1))
        .rev()
        .map(|x| (height - 1) * width + x);
    let left = (1..height.saturating_sub(1)).rev().map(|y| y * width);
    let mut around: Vec<usize> = top
        .into_iter()
        .chain(right)
        .chain(bottom)
        .chain(left)
        .collect();
    around.dedup();
    let line = width.min(height) / 8 + 1;
    let lineless = levels.dilated(line).eroded(line);
    // A ring: its end goes on at its beginning.
    let length = around.len();
    let mut ring = Plane::new(length * 3, 1, 0.0);
    for (i, value) in ring.values.iter_mut().enumerate() {
        *value = lineless.values[around[i % length]];
    }
    // As wide as it may be without bridging a whole side.
    let closed = ring.rows_closed((width.min(height) * 9 / 20).max(width.max(height) / 5));
    around
        .into_iter()
        .enumerate()
        .map(|(i, position)| (position, closed.values[length + i]))
        .collect()
}
