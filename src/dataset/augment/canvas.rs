//! The image that is being varied, and where its pixels are to be taken from.
//!
//! Transforms that move the ink only say so; the image is resampled when one comes that needs the
//! pixels, or at the end. So however many of them stand in a row, it is interpolated once.

use crate::dataset::{PIXELS, SIDE};
use crate::kernels::{Fields, Isa, resample};

/// Where pixels come from, in coordinates that count from the image's centre: `[a, b, c, d, e, f]`
/// takes (x, y) to (a x + b y + c, d x + e y + f).
pub type Matrix = [f32; 6];

/// Takes every pixel from where it is.
pub const IDENTITY: Matrix = [1.0, 0.0, 0.0, 0.0, 1.0, 0.0];

/// The image's centre, in pixels from the middle of the top left one.
const CENTRE: f32 = (SIDE as f32 - 1.0) / 2.0;

pub(super) struct Canvas<'a> {
    /// What the image shows.
    pub digit: u8,
    isa: Isa,
    image: &'a mut [u8],
    /// A pixel comes from where `matrix` says, moved by the pixel's `displacement`.
    matrix: Matrix,
    displacement: Fields,
    /// Whether there is a displacement; or else its values mean nothing.
    displaced: bool,
}

static NO_DISPLACEMENT: Fields = Fields::zeros();

impl<'a> Canvas<'a> {
    /// # Panics
    /// When `image` has not 784 bytes.
    pub fn new(isa: Isa, digit: u8, image: &'a mut [u8]) -> Self {
        assert!(image.len() == PIXELS);
        Self {
            digit,
            isa,
            image,
            matrix: IDENTITY,
            displacement: Fields::zeros(),
            displaced: false,
        }
    }

    /// The image as the transforms so far have made it.
    pub fn pixels(&mut self) -> &mut [u8] {
        if self.matrix != IDENTITY || self.displaced {
            let displacement = if self.displaced {
                &self.displacement
            } else {
                &NO_DISPLACEMENT
            };
            let mut moved = [0; PIXELS];
            resample(self.isa, self.image, &self.matrix, displacement, &mut moved);
            self.image.copy_from_slice(&moved);
            self.matrix = IDENTITY;
            self.displaced = false;
        }
        self.image
    }

    /// Takes every pixel from where `next` says in the image as it is so far.
    pub fn map(&mut self, next: &Matrix) {
        if self.displaced {
            let before = self.displacement.clone();
            self.each_displacement(|x, y, _| sampled(&before, at(next, x, y)));
        }
        let [a, b, c, d, e, f] = self.matrix;
        let [g, h, i, j, k, l] = *next;
        self.matrix = [
            a * g + b * j,
            a * h + b * k,
            a * i + b * l + c,
            d * g + e * j,
            d * h + e * k,
            d * i + e * l + f,
        ];
    }

    /// Takes every pixel from a place near it in the image as it is so far: as many pixels right and
    /// down as the fields say that `draw` fills.
    pub fn displace(&mut self, draw: impl FnOnce(Isa, &mut Fields)) {
        let before = self.displaced.then(|| self.displacement.clone());
        draw(self.isa, &mut self.displacement);
        self.displaced = true;
        let [a, b, _, d, e, _] = self.matrix;
        match before {
            // Further on, where the image was displaced already.
            Some(before) => self.each_displacement(|x, y, [right, down]| {
                let [dx, dy] = sampled(&before, [x + right, y + down]);
                [a * right + b * down + dx, d * right + e * down + dy]
            }),
            None => {
                for [right, down] in &mut self.displacement.0[..SIDE] {
                    for (right, down) in right.iter_mut().zip(down) {
                        (*right, *down) = (a * *right + b * *down, d * *right + e * *down);
                    }
                }
            }
        }
    }

    /// Calls `change` with each pixel's place, from the centre, and its displacement.
    fn each_displacement(&mut self, change: impl Fn(f32, f32, [f32; 2]) -> [f32; 2]) {
        let rows = self.displacement.0[..SIDE].iter_mut().enumerate();
        for (y, [right, down]) in rows {
            for (x, (right, down)) in right[..SIDE].iter_mut().zip(down).enumerate() {
                let (x, y) = (x as f32 - CENTRE, y as f32 - CENTRE);
                [*right, *down] = change(x, y, [*right, *down]);
            }
        }
    }
}

/// Where `matrix` takes the pixel at (x, y) from.
fn at([a, b, c, d, e, f]: &Matrix, x: f32, y: f32) -> [f32; 2] {
    [a * x + b * y + c, d * x + e * y + f]
}

