//! The thread that owns the loaded networks, and lets them read together what arrives together.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::thread;
use std::time::Duration;

use tokio::sync::{mpsc, oneshot};
use tokio::time::timeout;

use super::ServeError;
use super::error::HttpError;
use super::networks::{Key, Network};
use crate::engine::{Backend, Compute};
use crate::evaluation::{Answer, BATCH, Ensemble, Found};
use crate::training::{Checkpoint, CheckpointError};

/// Jobs that wait.
const QUEUE: usize = 1024;

/// The most networks that are loaded at once; the one that was not asked for longest goes.
const LOADED: usize = 8;

/// How long a job may wait.
const PATIENCE: Duration = Duration::from_secs(20);

/// Where jobs are handed in.
#[derive(Debug)]
pub struct Reader {
    jobs: mpsc::Sender<Job>,
}

struct Job {
    key: Key,
    work: Work,
}

enum Work {
    Read {
        found: Found,
        name: String,
        reply: Reply<Result<Answer, crate::ink::InkError>>,
    },
    Other(Task),
}

/// Gets the network, or why there is none.
type Task = Box<dyn FnOnce(Result<&Loaded, HttpError>) + Send>;

type Reply<T> = oneshot::Sender<Result<T, HttpError>>;

/// A network in memory.
pub struct Loaded {
    key: Key,
    pub checkpoint: Checkpoint,
    pub ensemble: Ensemble,
}

impl Reader {
    /// Starts the thread.
    pub fn start(threads: usize) -> Result<Self, ServeError> {
        let compute = Backend::Native.compute(threads)?;
        let (jobs, receiver) = mpsc::channel(QUEUE);
        let desk = Desk {
            compute,
            loaded: Vec::new(),
        };
        let thread = thread::Builder::new().name("reader".into());
        let started = thread.spawn(move || desk.work(receiver));
        started.map_err(ServeError::Threads)?;
        Ok(Self { jobs })
    }

    /// What a network makes of a picture; `name` is what messages call it.
    pub async fn read(
        &self,
        network: &Network,
        name: String,
        found: Found,
    ) -> Result<Result<Answer, crate::ink::InkError>, HttpError> {
        let (reply, answer) = oneshot::channel();
        let work = Work::Read { found, name, reply };
        self.hand_in(network, work).await?;
        wait(answer).await
    }

    /// What `work` makes of a loaded network.
    pub async fn with<T: Send + 'static>(
        &self,
        network: &Network,
        work: impl FnOnce(&Loaded) -> Result<T, HttpError> + Send + 'static,
    ) -> Result<T, HttpError> {
        let (reply, answer) = oneshot::channel();
        let work = move |loaded: Result<&Loaded, HttpError>| {
            // Whoever asked may be gone.
            let _ = reply.send(loaded.and_then(work));
        };
        self.hand_in(network, Work::Other(Box::new(work))).await?;
        wait(answer).await
    }

    async fn hand_in(&self, network: &Network, work: Work) -> Result<(), HttpError> {
        let key = network.key.clone();
        let sent = timeout(PATIENCE, self.jobs.send(Job { key, work })).await;
        sent.map_err(|_| HttpError::busy())?
            .map_err(|_| HttpError::busy())
    }
}

async fn wait<T>(answer: oneshot::Receiver<Result<T, HttpError>>) -> Result<T, HttpError> {
    match timeout(PATIENCE, answer).await {
        Err(_) => Err(HttpError::busy()),
        Ok(Err(_)) => Err(HttpError::internal(
            "the network's thread gave no answer; this is a bug in mnistctl",
        )),
        Ok(Ok(answer)) => answer,
    }
}

/// What the thread has.
struct Desk {
    compute: Compute,
    /// The one that was asked last comes last.
    loaded: Vec<Loaded>,
}

impl Desk {
    fn work(mut self, mut jobs: mpsc::Receiver<Job>) {
        while let Some(first) = jobs.blocking_recv() {
            let mut waiting = vec![first];
            while waiting.len() < BATCH
                && let Ok(job) = jobs.try_recv()
            {
                waiting.push(job);
            }
            while !waiting.is_empty() {
                let key = waiting[0].key.clone();
                let (own, others) = waiting.into_iter().partition(|job| job.key == key);
                waiting = others;
                // A panic ends these jobs, whose askers are told, and no others.
                let _ = catch_unwind(AssertUnwindSafe(|| self.answer(&key, own)));
            }
        }
    }

    /// Does the jobs of one network.
    fn answer(&mut self, key: &Key, jobs: Vec<Job>) {
        let loaded = match self.load(key) {
            Ok(loaded) => loaded,
            Err(error) => {
                let error = HttpError::not_found(error.to_string());
                for job in jobs {
                    match job.work {
                        Work::Read { reply, .. } => drop(reply.send(Err(error.clone()))),
                        Work::Other(work) => work(Err(error.clone())),
                    }
                }
                return;
            }
        };
        let mut pictures = Vec::new();
        for job in jobs {
            match job.work {
                Work::Read { found, name, reply } => pictures.push((found, name, reply)),
                Work::Other(work) => work(Ok(loaded)),
            }
        }
        let found: Vec<&Found> = pictures.iter().map(|(found, ..)| found).collect();
        match loaded.ensemble.read(&found) {
            Ok(predictions) => {
                for ((found, name, reply), own) in pictures.into_iter().zip(predictions) {
                    let _ = reply.send(Ok(found.answer(&name, &own)));
                }
            }
            Err(error) => {
                let error = HttpError::internal(error.to_string());
                for (_, _, reply) in pictures {
                    let _ = reply.send(Err(error.clone()));
                }
            }
        }
    }

    fn load(&mut self, key: &Key) -> Result<&Loaded, CheckpointError> {
        let loaded = match self.loaded.iter().position(|loaded| loaded.key == *key) {
            Some(place) => self.loaded.remove(place),
            None => {
                let checkpoint = key.load()?;
                if self.loaded.len() == LOADED {
                    self.loaded.remove(0);
                }
                Loaded {
                    key: key.clone(),
                    ensemble: Ensemble::of(&checkpoint, key.path(), &self.compute)?,
                    checkpoint,
                }
            }
        };
        self.loaded.push(loaded);
        Ok(self.loaded.last().expect("one was pushed"))
    }
}
