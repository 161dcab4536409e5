//! A digit as text, for a terminal: what the network sees.

const SHADES: [char; 5] = [' ', '░', '▒', '▓', '█'];

/// Draws a picture of `side` columns, two rows per line, without colour codes.
///
/// Where one of a line's two rows is much darker than the other, its half block is drawn;
/// elsewhere the shade of both.
pub fn preview(pixels: &[u8], side: usize) -> String {
    let mut rows = pixels.chunks(side.max(1));
    let mut text = String::new();
    while let Some(upper) = rows.next() {
        let lower = rows.next().unwrap_or_default();
        let lower = lower.iter().copied().chain(std::iter::repeat(0));
        text.extend(
            upper
                .iter()
                .zip(lower)
                .map(|(&upper, lower)| cell(upper, lower)),
        );
        text.push('\n');
    }
    text
}

fn cell(upper: u8, lower: u8) -> char {
    const MUCH: i32 = 128;
    let (upper, lower) = (i32::from(upper), i32::from(lower));
    if upper - lower >= MUCH {
        '▀'
    } else if lower - upper >= MUCH {
        '▄'
    } else {
        // 0..=510 in five equal steps.
        SHADES[((upper + lower) as usize * SHADES.len() / 511).min(SHADES.len() - 1)]
    }
}

#[cfg(test)]
mod tests {
    use super::preview;

    #[test]
    fn two_rows_make_a_line() {
        let pixels = [0, 255, 255, 0, 120, 0, 255, 0, 255, 120];
        assert_eq!(preview(&pixels, 5), " █▀▄▒\n");
    }
}
