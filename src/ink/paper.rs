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

/// The picture's edge and the level of the paper there: the lightest a little way in, since a printed
/// line may lie on the edge, and closed along it, since ink may run over it.
fn edge(levels: &Plane) -> Vec<(usize, f32)> {
    let (width, height) = (levels.width, levels.height());
    let at = |x: usize, y: usize| y * width + x;
    let inwards = width.min(height) / 8 + 1;
    // Clockwise: a position, and the step from it towards the middle.
    let top = (0..width).map(|x| (at(x, 0), width as isize));
    let right = (1..height).map(|y| (at(width - 1, y), -1));
    let bottom = (0..width.saturating_sub(1))
        .rev()
        .map(|x| (at(x, height - 1), -(width as isize)));
    let left = (1..height.saturating_sub(1)).rev().map(|y| (at(0, y), 1));
    let around: Vec<(usize, isize)> = top.chain(right).chain(bottom).chain(left).collect();
    let lightest: Vec<f32> = around
        .iter()
        .map(|&(position, step)| {
            let deepest = if step.unsigned_abs() == 1 {
                width
            } else {
                height
            };
            (0..=inwards.min(deepest - 1))
                .map(|i| levels.values[position.wrapping_add_signed(step * i as isize)])
                .fold(f32::NEG_INFINITY, f32::max)
        })
        .collect();
    // A ring: its end goes on at its beginning.
    let length = around.len();
    let ring = Plane {
        width: length * 3,
        values: lightest.repeat(3),
    };
    // As wide as it may be without bridging a whole side.
    let closed = ring.rows_closed((width.min(height) * 9 / 20).max(width.max(height) / 5));
    let levels = closed.values[length..].iter().copied();
    around
        .into_iter()
        .map(|(position, _)| position)
        .zip(levels)
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Dark strokes across the edge of a shadow, on paper whose light falls off to the right.
    #[test]
    fn strokes_stand_out_in_a_shadow_as_beside_it() {
        let (width, height) = (200, 150);
        let light = |x: usize| {
            if x < 100 {
                110.0
            } else {
                240.0 - 0.3 * x as f32
            }
        };
        let stroke =
            |x: usize, y: usize| (40..44).contains(&x) || (160..164).contains(&x) && y > 30;
        let stroke = |x: usize, y: usize| stroke(x, y) && (20..120).contains(&y);
        let mut levels = Plane::new(width, height, 0.0);
        for (i, level) in levels.values.iter_mut().enumerate() {
            let (x, y) = (i % width, i / width);
            *level = light(x) * if stroke(x, y) { 0.3 } else { 1.0 };
        }
        let ink = ink(&levels);
        for (i, &amount) in ink.values.iter().enumerate() {
            let (x, y) = (i % width, i / width);
            if stroke(x, y) {
                assert!(amount > 0.6, "({x}, {y}): {amount}");
            } else {
                assert!(amount.abs() < 0.1, "({x}, {y}): {amount}");
            }
        }
    }
}
