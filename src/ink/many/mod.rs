//! A picture of several digits -> what each of them may be.
//!
//! Where one digit ends and the next begins can't be told without reading them. So the ink is cut
//! into more pieces than there are digits, every run of neighbouring pieces that could be a digit
//! becomes a [`Candidate`], the network reads all of these, and the likeliest way through a line's
//! pieces is its text: over-segmentation and recognition, as in Y. LeCun et al., "Gradient-based
//! learning applied to document recognition", 1998, section IV.
//!
//! - `rows.rs`: components -> lines of writing;
//! - `seams.rs`: where touching digits can be cut apart;
//! - `pieces.rs`: a line -> its candidates;
//! - `score.rs`: how likely a candidate is one digit;
//! - `path.rs`: candidates and their predictions -> the likeliest digits.

use super::decode::Page;
use super::plane::Plane;
use super::strokes::BoundingBox;
use super::{Digit, colour, fit, original, page};
use score::{Shape, WEIGHTS};

mod path;
mod pieces;
mod rows;
mod score;
mod seams;

/// With more seams than 500 digits have, a page takes too long, and lines that have more than their
/// share of them are left uncut.
const MOST_SEAMS: usize = 2000;

/// The lines of writing in a picture.
pub struct Numbers {
    lines: Vec<Line>,
}

/// A line of writing, cut at `ends + 1` places, its two ends among them.
struct Line {
    ends: usize,
    candidates: Vec<Candidate>,
    /// Its components, each of which may be something other than a digit.
    skips: Vec<Skip>,
}

/// Ink that could be one digit.
pub struct Candidate {
    /// What the network is to see of it.
    pub digit: Digit,
    /// Left, top, width and height, in pixels of the picture as it is viewed.
    pub place: [u32; 4],
    /// The cuts that it lies between.
    first: usize,
    last: usize,
    shape: Shape,
}

/// A component that lies between two cuts and may be left out.
struct Skip {
    first: usize,
    last: usize,
    /// Its longer side, in heights of the line.
    size: f32,
}

/// Finds the digits of a page; `None` if there is nothing that can be one.
pub fn read(page: &Page) -> Option<Numbers> {
    let levels = colour::levels(&page.image);
    if let Some(digit) = original::original(&levels) {
        let ink = Plane::from_levels(&levels);
        let bounds = fit::bounds_above(&ink, 0.0)?;
        return Some(Numbers::single(digit, place(&bounds, 1.0, page.size)));
    }
    let strokes = page::strokes(&page::sized(&levels)).into_iter().next()?;
    let scale = f64::from(page.scale) * f64::from(page.image.width()) / strokes.ink.width as f64;
    let place = |bounds: &BoundingBox| place(bounds, scale, page.size);
    let rows = rows::rows(&strokes.components, &strokes.main);
    let most = MOST_SEAMS / rows.len().max(1);
    let lines = rows
        .iter()
        .map(|row| pieces::line(&strokes, row, most, &place));
    Some(Numbers {
        lines: lines.collect(),
    })
}

/// Where a bounding box is in the picture, of which one of its pixels has `scale`.
fn place(bounds: &BoundingBox, scale: f64, (width, height): (u32, u32)) -> [u32; 4] {
    let from = |at: usize, side: u32| ((at as f64 * scale) as u32).min(side - 1);
    let to = |at: usize, side: u32| ((at as f64 * scale).ceil() as u32).min(side);
    let (left, top) = (from(bounds.left, width), from(bounds.top, height));
    let (right, bottom) = (to(bounds.right, width), to(bounds.bottom, height));
    [left, top, right - left, bottom - top]
}

impl Numbers {
    /// A digit just as MNIST has them.
    fn single(digit: Digit, place: [u32; 4]) -> Self {
        let shape = Shape::default();
        let candidate = Candidate {
            digit,
            place,
            first: 0,
            last: 1,
            shape,
        };
        Self {
            lines: vec![Line {
                ends: 1,
                candidates: vec![candidate],
                skips: vec![],
            }],
        }
    }

    /// All that may be digits: what the network is to read.
    pub fn candidates(&self) -> impl Iterator<Item = &Candidate> {
        self.lines.iter().flat_map(|line| &line.candidates)
    }

    /// The likeliest digits, each as its place among [`Numbers::candidates`], given each
    /// candidate's ten probabilities; a list for each line that has any.
    pub fn best(&self, probabilities: &[[f64; 10]]) -> Vec<Vec<usize>> {
        let mut before = 0;
        let mut lines = Vec::new();
        for line in &self.lines {
            let count = line.candidates.len();
            let best = path::best(line, &probabilities[before..before + count], &WEIGHTS);
            if !best.is_empty() {
                lines.push(best.into_iter().map(|index| before + index).collect());
            }
            before += count;
        }
        lines
    }
}
