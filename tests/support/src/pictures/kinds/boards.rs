//! Screens and boards: light on dark as often as dark on light.

use image::ImageFormat;

use crate::pictures::camera::{self, View};
use crate::pictures::file::{colour, encode, jpeg};
use crate::pictures::page::{Ink, Page, Rgb, mix, rgb};
use crate::pictures::plane::Clouds;
use crate::pictures::random::Random;
use crate::pictures::shape::{Pen, Shape};

use super::{Written, about_the_middle, pen, sized, usual_size};

fn opaque(colour: Rgb) -> Ink {
    Ink {
        colour,
        density: (1.0, 1.0),
        covers: true,
    }
}

/// A digit on a screen, photographed: the screen's own pixels beat with the camera's, and its dark
/// frame may be in the picture.
pub fn screen(shape: &Shape, random: &mut Random) -> Vec<u8> {
    let size = random.log_within(250.0..600.0);
    let (width, height) = sized(size, random);
    let (back, front) = if random.chance(0.5) {
        let dark = rgb(random.one_of(&[0x000000, 0x101014, 0x1e1e28, 0x002b36, 0x282828]));
        (
            dark,
            rgb(random.one_of(&[0xffffff, 0xe6e6e6, 0xa0ffa0, 0xffd75a, 0x8cc8ff])),
        )
    } else {
        let light = rgb(random.one_of(&[0xffffff, 0xf5f5f5, 0xfdf6e3, 0xe6eef5]));
        (
            light,
            rgb(random.one_of(&[0x000000, 0x202020, 0x1e3cb4, 0xb41e1e])),
        )
    };
    // An LCD's black is not black in a dark room.
    let back = back.map(|value| 0.015 + value);
    let page = Page::new(width, height, back);
    let share = random.within(0.4..0.65);
    let pen = pen(random);
    let mut written = Written::new(page, shape, (pen, share), opaque(front), random);

    // Rows and columns of pixels with dark gaps; red, green and blue stand beside each other.
    let pitch = random.within(2.1..4.5);
    let gap = random.within(0.1..0.45);
    let stripes = random.within(0.0..0.35);
    let (sin, cos) = random.within(-6.0f32..6.0).to_radians().sin_cos();
    let turn = std::f32::consts::TAU / pitch;
    written.page.each(|x, y, pixel| {
        let (x, y) = (x as f32, y as f32);
        let (u, v) = (turn * (cos * x - sin * y), turn * (sin * x + cos * y));
        let grid = 1.0 - gap * (0.5 - 0.5 * v.cos());
        *pixel = std::array::from_fn(|c| {
            let stripe = 1.0 + stripes * (u + 2.094 * c as f32).cos();
            pixel[c] * grid * stripe
        });
    });
    let step = random.within(0.95..1.3);
    let view = View {
        angle: random.within(-5.0..5.0),
        tilt: (random.within(-0.15..0.15), random.within(-0.15..0.15)),
        ..written.in_view((width, height), (step, 0.6), random)
    };
    let frame = rgb(random.one_of(&[0x050505, 0x141414, 0x303034, 0xb0b0b4]));
    let mut picture = view.of(&written.page, |_, _| frame);
    // A window reflected in the glass.
    if random.chance(0.4) {
        let glare = Clouds::new(3, random);
        let strength = random.within(0.02..0.12);
        let (width, height) = (width as f32, height as f32);
        picture.each(|x, y, pixel| {
            let light = strength * glare.at(x as f32 / width, y as f32 / height).max(0.0);
            *pixel = pixel.map(|value| value + light);
        });
    }
    camera::gradient(&mut picture, random.within(0.6..1.0), random);
    let mut picture = picture.blurred(random.within(0.4..1.0));
    camera::noise(&mut picture, random.within(0.004..0.02), random);
    jpeg(&picture, random.whole(60..95) as u8)
}

