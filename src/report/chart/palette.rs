//! Colours that people with any kind of colour vision can tell apart, on paper and on a dark
//! screen.
//!
//! The lines have the colours of Okabe and Ito ("Color Universal Design", 2008), without the
//! yellow, which is too faint on white. A picture is drawn in its colours on paper; in a dark page
//! [`dark_rules`] replaces each, wherever it stands in an SVG, by its partner.

use std::fmt::Write;

use plotters::style::RGBColor;

/// A colour on paper and its partner on a dark screen.
type Pair = (RGBColor, &'static str);

/// The background.
pub(super) const PAPER: RGBColor = RGBColor(0xFF, 0xFF, 0xFF);
/// Text and axes.
pub(super) const INK: RGBColor = RGBColor(0x1F, 0x23, 0x28);
/// Text that should not stand out.
pub(super) const MUTED: RGBColor = RGBColor(0x57, 0x60, 0x6A);
/// Grid lines.
pub(super) const GRID: RGBColor = RGBColor(0xDD, 0xE1, 0xE6);

const BASE: [Pair; 4] = [
    (PAPER, "#161b22"),
    (INK, "#e6edf3"),
    (MUTED, "#9da7b3"),
    (GRID, "#30363d"),
];

/// Blue, vermillion, bluish green, reddish purple, sky blue, orange, grey for black.
const SERIES: [Pair; 7] = [
    (RGBColor(0x00, 0x72, 0xB2), "#3d9be0"),
    (RGBColor(0xD5, 0x5E, 0x00), "#f0762b"),
    (RGBColor(0x00, 0x9E, 0x73), "#19b98b"),
    (RGBColor(0xCC, 0x79, 0xA7), "#e094c0"),
    (RGBColor(0x56, 0xB4, 0xE9), "#8fd3ff"),
    (RGBColor(0xE6, 0x9F, 0x00), "#f5bd3d"),
    (RGBColor(0x4D, 0x4D, 0x4D), "#b8b8b8"),
];

/// Right answers, from few to many.
const RIGHT: [Pair; 7] = [
    (RGBColor(0xE3, 0xEE, 0xF8), "#12263a"),
    (RGBColor(0xC3, 0xDB, 0xEF), "#173450"),
    (RGBColor(0x97, 0xC4, 0xE2), "#1c4468"),
    (RGBColor(0x62, 0xA5, 0xD1), "#235883"),
    (RGBColor(0x45, 0x92, 0xC9), "#2b6597"),
    (RGBColor(0x15, 0x67, 0xA6), "#5d9fd0"),
    (RGBColor(0x08, 0x4A, 0x84), "#9ccbef"),
];

/// Wrong answers, from few to many.
const WRONG: [Pair; 7] = [
    (RGBColor(0xFD, 0xED, 0xDC), "#2e1d10"),
    (RGBColor(0xFD, 0xD7, 0xB1), "#43290f"),
    (RGBColor(0xFD, 0xB9, 0x7D), "#5a350f"),
    (RGBColor(0xF9, 0x92, 0x45), "#74430f"),
    (RGBColor(0xE6, 0x6F, 0x17), "#8f5210"),
    (RGBColor(0xBF, 0x4F, 0x06), "#dd8b38"),
    (RGBColor(0x8A, 0x36, 0x05), "#fac289"),
];

/// How a line is drawn, so that colour is not all that tells lines apart.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Dash {
    Solid,
    Dashed,
    Dotted,
    Long,
}

/// The colour of series number `index`; after seven they begin again.
pub(super) fn colour(index: usize) -> RGBColor {
    SERIES[index % SERIES.len()].0
}

/// How series number `index` is dashed: the first seven are not.
pub(super) fn dash(index: usize) -> Dash {
    [Dash::Solid, Dash::Dashed, Dash::Dotted, Dash::Long][index / SERIES.len() % 4]
}

/// The colour of a cell of a confusion matrix, on a logarithmic scale from 1 to `most`.
pub(super) fn cell(count: u64, most: u64, right: bool) -> RGBColor {
    let colours = if right { &RIGHT } else { &WRONG };
    let last = colours.len() - 1;
    let part = match most {
        0 | 1 => 1.0,
        _ => (count.max(1) as f64).ln() / (most as f64).ln(),
    };
    colours[((part * last as f64).round() as usize).min(last)].0
}

/// What can be read on a colour: ink or paper, whichever contrasts more (by the relative
/// luminance of WCAG 2.1).
pub(super) fn text_on(colour: RGBColor) -> RGBColor {
    if contrast(INK, colour) >= contrast(PAPER, colour) {
        INK
    } else {
        PAPER
    }
}

fn contrast(a: RGBColor, b: RGBColor) -> f64 {
    let (a, b) = (luminance(a), luminance(b));
    (a.max(b) + 0.05) / (a.min(b) + 0.05)
}

fn luminance(RGBColor(red, green, blue): RGBColor) -> f64 {
    let linear = |channel: u8| match f64::from(channel) / 255.0 {
        low if low <= 0.04045 => low / 12.92,
        high => ((high + 0.055) / 1.055).powf(2.4),
    };
    0.2126 * linear(red) + 0.7152 * linear(green) + 0.0722 * linear(blue)
}

/// CSS that gives the SVGs inside a page their dark colours.
pub fn dark_rules() -> String {
    let mut rules = String::new();
    for (RGBColor(red, green, blue), dark) in BASE.iter().chain(&SERIES).chain(&RIGHT).chain(&WRONG)
    {
        let light = format!("#{red:02X}{green:02X}{blue:02X}");
        for attribute in ["fill", "stroke"] {
            let _ = writeln!(rules, "svg [{attribute}=\"{light}\"]{{{attribute}:{dark}}}");
        }
    }
    rules
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_colour_has_one_partner() {
        let all = || BASE.iter().chain(&SERIES).chain(&RIGHT).chain(&WRONG);
        let mut light: Vec<_> = all().map(|(RGBColor(r, g, b), _)| (r, g, b)).collect();
        let mut dark: Vec<_> = all().map(|(_, dark)| dark).collect();
        let count = light.len();
        light.sort();
        light.dedup();
        dark.sort();
        dark.dedup();
        assert_eq!((light.len(), dark.len()), (count, count));
    }

    #[test]
    fn every_cell_can_be_read_on_paper_and_on_a_dark_screen() {
        let parse = |hex: &str| {
            let channel = |at: usize| u8::from_str_radix(&hex[at..at + 2], 16).unwrap();
            RGBColor(channel(1), channel(3), channel(5))
        };
        let dark_of = |colour: RGBColor| {
            if colour == PAPER {
                parse(BASE[0].1)
            } else {
                parse(BASE[1].1)
            }
        };
        for (light, dark) in RIGHT.iter().chain(&WRONG) {
            let text = text_on(*light);
            // What WCAG 2.1 asks for text of any size.
            assert!(contrast(text, *light) > 4.5, "{light:?}");
            assert!(contrast(dark_of(text), parse(dark)) > 4.5, "{dark}");
        }
    }

    #[test]
    fn more_is_never_paler() {
        let level = |count| luminance(cell(count, 1000, false));
        assert!(level(1) > level(30) && level(30) > level(1000));
        assert_eq!(cell(1, 1, true), RIGHT[6].0);
    }
}
