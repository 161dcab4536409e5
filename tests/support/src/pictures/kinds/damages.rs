//! What happens to ink and paper.

use image::ImageFormat;

use crate::pictures::camera;
use crate::pictures::file::{colour, encode, jpeg, one_bit_png, png};
use crate::pictures::page::{Page, rgb};
use crate::pictures::random::Random;
use crate::pictures::shape::Shape;

use super::{Written, about_the_middle, ink, pen, usual_size, white};

/// Dust on the glass, crumbs, hairs, and a sensor that is too slow for the light. None of the specks
/// is as large as a stroke is long.
pub fn noise(shape: &Shape, random: &mut Random) -> Vec<u8> {
    let size = usual_size(random);
    let mut page = Written::on_white(size, shape, random).page;
    let (width, height) = (page.width as f32, page.height as f32);
    let unit = width.min(height) / 300.0;
    for _ in 0..random.whole(5..60) {
        let at = (random.within(0.0..width), random.within(0.0..height));
        let radius = unit * random.log_within(0.4..2.5);
        let light = random.one_of(&[0x101010, 0x404040, 0x808080, 0x604830, 0xffffff]);
        page.dot(at, radius, rgb(light), random.within(0.4..1.0));
    }
    for _ in 0..random.whole(0..3) {
        hair(&mut page, unit * random.within(15.0..50.0), random);
    }
    camera::noise(&mut page, random.log_within(0.01..0.12), random);
    if random.chance(0.5) {
        png(&page)
    } else {
        jpeg(&page, random.whole(70..96) as u8)
    }
}

/// A thin curved line.
fn hair(page: &mut Page, length: f32, random: &mut Random) {
    let mut at = (
        random.within(0.0..page.width as f32),
        random.within(0.0..page.height as f32),
    );
    let mut angle = random.within(0.0..std::f32::consts::TAU);
    let bend = random.within(-0.25..0.25);
    let share = random.within(0.3..0.7);
    for _ in 0..12 {
        let next = (
            at.0 + length / 12.0 * angle.cos(),
            at.1 + length / 12.0 * angle.sin(),
        );
        page.line(at, next, 0.8, rgb(0x303030), share);
        at = next;
        angle += bend;
    }
}

/// Black or white and nothing between: a fax, or a scan to one bit a pixel, with the flecks that
/// thresholding leaves.
pub fn fax(shape: &Shape, random: &mut Random) -> Vec<u8> {
    let size = usual_size(random);
    let mut page = Written::on_white(size, shape, random).page;
    let mut page = {
        camera::gradient(&mut page, random.within(0.8..1.0), random);
        page.blurred(random.within(0.3..0.9))
    };
    camera::noise(&mut page, random.within(0.01..0.09), random);
    let flecks = random.whole(0..40);
    for _ in 0..flecks {
        let at = (
            random.within(0.0..page.width as f32),
            random.within(0.0..page.height as f32),
        );
        page.dot(at, random.within(0.3..1.0), [0.0; 3], 1.0);
    }
    // Of sRGB: the paper is above 0.8, the ink below 0.4.
    let threshold = random.within(0.5..0.68);
    if random.chance(0.7) {
        return one_bit_png(&page, threshold);
    }
    let mut image = colour(&page);
    for pixel in image.pixels_mut() {
        let white = f32::from(pixel.0[1]) > 255.0 * threshold;
        pixel.0 = if white { [255; 3] } else { [0; 3] };
    }
    encode(image, random.one_of(&[ImageFormat::Gif, ImageFormat::Tiff]))
}

/// A pen that ran dry: pieces of a stroke half as long as it is wide, or a little more, are missing.
pub fn broken(shape: &Shape, random: &mut Random) -> Vec<u8> {
    let (width, height) = usual_size(random);
    let grain = random.within(0.004..0.02);
    let mut page = Page::paper(width, height, white(random), grain, random);
    let scale = random.within(0.4..0.75) * width.min(height) as f32 / 20.0;
    let gaps: Vec<_> = (0..random.whole(1..4))
        .map(|_| shape.gap(random.unit(), random.within(0.6..1.4)))
        .collect();
    let mask = shape.broken_mask(pen(random), scale, &gaps);
    let at = about_the_middle(&page, &mask, random);
    page.write(&mask, at, ink(random), random);
    png(&page)
}
