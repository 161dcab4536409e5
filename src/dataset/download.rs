//! Fetching the four files of a published dataset into a folder.
//!
//! A file gets its name only when it is complete, proven by its sha256, and on the disk. Until then
//! it is a temporary file beside its final place, so whatever interrupts a download (Ctrl-C, a full
//! disk, a power cut) leaves nothing that passes for the real thing, and the next try starts
//! cleanly.

use std::fs;
use std::io::{BufReader, ErrorKind, Read, Seek, Write};
use std::path::{Path, PathBuf};
use std::sync::mpsc::{self, RecvTimeoutError, SyncSender};
use std::thread;
use std::time::Duration;

use tempfile::NamedTempFile;
use ureq::{Agent, Timeout};

use crate::dataset::idx::{self, Contents, MOST_ITEMS};
use crate::dataset::progress::DownloadProgress;
use crate::dataset::verify::difference;
use crate::dataset::{DatasetError, Expected, Published, folder};
use crate::files::{install, sweep, temporary};
use crate::interrupt;

/// How often a download looks for signals.
const TICK: Duration = Duration::from_millis(50);

/// What to download from where: [`Downloader::of`] a dataset, from its mirrors. Tests put other values
/// in.
#[derive(Debug, Clone)]
pub struct Downloader {
    pub dataset: Published,
    /// Base addresses, ending in `/`, tried in this order.
    pub mirrors: Vec<String>,
    /// The files.
    pub files: Vec<Expected>,
    /// How long connecting may take.
    pub connect: Duration,
    /// How long a server may be silent.
    pub stall: Duration,
    /// How long a file may take. A server that sends a byte now and then never stalls; it still has
    /// to end some day.
    pub longest: Duration,
    /// The largest download to accept, in bytes per file.
    pub most_bytes: u64,
    /// Whether to show progress on stderr.
    pub progress: bool,
}

impl Default for Downloader {
    fn default() -> Self {
        Self::of(Published::default())
    }
}

/// A file that is in the folder after a download.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Fetched {
    /// Where it is.
    pub file: PathBuf,
    /// Whether it was there, complete and right, before.
    pub already: bool,
}

impl Downloader {
    /// Of a dataset, from its mirrors.
    pub fn of(published: Published) -> Self {
        let mirrors = published.mirrors().iter();
        Self {
            dataset: published,
            mirrors: mirrors.map(|url| (*url).to_owned()).collect(),
            files: published.files().to_vec(),
            connect: Duration::from_secs(15),
            stall: Duration::from_secs(30),
            longest: Duration::from_secs(30 * 60),
            most_bytes: 30_000_000,
            progress: true,
        }
    }

    /// Makes sure that a folder, created if need be, has every file, and gives their paths in the
    /// order of [`Downloader::files`].
    ///
    /// Files that are there and right are kept; empty, truncated and corrupt ones are replaced.
    /// Progress goes to stderr: a bar on a terminal, a line per file elsewhere.
    ///
    /// # Errors
    /// When a file can be had from no mirror (the error has a line for each), when the folder can't
    /// be written to, or when a file in it is something other than a broken copy of the dataset's,
    /// which isn't overwritten; and when a signal interrupts it. Files fetched before stay.
    pub fn fill(&self, folder: &Path) -> Result<Vec<Fetched>, DatasetError> {
        fs::create_dir_all(folder).map_err(|cause| write_error(folder, cause))?;
        sweep(folder);
        // A signal finds this thread awake, and what is not complete is removed on the way out.
        let _deferred = interrupt::defer();
        let agent = self.agent();
        // The mirror that served the last file goes first for the next one.
        let mut mirrors = self.mirrors.clone();
        self.files
            .iter()
            .map(|wanted| self.obtain(&agent, &mut mirrors, wanted, folder))
            .collect()
    }

    fn agent(&self) -> Agent {
        Agent::config_builder()
            .timeout_resolve(Some(self.connect))
            .timeout_connect(Some(self.connect))
            .timeout_recv_response(Some(self.stall))
            .timeout_per_read(Some(self.stall))
            .timeout_per_write(Some(self.stall))
            .timeout_recv_body(Some(self.longest))
            // The files are compressed as they are, and should arrive as they are.
            .accept_encoding("identity")
            .user_agent(concat!("mnistctl/", env!("CARGO_PKG_VERSION")))
            .build()
            .into()
    }

