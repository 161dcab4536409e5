//! A page of paper as it reflects light, and ink on it.

use super::plane::{Clouds, Plane};
use super::random::Random;
use super::shape::Mask;

/// Red, green and blue, linear in light: 0 = black, 1 = white.
pub type Rgb = [f32; 3];

/// A colour as it is written for screens, `0xrrggbb` in sRGB.
pub fn rgb(hex: u32) -> Rgb {
    [16, 8, 0].map(|shift| linear(((hex >> shift) & 0xff) as f32 / 255.0))
}

/// IEC 61966-2-1.
fn linear(value: f32) -> f32 {
    if value <= 0.04045 {
        value / 12.92
    } else {
        ((value + 0.055) / 1.055).powf(2.4)
    }
}

/// Mixes two colours, `share` of the second.
pub fn mix(one: Rgb, other: Rgb, share: f32) -> Rgb {
    std::array::from_fn(|c| one[c] + (other[c] - one[c]) * share)
}

/// How light it looks, 0 to 1.
pub fn luminance([red, green, blue]: Rgb) -> f32 {
    0.2126 * red + 0.7152 * green + 0.0722 * blue
}

#[derive(Clone)]
pub struct Page {
    pub width: usize,
    pub height: usize,
    /// Row by row.
    pub pixels: Vec<Rgb>,
}

/// What a stroke is made of.
#[derive(Clone, Copy)]
pub struct Ink {
    pub colour: Rgb,
    /// The share of light that the ink takes where it lies thinnest and thickest.
    pub density: (f32, f32),
    /// Chalk lies on the board; ink lets the paper through.
    pub covers: bool,
}

impl Page {
    pub fn new(width: usize, height: usize, colour: Rgb) -> Self {
        Self {
            width,
            height,
            pixels: vec![colour; width * height],
        }
    }

    /// Paper of one colour with the unevenness of real paper, `grain` about 0.005 to 0.03.
    pub fn paper(
        width: usize,
        height: usize,
        colour: Rgb,
        grain: f32,
        random: &mut Random,
    ) -> Self {
        let mut page = Self::new(width, height, colour);
        let clouds = Clouds::new(5, random);
        page.shade(|x, y| 1.0 + grain * clouds.at(x, y));
        page.grain(0.5 * grain, random);
        page
    }

    /// Multiplies each pixel's light by what `light` says for its place, 0 to 1 across the page.
    pub fn shade(&mut self, light: impl Fn(f32, f32) -> f32) {
        self.tint(|x, y| [light(x, y); 3]);
    }

    /// As `shade`, by colour.
    pub fn tint(&mut self, light: impl Fn(f32, f32) -> Rgb) {
        let (width, height) = (self.width as f32, self.height as f32);
        self.each(|x, y, pixel| {
            let light = light((x as f32 + 0.5) / width, (y as f32 + 0.5) / height);
            *pixel = std::array::from_fn(|c| pixel[c] * light[c]);
        });
    }

    /// Random changes of single pixels, the same for all colours, by the share `amount`.
    pub fn grain(&mut self, amount: f32, random: &mut Random) {
        for pixel in &mut self.pixels {
            let light = 1.0 + amount * random.normal();
            *pixel = pixel.map(|value| value * light);
        }
    }

    pub fn each(&mut self, mut f: impl FnMut(usize, usize, &mut Rgb)) {
        for (y, row) in self.pixels.chunks_exact_mut(self.width).enumerate() {
            for (x, pixel) in row.iter_mut().enumerate() {
                f(x, y, pixel);
            }
        }
    }

    /// Writes with the mask's upper left corner at a place in pixels. What lies beyond the page is
    /// lost.
    pub fn write(&mut self, mask: &Mask, (left, top): (f32, f32), ink: Ink, random: &mut Random) {
        let (left, top) = (left.round() as isize, top.round() as isize);
        let Plane { width, height, .. } = mask.ink;
        let clouds = Clouds::new(9, random);
        for y in 0..height {
            for x in 0..width {
                let covered = mask.ink.at(x, y);
                let (px, py) = (left + x as isize, top + y as isize);
                let inside = px >= 0 && py >= 0;
                let inside = inside && px < self.width as isize && py < self.height as isize;
                if covered > 0.0 && inside {
                    let thick = clouds.at(x as f32 / width as f32, y as f32 / height as f32);
                    let (thin, full) = ink.density;
                    let share = covered * (thin + (full - thin) * (0.5 + 0.5 * thick));
                    let pixel = &mut self.pixels[py as usize * self.width + px as usize];
                    let below = if ink.covers { [1.0; 3] } else { *pixel };
                    let inked = std::array::from_fn(|c| ink.colour[c] * below[c]);
                    *pixel = mix(*pixel, inked, share);
                }
            }
        }
    }

