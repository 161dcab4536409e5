//! Inks and papers of all colours.

use crate::pictures::file::{jpeg, png};
use crate::pictures::page::{Ink, Page, Rgb, luminance, mix, rgb};
use crate::pictures::random::Random;
use crate::pictures::shape::Shape;

use super::{Written, pen, usual_size, white};

const INKS: [u32; 12] = [
    0xc81e1e, 0xe04020, 0x1e64c8, 0x2020b4, 0x148c3c, 0x0a6e5a, 0x8c28a0, 0xdc3c8c, 0x8c5014,
    0xe67814, 0x14a0be, 0x646e14,
];

const PAPERS: [u32; 11] = [
    0xfff08c, 0xfac8dc, 0xc8e6fa, 0xd2f0c8, 0xffdca0, 0xe6d2fa, 0xd7bd96, 0xf0a050, 0xa0d2c8,
    0xb4b4b4, 0xf5e1c3,
];

/// A colour near one of a list.
fn near(colours: &[u32], random: &mut Random) -> Rgb {
    let other = rgb(random.one_of(colours));
    let share = random.within(0.0..0.2);
    mix(rgb(random.one_of(colours)), other, share)
}

fn of(colour: Rgb, random: &mut Random) -> Ink {
    let thin = random.within(0.8..0.96);
    Ink {
        colour,
        density: (thin, random.within(thin..0.99)),
        covers: false,
    }
}

fn written(paper: Rgb, ink: Ink, shape: &Shape, random: &mut Random) -> Vec<u8> {
    let (width, height) = usual_size(random);
    let grain = random.within(0.004..0.02);
    let page = Page::paper(width, height, paper, grain, random);
    let (pen, share) = (pen(random), random.within(0.4..0.75));
    let page = Written::new(page, shape, (pen, share), ink, random).page;
    if random.chance(0.5) {
        png(&page)
    } else {
        jpeg(&page, random.whole(75..96) as u8)
    }
}

pub fn ink(shape: &Shape, random: &mut Random) -> Vec<u8> {
    let colour = near(&INKS, random);
    let ink = of(colour, random);
    written(white(random), ink, shape, random)
}

/// Coloured ink on a sticky note, a card, an envelope.
pub fn paper(shape: &Shape, random: &mut Random) -> Vec<u8> {
    let paper = near(&PAPERS, random);
    // Nobody takes a pen that can't be seen.
    let ink = loop {
        let colour = near(&INKS, random);
        let on_paper: Rgb = std::array::from_fn(|c| colour[c] * paper[c]);
        if luminance(on_paper) < 0.45 * luminance(paper) {
            break of(colour, random);
        }
    };
    written(paper, ink, shape, random)
}

/// Gel or paint whose colour differs from the paper's though both are as light: grey alone shows
/// almost nothing.
pub fn equally_light(shape: &Shape, random: &mut Random) -> Vec<u8> {
    let (paper, ink) = random.one_of(&[
        (0x9ab0d8, 0xf07878),
        (0xd8a0a0, 0x50b478),
        (0xa8c890, 0xe89040),
        (0xe0b860, 0x60c8e0),
        (0xc0a0d8, 0xd8a020),
        (0x80b8b0, 0xe890b0),
    ]);
    let (paper, mut colour) = (rgb(paper), rgb(ink));
    // As light as the paper but for a tenth.
    let light = luminance(paper) * random.within(0.9..1.1) / luminance(colour);
    colour = colour.map(|value| (value * light).min(1.0));
    let ink = Ink {
        covers: true,
        ..of(colour, random)
    };
    written(paper, ink, shape, random)
}
