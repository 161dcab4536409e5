//! Printed lines -> gone: ruled and squared paper, where they are as dark as the ink.
//!
//! A line is thin, nearly level or upright, and goes from one edge of the picture to the other. It
//! is found by its votes (P. V. C. Hough's transform over offset and slope), and wiped out except
//! where something thicker crosses it.

use super::plane::Plane;

/// The steepest line that counts as level: 1 in 6, about 10 degrees.
const SLOPE: f32 = 0.17;

/// How much of the way across the page a line has to be seen.
const SEEN: f32 = 0.6;

/// A thin part of a column: its middle, and the rows it takes.
struct ColumnRun {
    x: u32,
    top: u32,
    bottom: u32,
}

/// Sets the ink of printed lines to 0, where it is above `threshold`. Returns whether there were any.
pub fn wipe_lines(ink: &mut Plane, threshold: f32) -> bool {
    let level = wipe_level_lines(ink, threshold);
    let mut turned = ink.transposed();
    let upright = wipe_level_lines(&mut turned, threshold);
    if upright {
        *ink = turned.transposed();
    }
    level || upright
}

fn wipe_level_lines(ink: &mut Plane, threshold: f32) -> bool {
    let (width, height) = (ink.width, ink.height());
    let thickest = (width.max(height) / 60).max(2);
    let mut runs = thin_runs(ink, threshold, thickest);
    // As far as a bent line may stray, and as thick as its noise makes it.
    let tolerance = (width as f32 / 250.0).max(1.5);
    let mut found = false;
    // More lines than this, and it is a texture.
    for _ in 0..80 {
        let Some((slope, offset)) = strongest_line(&runs, width, height) else {
            break;
        };
        let (on, off): (Vec<ColumnRun>, Vec<ColumnRun>) = runs.into_iter().partition(|run| {
            let middle = (run.top + run.bottom) as f32 / 2.0;
            (middle - slope * run.x as f32 - offset).abs() <= tolerance
        });
        runs = off;
        if !goes_across(&on, width) {
            continue;
        }
        found = true;
        for run in on {
            let (top, bottom) = (run.top as usize, run.bottom as usize);
            // One more on both sides: its soft edge.
            for y in top.saturating_sub(1)..(bottom + 1).min(height) {
                ink.values[y * width + run.x as usize] = 0.0;
            }
        }
    }
    found
}

fn thin_runs(ink: &Plane, threshold: f32, thickest: usize) -> Vec<ColumnRun> {
    let (width, height) = (ink.width, ink.height());
    let mut runs = Vec::new();
    let mut starts: Vec<Option<u32>> = vec![None; width];
    for y in 0..=height {
        for (x, start) in starts.iter_mut().enumerate() {
            let inked = y < height && ink.at(x, y) > threshold;
            match (*start, inked) {
                (None, true) => *start = Some(y as u32),
                (Some(top), false) => {
                    *start = None;
                    if y - top as usize <= thickest {
                        runs.push(ColumnRun {
                            x: x as u32,
                            top,
                            bottom: y as u32,
                        });
                    }
                }
                _ => {}
            }
        }
    }
    runs
}

/// Slope and offset of the line with the most runs on it, if there are enough.
fn strongest_line(runs: &[ColumnRun], width: usize, height: usize) -> Option<(f32, f32)> {
    let enough = (SEEN * width as f32) as u32;
    if runs.len() < enough as usize {
        return None;
    }
    // A step moves the line's end by two pixels.
    let steps = (SLOPE * width as f32 / 2.0).ceil() as i32;
    let margin = (SLOPE * width as f32).ceil();
    let mut best = (0, 0.0, 0.0);
    let mut votes = vec![0_u32; height + 2 * margin as usize + 2];
    for step in -steps..=steps {
        let slope = step as f32 * SLOPE / steps.max(1) as f32;
        votes.fill(0);
        for run in runs {
            let middle = (run.top + run.bottom) as f32 / 2.0;
            votes[(middle - slope * run.x as f32 + margin) as usize] += 1;
        }
        for (i, pair) in votes.windows(2).enumerate() {
            let count = pair[0] + pair[1];
            // Of equal ones the flattest.
            if count > best.0 || (count == best.0 && slope.abs() < f32::abs(best.1)) {
                best = (count, slope, i as f32 + 1.0 - margin);
            }
        }
    }
    (best.0 >= enough).then_some((best.1, best.2))
}

/// Whether the runs are seen along the whole way across, and not in one part of it.
fn goes_across(runs: &[ColumnRun], width: usize) -> bool {
    const PARTS: usize = 12;
    let mut seen = [0_usize; PARTS];
    let mut last = None;
    for run in runs {
        // A column counts once.
        if last != Some(run.x) {
            seen[run.x as usize * PARTS / width] += 1;
        }
        last = Some(run.x);
    }
    let covered = |count: usize| count * PARTS * 2 >= width;
    let parts = seen.iter().filter(|&&count| covered(count)).count();
    parts >= 9 && covered(seen[0]) && covered(seen[PARTS - 1])
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn printed_lines_go_and_what_crosses_them_stays() {
        let (width, height) = (300, 200);
        let line = |x: usize, y: usize| (y as f32 - 100.0 - 0.05 * x as f32).abs() < 1.0;
        let stroke = |x: usize, y: usize| (140..150).contains(&x) && (60..160).contains(&y);
        let mut ink = Plane::new(width, height, 0.0);
        for (i, value) in ink.values.iter_mut().enumerate() {
            let (x, y) = (i % width, i / width);
            *value = if line(x, y) || stroke(x, y) { 0.8 } else { 0.0 };
        }
        assert!(wipe_lines(&mut ink, 0.1));
        for (i, &value) in ink.values.iter().enumerate() {
            let (x, y) = (i % width, i / width);
            let expected = if stroke(x, y) { 0.8 } else { 0.0 };
            assert!(value == expected, "({x}, {y}): {value}");
        }
        // A stroke alone, however straight, is no printed line.
        assert!(!wipe_lines(&mut ink, 0.1));
    }
}
