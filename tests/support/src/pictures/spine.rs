//! The centre line of a digit's strokes: what the tip of a pen would draw.

use super::plane::Plane;

/// Lines on a grid.
pub struct Path {
    pub points: Vec<(f32, f32)>,
    /// Of each point, by index.
    pub neighbours: Vec<Vec<usize>>,
}

impl Path {
    /// Each pair of neighbours once.
    pub fn links(&self) -> impl Iterator<Item = (usize, usize)> {
        let each = self.neighbours.iter().enumerate();
        each.flat_map(|(a, others)| others.iter().map(move |b| (a, *b)))
            .filter(|(a, b)| a < b)
    }

    /// Takes away what is not `kept`.
    fn keep(&mut self, kept: &[bool]) {
        let mut count = 0;
        let place = |kept: &bool| {
            count += usize::from(*kept);
            count.wrapping_sub(1)
        };
        let places: Vec<usize> = kept.iter().map(place).collect();
        let mut at = 0..;
        self.points.retain(|_| kept[at.next().unwrap()]);
        let mut at = 0..;
        self.neighbours.retain(|_| kept[at.next().unwrap()]);
        for neighbours in &mut self.neighbours {
            neighbours.retain(|at| kept[*at]);
            for at in neighbours {
                *at = places[*at];
            }
        }
    }
}

/// How often the line is smoothed: about half a pixel of the 28x28 digit, since thinning leaves
/// stairs.
const SMOOTHINGS: usize = 40;

/// The centre line of what is negative in `outline`, the signed distance to the ink's edge.
pub fn spine(outline: &Plane) -> Path {
    let mut path = connect(&thin(outline), outline.width);
    // What a bump of the outline sprouts is shorter than the stroke is wide.
    for _ in 0..2 {
        prune(&mut path, outline);
    }
    for _ in 0..SMOOTHINGS {
        let smoothed = |at: usize| {
            let (x, y) = path.points[at];
            match path.neighbours[at][..] {
                [a, b] => {
                    let (a, b) = (path.points[a], path.points[b]);
                    (0.5 * x + 0.25 * (a.0 + b.0), 0.5 * y + 0.25 * (a.1 + b.1))
                }
                // Ends and crossings stay.
                _ => (x, y),
            }
        };
        path.points = (0..path.points.len()).map(smoothed).collect();
    }
    path
}

/// Zhang and Suen, A Fast Parallel Algorithm for Thinning Digital Patterns (1984): peels the ink
/// from all sides until lines of one point's width are left.
fn thin(outline: &Plane) -> Vec<bool> {
    let side = outline.width;
    let mut ink: Vec<bool> = outline.values.iter().map(|d| *d < 0.0).collect();
    let at_edge = |at: usize| {
        let (x, y) = (at % side, at / side);
        x == 0 || y == 0 || x + 1 == side || y + 1 == side
    };
    let mut candidates: Vec<usize> = (0..ink.len())
        .filter(|at| ink[*at] && !at_edge(*at))
        .collect();
    loop {
        let mut peeled = 0;
        for first in [true, false] {
            let doomed: Vec<usize> = candidates
                .iter()
                .copied()
                .filter(|at| removable(&ink, side, *at, first))
                .collect();
            peeled += doomed.len();
            for at in doomed {
                ink[at] = false;
            }
            candidates.retain(|at| ink[*at]);
        }
        if peeled == 0 {
            return ink;
        }
    }
}

fn removable(ink: &[bool], side: usize, at: usize, first: bool) -> bool {
    // Clockwise from the one above.
    let around = [
        at - side,
        at - side + 1,
        at + 1,
        at + side + 1,
        at + side,
        at + side - 1,
        at - 1,
        at - side - 1,
    ]
    .map(|at| ink[at]);
    let count = around.iter().filter(|ink| **ink).count();
    let begins = (0..8).filter(|i| !around[*i] && around[(i + 1) % 8]);
    let [up, _, right, _, down, _, left, _] = around;
    let side_is_free = if first {
        !right || !down || (!up && !left)
    } else {
        !up || !left || (!right && !down)
    };
    (2..=6).contains(&count) && begins.count() == 1 && side_is_free
}

/// The lines through neighbouring points: across a corner only where no side leads there.
fn connect(line: &[bool], side: usize) -> Path {
    let mut index = vec![None; line.len()];
    let mut places = Vec::new();
    for (at, _) in line.iter().enumerate().filter(|(_, ink)| **ink) {
        index[at] = Some(places.len());
        places.push(at);
    }
    let find = |x: usize, y: usize| {
        let inside = x < side && y < side;
        inside.then(|| index[y * side + x]).flatten()
    };
    let neighbours = places.iter().map(|&at| {
        let (x, y) = (at % side, at / side);
        let mut found = Vec::new();
        for (dx, dy) in [(1, 0), (-1, 0), (0, 1), (0, -1)] {
            found.extend(find(x.wrapping_add_signed(dx), y.wrapping_add_signed(dy)));
        }
        for (dx, dy) in [(1, 1), (1, -1), (-1, 1), (-1, -1)] {
            let (nx, ny) = (x.wrapping_add_signed(dx), y.wrapping_add_signed(dy));
            if find(nx, y).is_none() && find(x, ny).is_none() {
                found.extend(find(nx, ny));
            }
        }
        found
    });
    Path {
        neighbours: neighbours.collect(),
        points: places
            .iter()
            .map(|at| ((at % side) as f32, (at / side) as f32))
            .collect(),
    }
}

/// Takes away branches that are no longer than the stroke they leave is wide.
fn prune(path: &mut Path, outline: &Plane) {
    let mut kept = vec![true; path.points.len()];
    for end in 0..path.points.len() {
        if path.neighbours[end].len() != 1 {
            continue;
        }
        let mut branch = vec![end];
        let mut at = path.neighbours[end][0];
        while let [a, b] = path.neighbours[at][..] {
            let next = if branch.last() == Some(&a) { b } else { a };
            branch.push(at);
            at = next;
        }
        let crossing = path.neighbours[at].len() > 2;
        let (x, y) = path.points[at];
        let half_width = -outline.sample(x, y) * super::shape::FINE as f32;
        if crossing && (branch.len() as f32) < 1.1 * half_width {
            for at in branch {
                kept[at] = false;
            }
        }
    }
    path.keep(&kept);
}
