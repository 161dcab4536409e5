//! Bytes -> a page: a picture in colour, of bounded size, the right way up.
//!
//! The format is recognised by the content. Nothing the bytes claim is trusted: what a decoder
//! would allocate, and how long it would take, is worked out from the headers before it starts.
//! What the `image` crate's decoders do not check themselves is checked in the file named after
//! the format.

use std::error::Error;
use std::io::{Cursor, ErrorKind};
use std::panic::{AssertUnwindSafe, catch_unwind};

use image::codecs::{
    bmp as bmp_codec, gif as gif_codec, jpeg as jpeg_codec, png as png_codec, pnm as pnm_codec,
    tiff as tiff_codec, webp as webp_codec,
};
use image::error::UnsupportedErrorKind;
use image::metadata::Orientation;
use image::{DynamicImage, ImageDecoder, ImageError, ImageFormat, Limits, RgbImage};

use super::InkError;

mod gif;
mod jpeg;
mod pnm;
mod recognise;
mod shrink;
mod tiff;
mod webp;

/// The longest side that is decoded, in pixels.
const MAX_SIDE: u32 = 20_000;

/// The most memory that a picture may take in all while it is decoded, its file included. The
/// process stays below twice that: the allocator keeps some of what was freed.
pub const MAX_MEMORY: u64 = 256 << 20;

/// The memory that a decoder may use besides the picture, such as for a compressed colour profile.
const MAX_ASIDE: u64 = 64 << 20;

/// The longest side of a page, in pixels: finer strokes are of no use to anyone.
const MAX_PAGE_SIDE: u32 = 1200;

/// The memory that a page takes while the digit on it is looked for, in bytes per pixel.
const FITTING: u64 = 94;

/// A picture, the right way up and without transparency.
#[derive(Debug)]
pub struct Page {
    /// The image is in colour, since coloured ink may be as light as its paper; grey has R = G = B.
    pub image: RgbImage,
    /// A pixel of the page is the mean of `scale` x `scale` pixels of the picture.
    pub scale: u32,
    /// Width and height of the picture, the right way up.
    pub size: (u32, u32),
}

/// Why bytes are not a picture; [`Fault::about`] makes a sentence of it.
enum Fault {
    CutOff,
    Damaged(String),
    Unsupported(String),
    TooLarge(u32, u32),
}

/// Decodes a picture: the first frame of an animation, the first of several pages.
pub fn decode(name: &str, bytes: &[u8]) -> Result<Page, InkError> {
    let format = recognise::format(name, bytes)?;
    catching(|| Picture::open(format, bytes)?.page()).map_err(|fault| fault.about(name))
}

/// How much memory reading the picture in `bytes` takes beside these, in bytes: an estimate from
/// above. 0 for what [`decode`] refuses.
pub fn memory(bytes: &[u8]) -> u64 {
    let open = |format| catching(|| Ok(Picture::open(format, bytes)?.memory));
    image::guess_format(bytes)
        .ok()
        .and_then(|format| open(format).ok())
        .unwrap_or(0)
}

/// The decoders index into what damaged files claim: a panic means no more than an error.
fn catching<T>(work: impl FnOnce() -> Result<T, Fault>) -> Result<T, Fault> {
    catch_unwind(AssertUnwindSafe(work))
        .unwrap_or_else(|_| Err(Fault::Damaged("its parts contradict each other".into())))
}

/// A picture of which only the header has been read.
struct Picture<'a> {
    decoder: Box<dyn ImageDecoder + 'a>,
    orientation: Orientation,
    /// The colours of a TIFF whose pixels are indices.
    palette: Option<tiff::Palette>,
    /// The memory that decoding takes, in bytes.
    memory: u64,
}

impl<'a> Picture<'a> {
    fn open(format: ImageFormat, bytes: &'a [u8]) -> Result<Self, Fault> {
        let (mut decoder, aside, palette) = start(format, bytes)?;
        let (width, height) = decoder.dimensions();
        if width == 0 || height == 0 {
            return Err(Fault::Damaged(format!("it is {width}x{height} pixels")));
        }
        let size = decoder.total_bytes();
        let decoding = size.saturating_add(aside);
        let with_file = decoding.saturating_add(bytes.len() as u64);
        if width.max(height) > MAX_SIDE || with_file > MAX_MEMORY {
            return Err(if aside / 100 > size {
                Fault::Damaged("what it holds is larger than the picture".into())
            } else {
                Fault::TooLarge(width, height)
            });
        }
        // A picture whose EXIF data makes no sense is still a picture.
        let orientation = decoder.orientation().unwrap_or(Orientation::NoTransforms);
        decoder.set_limits(limits(decoding + MAX_ASIDE))?;
        Ok(Self {
            decoder,
            orientation,
            palette,
            memory: decoding.max(fitting(width, height)),
        })
    }

