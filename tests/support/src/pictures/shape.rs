//! A digit of 28x28 pixels -> the outline and the centre line that its writer's pen drew, as
//! distances, from which strokes of any width are drawn crisp at any size.

use std::cell::OnceCell;

use super::distance::{distance_to_path, signed_distance};
use super::plane::Plane;
use super::regions::{Regions, components};
use super::spine::{Path, spine};

/// Grid points to one pixel of the digit, which is the unit of all lengths here.
pub const FINE: usize = 8;
/// Room around the 28x28 pixels, for strokes that grow.
const MARGIN: usize = 3;
/// Width and height of the grid.
const SIDE: usize = (28 + 2 * MARGIN) * FINE;

/// How a digit is written; widths in pixels of the 28x28 digit, whose strokes are 2 to 4 wide.
#[derive(Clone, Copy)]
pub enum Pen {
    /// The strokes as they are, a little wider or thinner on each side.
    AsWritten { grow: f32 },
    /// A round tip along the centre line.
    Round { width: f32 },
}

/// A place where a stroke is interrupted.
#[derive(Clone, Copy)]
pub struct Gap {
    pub x: f32,
    pub y: f32,
    /// Of length 1, along the stroke.
    pub along: (f32, f32),
    pub width: f32,
}

/// Ink on a small piece of paper, cut close: 0 = none, 1 = covered.
pub struct Mask {
    pub ink: Plane,
}

pub struct Shape {
    /// To the outline, negative inside the strokes.
    outline: Plane,
    /// How far the strokes may grow into each hole: without it a marker fills an 8's loops, which
    /// a writer with a marker takes care not to do.
    room: Plane,
    spine: OnceCell<Spine>,
}

/// The centre line.
struct Spine {
    path: Path,
    distance: Plane,
    /// The distance to the way a pen went around loops that ran full of ink, negative inside.
    loops: Plane,
    /// The distance to other parts that are much thicker than the strokes, less half a stroke.
    blots: Plane,
}

impl Shape {
    pub fn new(digit: &[u8; 784]) -> Self {
        let raised = enlarge(digit);
        let level = level(&raised);
        let outline = signed_distance(&raised, level, FINE).blurred(0.4 * FINE as f32);
        let room = room(&outline);
        Self {
            outline,
            room,
            spine: OnceCell::new(),
        }
    }

    fn spine(&self) -> &Spine {
        self.spine.get_or_init(|| {
            let path = spine(&self.outline);
            let (loops, blots) = loops_and_blots(&self.outline, &path);
            Spine {
                distance: distance_to_path(&path, SIDE, FINE),
                loops,
                blots,
                path,
            }
        })
    }

    /// The distance of every grid point to the ink's edge, negative inside.
    fn edge(&self, pen: Pen) -> Plane {
        match pen {
            Pen::AsWritten { grow } if grow >= 0.0 => {
                let grow = self.harmless(grow);
                let rooms = self.outline.values.iter().zip(&self.room.values);
                let values = rooms.map(|(outline, room)| outline - grow.min(*room));
                self.with(values.collect())
            }
            // The centre line stays, so that a thin place in a stroke doesn't part it.
            Pen::AsWritten { grow } => {
                let thinned = self.outline.values.iter().map(|outline| outline - grow);
                self.with_line(thinned, 0.35)
            }
            Pen::Round { width } => {
                let Spine { loops, blots, .. } = self.spine();
                let thick = loops.values.iter().zip(&blots.values);
                let line = self.spine().distance.values.iter();
                // Round a loop and not through it; a blot stays one.
                let values = line.zip(thick).map(|(line, (around, blot))| {
                    let line = (line - 0.5 * width).max(-around);
                    let around = around.abs() - 0.5 * width;
                    line.min(around).min(blot - 0.5 * width)
                });
                self.with(values.collect())
            }
        }
    }

    /// What is drawn, and a centre line `reach` wide on each side.
    fn with_line(&self, drawn: impl Iterator<Item = f32>, reach: f32) -> Plane {
        let both = drawn.zip(&self.spine().distance.values);
        self.with(
            both.map(|(drawn, spine)| drawn.min(spine - reach))
                .collect(),
        )
    }

    fn with(&self, values: Vec<f32>) -> Plane {
        Plane {
            values,
            ..self.outline
        }
    }

