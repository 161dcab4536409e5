//! `GET /api/runs/NAME/events`: a run's epochs as they end, as server-sent events.

use std::convert::Infallible;
use std::sync::Arc;
use std::time::Duration;

use axum::extract::{Path, State};
use axum::http::HeaderMap;
use axum::response::sse::{Event, KeepAlive, Sse};
use futures_util::stream::{self, Stream};
use tokio::sync::OwnedSemaphorePermit;
use tokio::time::sleep;

use crate::interrupt;
use crate::serve::app::App;
use crate::serve::error::HttpError;
use crate::serve::runs::{Row, Run, RunState};

/// How often the run's files are looked at.
const EVERY: Duration = Duration::from_millis(500);

/// What one listener has been told.
struct Told {
    app: Arc<App>,
    _place: OwnedSemaphorePermit,
    name: String,
    /// The last epoch.
    epoch: u64,
    row: Option<Row>,
    /// What is to be told next, backwards.
    next: Vec<Event>,
    is_over: bool,
}

pub async fn events(
    State(app): State<Arc<App>>,
    Path(name): Path<String>,
    headers: HeaderMap,
) -> Result<Sse<impl Stream<Item = Result<Event, Infallible>>>, HttpError> {
    // A browser that lost its connection says where it was.
    let last = headers.get("last-event-id").and_then(|id| id.to_str().ok());
    let place = Arc::clone(&app.listeners).try_acquire_owned();
    let mut told = Told {
        app,
        _place: place.map_err(|_| HttpError::busy())?,
        name,
        epoch: last.and_then(|id| id.parse().ok()).unwrap_or(0),
        row: None,
        next: Vec::new(),
        is_over: false,
    };
    told.look().await?;
    let stream = stream::unfold(told, |mut told| async {
        loop {
            if let Some(event) = told.next.pop() {
                return Some((Ok(event), told));
            }
            if told.is_over || interrupt::requested() {
                return None;
            }
            sleep(EVERY).await;
            // A run that is gone has nothing more to tell.
            told.look().await.ok()?;
        }
    });
    Ok(Sse::new(stream).keep_alive(KeepAlive::default()))
}

impl Told {
    /// Looks at the run, and finds what is new.
    async fn look(&mut self) -> Result<(), HttpError> {
        let name = self.name.clone();
        let run = self.app.on_disk(move |app| app.runs.find(&name)).await??;
        self.next = self.news(&run);
        self.next.reverse();
        self.is_over = run.row.state == RunState::Finished;
        Ok(())
    }

    fn news(&mut self, run: &Run) -> Vec<Event> {
        let mut events = Vec::new();
        // A run that began again has fewer epochs than before.
        if run
            .log
            .last()
            .is_none_or(|line| line.epoch.epoch < self.epoch)
        {
            self.epoch = 0;
        }
        for line in run.log.iter().filter(|line| line.epoch.epoch > self.epoch) {
            let event = Event::default()
                .event("epoch")
                .id(line.epoch.epoch.to_string());
            events.push(event.data(line.to_json().trim_end()));
        }
        self.epoch = run.log.last().map_or(0, |line| line.epoch.epoch);
        if self.row.as_ref() != Some(&run.row) {
            let row = serde_json::to_string(&run.row).expect("a row is plain JSON");
            events.push(Event::default().event("state").data(row));
            self.row = Some(run.row.clone());
        }
        events
    }
}
