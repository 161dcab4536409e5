//! A picture of one digit -> what the digit may be.
//!
//! Whether the ink is dark or light can't always be told without reading it: a sheet of paper on a
//! desk is a light shape too, and so is the paper in the loop of a thick 0. Where a page has strokes
//! of both kinds, the network reads both, and has a say in which of them is the digit.

use image::RgbImage;

use super::original::original;
use super::{Digit, colour, fit, page};

/// How much surer the network has to be of the second ink, in the logarithm of the odds, if it looks
/// as much like writing as the first.
const DOUBT: f64 = 4.0;

/// The least that anything looks like writing: see [`Strokes::score`](super::find::Strokes::score).
const LEAST: f32 = 1e-4;

/// What the digit in a picture may be, the likelier first: one or two.
#[derive(Debug)]
pub struct Single {
    digits: Vec<Digit>,
    /// How much surer the network has to be of the second, in the logarithm of the odds.
    doubt: f64,
}

/// Finds the digit of a page; `None` if nothing on it can be one.
pub fn read(page: &RgbImage) -> Option<Single> {
    let levels = colour::levels(page);
    let strokes = match original(&levels) {
        Some(digit) => return Some(Single::only(digit)),
        None => page::strokes(&page::sized(&levels)),
    };
    let doubt = match &strokes[..] {
        [first, second] => DOUBT + f64::from(((first.score + LEAST) / (second.score + LEAST)).ln()),
        _ => DOUBT,
    };
    let digits: Vec<Digit> = strokes
        .into_iter()
        .filter_map(|strokes| fit::fit(&strokes.digit()))
        .collect();
    (!digits.is_empty()).then_some(Single { digits, doubt })
}

impl Single {
    /// What can be nothing else.
    pub(super) fn only(digit: Digit) -> Self {
        Self {
            digits: vec![digit],
            doubt: DOUBT,
        }
    }

    /// All that may be the digit: what the network is to read.
    pub fn candidates(&self) -> &[Digit] {
        &self.digits
    }

    /// The digit, as its place among the candidates, given each candidate's ten probabilities.
    pub fn best(&self, probabilities: &[[f64; 10]]) -> usize {
        let odds = |probabilities: &[f64; 10]| {
            let confidence = probabilities.iter().copied().fold(0.0, f64::max);
            // A network may be as good as certain: 1 : 10,000 is.
            (confidence / (1.0 - confidence + 1e-4)).ln()
        };
        match probabilities {
            [first, second] if odds(second) > odds(first) + self.doubt => 1,
            _ => 0,
        }
    }

    /// The digit that is at this place among the candidates.
    pub fn take(mut self, place: usize) -> Digit {
        self.digits.swap_remove(place)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_network_decides_only_when_it_is_sure() {
        let digit = Digit { pixels: [0; 784] };
        let single = |count| Single {
            digits: vec![digit.clone(); count],
            doubt: DOUBT,
        };
        let read = |confidence: f64| {
            let mut probabilities = [(1.0 - confidence) / 9.0; 10];
            probabilities[3] = confidence;
            probabilities
        };
        assert_eq!(single(1).best(&[read(0.2)]), 0);
        assert_eq!(single(2).best(&[read(0.9), read(0.99)]), 0);
        assert_eq!(single(2).best(&[read(0.4), read(1.0)]), 1);
        assert_eq!(single(2).best(&[read(1.0), read(0.4)]), 0);
    }
}