    /// Keeps or fetches one file.
    fn obtain(
        &self,
        agent: &Agent,
        mirrors: &mut [String],
        wanted: &Expected,
        folder: &Path,
    ) -> Result<Fetched, DatasetError> {
        let present = folder::locate(folder, wanted.name);
        if let Some(file) = &present {
            match idx::read(file, wanted.kind, MOST_ITEMS) {
                Ok(contents) => match difference(wanted, file, &contents)? {
                    None => {
                        return Ok(Fetched {
                            file: file.clone(),
                            already: true,
                        });
                    }
                    // Somebody's own dataset (all of MNIST's form have the same file names) is not
                    // for us to overwrite.
                    Some(found) => {
                        return Err(DatasetError::Occupied {
                            file: file.clone(),
                            dataset: self.dataset,
                            found,
                            expected: wanted.sha256,
                        });
                    }
                },
                Err(error) if error.is_broken_copy() => (),
                Err(cause) => {
                    return Err(DatasetError::InTheWay {
                        dataset: self.dataset,
                        cause: Box::new(cause),
                    });
                }
            }
        }

        let mut attempts = Vec::new();
        for i in 0..mirrors.len() {
            let url = format!("{}{}.gz", mirrors[i], wanted.name);
            match self.fetch(agent, &url, wanted, folder) {
                Ok((fetched, contents)) => {
                    mirrors.swap(0, i);
                    let file = folder.join(final_name(&contents, wanted));
                    install(fetched, &file).map_err(|cause| write_error(folder, cause))?;
                    if let Some(damaged) = present.filter(|present| *present != file) {
                        // Under its other name it would go on hiding the file that was just
                        // fetched.
                        fs::remove_file(damaged).map_err(|cause| write_error(folder, cause))?;
                    }
                    return Ok(Fetched {
                        file,
                        already: false,
                    });
                }
                // Another mirror won't help a full disk.
                Err(
                    error @ (DatasetError::Write { .. }
                    | DatasetError::Memory { .. }
                    | DatasetError::Interrupted),
                ) => return Err(error),
                Err(error) => attempts.push(error),
            }
        }
        Err(DatasetError::Mirrors {
            name: wanted.name,
            attempts,
        })
    }

    /// Fetches one address to a temporary file in the folder, and verifies it.
    fn fetch(
        &self,
        agent: &Agent,
        url: &str,
        wanted: &Expected,
        folder: &Path,
    ) -> Result<(NamedTempFile, Contents), DatasetError> {
        let mut file = temporary(folder).map_err(|cause| write_error(folder, cause))?;
        let bytes = self.receive(agent, url, &mut file, folder)?;
        file.rewind().map_err(|cause| write_error(folder, cause))?;
        let input = BufReader::new(file.as_file());
        // In its messages it is called by its address: the temporary name would mean nothing to
        // anybody.
        let contents = idx::parse(Path::new(url), input, bytes, wanted.kind, wanted.items)?;
        match difference(wanted, file.path(), &contents)? {
            None => Ok((file, contents)),
            Some(found) => Err(DatasetError::Hash {
                url: url.to_owned(),
                dataset: self.dataset,
                found,
                expected: wanted.sha256,
            }),
        }
    }

    /// Copies the body of one address to a file, and gives its length in bytes.
    fn receive(
        &self,
        agent: &Agent,
        url: &str,
        file: &mut NamedTempFile,
        folder: &Path,
    ) -> Result<u64, DatasetError> {
        let fail = |what: String| DatasetError::Fetch {
            url: url.to_owned(),
            what,
        };
        // A server may keep the thread that talks to it waiting; this one must see a signal.
        let (sender, parts) = mpsc::sync_channel(4);
        let (this, agent, address) = (self.clone(), agent.clone(), url.to_owned());
        thread::spawn(move || {
            if let Err(what) = this.converse(&agent, &address, &sender) {
                // Nobody listens any more if that failed.
                let _ = sender.send(Err(what));
            }
        });
        let mut progress = None;
        let mut total = 0u64;
        loop {
            match parts.recv_timeout(TICK) {
                Ok(Ok(Received::Length(declared))) => {
                    progress = self
                        .progress
                        .then(|| DownloadProgress::start(url, declared));
                }
                Ok(Ok(Received::Bytes(bytes))) => {
                    file.write_all(&bytes)
                        .map_err(|cause| write_error(folder, cause))?;
                    total += bytes.len() as u64;
                    if let Some(progress) = &progress {
                        progress.at(total);
                    }
                }
                Ok(Err(what)) => return Err(fail(what)),
                Err(RecvTimeoutError::Disconnected) => return Ok(total),
                Err(RecvTimeoutError::Timeout) => {}
            }
            if interrupt::requested() {
                return Err(DatasetError::Interrupted);
            }
        }
    }

