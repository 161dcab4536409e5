//! A page -> its strokes, in dark and in light ink.

use image::GrayImage;
use image::imageops::{self, FilterType};
use rayon::join;

use super::find::{Strokes, find};
use super::paper;
use super::plane::Plane;

/// A picture whose longer side is shorter than this is enlarged, so that strokes are some pixels wide.
const SHORTEST: u32 = 128;

/// The strokes on a page in ink of each kind, given its levels in working size; those that are
/// likelier the writing first.
pub fn strokes(levels: &GrayImage) -> Vec<Strokes> {
    let dark = denoised(Plane::from_levels(levels));
    let light = dark.clone().map(|level| 255.0 - level);
    let (dark, light) = join(|| find(paper::ink(&dark)), || find(paper::ink(&light)));
    match (dark, light) {
        (Some(dark), Some(light)) if is_first(&dark, &light) => vec![dark, light],
        (dark, light) => light.into_iter().chain(dark).collect(),
    }
}

/// Averages over enough pixels for the noise to go.
pub fn denoised(levels: Plane) -> Plane {
    match noise(&levels) {
        sigma if sigma < 4.0 => levels,
        sigma if sigma < 10.0 => levels.averaged(1),
        _ => levels.averaged(2),
    }
}

/// The standard deviation of a page's noise (J. Immerkaer, "Fast noise variance estimation", 1996),
/// from the median, so that ink doesn't count.
fn noise(levels: &Plane) -> f32 {
    let (width, height) = (levels.width, levels.height());
    let mut differences = Vec::new();
    for y in 1..height.saturating_sub(1) {
        let [above, row, below] = [y - 1, y, y + 1].map(|y| levels.row(y));
        for x in 1..width.saturating_sub(1) {
            let sum = above[x - 1] + above[x + 1] + below[x - 1] + below[x + 1]
                - 2.0 * (above[x] + below[x] + row[x - 1] + row[x + 1])
                + 4.0 * row[x];
            differences.push(sum.abs());
        }
    }
    if differences.is_empty() {
        return 0.0;
    }
    let middle = differences.len() / 2;
    // The filter's weights squared add up to 36.
    *differences.select_nth_unstable_by(middle, f32::total_cmp).1 / (6.0 * 0.6745)
}

/// Whether the first of two inks is likelier to be the writing.
fn is_first(one: &Strokes, other: &Strokes) -> bool {
    if one.cropped != other.cropped {
        return one.cropped;
    }
    let page = one.ink.width.max(one.ink.height());
    let one_is_inner = one.bounds.longest() < other.bounds.longest();
    let (inner, outer) = if one_is_inner {
        (one, other)
    } else {
        (other, one)
    };
    let nested = outer.bounds.contains(&inner.bounds);
    // Writing, and the sheet it is on.
    let large = inner.bounds.longest() * 4 > outer.bounds.longest();
    let as_good = inner.score > if large { 0.5 } else { 0.6 } * outer.score;
    let readable = inner.bounds.longest() * 8 > page;
    let on_sheet = nested && inner.bent && as_good && readable;
    // A thick digit, and the paper in its loop.
    let is_hole = nested
        && inner.bounds.longest() * 5 < outer.bounds.longest() * 2
        && outer.score > 0.4 * inner.score;
    let is_inner = on_sheet || !is_hole && inner.score > outer.score;
    is_inner == one_is_inner
}

/// The levels at the size at which ink is looked for: small pictures by a whole factor larger,
/// smoothly.
pub fn sized(levels: &GrayImage) -> GrayImage {
    let (width, height) = levels.dimensions();
    let factor = SHORTEST.div_ceil(width.max(height).max(1));
    if factor == 1 {
        return levels.clone();
    }
    imageops::resize(
        levels,
        width * factor,
        height * factor,
        FilterType::CatmullRom,
    )
}
