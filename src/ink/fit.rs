//! A page -> the 28x28 picture, made the way MNIST's were.
//!
//! "The original black and white (bilevel) images from NIST were size normalized to fit in a 20x20
//! pixel box while preserving their aspect ratio. The resulting images contain grey levels as a
//! result of the anti-aliasing technique used by the normalization algorithm. The images were
//! centered in a 28x28 image by computing the center of mass of the pixels, and translating the
//! image so as to position this point at the center of the 28x28 field."
//! <http://yann.lecun.com/exdb/mnist/>

use image::GrayImage;

use super::{Digit, SIDE};

/// The box that a digit is scaled into, in pixels.
const BOX: usize = 20;

/// Where MNIST has the centre of mass, as a pixel index: its digits average (14.0, 14.0).
const CENTRE: f32 = 14.0;

/// The lightest border that still counts as black.
const BLACK: u8 = 16;

/// The least difference from the paper, in grey levels, that can be ink.
const MIN_CONTRAST: u8 = 24;

/// Fits the digit on a page into 28x28; `None` if nothing stands out from the paper.
pub fn fit(page: GrayImage) -> Option<Digit> {
    if page.is_empty() {
        return None;
    }
    if is_mnist_like(&page) {
        return Some(Digit {
            pixels: page.as_raw().as_slice().try_into().ok()?,
        });
    }
    let ink = lift_ink(page)?;
    let extent = find_extent(&ink)?;
    let drawing = scale(&ink, extent);
    Some(place(&drawing))
}

/// Whether a page is already what the network expects, to be left exactly as it is.
fn is_mnist_like(page: &GrayImage) -> bool {
    page.dimensions() == (SIDE as u32, SIDE as u32)
        && median(frame(page)) <= BLACK
        && page.iter().any(|&level| level >= MIN_CONTRAST)
}

/// Takes the paper away: 0 = paper, 255 = full ink, whichever of the two was the darker.
/// `None` if there is no ink.
fn lift_ink(mut page: GrayImage) -> Option<GrayImage> {
    let paper = median(frame(&page));
    let noise = median(frame(&page).map(|level| level.abs_diff(paper)));

    // The paper is what the border shows; the ink is what lies furthest from it.
    let (darkest, lightest) = extremes(&page);
    let dark_ink = paper.saturating_sub(darkest);
    let light_ink = lightest.saturating_sub(paper);
    let full = dark_ink.max(light_ink);

    // The median deviation is 0.67 standard deviations of normal noise: what is below 3 of these
    // is taken for paper, and a page that never exceeds 5 is nothing but paper.
    let deviation = 1.5 * f32::from(noise);
    if full < MIN_CONTRAST || f32::from(full) < 5.0 * deviation {
        return None;
    }
    let full = f32::from(full);
    let threshold = (3.0 * deviation).clamp(full / 10.0, full / 2.0);

    let mut levels = [0_u8; 256];
    for (level, to) in (0_u8..=255).zip(&mut levels) {
        let above = if dark_ink > light_ink {
            paper.saturating_sub(level)
        } else {
            level.saturating_sub(paper)
        };
        if f32::from(above) >= threshold {
            // A float beyond 255 becomes 255.
            *to = (f32::from(above) / full * 255.0).round() as u8;
        }
    }
    page.iter_mut()
        .for_each(|level| *level = levels[usize::from(*level)]);
    Some(page)
}

/// The pixels along the four sides of a page.
fn frame(page: &GrayImage) -> impl Iterator<Item = u8> {
    let (width, height) = page.dimensions();
    let top = (0..width).map(|x| (x, 0));
    let bottom = (0..width).map(move |x| (x, height - 1));
    let left = (0..height).map(|y| (0, y));
    let right = (0..height).map(move |y| (width - 1, y));
    top.chain(bottom)
        .chain(left)
        .chain(right)
        .map(|(x, y)| page.get_pixel(x, y).0[0])
}

fn median(levels: impl Iterator<Item = u8>) -> u8 {
    let histogram = histogram(levels);
    let half = histogram.iter().sum::<usize>() / 2;
    level_after(half, (0..=255).zip(histogram))
}

/// The darkest and the lightest level that are no fluke: at least two pixels, on a large page one
/// in 50,000, lie at or beyond them.
fn extremes(page: &GrayImage) -> (u8, u8) {
    let histogram = histogram(page.iter().copied());
    let flukes = (page.len() / 50_000).max(1);
    let rising = (0..=255).zip(histogram);
    (
        level_after(flukes, rising.clone()),
        level_after(flukes, rising.rev()),
    )
}

fn histogram(levels: impl Iterator<Item = u8>) -> [usize; 256] {
    let mut histogram = [0; 256];
    levels.for_each(|level| histogram[usize::from(level)] += 1);
    histogram
}

