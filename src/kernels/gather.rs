//! Images as bytes to normalised values, one image a lane.

use super::lanes::{Lanes, kernel};

kernel! {
    /// Writes pixel p of image i, times `scale` plus `shift`, to `x[row(p) + column(p)][i]` with
    /// `width` pixels a row and rows `row_step` values apart. Lanes without an image become zero.
    ///
    /// `width` is a multiple of 4, and every image has as many bytes.
    pub fn gather(
        images: &[&[u8]],
        width: usize,
        scale: f32,
        shift: f32,
        x: &mut [f32],
        row_step: usize,
    ) = gather_in
}

#[inline(always)]
fn gather_in<V: Lanes>(
    images: &[&[u8]],
    width: usize,
    scale: f32,
    shift: f32,
    x: &mut [f32],
    row_step: usize,
) {
    let Some(first) = images.first() else { return };
    let pixels = first.len();
    assert!(images.len() <= V::N && width.is_multiple_of(4) && pixels.is_multiple_of(width));
    let full = images.len() == V::N;
    // Lanes without an image read the first one and are overwritten with zeros.
    let lanes: [&[u8]; 16] =
        std::array::from_fn(|lane| &images.get(lane).unwrap_or(first)[..pixels]);
    let (scale_all, shift_all) = (V::splat(scale), V::splat(shift));
    for row in 0..pixels / width {
        let to = &mut x[row * row_step..][..width * V::N];
        for (four, to) in to.chunks_exact_mut(4 * V::N).enumerate() {
            let at = row * width + four * 4;
            // Four pixels of each image at a time.
            let mut words = [0u32; 16];
            for lane in 0..V::N {
                let bytes: [u8; 4] = lanes[lane][at..at + 4].try_into().unwrap_or_default();
                words[lane] = u32::from_le_bytes(bytes);
            }
            for (pixel, to) in to.chunks_exact_mut(V::N).enumerate() {
                let mut values = [0.0; 16];
                for lane in 0..V::N {
                    values[lane] = (words[lane] >> (8 * pixel) & 255) as i32 as f32;
                }
                V::read(&values).mul_add(scale_all, shift_all).write(to);
                if !full {
                    to[images.len()..].fill(0.0);
                }
            }
        }
    }
}
