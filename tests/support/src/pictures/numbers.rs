//! Numbers of several digits on one page, for `predict --many`.

use super::file::{jpeg, png};
use super::page::{Ink, Page, rgb};
use super::random::Random;
use super::shape::{Mask, Pen, Shape};

type Digit = [u8; 784];

/// One number on one line, with the spacing of a careful hand: 5 to 40 % of a digit's height
/// between two digits' ink, now and then almost none.
pub fn number(digits: &[&Digit], seed: u64) -> Vec<u8> {
    let mut random = Random::new(seed, "number");
    let hand = Hand::new(&mut random);
    let line = hand.line(digits, Spacing::Apart, &mut random);
    write(&[line], &hand, &mut random)
}

/// As `number`, but each digit touches the one before it, their ink overlapping by a pixel or two,
/// if it can without their boxes overlapping by more than a third.
pub fn touching(digits: &[&Digit], seed: u64) -> Vec<u8> {
    let mut random = Random::new(seed, "touching");
    let hand = Hand::new(&mut random);
    let line = hand.line(digits, Spacing::Touching, &mut random);
    write(&[line], &hand, &mut random)
}

/// Several numbers below each other, flush left as people write lists.
pub fn lines(lines: &[Vec<&Digit>], seed: u64) -> Vec<u8> {
    let mut random = Random::new(seed, "lines");
    let hand = Hand::new(&mut random);
    let lines: Vec<Vec<Placed>> = lines
        .iter()
        .map(|digits| hand.line(digits, Spacing::Apart, &mut random))
        .collect();
    write(&lines, &hand, &mut random)
}

/// One person with one pen.
struct Hand {
    pen: Pen,
    ink: Ink,
    /// Height of a digit, in pixels.
    height: f32,
}

#[derive(Clone, Copy, PartialEq)]
enum Spacing {
    Apart,
    Touching,
}

/// A digit and its corner, in pixels right of the line's beginning and below its foot.
struct Placed {
    mask: Mask,
    left: f32,
    top: f32,
}

impl Hand {
    fn new(random: &mut Random) -> Self {
        let pen = if random.chance(0.5) {
            let grow = random.within(-0.3..0.2);
            Pen::AsWritten { grow }
        } else {
            let width = random.within(1.2..2.4);
            Pen::Round { width }
        };
        let colour = rgb(random.one_of(&[0x0a0a0c, 0x1c2a6e, 0x223a9a, 0x303848]));
        Self {
            pen,
            ink: Ink {
                colour,
                density: (random.within(0.85..0.96), 0.98),
                covers: false,
            },
            height: random.log_within(40.0..160.0),
        }
    }

    fn line(&self, digits: &[&Digit], spacing: Spacing, random: &mut Random) -> Vec<Placed> {
        let mut line: Vec<Placed> = Vec::new();
        // Of a line, most gaps are alike.
        let usual = random.within(0.1..0.3);
        for digit in digits {
            let scale = self.height * random.within(0.9..1.1) / 20.0;
            let mask = Shape::new(digit).mask(self.pen, scale);
            let foot = random.within(-0.05..0.05) * self.height;
            let mut placed = Placed {
                left: 0.0,
                top: (foot - mask.ink.height as f32).round(),
                mask,
            };
            if let Some(last) = line.last() {
                let gap = match spacing {
                    Spacing::Touching => {
                        // A 7 whose foot would have to reach far under a 1 stays apart from it.
                        let most = 0.35 * last.mask.ink.width.min(placed.mask.ink.width) as f32;
                        let into = random.one_of(&[1.0, 2.0]) + nearness(last, &placed);
                        -into.min(most)
                    }
                    Spacing::Apart if random.chance(0.08) => random.within(1.0..0.06 * self.height),
                    Spacing::Apart => {
                        self.height * (usual + random.within(-0.1..0.1)).clamp(0.05, 0.4)
                    }
                };
                placed.left = (last.left + last.mask.ink.width as f32 + gap).round();
            }
            line.push(placed);
        }
        line
    }
}

/// The smallest horizontal gap between two digits' ink, in pixels, if the second's box began where
/// the first's ends.
fn nearness(one: &Placed, other: &Placed) -> f32 {
    let begins = |mask: &Mask, y: usize| {
        let row = &mask.ink.values[y * mask.ink.width..][..mask.ink.width];
        row.iter().position(|ink| *ink > 0.5)
    };
    let ends = |mask: &Mask, y: usize| {
        let row = &mask.ink.values[y * mask.ink.width..][..mask.ink.width];
        let last = row.iter().rposition(|ink| *ink > 0.5)?;
        Some(mask.ink.width - 1 - last)
    };
    let mut least = f32::MAX;
    for y in 0..one.mask.ink.height {
        let below = one.top + y as f32 - other.top;
        let inside = below >= 0.0 && below < other.mask.ink.height as f32;
        let gaps = ends(&one.mask, y).zip(
            inside
                .then(|| begins(&other.mask, below as usize))
                .flatten(),
        );
        if let Some((end, begin)) = gaps {
            least = least.min((end + begin) as f32);
        }
    }
    // Digits that share no row touch nowhere.
    if least == f32::MAX { 0.0 } else { least }
}

fn write(lines: &[Vec<Placed>], hand: &Hand, random: &mut Random) -> Vec<u8> {
    let margin = hand.height * random.within(0.3..0.8);
    let ends = lines.iter().filter_map(|line| line.last());
    let widest = ends.map(|last| last.left + last.mask.ink.width as f32);
    let widest = widest.fold(0.0, f32::max);
    let spacing = hand.height * random.within(1.4..1.9);
    let width = widest + 2.0 * margin + hand.height * 0.3;
    let height = spacing * (lines.len() - 1) as f32 + 1.2 * hand.height + 2.0 * margin;
    let light = random.within(0.8..0.97);
    let paper = [light, 0.99 * light, 0.97 * light];
    let mut page = Page::paper(width as usize, height as usize, paper, 0.01, random);
    for (number, line) in lines.iter().enumerate() {
        let left = margin + random.within(0.0..0.3) * hand.height;
        let foot = margin + 1.1 * hand.height + number as f32 * spacing;
        for placed in line {
            let at = (left.round() + placed.left, foot.round() + placed.top);
            page.write(&placed.mask, at, hand.ink, random);
        }
    }
    if random.chance(0.5) {
        png(&page)
    } else {
        jpeg(&page, random.whole(80..96) as u8)
    }
}
