//! A line of writing -> everything on it that could be one digit.

use rayon::prelude::*;

use super::super::find::{Found, Strokes};
use super::super::fit;
use super::super::plane::Plane;
use super::super::strokes::{BoundingBox, Component};
use super::rows::Row;
use super::score::Shape;
use super::seams::{Seam, seams};
use super::{Candidate, Line, Skip};

/// A digit has at most this many components: a pencil on rough paper breaks its strokes.
const MOST_PARTS: usize = 8;

/// A digit is at most this wide, in heights.
const WIDEST: f32 = 1.6;

/// Ink this far apart belongs to two digits, in heights of the line.
const APART: f32 = 0.35;

/// How far the soft edge of a stroke reaches, in pixels.
const EDGE: usize = 2;

/// One of a line's components, and where it may be cut.
struct Piece<'a> {
    component: &'a Component,
    /// Its number in [`Components::labels`](super::super::strokes::Components::labels).
    label: u32,
    seams: Vec<Seam>,
}

/// The part of a piece between two of its cuts; `None` stands for the piece's end.
struct Slice<'a> {
    piece: &'a Piece<'a>,
    left: Option<&'a Seam>,
    right: Option<&'a Seam>,
}

/// A place where one digit may end and the next begin: on the left of a piece, or at a seam in it.
struct Cut {
    piece: usize,
    seam: Option<usize>,
}

/// The candidates of a line of writing; `place` says where in the picture a bounding box is. With
/// more than `most` seams, nothing is cut.
pub fn line(
    strokes: &Strokes,
    row: &Row,
    most: usize,
    place: &(impl Fn(&BoundingBox) -> [u32; 4] + Sync),
) -> Line {
    let mut pieces: Vec<Piece> = row
        .components
        .iter()
        .map(|&index| Piece::new(strokes, row, index))
        .collect();
    if pieces.iter().map(|piece| piece.seams.len()).sum::<usize>() > most {
        pieces.iter_mut().for_each(|piece| piece.seams.clear());
    }
    let mut cuts = Vec::new();
    let mut skips = Vec::new();
    for (number, piece) in pieces.iter().enumerate() {
        let first = cuts.len();
        let seams = (0..piece.seams.len()).map(Some);
        cuts.extend([None].into_iter().chain(seams).map(|seam| Cut {
            piece: number,
            seam,
        }));
        skips.push(Skip {
            first,
            last: cuts.len(),
            size: piece.component.bounds.longest() as f32 / row.height,
        });
    }
    cuts.push(Cut {
        piece: pieces.len(),
        seam: None,
    });

    let runs: Vec<(usize, usize)> = (0..cuts.len())
        .flat_map(|first| {
            // They are sorted by piece.
            let near = cuts.partition_point(|cut| cut.piece <= cuts[first].piece + MOST_PARTS);
            (first + 1..near).map(move |last| (first, last))
        })
        .collect();
    let candidates = runs.into_par_iter().filter_map(|(first, last)| {
        let slices = slices(&pieces, &cuts[first], &cuts[last])?;
        let (found, bounds, shape) = joined(strokes, row, &slices)?;
        let digit = fit::fit(&found)?;
        Some(Candidate {
            shape: shape.with_length(&digit),
            digit,
            place: place(&bounds),
            first,
            last,
        })
    });
    Line {
        candidates: candidates.collect(),
        ends: cuts.len() - 1,
        skips,
    }
}

impl<'a> Piece<'a> {
    fn new(strokes: &'a Strokes, row: &Row, index: usize) -> Self {
        let component = &strokes.components.all[index];
        let (width, height) = (
            component.bounds.width() as f32,
            component.bounds.height() as f32,
        );
        let mut piece = Self {
            component,
            label: index as u32 + 1,
            seams: vec![],
        };
        if width > 0.4 * row.height && height > 0.5 * row.height {
            // A digit may be half as wide as it is high, and be cut in three wrong places.
            let most = (5.0 * width / row.height).ceil() as usize + 1;
            piece.seams = seams(&piece.ink(strokes), component.stroke_width, most);
        }
        piece
    }

    /// Its ink alone, 0 to 1.
    fn ink(&self, strokes: &Strokes) -> Plane {
        let BoundingBox { left, top, .. } = self.component.bounds;
        let width = self.component.bounds.width();
        let mut ink = Plane::new(width, self.component.bounds.height(), 0.0);
        for (i, value) in ink.values.iter_mut().enumerate() {
            let at = (top + i / width) * strokes.ink.width + left + i % width;
            if strokes.components.labels[at] == self.label {
                *value = (strokes.ink.values[at] / self.component.peak).clamp(0.0, 1.0);
            }
        }
        ink
    }
}

