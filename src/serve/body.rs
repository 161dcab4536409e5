//! What a request may send: how much, for how long, and how much of it is in memory at once.

use std::sync::Arc;
use std::time::Duration;

use axum::body::{Body, BodyDataStream, HttpBody};
use axum::http::StatusCode;
use futures_util::StreamExt;
use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use tokio::time::timeout;

use super::error::HttpError;
use crate::ink::InkError;
use crate::ink::decode::{MAX_MEMORY, memory};

/// The most bytes of one picture, and of all of a form.
pub const MOST_OF_ONE: usize = 20 << 20;
pub const MOST_OF_FORM: usize = 64 << 20;

/// So many bytes beyond that are taken and thrown away: a browser reads no answer, this one among them,
/// before it has sent everything.
const TO_DISCARD: usize = 64 << 20;

/// A body of at most this many bytes needs no place among the large ones.
const SMALL: usize = 64 << 10;

/// How many large bodies are in memory at once.
const LARGE_BODIES: usize = 4;

/// How long a body may take to come, and how long it may wait for its place.
const TO_COME: Duration = Duration::from_secs(30);
const TO_WAIT: Duration = Duration::from_secs(10);

/// Pictures that take less memory than this are read at once, by the thread that has them.
const QUICK: u64 = 1 << 20;

/// The places for what is large.
#[derive(Debug)]
pub struct Bodies {
    large: Arc<Semaphore>,
    /// One for each picture that is being decoded; a picture that may take much memory has all.
    decoders: Semaphore,
    threads: u32,
}

/// A body with its place, which is free again when this is dropped.
#[derive(Debug)]
pub struct Bytes {
    pub bytes: Vec<u8>,
    _place: Option<OwnedSemaphorePermit>,
}

impl Bodies {
    pub fn new(threads: usize) -> Self {
        Self {
            large: Arc::new(Semaphore::new(LARGE_BODIES)),
            decoders: Semaphore::new(threads),
            threads: threads as u32,
        }
    }

    /// All of a body of at most `most` bytes.
    pub async fn read(&self, body: Body, most: usize) -> Result<Bytes, HttpError> {
        let too_large = || {
            let message = format!("the request has more than {} MiB", most >> 20);
            HttpError::new(StatusCode::PAYLOAD_TOO_LARGE, message)
        };
        if body.size_hint().lower() > (most + TO_DISCARD) as u64 {
            return Err(too_large());
        }
        let read = async {
            let mut bytes = Vec::new();
            let mut place = None;
            let mut parts = body.into_data_stream();
            while let Some(part) = parts.next().await {
                let part = part.map_err(|_| HttpError::bad("the request broke off"))?;
                if bytes.len() + part.len() > most {
                    drop((bytes, place));
                    discard(parts).await;
                    return Err(too_large());
                }
                if place.is_none() && bytes.len() + part.len() > SMALL {
                    place = Some(self.place().await?);
                }
                bytes.extend_from_slice(&part);
            }
            Ok(Bytes {
                bytes,
                _place: place,
            })
        };
        timeout(TO_COME, read).await.map_err(|_| {
            let message = "the request took too long to arrive";
            HttpError::new(StatusCode::REQUEST_TIMEOUT, message)
        })?
    }

    async fn place(&self) -> Result<OwnedSemaphorePermit, HttpError> {
        let place = timeout(TO_WAIT, Arc::clone(&self.large).acquire_owned()).await;
        place
            .map_err(|_| HttpError::busy())?
            .map_err(|_| HttpError::busy())
    }

    /// Does `work` on a picture, which may take a while, where it holds up nothing else.
    pub async fn decode<T: Send + 'static>(
        &self,
        bytes: Vec<u8>,
        work: impl FnOnce(&[u8]) -> Result<T, InkError> + Send + 'static,
    ) -> Result<Result<T, InkError>, HttpError> {
        let memory = memory(&bytes);
        if memory < QUICK {
            return Ok(work(&bytes));
        }
        let share = MAX_MEMORY / u64::from(self.threads.max(1));
        let places = if memory > share { self.threads } else { 1 };
        let _places = timeout(TO_WAIT, self.decoders.acquire_many(places))
            .await
            .map_err(|_| HttpError::busy())?;
        let done = tokio::task::spawn_blocking(move || work(&bytes)).await;
        done.map_err(|_| {
            HttpError::internal("reading the picture failed; this is a bug in mnistctl")
        })
    }
}

/// Takes what is left of a body, but no more than a part of it.
async fn discard(mut parts: BodyDataStream) {
    let mut taken = 0;
    while taken < TO_DISCARD
        && let Some(Ok(part)) = parts.next().await
    {
        taken += part.len();
    }
}
