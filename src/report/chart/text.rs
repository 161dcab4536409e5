//! The font, and how wide text is in it.

use std::sync::Once;

use plotters::style::text_anchor::{HPos, Pos, VPos};
use plotters::style::{FontDesc, FontFamily, FontStyle, RGBColor, TextStyle, register_font};

use super::SCALE;

/// What an SVG asks its viewer for; a PNG is drawn with the subset of the first that we carry.
const FAMILY: &str = "DejaVu Sans, system-ui, sans-serif";
const FONT: &[u8] = include_bytes!("../font/DejaVuSans-subset.ttf");

/// plotters' sizes, in CSS pixels: a size of 16 is an em of 13.
pub(super) const SMALL: i32 = 15;
pub(super) const NORMAL: i32 = 16;
pub(super) const TITLE: i32 = 19;

/// Makes the font known to plotters, once.
pub(super) fn register() {
    static REGISTERED: Once = Once::new();
    REGISTERED.call_once(|| {
        // It is a constant that a test has read; without it, drawing says that there is no font.
        let _ = register_font(FAMILY, FontStyle::Normal, FONT);
    });
}

/// Text of a size and colour, placed by its middle, side or corner.
pub(super) fn style(size: i32, colour: RGBColor, h: HPos, v: VPos) -> TextStyle<'static> {
    let size = f64::from(size * SCALE);
    let font = FontDesc::new(FontFamily::Name(FAMILY), size, FontStyle::Normal);
    font.color(&colour).pos(Pos::new(h, v))
}

/// How wide `text` is, in CSS pixels, rounded up.
pub(super) fn width(text: &str, size: i32) -> i32 {
    register();
    let style = style(size, super::palette::INK, HPos::Left, VPos::Top);
    // Only a missing font can fail here, and drawing will say so.
    let width = style.font.layout_box(text).map_or(0, |(_, (x, _))| x);
    width / SCALE + 1
}

/// `text`, with its middle left out if it is wider than `most` CSS pixels.
pub(super) fn shortened(text: &str, size: i32, most: i32) -> String {
    if width(text, size) <= most {
        return text.to_string();
    }
    let letters: Vec<char> = text.chars().collect();
    for kept in (2..letters.len()).rev() {
        let (head, tail) = (kept - kept / 2, kept / 2);
        let head: String = letters[..head].iter().collect();
        let tail: String = letters[letters.len() - tail..].iter().collect();
        let short = format!("{head}…{tail}");
        if width(&short, size) <= most {
            return short;
        }
    }
    "…".to_string()
}
