//! A line's candidates and what the network reads in them -> the likeliest digits.

use super::Line;
use super::rows::SMALL;
use super::score::Weights;

/// What it costs to leave out a part as large as a digit: more than any reading of it.
const LEFT_OUT: f64 = 60.0;

/// The best way to a cut.
#[derive(Clone, Copy)]
struct Way {
    score: f64,
    /// The cut before it on the way.
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
        let cost = match skip.size < SMALL {
            true => weights.skip * f64::from(skip.size),
            false => LEFT_OUT,
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
