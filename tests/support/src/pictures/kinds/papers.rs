//! Printed paper, and paper that is not alone in the picture.

use crate::pictures::camera::{self, View};
use crate::pictures::file::{jpeg, png};
use crate::pictures::page::{Page, Rgb, rgb};
use crate::pictures::plane::Clouds;
use crate::pictures::random::Random;
use crate::pictures::shape::Shape;

use super::{Written, about_the_middle, ink, pen, usual_size, white};

/// Print in grey, blue or green, paler than ink.
fn print(random: &mut Random) -> (Rgb, f32) {
    let colour = rgb(random.one_of(&[0x5a7dc8, 0x7890aa, 0x6e6e6e, 0x64a582, 0x468cd2]));
    (colour, random.within(0.4..1.0))
}

/// A sheet of school paper: lines a third of the digit's height to more than all of it apart.
pub fn ruled(shape: &Shape, random: &mut Random) -> Vec<u8> {
    let (width, height) = usual_size(random);
    let mut page = Page::paper(width, height, white(random), 0.01, random);
    let digit = random.within(0.4..0.75) * width.min(height) as f32;
    let spacing = digit * random.log_within(0.4..1.5);
    let (colour, share) = print(random);
    let thick = random.within(0.8..2.5);
    let slope = random.within(-0.015..0.015) * width as f32;
    let first = random.within(0.0..spacing);
    let mut y = first;
    while y < height as f32 + spacing {
        let from = (-2.0, y - slope);
        page.line(from, (width as f32 + 2.0, y + slope), thick, colour, share);
        y += spacing;
    }
    if random.chance(0.25) {
        let x = random.within(0.05..0.2) * width as f32;
        let red = rgb(0xe07878);
        page.line((x, -2.0), (x, height as f32 + 2.0), thick, red, share);
    }
    let mask = shape.mask(pen(random), digit / 20.0);
    let mut at = about_the_middle(&page, &mask, random);
    // People write on the line, or not quite.
    let foot = at.1 + mask.ink.height as f32;
    let line = first + ((foot - first) / spacing).round() * spacing;
    let written = line - mask.ink.height as f32 + random.within(-0.12..0.06) * digit;
    if written > 2.0 && written + (mask.ink.height as f32) < height as f32 - 2.0 {
        at.1 = written;
    }
    page.write(&mask, at, ink(random), random);
    jpeg(&page, random.whole(80..96) as u8)
}

/// Squares of 4 or 5 mm, the digit one to four of them high.
pub fn squared(shape: &Shape, random: &mut Random) -> Vec<u8> {
    let (width, height) = usual_size(random);
    let mut page = Page::paper(width, height, white(random), 0.01, random);
    let digit = random.within(0.4..0.75) * width.min(height) as f32;
    let spacing = digit / random.within(0.9..4.0);
    let (colour, share) = print(random);
    let thick = random.within(0.8..2.0);
    let slope = random.within(-0.01..0.01);
    let (right, bottom) = (width as f32 + 2.0, height as f32 + 2.0);
    let mut y = random.within(0.0..spacing) - spacing;
    while y < bottom + spacing {
        let rise = slope * right;
        page.line((-2.0, y), (right, y + rise), thick, colour, share);
        y += spacing;
    }
    let mut x = random.within(0.0..spacing) - spacing;
    while x < right + spacing {
        let run = -slope * bottom;
        page.line((x, -2.0), (x + run, bottom), thick, colour, share);
        x += spacing;
    }
    let mask = shape.mask(pen(random), digit / 20.0);
    let at = about_the_middle(&page, &mask, random);
    page.write(&mask, at, ink(random), random);
    jpeg(&page, random.whole(80..96) as u8)
}

/// A printed box around the digit, as for the digits of a postcode.
pub fn form(shape: &Shape, random: &mut Random) -> Vec<u8> {
    let (width, height) = usual_size(random);
    let mut page = Page::paper(width, height, white(random), 0.01, random);
    let digit = random.within(0.4..0.6) * width.min(height) as f32;
    let mask = shape.mask(pen(random), digit / 20.0);
    let at = about_the_middle(&page, &mask, random);
    page.write(&mask, at, ink(random), random);
    let colour = rgb(random.one_of(&[0x101010, 0x404040, 0x787878, 0xd05050, 0x5078c8]));
    let thick = random.within(1.0..3.0);
    let mut room = || random.within(0.1..0.3) * digit;
    let (left, top) = (at.0 - room(), at.1 - room());
    let right = at.0 + mask.ink.width as f32 + room();
    let bottom = at.1 + mask.ink.height as f32 + room();
    let corners = [(left, top), (right, top), (right, bottom), (left, bottom)];
    for side in 0..4 {
        let (from, to) = (corners[side], corners[(side + 1) % 4]);
        page.line(from, to, thick, colour, 0.9);
    }
    jpeg(&page, random.whole(80..96) as u8)
}