    fn page(self) -> Result<Page, Fault> {
        let picture = DynamicImage::from_decoder(self.decoder)?;
        let (width, height) = (picture.width(), picture.height());
        let scale = scale(width, height);
        let mut page = DynamicImage::from(shrink::shrink(picture, self.palette.as_ref(), scale));
        page.apply_orientation(self.orientation);
        use Orientation::{Rotate90, Rotate90FlipH, Rotate270, Rotate270FlipH};
        let size = match self.orientation {
            Rotate90 | Rotate90FlipH | Rotate270 | Rotate270FlipH => (height, width),
            _ => (width, height),
        };
        Ok(Page {
            image: page.into_rgb8(),
            scale,
            size,
        })
    }
}

/// A decoder that has read the header, what it will allocate besides the picture in its own pixel
/// format, in bytes, and the palette that it leaves to us.
type Started<'a> = (Box<dyn ImageDecoder + 'a>, u64, Option<tiff::Palette>);

fn start(format: ImageFormat, bytes: &[u8]) -> Result<Started<'_>, Fault> {
    let source = Cursor::new(bytes);
    Ok(match format {
        ImageFormat::Png => {
            let decoder = png_codec::PngDecoder::with_limits(source, limits(MAX_ASIDE))?;
            (Box::new(decoder), 0, None)
        }
        ImageFormat::Jpeg => {
            let aside = jpeg::check(bytes)?;
            (Box::new(jpeg_codec::JpegDecoder::new(source)?), aside, None)
        }
        ImageFormat::Gif => {
            let aside = gif::check(bytes)?;
            (Box::new(gif_codec::GifDecoder::new(source)?), aside, None)
        }
        ImageFormat::Bmp => (Box::new(bmp_codec::BmpDecoder::new(source)?), 0, None),
        ImageFormat::WebP => {
            let aside = webp::check(bytes)?;
            (Box::new(webp_codec::WebPDecoder::new(source)?), aside, None)
        }
        ImageFormat::Tiff => {
            let tiff::Header {
                aside,
                bytes,
                palette,
            } = tiff::check(bytes)?;
            let decoder = tiff_codec::TiffDecoder::new(Cursor::new(bytes))?;
            (Box::new(decoder), aside, palette)
        }
        _ => {
            pnm::check(bytes)?;
            (Box::new(pnm_codec::PnmDecoder::new(source)?), 0, None)
        }
    })
}

fn limits(allocated: u64) -> Limits {
    // The sides are not checked by the decoders, so that the message can name them.
    let mut limits = Limits::no_limits();
    limits.max_alloc = Some(allocated);
    limits
}

/// By which whole number a picture is divided so that it is no longer than a page.
fn scale(width: u32, height: u32) -> u32 {
    width.max(height).div_ceil(MAX_PAGE_SIDE)
}

/// The memory that the page of a picture takes while the digit on it is looked for, in bytes.
fn fitting(width: u32, height: u32) -> u64 {
    let scale = scale(width, height);
    let [width, height] = [width, height].map(|side| u64::from(side.div_ceil(scale)));
    width * height * FITTING
}

impl Fault {
    fn about(self, name: &str) -> InkError {
        let file = name.to_string();
        match self {
            Self::CutOff => InkError::CutOff { file },
            Self::Damaged(reason) => InkError::Damaged { file, reason },
            Self::Unsupported(reason) => InkError::Unsupported { file, reason },
            Self::TooLarge(width, height) => InkError::TooLarge {
                file,
                width,
                height,
            },
        }
    }
}

/// What a decoder's error means to the user.
impl From<ImageError> for Fault {
    fn from(error: ImageError) -> Self {
        match error {
            ImageError::IoError(error) if error.kind() == ErrorKind::UnexpectedEof => Self::CutOff,
            ImageError::Unsupported(error) => Self::Unsupported(match error.kind() {
                UnsupportedErrorKind::GenericFeature(feature) => one_line(&feature),
                UnsupportedErrorKind::Color(_) => "the way its colours are stored".into(),
                _ => one_line(&error.to_string()),
            }),
            ImageError::Decoding(error) => Self::Damaged(match error.source() {
                Some(source) => one_line(&source.to_string()),
                None => one_line(&error.to_string()),
            }),
            error => Self::Damaged(one_line(&error.to_string())),
        }
    }
}

/// A message of the decoder as part of a sentence. It may quote from the file, at any length.
fn one_line(message: &str) -> String {
    let start: String = message.chars().take(100).collect();
    let words: Vec<&str> = start.split_whitespace().collect();
    words.join(" ").trim_end_matches('.').to_string()
}