/// The displacement at a place between pixels; outside the image, that of the nearest one.
fn sampled(fields: &Fields, [x, y]: [f32; 2]) -> [f32; 2] {
    let last = SIDE - 1;
    let inside = |place: f32| (place + CENTRE).clamp(0.0, last as f32);
    let (x, y) = (inside(x), inside(y));
    let (left, top) = (x as usize, y as usize);
    let (right, bottom) = ((left + 1).min(last), (top + 1).min(last));
    let (across, down) = (x - left as f32, y - top as f32);
    let between = |from: f32, to: f32, part: f32| from + (to - from) * part;
    [0, 1].map(|field| {
        let row = |y: usize| {
            let row = &fields.0[y][field];
            between(row[left], row[right], across)
        };
        between(row(top), row(bottom), down)
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::dataset::augment::affine::inverse_matrix;
    use crate::dataset::{Source, Split};

    /// A wave of `size` pixels: where it takes the pixel at a place from, relative to that.
    fn wave(size: f32, x: f32, y: f32) -> [f32; 2] {
        let (right, down) = ((0.3 * y + 0.1 * x).sin(), (0.25 * x - 0.1 * y).cos());
        [size * right, size * down]
    }

    enum Step {
        Map(Matrix),
        Wave(f32),
    }

    impl Step {
        fn take(&self, canvas: &mut Canvas<'_>) {
            match self {
                Self::Map(matrix) => canvas.map(matrix),
                Self::Wave(size) => canvas.displace(|_, fields| {
                    for (y, x) in (0..SIDE).flat_map(|y| (0..SIDE).map(move |x| (y, x))) {
                        let wave = wave(*size, x as f32 - CENTRE, y as f32 - CENTRE);
                        fields.0[y][0][x] = wave[0];
                        fields.0[y][1][x] = wave[1];
                    }
                }),
            }
        }

        /// Where it alone takes the pixel at (x, y) from.
        fn place(&self, [x, y]: [f32; 2]) -> [f32; 2] {
            match self {
                Self::Map(matrix) => at(matrix, x, y),
                Self::Wave(size) => {
                    let [right, down] = wave(*size, x, y);
                    [x + right, y + down]
                }
            }
        }
    }

    #[test]
    fn one_resampling_is_all_the_steps_in_their_order() {
        let turned = || Step::Map(inverse_matrix(30.0, (1.5, -2.0), 0.9, 0.0));
        let wide = || Step::Map([1.0 / 1.2, 0.0, 0.0, 0.0, 1.2, 0.0]);
        for steps in [
            vec![turned(), wide()],
            vec![wide(), turned()],
            vec![turned(), wide(), Step::Wave(1.5)],
            vec![Step::Wave(1.5), turned()],
            vec![wide(), Step::Wave(1.5), turned()],
            vec![Step::Wave(1.5), Step::Wave(-2.0), turned()],
        ] {
            let mut image = [0; PIXELS];
            let mut canvas = Canvas::new(Isa::best(), 0, &mut image);
            steps.iter().for_each(|step| step.take(&mut canvas));
            let (mut compared, mut order) = (0, 0.0f32);
            for (row, column) in (0..SIDE).flat_map(|y| (0..SIDE).map(move |x| (y, x))) {
                let pixel = [column, row].map(|place| place as f32 - CENTRE);
                let mut place = pixel;
                // The last step's image is the one before it, seen from elsewhere.
                let inside = steps.iter().rev().all(|step| {
                    place = step.place(place);
                    place.iter().all(|place| place.abs() < CENTRE)
                });
                if !inside {
                    continue;
                }
                compared += 1;
                let field = canvas.displacement.0[row];
                let [x, y] = at(&canvas.matrix, pixel[0], pixel[1]);
                let found = [x + field[0][column], y + field[1][column]];
                let off = |other: [f32; 2]| (found[0] - other[0]).hypot(found[1] - other[1]);
                // Between pixels, a wave upon a wave is interpolated.
                assert!(
                    off(place) < 0.15,
                    "{row}, {column}: {found:?}, not {place:?}"
                );
                let reversed = steps.iter().fold(pixel, |place, step| step.place(place));
                order = order.max(off(reversed));
            }
            assert!(compared > 250 && order > 1.0, "{compared}, {order}");
        }
    }

    #[test]
    fn nothing_is_left_to_do_once_the_pixels_were_asked_for() {
        let digits = Source::Sample.load(Split::Train).unwrap().digits;
        let mut image = digits.image(0).to_vec();
        let mut canvas = Canvas::new(Isa::best(), 0, &mut image);
        Step::Wave(2.0).take(&mut canvas);
        Step::Map(inverse_matrix(10.0, (0.0, 0.0), 1.0, 0.0)).take(&mut canvas);
        let once = canvas.pixels().to_vec();
        assert_ne!(once, digits.image(0));
        assert_eq!(canvas.pixels(), once);
        assert!(!canvas.displaced && canvas.matrix == IDENTITY);
    }
}