/// The level of the pixel that comes after the first `skipped` ones, or of the last one.
fn level_after(skipped: usize, counts: impl Iterator<Item = (u8, usize)>) -> u8 {
    let mut seen = 0;
    let mut last = 0;
    for (level, count) in counts.filter(|&(_, count)| count > 0) {
        seen += count;
        last = level;
        if seen > skipped {
            break;
        }
    }
    last
}

/// A rectangle of pixels; the right and bottom edges are outside it.
#[derive(Clone, Copy)]
struct Extent {
    left: usize,
    right: usize,
    top: usize,
    bottom: usize,
}

/// The rectangle around the ink, without specks: pixels that touch no other ink.
fn find_extent(ink: &GrayImage) -> Option<Extent> {
    let mut extent: Option<Extent> = None;
    for (y, row) in ink.rows().enumerate() {
        for (x, _) in row.enumerate().filter(|(_, pixel)| pixel.0[0] > 0) {
            if is_speck(ink, x, y) {
                continue;
            }
            let so_far = extent.get_or_insert(Extent {
                left: x,
                right: x,
                top: y,
                bottom: y,
            });
            so_far.left = so_far.left.min(x);
            so_far.right = so_far.right.max(x + 1);
            so_far.bottom = y + 1;
        }
    }
    extent
}

/// Whether the pixel at (x, y) has no ink on any of its eight sides.
fn is_speck(ink: &GrayImage, x: usize, y: usize) -> bool {
    let (width, height) = size(ink);
    let (left, right) = (x.saturating_sub(1), (x + 2).min(width));
    let (top, bottom) = (y.saturating_sub(1), (y + 2).min(height));
    (top..bottom).all(|row| {
        let row_levels = &ink.as_raw()[row * width..][left..right];
        (left..right)
            .zip(row_levels)
            .all(|(column, &level)| level == 0 || (column, row) == (x, y))
    })
}

fn size(page: &GrayImage) -> (usize, usize) {
    (page.width() as usize, page.height() as usize)
}

/// A digit scaled into the box: one row after another, its own width.
struct Drawing {
    width: usize,
    levels: Vec<f32>,
}

/// Scales what is inside `extent` into the 20x20 box, proportions kept.
fn scale(ink: &GrayImage, extent: Extent) -> Drawing {
    let (wide, high) = (extent.right - extent.left, extent.bottom - extent.top);
    let longest = wide.max(high);
    // Rounded to whole pixels; the thinnest line keeps one.
    let fitted = |side: usize| ((side * BOX + longest / 2) / longest).max(1);
    let (width, height) = (fitted(wide), fitted(high));

    // First every row to its new width, then every column to its new height.
    let (row_length, _) = size(ink);
    let mut columns = vec![Vec::with_capacity(high); width];
    for y in extent.top..extent.bottom {
        let row = &ink.as_raw()[y * row_length..][extent.left..extent.right];
        let row: Vec<f32> = row.iter().copied().map(f32::from).collect();
        for (column, level) in columns.iter_mut().zip(average(&row, width)) {
            column.push(level);
        }
    }
    let columns: Vec<Vec<f32>> = columns
        .iter()
        .map(|column| average(column, height))
        .collect();
    let levels = (0..height)
        .flat_map(|y| columns.iter().map(move |column| column[y]))
        .collect();
    Drawing { width, levels }
}

/// Stretches or shrinks a line to `length` pixels: each is the mean of the part it covers.
fn average(line: &[f32], length: usize) -> Vec<f32> {
    let step = line.len() as f64 / length as f64;
    (0..length)
        .map(|i| {
            let (start, end) = (i as f64 * step, (i + 1) as f64 * step);
            let last = (end.ceil() as usize).min(line.len());
            let covered: f64 = (start as usize..last)
                .map(|j| {
                    let share = end.min((j + 1) as f64) - start.max(j as f64);
                    share * f64::from(line[j])
                })
                .sum();
            (covered / step) as f32
        })
        .collect()
}

/// Puts a drawing into the 28x28 field, centre of mass in the middle, never over the edge.
///
/// Averaging leaves a thin pen's lines grey, so the strongest one is made full ink again.
fn place(drawing: &Drawing) -> Digit {
    let width = drawing.width;
    let height = drawing.levels.len() / width;
    let (mut mass, mut across, mut down, mut peak) = (0.0, 0.0, 0.0, 0.0_f32);
    for (i, &level) in drawing.levels.iter().enumerate() {
        mass += level;
        across += level * (i % width) as f32;
        down += level * (i / width) as f32;
        peak = peak.max(level);
    }
    // A negative float becomes 0.
    let offset =
        |moment: f32, side: usize| ((CENTRE - moment / mass).round() as usize).min(SIDE - side);
    let (left, top) = (offset(across, width), offset(down, height));

    let mut pixels = [0; SIDE * SIDE];
    for (y, row) in drawing.levels.chunks(width).enumerate() {
        for (x, level) in row.iter().enumerate() {
            pixels[(top + y) * SIDE + left + x] = (level / peak * 255.0).round() as u8;
        }
    }
    Digit { pixels }
}
