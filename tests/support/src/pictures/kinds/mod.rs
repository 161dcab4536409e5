//! All kinds of pictures, and what they share.

mod boards;
mod cameras;
mod colours;
mod damages;
mod files;
mod lights;
mod papers;
mod pens;
mod scans;

use super::Kind;
use super::camera::View;
use super::page::{Ink, Page, Rgb, mix, rgb};
use super::random::Random;
use super::shape::{Mask, Pen, Shape};

const fn kind(name: &'static str, draw: fn(&Shape, &mut Random) -> Vec<u8>) -> Kind {
    Kind {
        name,
        destroyed: None,
        draw,
    }
}

pub const KINDS: &[Kind] = &[
    Kind {
        name: "12 pixels",
        destroyed: Some("strokes are thinner than a pixel, and small holes close"),
        draw: scans::twelve_pixels,
    },
    kind("16 to 20 pixels", scans::under_twenty_pixels),
    kind("40 pixels", scans::forty_pixels),
    kind("scan, 300 pixels", scans::scan),
    kind("scan, 2,000 pixels", scans::large_scan),
    kind("hairline pen", pens::hairline),
    kind("thin pen", pens::thin),
    kind("thick pen", pens::thick),
    kind("marker", pens::marker),
    kind("pencil", pens::pencil),
    kind("coloured ink", colours::ink),
    kind("coloured paper", colours::paper),
    kind("ink as light as its paper", colours::equally_light),
    kind("light gradient", lights::gradient),
    kind("shadow's edge", lights::shadow),
    kind("vignette", lights::vignette),
    kind("ruled paper", papers::ruled),
    kind("squared paper", papers::squared),
    kind("box of a form", papers::form),
    kind("paper on a desk", papers::on_a_desk),
    kind("folded paper", papers::folded),
    kind("writing behind the paper", papers::show_through),
    kind("JPEG, quality 30 to 95", files::jpeg),
    kind("transparent PNG", files::transparent),
    kind("other formats", files::other_formats),
    kind("rotated", cameras::rotated),
    kind("perspective", cameras::perspective),
    kind("out of focus", cameras::out_of_focus),
    kind("phone photo", cameras::phone),
    kind("far off centre", scans::off_centre),
    kind("tight crop", scans::tight_crop),
    kind("scanner's black border", scans::black_border),
    kind("photographed screen", boards::screen),
    kind("chalk board", boards::chalk),
    kind("white board", boards::white_board),
    kind("drawing program", boards::drawing_program),
    kind("noise and specks", damages::noise),
    kind("fax, 1 bit", damages::fax),
    Kind {
        name: "broken strokes",
        destroyed: Some("one to three pieces of the strokes are missing"),
        draw: damages::broken,
    },
];

/// Paper that people call white.
fn white(random: &mut Random) -> Rgb {
    let light = random.within(0.78..0.97);
    let yellow = random.within(0.0..0.08);
    [light, light * (1.0 - 0.4 * yellow), light * (1.0 - yellow)]
}

/// A pen as people have at hand.
fn pen(random: &mut Random) -> Pen {
    if random.chance(0.5) {
        let grow = random.within(-0.3..0.4);
        Pen::AsWritten { grow }
    } else {
        let width = random.within(1.3..2.6);
        Pen::Round { width }
    }
}

/// Blue or black ink, of a ballpoint, a fountain pen or a felt-tip.
fn ink(random: &mut Random) -> Ink {
    let colour = mix(
        rgb(random.one_of(&[0x0a0a0c, 0x16161a, 0x1c2a6e, 0x10206a, 0x223a9a, 0x101c3c])),
        rgb(0x303848),
        random.within(0.0..0.4),
    );
    let thin = random.within(0.82..0.97);
    Ink {
        colour,
        density: (thin, random.within(thin..0.99)),
        covers: false,
    }
}

/// A page with one digit on it.
struct Written {
    page: Page,
    /// The middle of the ink in pixels.
    middle: (f32, f32),
    /// Pixels to one of the 28x28 digit.
    scale: f32,
}

impl Written {
    /// Writes with `ink`, `share` of the page's shorter side high, at about the page's middle.
    fn new(
        mut page: Page,
        shape: &Shape,
        (pen, share): (Pen, f32),
        ink: Ink,
        random: &mut Random,
    ) -> Self {
        // The ink of a digit is 20 pixels of the 28 high or wide.
        let scale = share * page.width.min(page.height) as f32 / 20.0;
        let mask = shape.mask(pen, scale);
        let at = about_the_middle(&page, &mask, random);
        page.write(&mask, at, ink, random);
        Self {
            middle: (
                at.0 + 0.5 * mask.ink.width as f32,
                at.1 + 0.5 * mask.ink.height as f32,
            ),
            scale,
            page,
        }
    }

    /// Ink in a pen on white paper, as most kinds begin.
    fn on_white((width, height): (usize, usize), shape: &Shape, random: &mut Random) -> Self {
        let grain = random.within(0.004..0.02);
        let page = Page::paper(width, height, white(random), grain, random);
        let (pen, share) = (pen(random), random.within(0.4..0.75));
        let ink = ink(random);
        Self::new(page, shape, (pen, share), ink, random)
    }

    /// A view of the page from straight above, with `step` of its pixels to one of the picture, that
    /// has the ink within the picture: anywhere there for a `spread` of 1, in the middle for 0.
    fn in_view(
        &self,
        (width, height): (usize, usize),
        (step, spread): (f32, f32),
        random: &mut Random,
    ) -> View {
        // The ink's reach around its middle, and some more since a view may be turned and aslant.
        let reach = 1.35 * 10.0 * self.scale / step;
        let mut off = |size: usize| {
            let free = (0.47 * size as f32 - reach).max(0.0);
            step * spread * free * random.within(-1.0..1.0)
        };
        View {
            width,
            height,
            angle: 0.0,
            tilt: (0.0, 0.0),
            centre: (self.middle.0 + off(width), self.middle.1 + off(height)),
            step,
        }
    }

    /// The middle of the ink, 0 to 1 across the page.
    fn place(&self) -> (f32, f32) {
        (
            self.middle.0 / self.page.width as f32,
            self.middle.1 / self.page.height as f32,
        )
    }
}

/// Where a mask's corner goes so that it is wholly on the page, nearer to the middle than to the
/// edges.
fn about_the_middle(page: &Page, mask: &Mask, random: &mut Random) -> (f32, f32) {
    let mut place = |page: usize, mask: usize| {
        let free = page as f32 - mask as f32;
        free * (0.5 + random.within(-0.35..0.35) * random.unit())
    };
    (
        place(page.width, mask.ink.width),
        place(page.height, mask.ink.height),
    )
}

/// The size of a picture with about `size` pixels on its longer side, square or not.
fn sized(size: f32, random: &mut Random) -> (usize, usize) {
    let shorter = size * random.one_of(&[1.0, 1.0, 0.9, 0.8, 0.75, 0.667]);
    let (long, short) = (size.round() as usize, shorter.round() as usize);
    if random.chance(0.5) {
        (long, short)
    } else {
        (short, long)
    }
}

/// The size of a picture cut out of a photograph or a scan: 200 to 450 pixels.
fn usual_size(random: &mut Random) -> (usize, usize) {
    let size = random.log_within(200.0..450.0);
    sized(size, random)
}