/// Chalk skips over the board's grain, and what was wiped off stays as a haze.
pub fn chalk(shape: &Shape, random: &mut Random) -> Vec<u8> {
    let (width, height) = usual_size(random);
    let board = rgb(random.one_of(&[0x20382c, 0x2a4a3a, 0x1c1c1e, 0x2e3234, 0x1a2a3a]));
    let mut page = Page::paper(width, height, board, 0.06, random);
    let chalk = rgb(random.one_of(&[0xf5f5f0, 0xf5f5f0, 0xfaf0a0, 0xf5b4b4, 0xa0d2fa]));
    let haze = Clouds::new(random.whole(3..8), random);
    let wipes = Clouds::stretched(3, 25, random);
    let strength = random.within(0.03..0.18);
    // People wipe along an arc, never quite level.
    let (sin, cos) = random.within(-0.6f32..0.6).sin_cos();
    let (full_width, full_height) = (width as f32, height as f32);
    page.each(|x, y, pixel| {
        let (x, y) = (x as f32 / full_width, y as f32 / full_height);
        let (u, v) = (0.5 + 0.7 * (x - 0.5), 0.5 + 0.7 * (y - 0.5));
        let along = (u * cos - v * sin, u * sin + v * cos + 0.2 * x * x);
        let share = strength * (0.5 + 0.4 * haze.at(x, y) + 0.3 * wipes.at(along.0, along.1));
        *pixel = mix(*pixel, chalk, share.max(0.0));
    });
    let stroke = Pen::Round {
        width: random.within(1.3..2.8),
    };
    let scale = random.within(0.45..0.75) * width.min(height) as f32 / 20.0;
    let mut mask = shape.mask(stroke, scale);
    let mut grain = mask.ink.clone();
    grain.values.fill_with(|| random.normal());
    let grain = grain.blurred(random.within(0.5..1.0));
    let pressure = random.within(0.6..1.0);
    for (covered, grain) in mask.ink.values.iter_mut().zip(&grain.values) {
        *covered *= (pressure + 0.9 * grain).clamp(0.15, 1.0);
    }
    let at = about_the_middle(&page, &mask, random);
    let ink = Ink {
        density: (0.7, 0.95),
        ..opaque(chalk)
    };
    page.write(&mask, at, ink, random);
    camera::gradient(&mut page, random.within(0.5..1.0), random);
    let mut page = page.blurred(random.within(0.3..0.7));
    camera::noise(&mut page, random.within(0.003..0.012), random);
    jpeg(&page, random.whole(75..96) as u8)
}

/// Drawn with a mouse: one flat colour on another, with hard edges or soft ones.
pub fn drawing_program(shape: &Shape, random: &mut Random) -> Vec<u8> {
    let size = random.log_within(64.0..600.0);
    let (width, height) = sized(size, random);
    let (back, front) = random.one_of(&[
        (0xffffff, 0x000000),
        (0xffffff, 0x000000),
        (0x000000, 0xffffff),
        (0x000000, 0xffffff),
        (0xffffff, 0xff0000),
        (0xffffff, 0x0000ff),
        (0x0000ff, 0xffffff),
        (0x00a2e8, 0xfff200),
        (0xc3c3c3, 0x000000),
        (0x22b14c, 0xffffff),
    ]);
    let mut page = Page::new(width, height, rgb(back));
    let scale = random.within(0.4..0.85) * width.min(height) as f32 / 20.0;
    // A brush is at least two pixels wide.
    let stroke = Pen::Round {
        width: random.within(0.8..3.0).max(2.0 / scale),
    };
    let mut mask = shape.mask(stroke, scale);
    if random.chance(0.5) {
        for covered in &mut mask.ink.values {
            *covered = covered.round();
        }
    }
    let at = about_the_middle(&page, &mask, random);
    page.write(&mask, at, opaque(rgb(front)), random);
    let format = random.one_of(&[
        ImageFormat::Png,
        ImageFormat::Png,
        ImageFormat::Bmp,
        ImageFormat::Gif,
    ]);
    encode(colour(&page), format)
}

/// A white board: glossy, so that lamps show in it, with what was wiped off as a faint tint.
pub fn white_board(shape: &Shape, random: &mut Random) -> Vec<u8> {
    let (width, height) = usual_size(random);
    let light = random.within(0.7..0.95);
    let mut page = Page::paper(width, height, [light; 3], 0.01, random);
    let markers = [0x101014, 0x101014, 0x1432a0, 0xb41420, 0x0a6e32];
    let rest = rgb(random.one_of(&markers));
    let haze = Clouds::stretched(3, 12, random);
    let strength = random.within(0.0..0.12);
    let (full_width, full_height) = (width as f32, height as f32);
    page.each(|x, y, pixel| {
        let wiped = haze.at(x as f32 / full_width, y as f32 / full_height);
        *pixel = mix(*pixel, rest, strength * wiped.max(0.0));
    });
    let stroke = Pen::Round {
        width: random.within(1.2..2.6),
    };
    let share = random.within(0.4..0.7);
    let ink = Ink {
        density: (random.within(0.75..0.9), 0.97),
        ..opaque(rgb(random.one_of(&markers)))
    };
    let mut page = Written::new(page, shape, (stroke, share), ink, random).page;
    camera::gradient(&mut page, random.within(0.5..0.95), random);
    for _ in 0..random.whole(0..3) {
        lamp(&mut page, random);
    }
    let mut page = page.blurred(random.within(0.3..0.9));
    camera::noise(&mut page, random.within(0.003..0.015), random);
    jpeg(&page, random.whole(65..95) as u8)
}

/// A lamp's reflection: light on top of the board and of the ink.
fn lamp(page: &mut Page, random: &mut Random) {
    let at = (random.unit(), random.unit());
    let size = random.within(0.05..0.25);
    let strength = random.within(0.1..0.45);
    let (width, height) = (page.width as f32, page.height as f32);
    page.each(|x, y, pixel| {
        let (dx, dy) = (x as f32 / width - at.0, y as f32 / height - at.1);
        let glow = strength * (-(dx * dx + dy * dy) / (size * size)).exp();
        *pixel = pixel.map(|value| value + glow);
    });
}
