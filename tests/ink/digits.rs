//! A digit on a page comes out as MNIST would have it.

use image::imageops::{self, FilterType};
use image::{DynamicImage, GrayImage, Luma};
use mnistctl::ink;

use crate::common::{JPEG, PNG, assert_is_stroke, digits, encode, picture, read, stroke};

/// A digit ten times as large, on a page with uneven margins.
fn page(digit: &[u8; 784], filter: FilterType, paper: u8, ink: u8) -> GrayImage {
    let large = imageops::resize(&picture(digit), 280, 280, filter);
    let mut page = GrayImage::new(400, 330);
    imageops::replace(&mut page, &large, 80, 20);
    for pixel in page.pixels_mut() {
        let share = f32::from(pixel.0[0]) / 255.0;
        pixel.0[0] = (f32::from(paper) + share * (f32::from(ink) - f32::from(paper))) as u8;
    }
    page
}

/// The mean absolute difference, and the distance between the centres of mass per axis.
fn compare(one: &[u8; 784], other: &[u8; 784]) -> (f64, f64) {
    let differences = one
        .iter()
        .zip(other)
        .map(|(a, b)| f64::from(a.abs_diff(*b)));
    let (ones, others) = (centre(one), centre(other));
    (
        differences.sum::<f64>() / 784.0,
        (ones.0 - others.0).abs().max((ones.1 - others.1).abs()),
    )
}

fn centre(pixels: &[u8]) -> (f64, f64) {
    let (mut mass, mut x, mut y) = (0.0, 0.0, 0.0);
    for (i, &level) in pixels.iter().enumerate() {
        mass += f64::from(level);
        x += f64::from(level) * (i % 28) as f64;
        y += f64::from(level) * (i / 28) as f64;
    }
    (x / mass, y / mass)
}

#[test]
fn mnist_pictures_are_left_as_they_are() {
    let folder = tempfile::tempdir().unwrap();
    for (i, digit) in digits(500).iter().enumerate() {
        let path = folder.path().join(format!("{i}.png"));
        picture(digit).save(&path).unwrap();
        let read = ink::read(&path).unwrap();
        assert_eq!(
            read.candidates(),
            [ink::Digit { pixels: *digit }],
            "digit {i}"
        );
    }
}

#[test]
fn mnist_pictures_in_colour_are_left_as_they_are_too() {
    for digit in digits(20) {
        for colour in [
            DynamicImage::from(picture(&digit)).to_rgb8().into(),
            DynamicImage::from(picture(&digit)).to_rgba8().into(),
            DynamicImage::from(picture(&digit)).to_luma16().into(),
        ] {
            let colour: DynamicImage = colour;
            assert_eq!(read(&encode(colour, PNG)).unwrap().pixels, digit);
        }
    }
}

/// Measured over these digits: 3.6 on average for square pixels, whose faint ones come back fainter,
/// since strokes are made nearly black or white; 7.0 to 7.9 for smoothed ones. The worst are those
/// whose centre of mass lies between two pixels and is rounded the other way.
#[test]
fn enlarged_digits_come_back() {
    let digits = digits(25);
    for (filter, paper, ink, format, bound) in [
        (FilterType::Nearest, 255, 0, PNG, 5.0),
        (FilterType::Nearest, 190, 70, JPEG, 5.0),
        (FilterType::CatmullRom, 255, 0, PNG, 10.0),
        (FilterType::Triangle, 255, 0, JPEG, 10.0),
        (FilterType::Triangle, 40, 220, JPEG, 10.0),
    ] {
        let context = format!("{filter:?}, ink {ink} on {paper}, {format:?}");
        let mut total = 0.0;
        for digit in &digits {
            let read = read(&encode(page(digit, filter, paper, ink), format)).unwrap();
            let (difference, shift) = compare(digit, &read.pixels);
            assert!(difference < 35.0, "{context}: off by {difference}");
            assert!(shift <= 1.0, "{context}: shifted by {shift}");
            total += difference;
        }
        let mean = total / digits.len() as f64;
        println!("{context}: {mean:.1}");
        assert!(mean < bound, "{context}: off by {mean} on average");
    }
}

#[test]
fn specks_are_ignored() {
    let mut page = stroke(255, 0);
    page.put_pixel(1, 1, Luma([0]));
    page.put_pixel(38, 57, Luma([0]));
    assert_is_stroke(&read(&encode(page, PNG)).unwrap(), "specks");
}

#[test]
fn a_line_one_pixel_wide_is_a_stroke() {
    for (width, height) in [(1, 2000), (2000, 1)] {
        let line = GrayImage::from_fn(width, height, |x, y| {
            Luma([if (500..900).contains(&x.max(y)) {
                0
            } else {
                255
            }])
        });
        let digit = read(&encode(line, PNG)).unwrap();
        // As long as the box, and as wide as a thin pen of MNIST's: one to three pixels.
        let inked = digit.pixels.iter().filter(|&&level| level > 127).count();
        assert!((20..=60).contains(&inked), "{inked}");
        let rows = digit
            .pixels
            .chunks(28)
            .filter(|row| row.iter().any(|&v| v > 127))
            .count();
        let columns = (0..28)
            .filter(|&x| (0..28).any(|y| digit.pixels[28 * y + x] > 127))
            .count();
        assert_eq!(rows.max(columns), 20);
        assert!(rows.min(columns) <= 3);
    }
}
