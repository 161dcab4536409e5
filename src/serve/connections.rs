//! Taking connections in: so many at once, none that dawdles, and at the end none cut in the middle.

use std::io::ErrorKind;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use hyper::server::conn::http1;
use hyper_util::rt::{TokioIo, TokioTimer};
use hyper_util::server::graceful::GracefulShutdown;
use hyper_util::service::TowerToHyperService;
use tokio::io::{AsyncReadExt, AsyncWriteExt, duplex, split};
use tokio::net::{TcpListener, TcpStream};
use tokio::runtime::{Builder, Runtime};
use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use tokio::time::{sleep, timeout};

use super::app::App;
use super::{Options, ServeError, routes};
use crate::engine::available_threads;
use crate::interrupt;

/// Connections at once; more wait to be taken in.
const MOST: usize = 2048;

/// How long a client may take for the head of a request, and stay without one.
const FOR_HEAD: Duration = Duration::from_secs(10);

/// The largest head of a request, in bytes.
const MOST_HEAD: usize = 32 << 10;

/// How long requests may go on after a signal.
const TO_END: Duration = Duration::from_secs(10);

/// How often signals are looked for.
const TICK: Duration = Duration::from_millis(50);

/// A server that has its port.
#[derive(Debug)]
pub struct Server {
    app: Arc<App>,
    runtime: Runtime,
    listener: TcpListener,
    address: SocketAddr,
}

impl Server {
    pub(super) fn bind(address: SocketAddr, app: Arc<App>) -> Result<Self, ServeError> {
        let runtime = Builder::new_multi_thread()
            .worker_threads(available_threads())
            .max_blocking_threads(16)
            .enable_all()
            .build()
            .map_err(ServeError::Threads)?;
        let bound = runtime.block_on(TcpListener::bind(address));
        let failed = |source: std::io::Error| match source.kind() {
            ErrorKind::AddrInUse => ServeError::PortInUse(address.port()),
            _ => ServeError::Bind { address, source },
        };
        let listener = bound.map_err(failed)?;
        let address = listener.local_addr().map_err(failed)?;
        Ok(Self {
            app,
            runtime,
            listener,
            address,
        })
    }

    /// Where it listens; a port of 0 has become a real one.
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// Answers until a signal comes, and then ends what is under way.
    pub fn run(self) {
        let router = routes::router(Arc::clone(&self.app));
        raise_file_limit();
        self.runtime
            .block_on(accept(self.listener, &self.app, router));
        // What is still being read is for nobody any more.
        self.runtime.shutdown_timeout(Duration::from_secs(1));
    }
}

/// Takes connections in.
async fn accept(listener: TcpListener, app: &App, router: Router) {
    let places = Arc::new(Semaphore::new(MOST));
    let graceful = GracefulShutdown::new();
    let until_signal = async {
        while !interrupt::requested() {
            sleep(TICK).await;
        }
    };
    tokio::pin!(until_signal);
    loop {
        let next = async {
            let place = Arc::clone(&places).acquire_owned().await;
            (place, listener.accept().await)
        };
        tokio::select! {
            () = &mut until_signal => break,
            (place, accepted) = next => match (place, accepted) {
                (Ok(place), Ok((stream, _))) => {
                    app.metrics.connections.add(1);
                    answer(stream, place, router.clone(), &graceful);
                }
                // Out of file descriptors, or a client that has gone already: others may be better off.
                _ => sleep(TICK).await,
            },
        }
    }
    drop(listener);
    let _ = timeout(TO_END, graceful.shutdown()).await;
}

/// Answers the requests of one connection.
fn answer(
    stream: TcpStream,
    place: OwnedSemaphorePermit,
    router: Router,
    graceful: &GracefulShutdown,
) {
    // Answers are small and should not wait for company.
    let _ = stream.set_nodelay(true);
    let service = TowerToHyperService::new(router);
    let connection = builder().serve_connection(TokioIo::new(stream), service);
    let watched = graceful.watch(connection);
    tokio::spawn(async move {
        // What goes wrong with one connection is that client's business.
        let _ = watched.await;
        drop(place);
    });
}

/// What the heads of requests may be like.
fn builder() -> http1::Builder {
    let mut builder = http1::Builder::new();
    builder
        .timer(TokioTimer::new())
        .header_read_timeout(FOR_HEAD)
        .max_buf_size(MOST_HEAD);
    builder
}

/// A server without a port, to be given what a client sends: for fuzzing.
#[derive(Debug)]
pub struct Offline {
    runtime: Runtime,
    router: Router,
}

impl Offline {
    pub fn new(options: Options) -> Result<Self, ServeError> {
        let runtime = Builder::new_current_thread().enable_all().build();
        Ok(Self {
            runtime: runtime.map_err(ServeError::Threads)?,
            router: routes::router(Arc::new(App::new(options)?)),
        })
    }

    /// All that is answered to a client that sends `bytes` and nothing more.
    pub fn answer(&self, bytes: &[u8]) -> Vec<u8> {
        let (mut client, server) = duplex(1 << 16);
        let service = TowerToHyperService::new(self.router.clone());
        let connection = builder()
            .half_close(true)
            .serve_connection(TokioIo::new(server), service);
        let (mut answers, mut requests) = split(&mut client);
        let mut answer = Vec::new();
        self.runtime.block_on(async {
            let send = async {
                // It may have heard enough.
                let _ = requests.write_all(bytes).await;
                let _ = requests.shutdown().await;
            };
            let receive = answers.read_to_end(&mut answer);
            let _ = tokio::join!(send, connection, receive);
        });
        answer
    }
}

/// Each connection is an open file, of which many systems let a program have only 1,024 unless it asks.
#[cfg(unix)]
fn raise_file_limit() {
    use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};
    let limit = getrlimit(Resource::Nofile);
    let wanted = MOST as u64 + 256;
    let possible = limit.maximum.map_or(wanted, |most| most.min(wanted));
    if limit.current.is_some_and(|current| current < possible) {
        // Where it is refused, fewer connections are taken in at once.
        let _ = setrlimit(
            Resource::Nofile,
            Rlimit {
                current: Some(possible),
                maximum: limit.maximum,
            },
        );
    }
}

#[cfg(not(unix))]
fn raise_file_limit() {}
