//! Exact Euclidean distances on a grid.

use super::plane::Plane;
use super::spine::Path;

/// Far beyond every distance on a grid, squared.
const FAR: f32 = 1e9;

/// The distance of each point to where `raised` crosses `level`, negative above it; in units of
/// `fine` points.
pub fn signed_distance(raised: &Plane, level: f32, fine: usize) -> Plane {
    let squared = |inside: bool| {
        let seeds = raised.values.iter();
        let values = seeds.map(|value| if (*value > level) == inside { 0.0 } else { FAR });
        squared_distance(Plane {
            values: values.collect(),
            ..*raised
        })
    };
    let mut to_ink = squared(true);
    let to_paper = squared(false);
    for (ink, paper) in to_ink.values.iter_mut().zip(&to_paper.values) {
        // The outline lies half a point before the first point beyond it.
        *ink = if *ink > 0.0 {
            (ink.sqrt() - 0.5) / fine as f32
        } else {
            (0.5 - paper.sqrt()) / fine as f32
        };
    }
    to_ink
}

/// Felzenszwalb and Huttenlocher, Distance Transforms of Sampled Functions (2012): the lower
/// envelope of parabolas, along the rows and then along the columns.
fn squared_distance(mut plane: Plane) -> Plane {
    for row in plane.values.chunks_exact_mut(plane.width) {
        envelope(row);
    }
    let mut column = vec![0.0; plane.height];
    for x in 0..plane.width {
        for (y, value) in column.iter_mut().enumerate() {
            *value = plane.values[y * plane.width + x];
        }
        envelope(&mut column);
        for (y, value) in column.iter().enumerate() {
            plane.values[y * plane.width + x] = *value;
        }
    }
    plane
}

fn envelope(line: &mut [f32]) {
    if line.iter().all(|value| *value >= FAR) {
        return;
    }
    let heights = line.to_vec();
    let (mut bottoms, mut starts): (Vec<usize>, Vec<f32>) = (Vec::new(), Vec::new());
    for (at, height) in heights.iter().enumerate().filter(|(_, h)| **h < FAR) {
        let meet = |other: usize| {
            let (a, b) = (at as f32, other as f32);
            (height + a * a - heights[other] - b * b) / (2.0 * (a - b))
        };
        while let Some(&last) = bottoms.last() {
            if meet(last) > starts[bottoms.len() - 1] {
                break;
            }
            bottoms.pop();
            starts.pop();
        }
        starts.push(bottoms.last().map_or(f32::MIN, |&last| meet(last)));
        bottoms.push(at);
    }
    let mut current = 0;
    for (at, value) in line.iter_mut().enumerate() {
        while current + 1 < bottoms.len() && starts[current + 1] < at as f32 {
            current += 1;
        }
        let bottom = bottoms[current];
        *value = (at as f32 - bottom as f32).powi(2) + heights[bottom];
    }
}

/// Beyond it, distances to a path are not needed.
const REACH: usize = 2;

/// The distance of each point of a square grid to the nearest segment of a path, in units of `fine`
/// points; `REACH` where it is more than that.
pub fn distance_to_path(path: &Path, side: usize, fine: usize) -> Plane {
    let reach = REACH * fine;
    let mut plane = Plane::new(side, side, REACH as f32);
    // A dot is a point without links.
    let dots = (0..path.points.len()).filter(|point| path.neighbours[*point].is_empty());
    for (from, to) in path.links().chain(dots.map(|point| (point, point))) {
        let (a, b) = (path.points[from], path.points[to]);
        let (dx, dy) = (b.0 - a.0, b.1 - a.1);
        let length = dx * dx + dy * dy;
        let from = |low: f32| (low as usize).saturating_sub(reach);
        let to = |high: f32| (high as usize + reach).min(side - 1);
        for y in from(a.1.min(b.1))..=to(a.1.max(b.1)) {
            for x in from(a.0.min(b.0))..=to(a.0.max(b.0)) {
                let (px, py) = (x as f32 - a.0, y as f32 - a.1);
                let along = if length > 0.0 {
                    ((px * dx + py * dy) / length).clamp(0.0, 1.0)
                } else {
                    0.0
                };
                let distance = (px - along * dx).hypot(py - along * dy) / fine as f32;
                let value = &mut plane.values[y * side + x];
                *value = value.min(distance);
            }
        }
    }
    plane
}