    /// Fetches one address and hands over what comes, or says what went wrong, in words that go on
    /// from the address.
    fn converse(
        &self,
        agent: &Agent,
        url: &str,
        parts: &SyncSender<Result<Received, String>>,
    ) -> Result<(), String> {
        let call = agent.get(url).call();
        let response = call.map_err(|error| self.explain(&error))?;
        let declared = response.body().content_length();
        if let Some(bytes) = declared.filter(|&bytes| bytes > self.most_bytes) {
            return Err(format!(
                "wants to send {bytes} bytes, and {} are the most for such a file",
                self.most_bytes
            ));
        }
        let mut handed = parts.send(Ok(Received::Length(declared)));
        let mut body = response.into_body().into_reader();
        let mut buffer = vec![0; 1 << 16];
        let mut total = 0u64;
        // Nobody takes them any more after an error of the other side.
        while handed.is_ok() {
            let n = match body.read(&mut buffer) {
                Ok(0) => break,
                Ok(n) => n,
                Err(error) if error.kind() == ErrorKind::Interrupted => continue,
                Err(error) if timeout(&error) == Some(Timeout::RecvBody) => {
                    return Err(format!(
                        "took longer than {} seconds, for {total} bytes",
                        self.longest.as_secs_f32()
                    ));
                }
                Err(error) if timeout(&error).is_some() => {
                    return Err(format!("stopped sending after {total} bytes (it stalled)"));
                }
                Err(error) => return Err(format!("broke off after {total} bytes ({error})")),
            };
            total += n as u64;
            if total > self.most_bytes {
                return Err(format!(
                    "sends more than {} bytes, the most for such a file",
                    self.most_bytes
                ));
            }
            handed = parts.send(Ok(Received::Bytes(buffer[..n].to_vec())));
        }
        match declared {
            Some(bytes) if bytes != total => {
                Err(format!("broke off after {total} of {bytes} bytes"))
            }
            _ => Ok(()),
        }
    }

    /// What happened before a body came, in words that go on from the address.
    fn explain(&self, error: &ureq::Error) -> String {
        let seconds = |duration: Duration| duration.as_secs_f32();
        match error {
            ureq::Error::StatusCode(404) => "is not there (HTTP status 404)".to_owned(),
            ureq::Error::StatusCode(status) => format!("answered with HTTP status {status}"),
            ureq::Error::HostNotFound => {
                "cannot be reached: the name of the host was not found".to_owned()
            }
            ureq::Error::Timeout(Timeout::Connect | Timeout::Resolve) => {
                format!(
                    "cannot be reached: no connection within {} seconds",
                    seconds(self.connect)
                )
            }
            ureq::Error::Timeout(_) => {
                format!("did not answer within {} seconds", seconds(self.stall))
            }
            ureq::Error::Io(cause) => format!("cannot be reached: {cause}"),
            other => format!("cannot be fetched: {other}"),
        }
    }
}

/// The name of a verified file. A proxy on the way may have unpacked it; a `.gz` that is not
/// compressed would mislead other programs.
fn final_name(contents: &Contents, wanted: &Expected) -> String {
    if contents.gzip {
        format!("{}.gz", wanted.name)
    } else {
        wanted.name.to_owned()
    }
}

/// The error for a folder that cannot be written to.
fn write_error(folder: &Path, cause: std::io::Error) -> DatasetError {
    DatasetError::Write {
        folder: folder.to_path_buf(),
        cause,
    }
}

/// What the thread that talks to a server hands over: first the length, if the server told it.
enum Received {
    Length(Option<u64>),
    Bytes(Vec<u8>),
}

/// Which time-out ended the reading of a body, if one did: the library's own, inside the I/O error,
/// or the system's.
fn timeout(error: &std::io::Error) -> Option<Timeout> {
    let inner = error.get_ref().and_then(|inner| inner.downcast_ref());
    match inner {
        Some(ureq::Error::Timeout(timeout)) => Some(*timeout),
        _ => (error.kind() == ErrorKind::TimedOut).then_some(Timeout::PerRead),
    }
}
