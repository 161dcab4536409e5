//! What is where.

use std::sync::Arc;

use axum::Router;
use axum::extract::DefaultBodyLimit;
use axum::middleware::from_fn_with_state;
use axum::routing::{get, post};

use super::answers::{corrections, events, explain, page, predict, runs};
use super::app::App;
use super::error::HttpError;
use super::layers::{guard, measure};

/// All routes; what none of them is gets a sentence, too.
pub fn router(app: Arc<App>) -> Router {
    let mut router = Router::new()
        .route("/api/networks", get(page::networks))
        .route("/api/predict", post(predict::predict))
        .route("/api/explain", post(explain::explain))
        .route("/api/runs", get(runs::list))
        .route("/api/runs/{name}", get(runs::one))
        .route("/api/runs/{name}/events", get(events::events))
        .route("/api/runs/{name}/chart.svg", get(runs::chart))
        .route("/api/openapi.json", get(page::openapi))
        .route("/healthz", get(page::healthy))
        .route("/metrics", get(page::metrics))
        .route("/charts.css", get(page::charts));
    if app.corrections.is_some() {
        router = router.route("/api/corrections", post(corrections::keep));
    }
    for file in page::FILES {
        router = router.route(file.path, get(move || async move { file.response() }));
    }
    let nothing = || async { HttpError::not_found("there is nothing at this address") };
    router
        .fallback(nothing)
        // `body` has bounds of its own.
        .layer(DefaultBodyLimit::disable())
        .layer(from_fn_with_state(Arc::clone(&app), guard))
        .layer(from_fn_with_state(Arc::clone(&app), measure))
        .with_state(app)
}
