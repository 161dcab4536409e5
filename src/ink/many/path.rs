//! A line's candidates and what the network reads in them -> the likeliest digits.

use super::Line;
use super::rows::SMALL;
use super::score::Weights;

/// What it costs to leave out a part as large as a digit: more than any reading of it.
const LEFT_OUT: f64 = 60.0;

/// The best path to a cut.
#[derive(Clone, Copy)]
struct Way {
    score: f64,
    /// The cut before it on the path.
    from: usize,
    /// The candidate between them; none if what lies there was left out.
    candidate: Option<usize>,
}

/// The candidates that make up the line, from left to right, given each one's ten probabilities:
/// the way through it with the highest sum of scores (R. Bellman's dynamic programming).
pub fn best(line: &Line, probabilities: &[[f64; 10]], weights: &Weights) -> Vec<usize> {
    let mut steps: Vec<(usize, usize, f64, Option<usize>)> = Vec::new();
    for (index, (candidate, probabilities)) in line.candidates.iter().zip(probabilities).enumerate()
    {
        let score = candidate.shape.score(probabilities, weights);
        steps.push((candidate.first, candidate.last, score, Some(index)));
    }
    for skip in &line.skips {
        let cost = if skip.size < SMALL {
            weights.skip * f64::from(skip.size)
        } else {
            LEFT_OUT
        };
        steps.push((skip.first, skip.last, -cost, None));
    }
    // All ways to a cut are known before one leads on from it.
    steps.sort_by_key(|&(first, ..)| first);

    let mut ways: Vec<Option<Way>> = vec![None; line.ends + 1];
    ways[0] = Some(Way {
        score: 0.0,
        from: 0,
        candidate: None,
    });
    for (from, to, score, candidate) in steps {
        let Some(before) = ways[from] else { continue };
        let score = before.score + score;
        if ways[to].is_none_or(|way| score > way.score) {
            ways[to] = Some(Way {
                score,
                from,
                candidate,
            });
        }
    }

    let mut digits = Vec::new();
    let mut at = line.ends;
    while at > 0 {
        let Some(way) = ways[at] else { break };
        digits.extend(way.candidate);
        at = way.from;
    }
    digits.reverse();
    digits
}

#[cfg(test)]
mod tests {
    use super::super::score::{Shape, WEIGHTS};
    use super::super::{Candidate, Digit, Skip};
    use super::*;
    use crate::ink::strokes::BoundingBox;
    use crate::rng::Rng;

    fn line(ends: usize, skips: Vec<Skip>, keep: impl Fn(usize, usize) -> bool) -> Line {
        let pairs = (0..ends).flat_map(|first| (first + 1..=ends).map(move |last| (first, last)));
        let bounds = BoundingBox {
            left: 0,
            top: 0,
            right: 8,
            bottom: 10,
        };
        let candidate = |(first, last)| Candidate {
            digit: Digit { pixels: [0; 784] },
            place: [0; 4],
            first,
            last,
            shape: Shape::new(&bounds, 10.0),
        };
        Line {
            ends,
            candidates: pairs
                .filter(|&(first, last)| keep(first, last))
                .map(candidate)
                .collect(),
            skips,
        }
    }

    /// The highest sum of scores of all ways from a cut to the end, found by trying them all.
    fn highest(line: &Line, scores: &[f64], from: usize) -> f64 {
        if from == line.ends {
            return 0.0;
        }
        let each = line.candidates.iter().zip(scores);
        each.filter(|(candidate, _)| candidate.first == from)
            .map(|(candidate, score)| score + highest(line, scores, candidate.last))
            .fold(f64::NEG_INFINITY, f64::max)
    }

    #[test]
    fn no_other_way_scores_higher() {
        for seed in 0..50 {
            let mut rng = Rng::new(seed, &[]);
            let line = line(7, vec![], |_, _| true);
            let probabilities: Vec<[f64; 10]> = line
                .candidates
                .iter()
                .map(|_| {
                    let mut probabilities = [0.0; 10];
                    probabilities[3] = f64::from(rng.next_f32());
                    probabilities
                })
                .collect();
            let scores: Vec<f64> = line
                .candidates
                .iter()
                .zip(&probabilities)
                .map(|(candidate, p)| candidate.shape.score(p, &WEIGHTS))
                .collect();
            let best = best(&line, &probabilities, &WEIGHTS);
            let sum: f64 = best.iter().map(|&index| scores[index]).sum();
            assert!((sum - highest(&line, &scores, 0)).abs() < 1e-9);
            // One after another, from the first cut to the last.
            let cuts = best
                .iter()
                .map(|&i| (line.candidates[i].first, line.candidates[i].last));
            let end = cuts.fold(0, |at, (first, last)| {
                assert_eq!(first, at);
                last
            });
            assert_eq!(end, 7);
        }
    }

    #[test]
    fn what_can_be_no_digit_is_left_out() {
        let skip = |first, size| Skip {
            first,
            last: first + 1,
            size,
        };
        // The second of three parts is in no candidate.
        let skips = vec![skip(0, 1.0), skip(1, 1.0), skip(2, 1.0)];
        let line = line(3, skips, |first, last| last == first + 1 && first != 1);
        let sure = [0.0, 0.0, 0.0, 1.0, 0.0, 0.0, 0.0, 0.0, 0.0, 0.0];
        assert_eq!(best(&line, &[sure, sure], &WEIGHTS), [0, 1]);
    }
}
