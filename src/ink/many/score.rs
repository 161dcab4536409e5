//! How likely it is that a candidate is one digit: the network alone would not know, since it is
//! sure of the strangest shapes. Two 1s make a good 4, and half an 8 a good 0.

use super::super::strokes::BoundingBox;
use super::super::{Digit, SIDE};
use super::seams::Seam;

/// What speaks for and against a candidate, besides the network's answer. Lengths are in heights of
/// the line, if nothing else is said.
#[derive(Debug, Clone, Default)]
pub struct Shape {
    height: f64,
    /// Width by height.
    aspect: f64,
    /// The length of its strokes, in sides of the 20x20 box.
    length: f64,
    /// How many of its two sides cut through ink.
    cuts: f64,
    /// How many strokes they cross beyond one each: digits touch in one place.
    crossings: f64,
    /// By how much what they cut is narrower than two digits, added up over the sides.
    narrow: f64,
    /// The size of each part that is joined to others, or of these if they are smaller, as far as
    /// they lie beside each other and not one above the other, added up.
    joined: f64,
}

/// The weight of each of these. Found by random search on numbers made from MNIST's validation
/// digits, as `benches/pictures.rs` makes them.
#[derive(Debug, Clone, Copy)]
pub struct Weights {
    pub confidence: f64,
    pub aspect: f64,
    pub length: f64,
    pub short: f64,
    pub wide: f64,
    pub cut: f64,
    pub crossing: f64,
    pub narrow: f64,
    pub joined: f64,
    pub each: f64,
    pub skip: f64,
}

pub const WEIGHTS: Weights = Weights {
    confidence: 25.0,
    aspect: 0.41,
    length: 0.28,
    short: 9.3,
    wide: 28.0,
    cut: 0.34,
    crossing: 0.58,
    narrow: 7.5,
    joined: 5.0,
    each: 2.5,
    skip: 12.0,
};

/// Mean and standard deviation of the logarithm of MNIST's training digits' width by height.
const ASPECTS: [(f64, f64); 10] = [
    (-0.12, 0.22),
    (-1.01, 0.49),
    (-0.08, 0.24),
    (-0.26, 0.23),
    (-0.27, 0.23),
    (-0.09, 0.29),
    (-0.36, 0.23),
    (-0.29, 0.23),
    (-0.31, 0.24),
    (-0.43, 0.21),
];

/// Mean and standard deviation of the logarithm of the [`length`] of MNIST's training digits.
const LENGTHS: [(f64, f64); 10] = [
    (0.92, 0.10),
    (0.18, 0.10),
    (0.82, 0.14),
    (0.83, 0.15),
    (0.69, 0.11),
    (0.80, 0.16),
    (0.75, 0.15),
    (0.60, 0.11),
    (0.88, 0.14),
    (0.71, 0.13),
];

impl Shape {
    /// The shape of ink with this bounding box, in a line that is `line` pixels high.
    pub fn new(bounds: &BoundingBox, line: f32) -> Self {
        Self {
            height: f64::from(bounds.height() as f32 / line),
            aspect: bounds.width() as f64 / bounds.height() as f64,
            ..Self::default()
        }
    }

    /// Adds that one side cuts through a part of this width.
    pub fn cut(&mut self, seam: &Seam, width: f32) {
        self.cuts += 1.0;
        self.crossings += seam.crossings.saturating_sub(1) as f64;
        self.narrow += f64::from((1.2 - width).max(0.0));
    }

    /// Adds that it joins one part to another, in a line that is `line` pixels high.
    pub fn join(&mut self, one: &BoundingBox, other: &BoundingBox, line: f32) {
        let (left, right) = (one.left.max(other.left), one.right.min(other.right));
        let narrower = one.width().min(other.width());
        let beside = 1.0 - right.saturating_sub(left) as f64 / narrower as f64;
        self.joined += beside * f64::from(one.longest().min(other.longest()) as f32 / line);
    }

    /// Adds the length of the digit that it became.
    pub fn with_length(self, digit: &Digit) -> Self {
        Self {
            length: length(digit),
            ..self
        }
    }

    /// The logarithm, up to a constant, of the probability that it is one digit, given the
    /// network's probabilities.
    pub fn score(&self, probabilities: &[f64; 10], weights: &Weights) -> f64 {
        let pairs = probabilities.iter().copied().enumerate();
        let (digit, confidence) = pairs.max_by(|a, b| a.1.total_cmp(&b.1)).unwrap_or((0, 0.0));
        // Standard deviations beyond the first.
        let unusual = |value: f64, (mean, deviation): (f64, f64)| {
            (((value.ln() - mean) / deviation).abs() - 1.0).max(0.0)
        };
        let aspect = unusual(self.aspect, ASPECTS[digit]).powi(2).min(9.0);
        let length = unusual(self.length, LENGTHS[digit]).min(6.0);
        let w = weights;
        w.each + w.confidence * (confidence - 1.0)
            - w.aspect * aspect
            - w.length * length
            - w.short * (0.9 - self.height).max(0.0)
            - w.wide * (self.aspect - 1.2).max(0.0)
            - w.cut * self.cuts
            - w.crossing * self.crossings
            - w.narrow * self.narrow
            - w.joined * self.joined
    }
}

/// How long a digit's strokes are, in sides of the 20x20 box: half its total variation, since a
/// stroke has two edges, however wide it is.
fn length(digit: &Digit) -> f64 {
    let at = |x: usize, y: usize| {
        if x < SIDE && y < SIDE {
            f64::from(digit.pixels[y * SIDE + x]) / 255.0
        } else {
            0.0
        }
    };
    let mut sum = 0.0;
    for y in 0..SIDE {
        for x in 0..SIDE {
            let (across, down) = (at(x + 1, y) - at(x, y), at(x, y + 1) - at(x, y));
            sum += across.hypot(down);
        }
    }
    sum / 2.0 / 20.0
}
