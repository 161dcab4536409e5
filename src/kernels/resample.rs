//! An image seen through a changed coordinate system: one bilinear interpolation.

use super::lanes::{Lanes, kernel};
use super::smooth::Fields;

const SIDE: usize = 28;
const PIXELS: usize = SIDE * SIDE;
/// Rows are computed in whole registers; what is beyond the image is left out at the end.
const ROW: usize = 32;
/// How far row and column 0 of the image are from the first neighbourhood: room for places above
/// and to the left of it.
const MARGIN: usize = 2;

/// Added to a whole number below 2^22, it leaves the number in the lowest bits: 1.5 * 2^23, whose
/// lowest bit stands for 1.
const WHOLE: f32 = 12_582_912.0;

kernel! {
    /// Pixel (x, y) of `out` becomes what `image` has at
    /// `(a * x' + b * y' + c + 13.5 + dx, d * x' + e * y' + f + 13.5 + dy)`, where x' = x - 13.5 and
    /// y' = y - 13.5 count from the image's centre, `matrix` is `[a, b, c, d, e, f]`, and dx and dy are
    /// the first and second field of `displacement` at row y, column x. Between pixels it
    /// interpolates; outside the image everything is 0. Rounded to the nearest.
    ///
    /// Both images are 28x28, row by row.
    pub fn resample(
        image: &[u8],
        matrix: &[f32; 6],
        displacement: &Fields,
        out: &mut [u8],
    ) = resample_in
}

#[inline(always)]
fn resample_in<V: Lanes>(image: &[u8], matrix: &[f32; 6], displacement: &Fields, out: &mut [u8]) {
    assert!(image.len() == PIXELS && out.len() == PIXELS);
    let neighbourhoods = neighbourhoods(image);
    for (y, out) in out.chunks_exact_mut(SIDE).enumerate() {
        let places = Places::in_row::<V>(matrix, y, &displacement.0[y]);
        let mut four = [0; ROW];
        for x in 0..ROW {
            // Below 1024 whatever the number was: nothing is checked.
            let place = places.corner[x].to_bits() % (ROW * ROW) as u32;
            four[x] = neighbourhoods[place as usize];
        }
        let mut row = [0; ROW];
        for x in 0..ROW {
            let pixel = |i: u32| (four[x] >> (8 * i) & 255) as i32 as f32;
            let (right, down) = (places.right[x], places.down[x]);
            let above = pixel(0) + (pixel(1) - pixel(0)) * right;
            let below = pixel(2) + (pixel(3) - pixel(2)) * right;
            row[x] = (above + (below - above) * down + WHOLE).to_bits() as u8;
        }
        out.copy_from_slice(&row[..SIDE]);
    }
}

/// Where the pixels of one row come from.
struct Places {
    /// The place of the neighbourhood in its table, plus [`WHOLE`].
    corner: [f32; ROW],
    /// How far right of the neighbourhood's first pixel, and how far below: 0 to 1.
    right: [f32; ROW],
    down: [f32; ROW],
}

impl Places {
    #[inline(always)]
    fn in_row<V: Lanes>(matrix: &[f32; 6], y: usize, displacement: &[[f32; ROW]; 2]) -> Self {
        let centre = (SIDE as f32 - 1.0) / 2.0;
        let s = V::splat;
        let [a, b, c, d, e, f] = *matrix;
        let y = y as f32 - centre;
        let (x_of_row, y_of_row) = (s(b * y + c + centre), s(e * y + f + centre));
        let columns: [f32; ROW] = std::array::from_fn(|x| x as f32 - centre);
        let mut places = Self {
            corner: [0.0; ROW],
            right: [0.0; ROW],
            down: [0.0; ROW],
        };
        // From one pixel above the image to one below there is all there is to see.
        let inside = |v: V| {
            let v = v.max(s(-1.0));
            v.where_greater(s(SIDE as f32), s(SIDE as f32), v)
        };
        // Down to a whole number; or, from a whole one, perhaps to the one below, whose neighbour
        // then has all the weight.
        let floor = |v: V| v.sub(s(0.5)).round();
        for at in (0..ROW).step_by(V::N) {
            let column = V::read(&columns[at..]);
            let dx = V::read(&displacement[0][at..]);
            let dy = V::read(&displacement[1][at..]);
            let x = inside(column.mul_add(s(a), x_of_row).add(dx));
            let y = inside(column.mul_add(s(d), y_of_row).add(dy));
            let (left, top) = (floor(x), floor(y));
            x.sub(left).write(&mut places.right[at..]);
            y.sub(top).write(&mut places.down[at..]);
            let first = s((MARGIN * ROW + MARGIN) as f32 + WHOLE);
            let corner = top.mul_add(s(ROW as f32), left).add(first);
            corner.write(&mut places.corner[at..]);
        }
        places
    }
}

/// Each pixel with those to its right, below, and below to the right, in one word: what an
/// interpolation needs is one load. The first is that at (-2, -2); pixels outside the image are 0.
#[inline(always)]
fn neighbourhoods(image: &[u8]) -> [u32; ROW * ROW] {
    // One row and column more: the last ones' neighbours.
    let mut padded = [[0; ROW + 1]; ROW + 1];
    for (row, pixels) in padded[MARGIN..].iter_mut().zip(image.chunks_exact(SIDE)) {
        row[MARGIN..][..SIDE].copy_from_slice(pixels);
    }
    let mut all = [0; ROW * ROW];
    for (rows, all) in padded.windows(2).zip(all.chunks_exact_mut(ROW)) {
        let (above, below) = (&rows[0], &rows[1]);
        for x in 0..ROW {
            all[x] = u32::from(above[x])
                | u32::from(above[x + 1]) << 8
                | u32::from(below[x]) << 16
                | u32::from(below[x + 1]) << 24;
        }
    }
    all
}