/// A sheet, a card or a note on a darker desk; its edges are in the picture, one or all four.
pub fn on_a_desk(shape: &Shape, random: &mut Random) -> Vec<u8> {
    let size = usual_size(random);
    let written = Written::on_white(size, shape, random);
    let step = random.within(1.05..1.6);
    let view = View {
        angle: random.within(-8.0..8.0),
        tilt: (random.within(-0.12..0.12), random.within(-0.12..0.12)),
        ..written.in_view(size, (step, 0.9), random)
    };
    let desk = rgb(random.one_of(&[
        0x5a3c28, 0x8c6441, 0x3c2a20, 0x404448, 0x18181a, 0x6e5a46, 0x2a4632, 0x7d2f2a, 0x909aa0,
    ]));
    let veins = Clouds::stretched(3, 40, random);
    let vein = random.within(0.05..0.3);
    let around = |x: f32, y: f32| {
        let light = 1.0 + vein * veins.at(x / size.0 as f32, y / size.1 as f32);
        desk.map(|value| value * light)
    };
    let mut picture = view.of(&written.page, around);
    if random.chance(0.5) {
        camera::gradient(&mut picture, random.within(0.5..0.9), random);
    }
    let mut picture = picture.blurred(random.within(0.3..0.8));
    camera::noise(&mut picture, random.within(0.002..0.012), random);
    jpeg(&picture, random.whole(70..96) as u8)
}

/// Folds and creases: planes of paper that face the light differently, with thin lines between.
pub fn folded(shape: &Shape, random: &mut Random) -> Vec<u8> {
    let size = usual_size(random);
    let mut page = Written::on_white(size, shape, random).page;
    for _ in 0..random.whole(1..4) {
        let angle = random.within(0.0..std::f32::consts::PI);
        let (sin, cos) = angle.sin_cos();
        let at = (random.within(0.2..0.8), random.within(0.2..0.8));
        let (darker, crease) = (random.within(0.03..0.2), random.within(-0.25..0.15));
        let reach = random.within(0.004..0.01);
        page.shade(|x, y| {
            let distance = (x - at.0) * sin - (y - at.1) * cos;
            let face = 1.0 - darker * (0.5 + distance / 0.02).clamp(0.0, 1.0);
            face * (1.0 + crease * (1.0 - (distance / reach).abs()).max(0.0))
        });
    }
    let crumpled = Clouds::new(random.whole(4..14), random);
    let depth = random.within(0.0..0.06);
    page.shade(|x, y| 1.0 + depth * crumpled.at(x, y));
    if random.chance(0.5) {
        png(&page)
    } else {
        jpeg(&page, random.whole(75..96) as u8)
    }
}

/// Thin paper that was written on from behind: the back's lines show through, faint and blurred.
pub fn show_through(shape: &Shape, random: &mut Random) -> Vec<u8> {
    let (width, height) = usual_size(random);
    let mut page = Page::paper(width, height, white(random), 0.01, random);
    let colour = rgb(random.one_of(&[0x1c2a6e, 0x202020, 0x223a9a]));
    let share = random.within(0.05..0.2);
    let spacing = random.within(0.12..0.35) * height as f32;
    let thick = random.within(1.5..4.0);
    let mut foot = random.within(0.0..spacing);
    while foot < height as f32 {
        scrawl(
            &mut page,
            foot,
            0.3 * spacing,
            (thick, colour, share),
            random,
        );
        foot += spacing;
    }
    let mut page = page.blurred(random.within(0.8..1.8));
    page.grain(0.005, random);
    let (pen, size) = (pen(random), random.within(0.4..0.75));
    let ink = ink(random);
    let page = Written::new(page, shape, (pen, size), ink, random).page;
    jpeg(&page, random.whole(80..96) as u8)
}

/// Loops and strokes as of a line of handwriting, from one side to the other.
fn scrawl(
    page: &mut Page,
    foot: f32,
    height: f32,
    (thick, colour, share): (f32, Rgb, f32),
    random: &mut Random,
) {
    let mut at = (random.within(-20.0..20.0), foot);
    let mut up = true;
    while at.0 < page.width as f32 {
        let rise = if up {
            height * random.within(0.4..1.6)
        } else {
            0.0
        };
        let next = (at.0 + random.within(-0.1..0.9) * height, foot - rise);
        // A space between two words.
        if random.chance(0.85) {
            page.line(at, next, thick, colour, share);
        }
        at = next;
        up = !up;
    }
}