    /// As much of `grow` as leaves the digit's holes what they are: no bay is closed to a new one.
    fn harmless(&self, grow: f32) -> f32 {
        let holes = |grow: f32| {
            let rooms = self.outline.values.iter().zip(&self.room.values);
            let ink: Vec<bool> = rooms.map(|(d, room)| d - grow.min(*room) < 0.0).collect();
            components(&ink, SIDE).holes.len()
        };
        let before = holes(0.0);
        let mut grow = grow;
        while grow > 0.1 && holes(grow) != before {
            grow -= 0.2;
        }
        grow.max(0.0)
    }

    /// Places along the centre line where a stroke can be interrupted; `at` is 0 to 1.
    pub fn gap(&self, at: f32, width: f32) -> Gap {
        let path = &self.spine().path;
        let links: Vec<(usize, usize)> = path.links().collect();
        let at = (at * links.len() as f32) as usize;
        let (from, to) = links.get(at).map_or(((0.0, 0.0), (0.0, 0.0)), |link| {
            (path.points[link.0], path.points[link.1])
        });
        let along = (to.0 - from.0, to.1 - from.1);
        let length = along.0.hypot(along.1).max(1e-6);
        Gap {
            x: from.0,
            y: from.1,
            along: (along.0 / length, along.1 / length),
            width,
        }
    }

    /// The digit in ink, `scale` pixels to one of the 28x28.
    pub fn mask(&self, pen: Pen, scale: f32) -> Mask {
        self.broken_mask(pen, scale, &[])
    }

    /// The digit in ink with parts of its strokes missing.
    pub fn broken_mask(&self, pen: Pen, scale: f32, gaps: &[Gap]) -> Mask {
        let mut edge = self.edge(pen);
        for gap in gaps {
            cut(&mut edge, gap);
        }
        let fine = FINE as f32;
        let (left, top, right, bottom) = ink_box(&edge);
        // One pixel more on each side for the soft edge.
        let step = fine / scale;
        let width = ((right - left) / step).ceil() as usize + 2;
        let height = ((bottom - top) / step).ceil() as usize + 2;
        let ink = Plane::from_fn(width, height, |x, y| {
            let x = left + (x as f32 - 0.5) * step;
            let y = top + (y as f32 - 0.5) * step;
            (0.5 - edge.sample(x, y) * scale).clamp(0.0, 1.0)
        });
        Mask { ink }
    }
}

/// Takes a gap out of the ink.
fn cut(edge: &mut Plane, gap: &Gap) {
    let fine = FINE as f32;
    for y in 0..SIDE {
        for x in 0..SIDE {
            let (dx, dy) = ((x as f32 - gap.x) / fine, (y as f32 - gap.y) / fine);
            let along = (dx * gap.along.0 + dy * gap.along.1).abs();
            let across = (dx * gap.along.1 - dy * gap.along.0).abs();
            // Wide enough to part the stroke, not the next one.
            let inside = (0.5 * gap.width - along).min(2.5 - across);
            let value = &mut edge.values[y * SIDE + x];
            *value = value.max(inside);
        }
    }
}

/// The ink's left, top, right and bottom on the grid.
fn ink_box(edge: &Plane) -> (f32, f32, f32, f32) {
    let (mut left, mut top, mut right, mut bottom) = (SIDE, SIDE, 0, 0);
    for (index, _) in edge.values.iter().enumerate().filter(|(_, d)| **d < 0.0) {
        let (x, y) = (index % SIDE, index / SIDE);
        (left, right) = (left.min(x), right.max(x + 1));
        (top, bottom) = (top.min(y), bottom.max(y + 1));
    }
    if left >= right {
        return (0.0, 0.0, SIDE as f32, SIDE as f32);
    }
    (left as f32, top as f32, right as f32, bottom as f32)
}

