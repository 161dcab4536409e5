//! Pens and pencils, on plain paper.

use crate::pictures::file::png;
use crate::pictures::page::{Ink, Page, rgb};
use crate::pictures::random::Random;
use crate::pictures::shape::{Pen, Shape};

use super::{Written, ink, usual_size, white};

fn written(pen: Pen, shape: &Shape, random: &mut Random) -> Vec<u8> {
    let (width, height) = usual_size(random);
    let grain = random.within(0.004..0.015);
    let page = Page::paper(width, height, white(random), grain, random);
    let share = random.within(0.45..0.8);
    let ink = ink(random);
    png(&Written::new(page, shape, (pen, share), ink, random).page)
}

/// Strokes 1.5 to 3.5 % of the digit's height: a fineliner in a large hand.
pub fn hairline(shape: &Shape, random: &mut Random) -> Vec<u8> {
    let width = random.within(0.3..0.7);
    written(Pen::Round { width }, shape, random)
}

/// 4 to 7 %: a ballpoint.
pub fn thin(shape: &Shape, random: &mut Random) -> Vec<u8> {
    let width = random.within(0.8..1.4);
    written(Pen::Round { width }, shape, random)
}

/// A felt-tip, or a small hand.
pub fn thick(shape: &Shape, random: &mut Random) -> Vec<u8> {
    let grow = random.within(0.3..0.8);
    written(Pen::AsWritten { grow }, shape, random)
}

/// Strokes up to a quarter of the digit's height.
pub fn marker(shape: &Shape, random: &mut Random) -> Vec<u8> {
    let grow = random.within(0.8..1.5);
    written(Pen::AsWritten { grow }, shape, random)
}

/// Graphite lies on the grain of the paper: pale and mottled.
pub fn pencil(shape: &Shape, random: &mut Random) -> Vec<u8> {
    let (width, height) = usual_size(random);
    let paper = white(random);
    let mut page = Page::paper(width, height, paper, 0.015, random);
    let stroke = random.within(1.0..2.2);
    let scale = random.within(0.45..0.75) * width.min(height) as f32 / 20.0;
    let mut mask = shape.mask(Pen::Round { width: stroke }, scale);
    // The tooth of the paper is a fraction of a millimetre: two or three pixels here.
    let mut tooth = mask.ink.clone();
    tooth.values.fill_with(|| random.normal());
    let tooth = tooth.blurred(random.within(0.6..1.1));
    let pressure = random.within(0.5..0.9);
    for (covered, tooth) in mask.ink.values.iter_mut().zip(&tooth.values) {
        *covered *= (pressure + 0.9 * tooth).clamp(0.1, 1.0);
    }
    let graphite = Ink {
        colour: rgb(random.one_of(&[0x3a3a3e, 0x4a4a4e, 0x5a5a5e])),
        density: (random.within(0.6..0.8), random.within(0.8..0.95)),
        covers: false,
    };
    let at = super::about_the_middle(&page, &mask, random);
    page.write(&mask, at, graphite, random);
    png(&page.blurred(random.within(0.3..0.7)))
}
