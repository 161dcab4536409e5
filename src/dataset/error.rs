//! What can go wrong with a dataset, in words for the user.
//!
//! Each message is complete: what failed, on which file, and what to do. A cause (an I/O error,
//! say) is part of the text and deliberately not a `source()`, so that a caller who prints the
//! chain doesn't print it twice.

use std::io;
use std::path::PathBuf;

use super::{Published, Sha256};

/// Why a dataset could not be found, downloaded, read or split.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum DatasetError {
    // One file: it cannot be opened or read.
    #[error("There is no file `{}`.", file.display())]
    Missing { file: PathBuf },
    #[error("`{}` cannot be read: {cause}.", file.display())]
    Io { file: PathBuf, cause: io::Error },
    #[error(
        "`{}` is a folder, where an IDX file is needed; perhaps the file is inside it.",
        file.display()
    )]
    IsFolder { file: PathBuf },
    #[error("`{}` is a device or a pipe, where a regular file is needed.", file.display())]
    NotRegular { file: PathBuf },
    #[error("`{}` holds {bytes} bytes, which do not fit in this machine's memory.", file.display())]
    Memory { file: PathBuf, bytes: u64 },

    // One file: its content is not what it should be.
    #[error("`{}` is empty (0 bytes); get it again.", file.display())]
    Empty { file: PathBuf },
    #[error("`{}` is {what}, not an IDX file of {wanted}.", file.display())]
    Foreign {
        file: PathBuf,
        what: &'static str,
        wanted: &'static str,
    },
    #[error(
        "`{}` looks like the {found} file, but the {wanted} are needed here (its magic number \
         is {magic:#010x}); perhaps two files were swapped.",
        file.display()
    )]
    Swapped {
        file: PathBuf,
        wanted: &'static str,
        found: &'static str,
        magic: u32,
    },
    #[error(
        "`{}` is not an IDX file of {wanted}: its magic number is {found:#010x}, expected \
         {expected:#010x}.",
        file.display()
    )]
    Magic {
        file: PathBuf,
        wanted: &'static str,
        found: u32,
        expected: u32,
    },
    #[error(
        "`{}` is truncated: its header needs {expected} bytes, and there are {found} bytes in \
         all; get it again.",
        file.display()
    )]
    Header {
        file: PathBuf,
        expected: u64,
        found: u64,
    },
    #[error(
        "`{}` holds images of {rows}x{columns} pixels (rows x columns); only 28x28 can be used.",
        file.display()
    )]
    Shape {
        file: PathBuf,
        rows: u32,
        columns: u32,
    },
    #[error(
        "`{}` says in its header that it holds {count} {wanted}; from 1 to {most} can be used.",
        file.display()
    )]
    Count {
        file: PathBuf,
        wanted: &'static str,
        count: u32,
        most: u32,
    },
    #[error(
        "`{}` is truncated: by its header it should have {expected} bytes uncompressed, and \
         {found} were found; get it again.",
        file.display()
    )]
    Truncated {
        file: PathBuf,
        expected: u64,
        found: u64,
    },
    #[error(
        "`{}` has trailing bytes: by its header it should have {expected} bytes uncompressed, \
         and {found} were found.",
        file.display()
    )]
    Trailing {
        file: PathBuf,
        expected: u64,
        found: String,
    },
    #[error("`{}` is a damaged gzip file ({cause}); get it again.", file.display())]
    Gzip { file: PathBuf, cause: io::Error },
    #[error(
        "`{}` is a truncated gzip file: it ends after {stored} bytes, too early; get it again.",
        file.display()
    )]
    GzipTruncated { file: PathBuf, stored: u64 },
    #[error(
        "`{}` has trailing bytes: something follows the end of its gzip data; get it again.",
        file.display()
    )]
    GzipTrailing { file: PathBuf },
    #[error(
        "`{}` holds the label {value} at position {position} (counted from 0); labels are 0 to \
         9.",
        file.display()
    )]
    Label {
        file: PathBuf,
        position: usize,
        value: u8,
    },

    // A pair, a folder.
    #[error(
        "`{}` holds {images} images, but `{}` holds {labels} labels; they do not belong together.",
        images_file.display(), labels_file.display()
    )]
    Pair {
        images_file: PathBuf,
        images: usize,
        labels_file: PathBuf,
        labels: usize,
    },
    #[error("There is no folder `{}`; check its path.", folder.display())]
    NoFolder { folder: PathBuf },
    #[error("`{}` is a file; give the folder that holds the four IDX files.", folder.display())]
    NotFolder { folder: PathBuf },
    #[error(
        "The folder `{}` lacks {}. It needs the four IDX files, plain or with .gz; `mnistctl \
         data download` fetches MNIST's.",
        folder.display(), list(missing)
    )]
    Incomplete {
        folder: PathBuf,
        missing: Vec<&'static str>,
    },
    #[error(
        "There is no folder `{}`; give a folder with the four IDX files, or `sample` or `auto`.",
        name.display()
    )]
    UnknownName { name: PathBuf },
    #[error("The dataset was given as an empty name; give a folder, `sample` or `auto`.")]
    NoName,
    #[error(
        "{} is set, but cannot be used. {cause} Correct the variable, or unset it.",
        crate::dataset::VARIABLE
    )]
    Variable { cause: Box<DatasetError> },

    // The download.
    #[error("The download was interrupted.")]
    Interrupted,
    #[error("The folder `{}` cannot be written to: {cause}.", folder.display())]
    Write { folder: PathBuf, cause: io::Error },
    #[error("{url} {what}.")]
    Fetch { url: String, what: String },
    #[error(
        "{url} delivered something other than {dataset}: the sha256 of {} is {found}, expected \
         {}.",
        expected.of(), expected.text()
    )]
    Hash {
        url: String,
        dataset: Published,
        found: String,
        expected: Sha256,
    },
    #[error(
        "`{}` is a valid file, but not {dataset}'s: the sha256 of {} is {found}, expected {}. It is \
         left as it is; to download {dataset} into this folder, first move that file elsewhere.",
        file.display(), expected.of(), expected.text()
    )]
    Occupied {
        file: PathBuf,
        dataset: Published,
        found: String,
        expected: Sha256,
    },
    #[error(
        "{cause} It is left as it is; to download {dataset} into this folder, first move that file \
         elsewhere."
    )]
    InTheWay {
        dataset: Published,
        cause: Box<DatasetError>,
    },
    #[error("{name} could not be downloaded.{}", lines(attempts))]
    Mirrors {
        name: &'static str,
        attempts: Vec<DatasetError>,
    },
    #[error("This system names no cache folder for the download; give a folder.")]
    NoCache,
    #[error(
        "MNIST is not on this machine, and could not be downloaded. {cause}\n\
         Do one of these:\n  \
           --data sample           use the 5,000 real digits that are part of this program\n  \
           --data FOLDER           use the four files in a folder ({}=FOLDER does the same)\n  \
           mnistctl data download  fetch the four files when this machine is online{}",
        crate::dataset::VARIABLE,
        by_hand(mirrors, folder)
    )]
    Unavailable {
        cause: Box<DatasetError>,
        mirrors: Vec<String>,
        folder: Option<PathBuf>,
    },

    #[error(
        "{dataset} could not be downloaded. {cause}{}",
        by_hand(mirrors, folder)
    )]
    NotDownloaded {
        dataset: Published,
        cause: Box<DatasetError>,
        mirrors: Vec<String>,
        folder: Option<PathBuf>,
    },

    // The split.
    #[error(
        "{validation} validation digits cannot be set apart from {available}: at least one must \
         be left to train on. Ask for fewer."
    )]
    Validation { validation: usize, available: usize },
}

impl DatasetError {
    /// Whether a file is what an interrupted or faulty copy leaves: nothing that anybody would
    /// miss.
    pub(super) fn is_broken_copy(&self) -> bool {
        use DatasetError::*;
        matches!(
            self,
            Empty { .. } | Header { .. } | Truncated { .. } | Gzip { .. } | GzipTruncated { .. }
        )
    }
}

/// `a, b and c`
fn list(names: &[&'static str]) -> String {
    match names {
        [] => "nothing".to_owned(),
        [one] => (*one).to_owned(),
        [all @ .., last] => format!("{} and {last}", all.join(", ")),
    }
}

/// Each error on a line of its own.
fn lines(errors: &[DatasetError]) -> String {
    errors.iter().map(|error| format!("\n  {error}")).collect()
}

/// The last lines of the advice: what to fetch with a browser, and where to put it.
fn by_hand(mirrors: &[String], folder: &Option<PathBuf>) -> String {
    let place = match folder {
        Some(folder) => format!("`{}`", folder.display()),
        None => "a folder".to_owned(),
    };
    let urls: String = mirrors.iter().map(|url| format!("\n      {url}")).collect();
    format!(
        "\n  by hand                 fetch the four .gz files from one of these into {place}:{urls}"
    )
}