    /// A straight line of a colour, `width` pixels wide and soft by one pixel: of a form, a ruler, a
    /// fold. `share` is how much it takes of what lies below.
    pub fn line(&mut self, from: (f32, f32), to: (f32, f32), width: f32, colour: Rgb, share: f32) {
        let (dx, dy) = (to.0 - from.0, to.1 - from.1);
        let length = dx.hypot(dy).max(1e-3);
        let reach = 0.5 * width + 1.0;
        let rows = bounds(
            from.1.min(to.1) - reach,
            from.1.max(to.1) + reach,
            self.height,
        );
        let columns = bounds(
            from.0.min(to.0) - reach,
            from.0.max(to.0) + reach,
            self.width,
        );
        for y in rows {
            for x in columns.clone() {
                let (px, py) = (x as f32 + 0.5 - from.0, y as f32 + 0.5 - from.1);
                let along = (px * dx + py * dy) / length;
                let beyond = (-along).max(along - length).max(0.0);
                let across = ((px * dy - py * dx) / length).abs();
                // A line thinner than a pixel is a faint one.
                let covered = (0.5 * width + 0.5 - across.max(beyond)).clamp(0.0, width.min(1.0));
                let pixel = &mut self.pixels[y * self.width + x];
                let inked = std::array::from_fn(|c| pixel[c] * colour[c]);
                *pixel = mix(*pixel, inked, share * covered);
            }
        }
    }

    /// A round speck.
    pub fn dot(&mut self, at: (f32, f32), radius: f32, colour: Rgb, share: f32) {
        let rows = bounds(at.1 - radius - 1.0, at.1 + radius + 1.0, self.height);
        let columns = bounds(at.0 - radius - 1.0, at.0 + radius + 1.0, self.width);
        for y in rows {
            for x in columns.clone() {
                let distance = (x as f32 + 0.5 - at.0).hypot(y as f32 + 0.5 - at.1);
                let covered = (radius + 0.5 - distance).clamp(0.0, 1.0);
                let pixel = &mut self.pixels[y * self.width + x];
                *pixel = mix(*pixel, colour, share * covered);
            }
        }
    }

    /// Each colour by itself through `f`.
    pub fn planes(&self, f: impl Fn(&Plane) -> Plane) -> Self {
        let planes: [Plane; 3] = std::array::from_fn(|c| {
            let values = self.pixels.iter().map(|pixel| pixel[c]).collect();
            f(&Plane {
                width: self.width,
                height: self.height,
                values,
            })
        });
        let pixels = 0..planes[0].values.len();
        Self {
            width: planes[0].width,
            height: planes[0].height,
            pixels: pixels
                .map(|at| std::array::from_fn(|c| planes[c].values[at]))
                .collect(),
        }
    }

    pub fn blurred(&self, sigma: f32) -> Self {
        self.planes(|plane| plane.blurred(sigma))
    }

    /// Smaller by averaging squares of `factor` pixels a side.
    pub fn reduced(&self, factor: usize) -> Self {
        let mut small = Self::new(self.width / factor, self.height / factor, [0.0; 3]);
        let share = 1.0 / (factor * factor) as f32;
        small.each(|x, y, pixel| {
            for row in 0..factor {
                let start = (y * factor + row) * self.width + x * factor;
                for below in &self.pixels[start..start + factor] {
                    *pixel = std::array::from_fn(|c| pixel[c] + share * below[c]);
                }
            }
        });
        small
    }

    /// A part of it.
    pub fn cut(&self, left: usize, top: usize, width: usize, height: usize) -> Self {
        let mut part = Self::new(width, height, [0.0; 3]);
        part.each(|x, y, pixel| *pixel = self.pixels[(top + y) * self.width + left + x]);
        part
    }
}

/// The whole numbers from `low` to `high` that are pixels.
fn bounds(low: f32, high: f32, size: usize) -> std::ops::Range<usize> {
    (low.max(0.0) as usize)..(high.max(0.0).ceil() as usize).min(size)
}
