//! Why a picture could not be read, in sentences for the person who named it.

use std::io;

use thiserror::Error;

/// Why a picture could not be read. `file` is the name that the user gave.
#[derive(Debug, Error)]
pub enum InkError {
    #[error("{file} does not exist: check the spelling and the folder you are in")]
    Missing { file: String },

    #[error("{file} is a link to something that does not exist: name the picture itself")]
    DanglingLink { file: String },

    #[error("{file} is {kind}, not a file: name a picture, or pipe one in, as in `... - < {file}`")]
    NotAFile { file: String, kind: &'static str },

    #[error("{file} cannot be read: {reason}")]
    Unreadable { file: String, reason: io::Error },

    #[error("{file} is a folder, not a picture: name a picture inside it")]
    Folder { file: String },

    #[error(
        "{file} has no picture in it (.png, .jpg, .gif, .bmp, .webp, .tif or .pnm): name another \
         folder, or the picture itself"
    )]
    NoPictures { file: String },

    #[error("standard input is the terminal: pipe a picture into it, as in `... - < seven.png`")]
    Terminal,

    #[error("{file} is empty: save or copy the picture again")]
    Empty { file: String },

    #[error("{file} is larger than 128 MiB: save a smaller copy of the picture")]
    FileTooBig { file: String },

    #[error(
        "{file} is not a picture that can be read (PNG, JPEG, GIF, BMP, WebP, TIFF or PNM): {reason}; \
         save it as PNG or JPEG"
    )]
    NotAPicture { file: String, reason: String },

    #[error("{file} is cut off before the end of the picture: copy or download it again")]
    CutOff { file: String },

    #[error("{file} is a picture of a kind that can't be read ({reason}): save it as PNG or JPEG")]
    Unsupported { file: String, reason: String },

    #[error("{file} is a damaged picture ({reason}): copy or save it again")]
    Damaged { file: String, reason: String },

    #[error(
        "{file} is too large, {width}x{height} pixels: save a copy with sides of at most 3,000 pixels"
    )]
    TooLarge {
        file: String,
        width: u32,
        height: u32,
    },

    #[error(
        "{file} shows no digit: nothing in it stands out from the paper; \
         use a picture with dark ink on light paper, or light on dark"
    )]
    NoInk { file: String },
}

impl InkError {
    /// What a failure to open or read `file` means.
    pub(super) fn from_open(file: &str, reason: io::Error) -> Self {
        let file = file.to_string();
        match reason.kind() {
            io::ErrorKind::NotFound => Self::Missing { file },
            io::ErrorKind::IsADirectory => Self::Folder { file },
            _ => Self::Unreadable { file, reason },
        }
    }
}
