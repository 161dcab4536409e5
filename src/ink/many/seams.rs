//! Where digits that touch can be cut apart: paths from top to bottom that cross little ink
//! (the seams of S. Avidan, A. Shamir, "Seam carving for content-aware image resizing", 2007).

use super::super::plane::Plane;

/// A cut through a part.
#[derive(Debug, Clone, PartialEq)]
pub struct Seam {
    /// The first column on its right, for each row.
    pub columns: Vec<usize>,
    /// The amount of ink it crosses, in pixels.
    cost: f32,
    /// How many strokes it crosses.
    pub crossings: usize,
}

impl Seam {
    /// Whether it lies on the left of another one, or on it, in every row.
    pub fn is_left_of(&self, other: &Self) -> bool {
        self.columns.iter().zip(&other.columns).all(|(a, b)| a <= b)
    }
}

/// Where, as a share of the height, every low point of the paths' costs becomes a seam.
const LEVELS: [f32; 5] = [0.1, 0.3, 0.5, 0.7, 0.9];

/// What a step through paper costs: of two ways around the ink, the shorter one.
const PAPER: f32 = 0.02;

/// The `most` cheapest ways, from left to right, to cut `ink`, 0 to 1, of strokes `stroke_width`
/// pixels wide, into two parts.
pub fn seams(ink: &Plane, stroke_width: f32, most: usize) -> Vec<Seam> {
    let height = ink.height();
    let down = ways(ink, 0..height);
    let up = ways(ink, (0..height).rev());
    let mut found = Vec::new();
    for level in LEVELS {
        let y = (height as f32 * level) as usize;
        let through = |x: usize| down.at(x, y) + up.at(x, y) - ink.at(x, y) - PAPER;
        for x in 1..ink.width.saturating_sub(1) {
            let is_low = through(x) <= through(x - 1) && through(x) < through(x + 1);
            if is_low && through(x) < 4.0 * stroke_width + PAPER * height as f32 {
                found.push(trace(ink, [&down, &up], x, y));
            }
        }
    }
    found.sort_by(|a, b| a.cost.total_cmp(&b.cost));

    let sums = sums(ink);
    let total: f32 = sums.iter().filter_map(|row| row.last()).sum();
    let dot = 0.5 * stroke_width * stroke_width;
    let mut chosen: Vec<Seam> = Vec::new();
    for seam in found {
        let rows = || sums.iter().zip(&seam.columns);
        let left: f32 = rows().map(|(sums, &x)| sums[x]).sum();
        let between = |other: &Seam| -> f32 {
            let pairs = rows().zip(&other.columns);
            pairs
                .map(|((sums, &a), &b)| (sums[a] - sums[b]).abs())
                .sum()
        };
        let cuts_nothing_off = left.min(total - left) < dot.max(0.03 * total);
        let is_known = |other: &Seam| between(other) < dot.max(0.01 * total);
        if chosen.len() < most && !cuts_nothing_off && !chosen.iter().any(is_known) {
            chosen.push(seam);
        }
    }
    chosen.sort_by_key(|seam| seam.columns.iter().sum::<usize>());
    chosen
}

/// The cost of the cheapest way to each pixel from the first of `rows`, which are adjacent.
fn ways(ink: &Plane, rows: impl Iterator<Item = usize>) -> Plane {
    let width = ink.width;
    let mut ways = Plane::new(width, ink.height(), 0.0);
    let mut before: Option<usize> = None;
    for y in rows {
        for x in 0..width {
            let step = ink.at(x, y) + PAPER;
            // A slanted step is longer.
            let from = |x: usize, y: usize, slanted: f32| ways.at(x, y) + slanted * step;
            let mut way = before.map_or(0.0, |y| from(x, y, 0.0));
            if let Some(y) = before {
                if x > 0 {
                    way = way.min(from(x - 1, y, 0.41));
                }
                if x + 1 < width {
                    way = way.min(from(x + 1, y, 0.41));
                }
            }
            ways.values[y * width + x] = way + step;
        }
        before = Some(y);
    }
    ways
}

/// The cheapest path through a pixel, given the ways from the top and from the bottom.
fn trace(ink: &Plane, [down, up]: [&Plane; 2], x: usize, y: usize) -> Seam {
    let mut columns = vec![x; ink.height()];
    let mut follow = |ways: &Plane, rows: &mut dyn Iterator<Item = usize>| {
        let mut at = x;
        for row in rows {
            let near = at.saturating_sub(1)..(at + 2).min(ink.width);
            let cost = |x: usize| ways.at(x, row) + if x == at { 0.0 } else { 0.001 };
            at = near
                .min_by(|&a, &b| cost(a).total_cmp(&cost(b)))
                .unwrap_or(at);
            columns[row] = at;
        }
    };
    follow(down, &mut (0..y).rev());
    follow(up, &mut (y + 1..ink.height()));
    let amounts = || columns.iter().enumerate().map(|(y, &x)| ink.at(x, y));
    let inked: Vec<bool> = amounts().map(|amount| amount > 0.5).collect();
    let ends = inked.windows(2).filter(|pair| pair[0] && !pair[1]).count();
    Seam {
        cost: amounts().sum(),
        crossings: ends + usize::from(inked.last() == Some(&true)),
        columns,
    }
}

/// For each row, the sums of the ink left of each column, and of the whole row.
fn sums(ink: &Plane) -> Vec<Vec<f32>> {
    let row = |y: usize| {
        let mut sums = vec![0.0];
        let mut sum = 0.0;
        for value in ink.row(y) {
            sum += value;
            sums.push(sum);
        }
        sums
    };
    (0..ink.height()).map(row).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Two rings with a thin bridge between them.
    fn rings() -> Plane {
        let mut ink = Plane::new(60, 30, 0.0);
        for y in 0..30 {
            for x in 0..60 {
                let from = |centre: f32| (x as f32 - centre).hypot(y as f32 - 15.0);
                let on_ring = [14.0, 45.0].map(|centre| (from(centre) - 10.0).abs() < 2.0);
                let on_bridge = (25..35).contains(&x) && (14..16).contains(&y);
                if on_ring[0] || on_ring[1] || on_bridge {
                    ink.values[y * 60 + x] = 1.0;
                }
            }
        }
        ink
    }

    #[test]
    fn two_rings_are_cut_at_their_bridge() {
        let ink = rings();
        let seams = seams(&ink, 4.0, 1);
        let [seam] = &seams[..] else {
            panic!("{} seams", seams.len())
        };
        assert!((26..35).contains(&seam.columns[15]), "{:?}", seam.columns);
        assert_eq!(seam.crossings, 1);
        assert_eq!(seam.cost, 2.0);
        // One step at a time, from the first row to the last.
        assert_eq!(seam.columns.len(), 30);
        let steps = seam.columns.windows(2);
        assert!(steps.into_iter().all(|pair| pair[0].abs_diff(pair[1]) <= 1));
    }

    #[test]
    fn more_seams_are_sorted_and_differ() {
        let seams = seams(&rings(), 4.0, 6);
        assert!(seams.len() > 1 && seams.len() <= 6);
        let middle = |seam: &Seam| seam.columns.iter().sum::<usize>();
        assert!(
            seams
                .windows(2)
                .all(|pair| middle(&pair[0]) <= middle(&pair[1]))
        );
        assert!(seams.windows(2).all(|pair| pair[0] != pair[1]));
        // A way through a ring crosses it twice.
        assert!(seams.iter().any(|seam| seam.crossings == 2));
    }
}
