//! A camera in a hand.

use crate::pictures::camera::{self, View};
use crate::pictures::file::{jpeg, png, turned_jpeg};
use crate::pictures::page::{Page, Rgb, rgb};
use crate::pictures::plane::Clouds;
use crate::pictures::random::Random;
use crate::pictures::shape::Shape;

use super::{Written, ink, pen, usual_size, white};

/// How much larger than the picture the page is, each way, so that no edge of it shows.
const PAGE: f32 = 1.5;

/// A page with a digit `share` of the picture's shorter side high.
fn large_page(
    (width, height): (usize, usize),
    share: f32,
    shape: &Shape,
    random: &mut Random,
) -> Written {
    let width = (PAGE * width as f32) as usize;
    let height = (PAGE * height as f32) as usize;
    let grain = random.within(0.004..0.02);
    let page = Page::paper(width, height, white(random), grain, random);
    let (pen, ink) = (pen(random), ink(random));
    Written::new(page, shape, (pen, share / PAGE), ink, random)
}

/// The page goes on beyond its edge.
fn paper(page: &Page) -> impl Fn(f32, f32) -> Rgb {
    let colour = page.pixels[0];
    move |_, _| colour
}

/// Up to 10 degrees: people hold pages and cameras no straighter.
pub fn rotated(shape: &Shape, random: &mut Random) -> Vec<u8> {
    let size = usual_size(random);
    let share = random.within(0.4..0.7);
    let written = large_page(size, share, shape, random);
    let view = View {
        angle: random.within(-10.0..10.0),
        ..written.in_view(size, (1.0, 0.7), random)
    };
    png(&view.of(&written.page, paper(&written.page)))
}

/// From aslant, and turned by a few degrees.
pub fn perspective(shape: &Shape, random: &mut Random) -> Vec<u8> {
    let size = usual_size(random);
    let share = random.within(0.4..0.65);
    let written = large_page(size, share, shape, random);
    let view = View {
        angle: random.within(-6.0..6.0),
        tilt: (random.within(-0.45..0.45), random.within(-0.45..0.45)),
        ..written.in_view(size, (1.0, 0.5), random)
    };
    let mut picture = view.of(&written.page, paper(&written.page));
    camera::gradient(&mut picture, random.within(0.6..1.0), random);
    jpeg(&picture, random.whole(75..96) as u8)
}

/// Blurred by a quarter to a half of a usual stroke's width, or moved.
pub fn out_of_focus(shape: &Shape, random: &mut Random) -> Vec<u8> {
    let size = usual_size(random);
    let mut written = Written::on_white(size, shape, random);
    let sigma = random.within(0.4..1.1) * written.scale;
    written.page = written.page.blurred(sigma);
    camera::noise(&mut written.page, random.within(0.002..0.01), random);
    jpeg(&written.page, random.whole(75..96) as u8)
}

/// All of it at once, 1,000 to 3,000 pixels: aslant on a desk or on ruled paper, in uneven light with
/// the phone's own shadow, noisy, and compressed; a third stored turned, with an EXIF orientation.
pub fn phone(shape: &Shape, random: &mut Random) -> Vec<u8> {
    let long = random.log_within(1000.0..3000.0);
    let (width, height) = if random.chance(0.7) {
        (0.75 * long, long)
    } else {
        (long, 0.75 * long)
    };
    let size = (width as usize, height as usize);
    let share = random.within(0.15..0.45);
    let colour = white(random);
    // The page has half the picture's pixels each way; a phone's lens shows no more than that.
    let page_size = random.within(0.9..1.6) * 0.5;
    let page = Page::paper(
        (page_size * width) as usize,
        (page_size * height) as usize,
        colour,
        0.012,
        random,
    );
    let (pen, ink) = (pen(random), ink(random));
    let digit = share * 0.5 * width.min(height);
    let mut page = page;
    if random.chance(0.35) {
        rule(&mut page, digit * random.within(0.5..1.6), random);
    }
    let on_page = digit / page.width.min(page.height) as f32;
    let written = Written::new(page, shape, (pen, on_page), ink, random);

    let view = View {
        angle: random.within(-8.0..8.0),
        tilt: (random.within(-0.25..0.25), random.within(-0.25..0.25)),
        ..written.in_view(size, (0.5, 0.7), random)
    };
    let desk = rgb(random.one_of(&[0x5a3c28, 0x8c6441, 0x3c2a20, 0x404448, 0x18181a, 0x6e5a46]));
    let veins = Clouds::stretched(4, 30, random);
    let mut picture = view.of(&written.page, |x, y| {
        let light = 1.0 + 0.2 * veins.at(x / width, y / height);
        desk.map(|value| value * light)
    });
    camera::gradient(&mut picture, random.within(0.35..0.9), random);
    if random.chance(0.7) {
        let (dark, soft) = (random.within(0.35..0.75), random.log_within(0.03..0.3));
        camera::shadow(&mut picture, dark, soft, (0.5, 0.5), 0.3, random);
    }
    camera::vignette(&mut picture, random.within(0.6..0.95), random);
    camera::expose(&mut picture, random.within(0.5..0.9));
    camera::noise(&mut picture, random.within(0.004..0.025), random);
    let quality = random.whole(55..93) as u8;
    if random.chance(0.33) {
        turned_jpeg(&picture, quality, random.one_of(&[3, 6, 8]))
    } else {
        jpeg(&picture, quality)
    }
}

fn rule(page: &mut Page, spacing: f32, random: &mut Random) {
    let (right, bottom) = (page.width as f32 + 2.0, page.height as f32);
    let colour = rgb(random.one_of(&[0x8ca0b4, 0x6e8cc8, 0x8c8c8c]));
    let (thick, share) = (random.within(0.8..2.0), random.within(0.3..0.7));
    let mut y = random.within(0.0..spacing);
    while y < bottom {
        page.line((-2.0, y), (right, y), thick, colour, share);
        y += spacing;
    }
}
