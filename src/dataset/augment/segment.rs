//! A straight piece of a line with soft edges, in ink or in paper.

use crate::dataset::SIDE;

/// Pixels, from the middle of the top left one.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Segment {
    /// The middle of it.
    pub centre: (f64, f64),
    /// Clockwise from the direction of a row, in radians.
    pub angle: f64,
    pub length: f64,
    pub width: f64,
}

impl Segment {
    /// The segment from one point to another.
    pub fn between(from: (f64, f64), to: (f64, f64), width: f64) -> Self {
        let (x, y) = (to.0 - from.0, to.1 - from.1);
        Self {
            centre: ((from.0 + to.0) / 2.0, (from.1 + to.1) / 2.0),
            angle: libm::atan2(y, x),
            length: libm::hypot(x, y),
            width,
        }
    }

    /// Paints over what is lighter than `level`.
    pub fn ink(&self, image: &mut [u8], level: f64) {
        let level = (level * 255.0) as f32;
        self.each_pixel(image, |pixel, covered| {
            let missing = (level - f32::from(*pixel)).max(0.0);
            *pixel = (f32::from(*pixel) + missing * covered).round() as u8;
        });
    }

    /// Takes the ink away.
    pub fn erase(&self, image: &mut [u8]) {
        self.each_pixel(image, |pixel, covered| {
            *pixel = (f32::from(*pixel) * (1.0 - covered)).round() as u8;
        });
    }

    /// Calls `change` with each pixel that the segment touches and the part of it that it covers.
    fn each_pixel(&self, image: &mut [u8], change: impl Fn(&mut u8, f32)) {
        let (sin, cos) = libm::sincos(self.angle);
        let (length, width) = (self.length / 2.0, self.width / 2.0);
        // As far as the segment and its soft edge reach to either side.
        let range = |centre: f64, along: f64, across: f64| {
            let reach = length * along.abs() + width * across.abs() + 1.0;
            let first = (centre - reach).ceil().clamp(0.0, SIDE as f64);
            let end = (centre + reach).floor().clamp(-1.0, SIDE as f64 - 1.0) + 1.0;
            first as usize..end as usize
        };
        // A line thinner than a pixel covers no pixel whole.
        let most = (self.width as f32).min(1.0);
        let columns = range(self.centre.0, cos, sin);
        for y in range(self.centre.1, sin, cos) {
            let down = y as f64 - self.centre.1;
            for x in columns.clone() {
                let right = x as f64 - self.centre.0;
                let along = (right * cos + down * sin).abs();
                let across = (down * cos - right * sin).abs();
                let covered = |half: f64, distance: f64| (half + 0.5 - distance) as f32;
                let covered = covered(width, across).clamp(0.0, most)
                    * covered(length, along).clamp(0.0, 1.0);
                if covered > 0.0 {
                    change(&mut image[y * SIDE + x], covered);
                }
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::dataset::PIXELS;
    use crate::rng::Rng;

    fn some(rng: &mut Rng) -> Segment {
        let mut between = |low: f64, high: f64| low + (high - low) * f64::from(rng.next_f32());
        Segment {
            centre: (between(8.0, 19.0), between(8.0, 19.0)),
            angle: between(-4.0, 4.0),
            length: between(1.0, 12.0),
            width: between(0.3, 4.0),
        }
    }

    #[test]
    fn it_covers_what_a_rectangle_covers() {
        let mut rng = Rng::new(8, &[]);
        for _ in 0..100 {
            let segment = some(&mut rng);
            let mut image = [0; PIXELS];
            segment.ink(&mut image, 1.0);
            // 100 points of every pixel, by the rectangle's corners' own directions.
            let (sin, cos) = segment.angle.sin_cos();
            let inside = |x: f64, y: f64| {
                let (x, y) = (x - segment.centre.0, y - segment.centre.1);
                (x * cos + y * sin).abs() <= segment.length / 2.0
                    && (y * cos - x * sin).abs() <= segment.width / 2.0
            };
            let (mut ours, mut exact) = (0.0, 0.0);
            for (at, &pixel) in image.iter().enumerate() {
                let points = (0..100).filter(|i| {
                    let (right, down) = (f64::from(i % 10) * 0.1, f64::from(i / 10) * 0.1);
                    let x = (at % SIDE) as f64 - 0.45 + right;
                    let y = (at / SIDE) as f64 - 0.45 + down;
                    inside(x, y)
                });
                let covered = points.count() as f64 / 100.0;
                let found = f64::from(pixel) / 255.0;
                // Edges are soft, and as wide at corners and at slanted edges as at upright ones.
                assert!(
                    (found - covered).abs() < 0.4,
                    "{segment:?}, {at}: {found} {covered}"
                );
                ours += found;
                exact += covered;
            }
            assert!(
                (ours / exact - 1.0).abs() < 0.25,
                "{segment:?}: {ours} {exact}"
            );
        }
    }

    #[test]
    fn ink_only_adds_and_erase_only_takes() {
        let mut rng = Rng::new(9, &[]);
        for _ in 0..100 {
            let segment = some(&mut rng);
            let before: [u8; PIXELS] = std::array::from_fn(|_| rng.next_u64() as u8);
            let mut inked = before;
            segment.ink(&mut inked, 0.6);
            let mut erased = before;
            segment.erase(&mut erased);
            let mut nowhere = [0; PIXELS];
            segment.ink(&mut nowhere, 1.0);
            for at in 0..PIXELS {
                let covered = nowhere[at];
                assert!((before[at]..=before[at].max(153)).contains(&inked[at]));
                assert!(erased[at] <= before[at]);
                if covered == 0 {
                    assert!(inked[at] == before[at] && erased[at].abs_diff(before[at]) <= 1);
                }
                if covered == 255 {
                    assert!(inked[at] >= 153 && erased[at] == 0);
                }
            }
        }
    }

    #[test]
    fn between_goes_from_one_point_to_the_other() {
        let segment = Segment::between((4.0, 20.0), (10.0, 12.0), 1.0);
        assert_eq!(segment.centre, (7.0, 16.0));
        assert!((segment.length - 10.0).abs() < 1e-9);
        let mut image = [0; PIXELS];
        segment.ink(&mut image, 1.0);
        assert!(image[20 * SIDE + 4] > 64 && image[12 * SIDE + 10] > 64);
        assert!(image[16 * SIDE + 7] > 128);
        assert!(image[12 * SIDE + 4] == 0 && image[20 * SIDE + 10] == 0);
    }

    #[test]
    fn outside_the_image_there_is_nothing_to_paint() {
        for centre in [(-100.0, 5.0), (14.0, 1e9), (f64::MIN, f64::MAX)] {
            let segment = Segment {
                centre,
                angle: 1.0,
                length: 5.0,
                width: 28.0,
            };
            let mut image = [7; PIXELS];
            segment.ink(&mut image, 1.0);
            segment.erase(&mut image);
            assert!(image == [7; PIXELS]);
        }
    }
}
