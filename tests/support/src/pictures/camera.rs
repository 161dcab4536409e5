//! Light on a page and the camera before it.

use super::page::{Page, Rgb, mix};
use super::plane::Clouds;
use super::random::Random;

/// How a camera stands before a page.
#[derive(Clone, Copy)]
pub struct View {
    /// Of the picture, in pixels.
    pub width: usize,
    pub height: usize,
    /// Turned, in degrees.
    pub angle: f32,
    /// How much nearer one side is than the other, left to right and top to bottom: 0 is straight
    /// from above, 0.2 clearly aslant.
    pub tilt: (f32, f32),
    /// The place on the page, in its pixels, in the middle of the picture.
    pub centre: (f32, f32),
    /// Pixels of the page to one of the picture.
    pub step: f32,
}

impl View {
    /// The picture; `around` is what lies about the page, for a place in the picture, in pixels.
    pub fn of(&self, page: &Page, around: impl Fn(f32, f32) -> Rgb) -> Page {
        let mut picture = Page::new(self.width, self.height, [0.0; 3]);
        let (sin, cos) = self.angle.to_radians().sin_cos();
        let size = self.width.max(self.height) as f32;
        let (middle_x, middle_y) = (0.5 * self.width as f32, 0.5 * self.height as f32);
        picture.each(|x, y, pixel| {
            let (u, v) = (x as f32 + 0.5 - middle_x, y as f32 + 0.5 - middle_y);
            let depth = 1.0 + (self.tilt.0 * u + self.tilt.1 * v) / size;
            let (u, v) = (u * self.step / depth, v * self.step / depth);
            let on_page = (
                self.centre.0 + cos * u - sin * v,
                self.centre.1 + sin * u + cos * v,
            );
            *pixel = sample(page, on_page).unwrap_or_else(|| around(x as f32, y as f32));
        });
        picture
    }
}

/// The page's colour between its pixels; `None` beside it.
fn sample(page: &Page, (x, y): (f32, f32)) -> Option<Rgb> {
    let (x, y) = (x - 0.5, y - 0.5);
    if x < 0.0 || y < 0.0 {
        return None;
    }
    let (left, top) = (x as usize, y as usize);
    if left + 1 >= page.width || top + 1 >= page.height {
        return None;
    }
    let (fx, fy) = (x - left as f32, y - top as f32);
    let at = top * page.width + left;
    let pixels = &page.pixels;
    let upper = mix(pixels[at], pixels[at + 1], fx);
    let lower = mix(pixels[at + page.width], pixels[at + page.width + 1], fx);
    Some(mix(upper, lower, fy))
}

/// Light that falls off from one side to the other, down to the share `dark`, with a tint as of a
/// lamp and a window.
pub fn gradient(page: &mut Page, dark: f32, random: &mut Random) {
    let angle = random.within(0.0..std::f32::consts::TAU);
    let (sin, cos) = angle.sin_cos();
    let bend = random.within(0.6..1.8);
    let warm = random.within(-0.12..0.12);
    page.tint(|x, y| {
        let along = 0.5 + ((x - 0.5) * cos + (y - 0.5) * sin) / std::f32::consts::SQRT_2;
        let along = along.clamp(0.0, 1.0).powf(bend);
        let light = 1.0 - (1.0 - dark) * along;
        [
            light * (1.0 + warm * along),
            light,
            light * (1.0 - warm * along),
        ]
    });
}

/// The shadow of a hand, a head or a phone: beyond an edge, straight or round, that is soft by
/// `soft` of the picture's size, only the share `dark` of the light is left. The edge passes within
/// `miss` of `near`, both 0 to 1 across the picture.
pub fn shadow(
    page: &mut Page,
    dark: f32,
    soft: f32,
    near: (f32, f32),
    miss: f32,
    random: &mut Random,
) {
    let angle = random.within(0.0..std::f32::consts::TAU);
    let (sin, cos) = angle.sin_cos();
    let radius = random.log_within(0.35..4.0);
    let offset = random.within(-miss..miss.max(1e-6)) - radius;
    let (centre_x, centre_y) = (near.0 + cos * offset, near.1 + sin * offset);
    let wobble = Clouds::new(4, random);
    let bluish = random.within(0.0..0.15);
    page.tint(|x, y| {
        let distance = (x - centre_x).hypot(y - centre_y) - radius + 0.03 * wobble.at(x, y);
        let lit = (0.5 + distance / soft).clamp(0.0, 1.0);
        let lit = lit * lit * (3.0 - 2.0 * lit);
        let light = dark + (1.0 - dark) * lit;
        // Shade is lit by the sky.
        [light, light, light + bluish * dark * (1.0 - lit)]
    });
}

/// The corners of a lens's picture get less light: `corner` is the share that is left there.
pub fn vignette(page: &mut Page, corner: f32, random: &mut Random) {
    let centre = (random.within(0.4..0.6), random.within(0.4..0.6));
    page.shade(|x, y| {
        let squared = (x - centre.0).powi(2) + (y - centre.1).powi(2);
        1.0 - (1.0 - corner) * (squared / 0.5).min(1.2)
    });
}

/// A sensor's noise, stronger in the dark parts as the eye sees them; `amount` about 0.003 to 0.05.
pub fn noise(page: &mut Page, amount: f32, random: &mut Random) {
    for pixel in &mut page.pixels {
        let common = random.normal();
        *pixel = pixel.map(|value| {
            let value = value.max(0.0);
            let sigma = amount * (0.15 + value).sqrt();
            value + sigma * (0.7 * common + 0.7 * random.normal())
        });
    }
}

/// The camera's choice of brightness: white paper in this light becomes `white`, a linear value.
pub fn expose(page: &mut Page, white: f32) {
    let brightest = page.pixels.iter().step_by(7).map(|pixel| pixel[1]);
    let brightest = brightest.fold(1e-3, f32::max);
    for pixel in &mut page.pixels {
        *pixel = pixel.map(|value| value * white / brightest);
    }
}
