//! All that is there for every request.

use std::sync::Arc;

use tokio::sync::Semaphore;

use super::body::Bodies;
use super::corrections::Corrections;
use super::error::HttpError;
use super::guard::Guard;
use super::metrics::Metrics;
use super::networks::{Network, Networks};
use super::reader::Reader;
use super::runs::Runs;
use super::{Options, ServeError};
use crate::engine::available_threads;

/// Runs that are listened to at once.
const MOST_LISTENERS: usize = 64;

#[derive(Debug)]
pub struct App {
    pub guard: Guard,
    pub networks: Networks,
    pub runs: Runs,
    pub reader: Reader,
    pub bodies: Bodies,
    pub corrections: Option<Corrections>,
    pub metrics: Metrics,
    /// Places for those who listen to runs, whose files are read for each of them again and again.
    pub listeners: Arc<Semaphore>,
}

impl App {
    pub fn new(options: Options) -> Result<Self, ServeError> {
        let threads = available_threads();
        Ok(Self {
            guard: Guard::new(options.address.ip(), options.token),
            networks: Networks::new(&options.checkpoints, &options.runs)?,
            runs: Runs::new(options.runs),
            reader: Reader::start(threads)?,
            bodies: Bodies::new(threads),
            corrections: options.collect.map(Corrections::new).transpose()?,
            metrics: Metrics::default(),
            listeners: Arc::new(Semaphore::new(MOST_LISTENERS)),
        })
    }

    /// The network of this name, or the default. The runs' are looked up on the disk.
    pub async fn network(self: &Arc<Self>, name: Option<String>) -> Result<Network, HttpError> {
        if let Some(network) = self.networks.always(name.as_deref()) {
            return Ok(network.clone());
        }
        self.on_disk(move |app| app.networks.of_runs(name.as_deref()))
            .await?
    }

    /// Does `work` that waits for the disk where it holds up nothing else.
    pub async fn on_disk<T: Send + 'static>(
        self: &Arc<Self>,
        work: impl FnOnce(&App) -> T + Send + 'static,
    ) -> Result<T, HttpError> {
        let app = Arc::clone(self);
        let done = tokio::task::spawn_blocking(move || work(&app)).await;
        done.map_err(|_| HttpError::internal("reading the runs failed; this is a bug in mnistctl"))
    }
}
