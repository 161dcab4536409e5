//! Uneven light.

use crate::pictures::camera;
use crate::pictures::file::jpeg;
use crate::pictures::random::Random;
use crate::pictures::shape::Shape;

use super::{Written, usual_size};

fn finish(mut written: Written, random: &mut Random) -> Vec<u8> {
    camera::noise(&mut written.page, random.within(0.002..0.012), random);
    jpeg(&written.page, random.whole(75..96) as u8)
}

/// A lamp or a window on one side.
pub fn gradient(shape: &Shape, random: &mut Random) -> Vec<u8> {
    let size = usual_size(random);
    let mut written = Written::on_white(size, shape, random);
    let dark = random.within(0.15..0.6);
    camera::gradient(&mut written.page, dark, random);
    finish(written, random)
}

/// The edge of a shadow across the page, often across the digit.
pub fn shadow(shape: &Shape, random: &mut Random) -> Vec<u8> {
    let size = usual_size(random);
    let mut written = Written::on_white(size, shape, random);
    let (dark, soft) = (random.within(0.2..0.6), random.log_within(0.015..0.15));
    let place = written.place();
    camera::shadow(&mut written.page, dark, soft, place, 0.25, random);
    finish(written, random)
}

/// A lens whose picture is darker towards the corners, or the light of a torch.
pub fn vignette(shape: &Shape, random: &mut Random) -> Vec<u8> {
    let size = usual_size(random);
    let mut written = Written::on_white(size, shape, random);
    let corner = random.within(0.15..0.55);
    camera::vignette(&mut written.page, corner, random);
    finish(written, random)
}
