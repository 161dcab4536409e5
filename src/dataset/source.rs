//! Where the digits come from: what `--data` says, turned into files that are there.

use std::env;
use std::ffi::OsString;
use std::fmt;
use std::path::{Path, PathBuf};

use crate::dataset::{DatasetError, Downloader, LoadedSplit, Published, Split, VARIABLE, folder};

/// What the user wrote after `--data`.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub enum DataArg {
    /// `auto`: look in the usual places, download when the files are in none of them.
    #[default]
    Auto,
    /// `sample`: the digits inside the program.
    Sample,
    /// Anything else: a folder. (One that is called `auto` or `sample` is `./auto` or `./sample`.)
    Folder(PathBuf),
}

impl From<OsString> for DataArg {
    fn from(text: OsString) -> Self {
        match text.to_str() {
            Some("auto") => DataArg::Auto,
            Some("sample") => DataArg::Sample,
            _ => DataArg::Folder(text.into()),
        }
    }
}

impl From<&str> for DataArg {
    fn from(text: &str) -> Self {
        OsString::from(text).into()
    }
}

impl fmt::Display for DataArg {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            DataArg::Auto => f.write_str("auto"),
            DataArg::Sample => f.write_str("sample"),
            DataArg::Folder(folder) => folder.display().fmt(f),
        }
    }
}

/// A place that has all four files.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Source {
    /// The digits inside the program: 4,000 to train, 1,000 to test.
    Sample,
    /// A folder with the four files.
    Folder(PathBuf),
}

/// Finds the files that `--data` asks for, in the user's own [`Places`].
///
/// # Errors
/// See [`Places::find`].
pub fn find(data: &DataArg) -> Result<Source, DatasetError> {
    Places::of_user().find(data)
}

/// Where `--data auto` looks, in the order of the fields.
#[derive(Debug, Clone)]
pub struct Places {
    /// The folder that `$MNISTCTL_DATA` names.
    pub variable: Option<PathBuf>,
    /// The folder of the project one is in.
    pub local: PathBuf,
    /// The user's cache, which a download goes to.
    pub cache: Option<PathBuf>,
    /// What fills the cache.
    pub downloader: Downloader,
}

impl Places {
    /// The places as they are for this user, in this folder: `$MNISTCTL_DATA`, `data/mnist`, and
    /// `mnistctl/mnist` in the system's cache folder (`~/.cache` on Linux).
    pub fn of_user() -> Self {
        Self::of(Published::Mnist)
    }

    /// The places of a dataset for this user, in this folder; `$MNISTCTL_DATA`, which is what `auto`
    /// means, is one for MNIST only.
    pub fn of(published: Published) -> Self {
        let variable = env::var_os(VARIABLE).filter(|value| !value.is_empty());
        let variable = variable.filter(|_| published == Published::Mnist);
        let cache = dirs::cache_dir().map(|folder| folder.join("mnistctl"));
        Self {
            variable: variable.map(PathBuf::from),
            local: Path::new("data").join(published.word()),
            cache: cache.map(|cache| cache.join(published.word())),
            downloader: Downloader::of(published),
        }
    }

    /// Finds the files that `--data` asks for; for `auto`, downloads them when they are in no
    /// place.
    ///
    /// Only their names are looked at here; [`Source::load`] reads them.
    ///
    /// # Errors
    /// A folder that isn't there or lacks some of the files, given by the user or by
    /// `$MNISTCTL_DATA`, is an error: nothing else is taken instead. So is a download that fails,
    /// with a list of what to do.
    pub fn find(&self, data: &DataArg) -> Result<Source, DatasetError> {
        match data {
            DataArg::Sample => Ok(Source::Sample),
            DataArg::Folder(name) if name.as_os_str().is_empty() => Err(DatasetError::NoName),
            DataArg::Folder(name) => match folder::check_complete(name) {
                Ok(()) => Ok(Source::Folder(name.clone())),
                // Perhaps a misspelt `sample`: say that there are such words.
                Err(DatasetError::NoFolder { folder }) => {
                    Err(DatasetError::UnknownName { name: folder })
                }
                Err(error) => Err(error),
            },
            DataArg::Auto => self.find_usual(),
        }
    }

    fn find_usual(&self) -> Result<Source, DatasetError> {
        match self.find_existing()? {
            Some(folder) => Ok(Source::Folder(folder)),
            None => self.download().map(Source::Folder),
        }
    }

    /// The first of the places that has the four files.
    ///
    /// # Errors
    /// When `$MNISTCTL_DATA` is set but has not all four files.
    pub fn find_existing(&self) -> Result<Option<PathBuf>, DatasetError> {
        if let Some(named) = &self.variable {
            return match folder::check_complete(named) {
                Ok(()) => Ok(Some(named.clone())),
                Err(cause) => Err(DatasetError::Variable {
                    cause: Box::new(cause),
                }),
            };
        }
        let usual = [Some(&self.local), self.cache.as_ref()];
        let complete = |folder: &&PathBuf| folder::missing(folder).is_empty();
        Ok(usual.into_iter().flatten().find(complete).cloned())
    }

    /// Downloads what the cache lacks, and returns the cache's folder.
    ///
    /// # Errors
    /// When it can't be downloaded: with a list of what to do instead.
    pub fn download(&self) -> Result<PathBuf, DatasetError> {
        let downloaded = match &self.cache {
            Some(cache) => self.downloader.fill(cache).map(|_| cache.clone()),
            None => Err(DatasetError::NoCache),
        };
        downloaded.map_err(|cause| match cause {
            DatasetError::Interrupted => cause,
            cause => {
                let cause = Box::new(cause);
                let mirrors = self.downloader.mirrors.clone();
                let folder = self.cache.clone();
                match self.downloader.dataset {
                    Published::Mnist => DatasetError::Unavailable {
                        cause,
                        mirrors,
                        folder,
                    },
                    dataset => DatasetError::NotDownloaded {
                        dataset,
                        cause,
                        mirrors,
                        folder,
                    },
                }
            }
        })
    }
}

impl Source {
    /// Reads and checks one split; the files of the other one stay closed.
    ///
    /// # Errors
    /// One that names the file and says what is wrong with it, or which of the split's two files are
    /// missing.
    pub fn load(&self, split: Split) -> Result<LoadedSplit, DatasetError> {
        match self {
            Source::Sample => load_sample(split),
            Source::Folder(name) => folder::load(name, split),
        }
    }

    /// What to call it in messages and summaries: `sample`, or the folder's path.
    pub fn describe(&self) -> String {
        match self {
            Source::Sample => "sample".to_owned(),
            Source::Folder(name) => name.display().to_string(),
        }
    }
}

/// A file of the sample, which is compiled into the program.
macro_rules! sample {
    ($name:literal) => {
        include_bytes!(concat!(env!("CARGO_MANIFEST_DIR"), "/data/sample/", $name)).as_slice()
    };
}

fn load_sample(split: Split) -> Result<LoadedSplit, DatasetError> {
    let (images, labels) = match split {
        Split::Train => (
            sample!("train-images-idx3-ubyte.gz"),
            sample!("train-labels-idx1-ubyte.gz"),
        ),
        Split::Test => (
            sample!("t10k-images-idx3-ubyte.gz"),
            sample!("t10k-labels-idx1-ubyte.gz"),
        ),
    };
    let folder = Path::new("sample");
    let (images_file, labels_file) = (
        folder.join(split.images_file()),
        folder.join(split.labels_file()),
    );
    // Checked like any other file, which costs milliseconds and gives the sha256.
    LoadedSplit::parse([images, labels], [&images_file, &labels_file])
}
