//! `mnistctl serve`: a page to draw digits on, and what it asks: pictures in, answers out.
//!
//! Downwards: `connections` takes them in and cuts off the slow ones; `routes` says what is where, and
//! `layers` what all requests go through; `answers` has a file for each kind of request. They stand on
//! `app`, all that is there for every request: the `networks` and `runs` there are, the `reader`, a
//! thread that owns the loaded networks and lets them read what arrives together, the `guard` that
//! turns away what comes from elsewhere, the bounds of `body`, `corrections`, and `metrics`.

mod answers;
mod app;
mod body;
mod connections;
mod corrections;
mod error;
mod guard;
mod layers;
mod metrics;
mod networks;
mod reader;
mod routes;
mod runs;

use std::net::{IpAddr, SocketAddr};
use std::path::PathBuf;
use std::sync::Arc;

use thiserror::Error;

use crate::engine::EngineError;
use crate::files::FileError;
use crate::training::CheckpointError;
use app::App;

pub use connections::{Offline, Server};

/// The fewest characters of a token.
const SHORTEST_TOKEN: usize = 16;

/// What a server shows, and to whom.
#[derive(Debug, Clone)]
pub struct Options {
    /// Networks beside the one that the program carries; the first is the default.
    pub checkpoints: Vec<PathBuf>,
    /// The folder whose runs are shown; it need not exist.
    pub runs: PathBuf,
    pub address: SocketAddr,
    /// What every request has to know, where there is one.
    pub token: Option<String>,
    /// Where corrections are kept; without it there are none.
    pub collect: Option<PathBuf>,
}

/// A server that can't begin.
#[derive(Debug, Error)]
pub enum ServeError {
    #[error(
        "port {0} is in use, perhaps by another `mnistctl serve`; stop that, or choose another with \
         --port"
    )]
    PortInUse(u16),
    #[error("can't listen on {address}: {source}")]
    Bind {
        address: SocketAddr,
        source: std::io::Error,
    },
    #[error(
        "on {0}, whoever reaches this machine could use the page; choose a token that they have to \
         know, with --token"
    )]
    NeedsToken(IpAddr),
    #[error(
        "a token has at least {SHORTEST_TOKEN} characters, so that nobody guesses it, and only letters, \
         digits, `-`, `_`, `.` and `~`, which stay as they are in an address"
    )]
    Token,
    #[error("can't start the server's threads: {0}")]
    Threads(std::io::Error),
    #[error(transparent)]
    Checkpoint(#[from] CheckpointError),
    #[error(transparent)]
    Engine(#[from] EngineError),
    #[error(transparent)]
    Collect(#[from] FileError),
}

fn is_token(text: &str) -> bool {
    let plain = |byte: u8| byte.is_ascii_alphanumeric() || b"-_.~".contains(&byte);
    text.len() >= SHORTEST_TOKEN && text.bytes().all(plain)
}

/// Loads the networks and takes the port; [`Server::run`] answers from then on.
pub fn start(options: Options) -> Result<Server, ServeError> {
    let ip = options.address.ip();
    match &options.token {
        None if !ip.is_loopback() => return Err(ServeError::NeedsToken(ip)),
        Some(token) if !is_token(token) => {
            return Err(ServeError::Token);
        }
        _ => {}
    }
    let address = options.address;
    Server::bind(address, Arc::new(App::new(options)?))
}