/// The digit on the grid, 0 to 1, interpolated by Catmull and Rom's cubic (1974).
fn enlarge(digit: &[u8; 784]) -> Plane {
    let pixel = |x: i32, y: i32| {
        let inside = (0..28).contains(&x) && (0..28).contains(&y);
        if inside {
            f32::from(digit[(28 * y + x) as usize]) / 255.0
        } else {
            0.0
        }
    };
    let weights: Vec<[f32; 4]> = (0..FINE)
        .map(|part| {
            let t = part as f32 / FINE as f32;
            [
                0.5 * (-t + 2.0 * t * t - t * t * t),
                0.5 * (2.0 - 5.0 * t * t + 3.0 * t * t * t),
                0.5 * (t + 4.0 * t * t - 3.0 * t * t * t),
                0.5 * (-t * t + t * t * t),
            ]
        })
        .collect();
    // Rows first: [28 rows and more, SIDE].
    let rows = 28 + 2 * MARGIN + 3;
    let wide = Plane::from_fn(SIDE, rows, |x, y| {
        let (left, part) = ((x / FINE) as i32 - MARGIN as i32, x % FINE);
        let y = y as i32 - MARGIN as i32 - 1;
        let taps = weights[part].iter().zip(-1..);
        taps.map(|(weight, tap)| weight * pixel(left + tap, y))
            .sum()
    });
    let raised = Plane::from_fn(SIDE, SIDE, |x, y| {
        let taps = weights[y % FINE].iter().zip(0..);
        taps.map(|(weight, tap)| weight * wide.at(x, y / FINE + tap))
            .sum()
    });
    raised.blurred(0.45 * FINE as f32)
}

/// The level of the outline: half, or less for a digit that was written so lightly that half the
/// ink's level would part it.
fn level(raised: &Plane) -> f32 {
    let pieces = |level: f32| {
        let ink: Vec<bool> = raised.values.iter().map(|value| *value > level).collect();
        components(&ink, SIDE).pieces.len()
    };
    let fewest = pieces(0.25);
    [0.5, 0.42, 0.34]
        .into_iter()
        .find(|level| pieces(*level) <= fewest)
        .unwrap_or(0.27)
}

/// What a centre line misses. Strokes that are very thick and round must be a loop that ran full of
/// ink: the pen went around it, half a stroke's width inside the ink. What is thick but less
/// so, as in the lower half of many an 8, may be a loop or a heavy hand: it stays full. Both as
/// distances to that inner edge.
fn loops_and_blots(outline: &Plane, path: &Path) -> (Plane, Plane) {
    let depth = |&(x, y): &(f32, f32)| -outline.sample(x, y);
    let mut depths: Vec<f32> = path.points.iter().map(depth).collect();
    depths.sort_by(f32::total_cmp);
    // Less than the median, since a full loop's points are no strokes.
    let half_width = depths.get(depths.len() / 3).map_or(1.0, |d| d.max(0.5));

    let inner = 1.2 * half_width;
    let thick: Vec<bool> = outline.values.iter().map(|d| -d > inner).collect();
    let mut loops = Plane::new(SIDE, SIDE, 0.0);
    let mut blots = loops.clone();
    for piece in components(&thick, SIDE).pieces {
        let deepest = piece.iter().map(|&at| -outline.values[at]);
        let deepest = deepest.fold(0.0, f32::max);
        let inside = |point: usize| {
            let (x, y) = path.points[point];
            piece.contains(&(y.round() as usize * SIDE + x.round() as usize))
        };
        let ways = path.links().filter(|(a, b)| inside(*a) != inside(*b));
        // A crossing is thick too, and has three ways out or more.
        if deepest < 1.6 * half_width || (deepest < 2.6 * half_width && ways.count() > 2) {
            continue;
        }
        let radius = (deepest - inner) * FINE as f32;
        let round = (piece.len() as f32) < 4.0 * std::f32::consts::PI * radius * radius;
        let full = if round && deepest > 2.0 * half_width {
            &mut loops
        } else {
            &mut blots
        };
        for at in piece {
            full.values[at] = 1.0;
        }
    }
    let edge = |full: Plane| {
        let mut edge = signed_distance(&full, 0.5, FINE).blurred(0.3 * FINE as f32);
        for distance in &mut edge.values {
            *distance -= inner - half_width;
        }
        edge
    };
    (edge(loops), edge(blots))
}

/// For each grid point how far a stroke may grow there: in a hole, little more than half of its
/// radius.
fn room(outline: &Plane) -> Plane {
    let ink: Vec<bool> = outline.values.iter().map(|d| *d < 0.0).collect();
    let Regions { holes, .. } = components(&ink, SIDE);
    let mut room = Plane::new(SIDE, SIDE, f32::MAX);
    for hole in holes {
        let radius = hole.iter().map(|&at| outline.values[at]);
        let radius = radius.fold(0.0, f32::max);
        for at in hole {
            room.values[at] = 0.55 * radius;
        }
    }
    room
}
