//! Paper under a scanner, from thumbnails to whole sheets.

use crate::pictures::file::{jpeg, png};
use crate::pictures::page::{Page, rgb};
use crate::pictures::random::Random;
use crate::pictures::shape::{Pen, Shape};

use super::{Written, about_the_middle, ink, pen, sized, usual_size, white};

/// Pixels averaged to one of a small picture, each way.
const FINER: usize = 8;

/// A picture of the whole digit with its margins, `size` pixels wide and high.
fn small(size: usize, shape: &Shape, random: &mut Random) -> Vec<u8> {
    let size = size * FINER;
    let grain = random.within(0.004..0.02);
    let page = Page::paper(size, size, white(random), grain, random);
    let grow = random.within(-0.2..0.4);
    let share = random.within(0.72..0.92);
    let ink = ink(random);
    let written = Written::new(page, shape, (Pen::AsWritten { grow }, share), ink, random);
    png(&written.page.reduced(FINER))
}

pub fn twelve_pixels(shape: &Shape, random: &mut Random) -> Vec<u8> {
    small(12, shape, random)
}

pub fn under_twenty_pixels(shape: &Shape, random: &mut Random) -> Vec<u8> {
    small(random.whole(16..21), shape, random)
}

pub fn forty_pixels(shape: &Shape, random: &mut Random) -> Vec<u8> {
    let size = random.whole(36..45) * 4;
    let written = Written::on_white((size, size), shape, random);
    png(&written.page.reduced(4))
}

pub fn scan(shape: &Shape, random: &mut Random) -> Vec<u8> {
    let size = sized(300.0, random);
    let written = Written::on_white(size, shape, random);
    png(&written.page)
}

/// 1,800 to 2,200 pixels: what a flatbed scanner makes of a card at 600 dpi.
pub fn large_scan(shape: &Shape, random: &mut Random) -> Vec<u8> {
    let size = random.within(1800.0..2200.0);
    let size = sized(size, random);
    let written = Written::on_white(size, shape, random);
    jpeg(&written.page, random.whole(80..96) as u8)
}

/// A small digit on a large page, near a corner or an edge, now and then two pixels from it.
pub fn off_centre(shape: &Shape, random: &mut Random) -> Vec<u8> {
    let size = random.log_within(350.0..800.0);
    let (width, height) = sized(size, random);
    let mut page = Page::paper(width, height, white(random), 0.01, random);
    let digit = random.within(0.09..0.25) * width.min(height) as f32;
    let mask = shape.mask(pen(random), digit / 20.0);
    let mut place = |page: usize, mask: usize| {
        let free = page as f32 - mask as f32;
        let margin = if random.chance(0.25) {
            2.0
        } else {
            random.within(0.03..0.3) * free
        };
        let low = random.chance(0.5);
        if low { margin } else { free - margin }
    };
    let at = (place(width, mask.ink.width), place(height, mask.ink.height));
    page.write(&mask, at, ink(random), random);
    png(&page)
}

/// Cut to the ink: it touches the picture's edges on all sides or all but one.
pub fn tight_crop(shape: &Shape, random: &mut Random) -> Vec<u8> {
    let digit = random.log_within(40.0..400.0);
    let mask = shape.mask(pen(random), digit / 20.0);
    let grain = random.within(0.004..0.02);
    let (width, height) = (mask.ink.width, mask.ink.height);
    let mut page = Page::paper(width, height, white(random), grain, random);
    page.write(&mask, (0.0, 0.0), ink(random), random);
    // The mask has a soft edge around it; a cut goes through the outermost ink.
    let mut cut = || random.whole(1..3);
    let (left, top, right, bottom) = (cut(), cut(), cut(), cut());
    png(&page.cut(left, top, width - left - right, height - top - bottom))
}

/// The lid was open, or the page smaller than the glass: black bands at one edge or more.
pub fn black_border(shape: &Shape, random: &mut Random) -> Vec<u8> {
    let (width, height) = usual_size(random);
    let grain = random.within(0.004..0.02);
    let mut page = Page::paper(width, height, white(random), grain, random);
    let share = random.within(0.35..0.6);
    let scale = share * width.min(height) as f32 / 20.0;
    let mask = shape.mask(pen(random), scale);
    let at = about_the_middle(&page, &mask, random);
    page.write(&mask, at, ink(random), random);

    let dark = rgb(random.one_of(&[0x000000, 0x0c0c0c, 0x202020]));
    let bands = 1 + random.whole(0..15);
    // Straight, or a little askew as the page lay; the band stays clear of the ink.
    let band = |random: &mut Random, free: f32| {
        let wide = random.within(0.15..0.8) * free;
        let other = wide * random.within(0.6..1.0);
        if random.chance(0.5) {
            (wide, wide)
        } else {
            (wide, other)
        }
    };
    let (full_width, full_height) = (width as f32, height as f32);
    let right_free = full_width - at.0 - mask.ink.width as f32;
    let bottom_free = full_height - at.1 - mask.ink.height as f32;
    let edges = [at.0, at.1, right_free, bottom_free];
    let edges = edges.map(|free| band(random, free.min(0.12 * full_width)));
    let noise = random.within(0.0..0.004);
    page.each(|x, y, pixel| {
        let (x, y) = (x as f32, y as f32);
        let beyond = [
            (x, y / full_height),
            (y, x / full_width),
            (full_width - 1.0 - x, y / full_height),
            (full_height - 1.0 - y, x / full_width),
        ];
        for (edge, (distance, along)) in beyond.into_iter().enumerate() {
            let (from, to) = edges[edge];
            if bands & (1 << edge) != 0 && distance < from + (to - from) * along {
                *pixel = dark.map(|value| value + noise * random.unit());
            }
        }
    });
    if random.chance(0.5) {
        png(&page)
    } else {
        jpeg(&page, random.whole(70..95) as u8)
    }
}
