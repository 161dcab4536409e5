//! Connected regions of ink and paper.

/// What ink on paper falls into.
pub struct Regions {
    /// The separate pieces of ink, but for specks: the points of each.
    pub pieces: Vec<Vec<usize>>,
    /// The paper that ink encloses: the points of each hole.
    pub holes: Vec<Vec<usize>>,
}

/// Smaller pieces and holes, in grid points, are flaws of the outline.
const SPECK: usize = 12;

/// Regions of a square grid; ink touches at corners too, paper at sides only.
pub fn components(ink: &[bool], side: usize) -> Regions {
    let mut seen = vec![false; ink.len()];
    let (mut pieces, mut holes) = (Vec::new(), Vec::new());
    for start in 0..ink.len() {
        if seen[start] {
            continue;
        }
        seen[start] = true;
        let mut region = vec![start];
        let mut outside = false;
        let mut next = 0;
        while let Some(&at) = region.get(next) {
            next += 1;
            let (x, y) = (at % side, at / side);
            outside |= x == 0 || y == 0 || x + 1 == side || y + 1 == side;
            for (nx, ny) in neighbours(x, y, ink[start]) {
                let at = ny * side + nx;
                if nx < side && ny < side && !seen[at] && ink[at] == ink[start] {
                    seen[at] = true;
                    region.push(at);
                }
            }
        }
        if region.len() > SPECK {
            match (ink[start], outside) {
                (true, _) => pieces.push(region),
                (false, true) => {}
                (false, false) => holes.push(region),
            }
        }
    }
    Regions { pieces, holes }
}

/// Four neighbours or eight; what would lie left of or above the grid is beyond its end.
fn neighbours(x: usize, y: usize, corners: bool) -> impl Iterator<Item = (usize, usize)> {
    const ALL: [(isize, isize); 8] = [
        (1, 0),
        (-1, 0),
        (0, 1),
        (0, -1),
        (1, 1),
        (-1, 1),
        (1, -1),
        (-1, -1),
    ];
    let count = if corners { 8 } else { 4 };
    ALL[..count]
        .iter()
        .map(move |(dx, dy)| (x.wrapping_add_signed(*dx), y.wrapping_add_signed(*dy)))
}