/// What lies between two cuts; `None` if that is too many pieces, or the cuts cross each other.
fn slices<'a>(pieces: &'a [Piece<'a>], first: &Cut, last: &Cut) -> Option<Vec<Slice<'a>>> {
    let end = last.piece + usize::from(last.seam.is_some());
    if end - first.piece > MOST_PARTS {
        return None;
    }
    let mut slices: Vec<Slice> = pieces[first.piece..end]
        .iter()
        .map(|piece| Slice {
            piece,
            left: None,
            right: None,
        })
        .collect();
    if let Some(seam) = first.seam {
        let slice = slices.first_mut()?;
        slice.left = Some(&slice.piece.seams[seam]);
    }
    if let Some(seam) = last.seam {
        let slice = slices.last_mut()?;
        slice.right = Some(&slice.piece.seams[seam]);
    }
    let crossing = |slice: &Slice| {
        let seams = slice.left.zip(slice.right);
        seams.is_some_and(|(left, right)| !left.is_left_of(right))
    };
    (!slices.iter().any(crossing)).then_some(slices)
}

impl Slice<'_> {
    /// Whether a pixel of the page lies between its cuts.
    fn is_between(&self, x: usize, y: usize) -> bool {
        let bounds = &self.piece.component.bounds;
        let row = y.clamp(bounds.top, bounds.bottom - 1) - bounds.top;
        self.left
            .is_none_or(|seam| x >= bounds.left + seam.columns[row])
            && self
                .right
                .is_none_or(|seam| x < bounds.left + seam.columns[row])
    }

    fn holds(&self, strokes: &Strokes, x: usize, y: usize) -> bool {
        strokes.components.labels[y * strokes.components.width + x] == self.piece.label
            && self.is_between(x, y)
    }

    /// The rectangle around its ink.
    fn bounds(&self, strokes: &Strokes) -> Option<BoundingBox> {
        let whole = self.piece.component.bounds;
        if self.left.is_none() && self.right.is_none() {
            return Some(whole);
        }
        let pixels =
            (whole.top..whole.bottom).flat_map(|y| (whole.left..whole.right).map(move |x| (x, y)));
        pixels
            .filter(|&(x, y)| self.holds(strokes, x, y))
            .map(|(x, y)| BoundingBox {
                left: x,
                top: y,
                right: x + 1,
                bottom: y + 1,
            })
            .reduce(|all, pixel| all.union(&pixel))
    }
}

/// The ink of some slices as that of one digit, where on the page it is, and what speaks for it;
/// `None` if it can't be one.
fn joined(strokes: &Strokes, row: &Row, slices: &[Slice]) -> Option<(Found, BoundingBox, Shape)> {
    let boxes: Vec<BoundingBox> = slices
        .iter()
        .map(|slice| slice.bounds(strokes))
        .collect::<Option<_>>()?;
    let bounds = boxes.iter().copied().reduce(|all, e| all.union(&e))?;
    let (width, height) = (bounds.width() as f32, bounds.height() as f32);
    let is_digit = width <= WIDEST * row.height.max(height)
        && (0.3 * row.height..2.5 * row.height).contains(&height);
    if !is_digit {
        return None;
    }
    let mut shape = Shape::new(&bounds, row.height);
    for slice in slices {
        let sides = [slice.left, slice.right];
        for seam in sides.into_iter().flatten() {
            shape.cut(
                seam,
                slice.piece.component.bounds.width() as f32 / row.height,
            );
        }
    }
    let mut all = boxes[0];
    for bounds in &boxes[1..] {
        if bounds.left as f32 - all.right as f32 > APART * row.height {
            return None;
        }
        shape.join(&all, bounds, row.height);
        all = all.union(bounds);
    }
    Some((cropped(strokes, slices, &bounds), bounds, shape))
}

/// The ink of the slices with its soft edges, and no other.
fn cropped(strokes: &Strokes, slices: &[Slice], bounds: &BoundingBox) -> Found {
    let page = bounds.grown(EDGE, strokes.ink.width, strokes.ink.height());
    let at = |i: usize| (page.left + i % page.width(), page.top + i / page.width());
    let mut own = Plane::new(page.width(), page.height(), 0.0);
    for (i, own) in own.values.iter_mut().enumerate() {
        let (x, y) = at(i);
        if slices.iter().any(|slice| slice.holds(strokes, x, y)) {
            *own = 1.0;
        }
    }
    let near = own.dilated(EDGE);
    let mut ink = own;
    for (i, (value, near)) in ink.values.iter_mut().zip(near.values).enumerate() {
        let (x, y) = at(i);
        let is_edge = near > 0.0
            && strokes.components.labels[y * strokes.components.width + x] == 0
            && slices.iter().all(|slice| slice.is_between(x, y));
        if *value > 0.0 || is_edge {
            *value = strokes.ink.at(x, y);
        }
    }
    let peaks = slices.iter().map(|slice| slice.piece.component.peak);
    Found {
        ink,
        peak: peaks.fold(0.0, f32::max),
        stroke_width: strokes.main.stroke_width,
        bounds: BoundingBox {
            left: bounds.left - page.left,
            top: bounds.top - page.top,
            right: bounds.right - page.left,
            bottom: bounds.bottom - page.top,
        },
    }
}
