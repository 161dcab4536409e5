//! `POST /api/corrections`: keeps a picture whose digit a person has told.

use std::sync::Arc;

use axum::extract::{Request, State};
use axum::http::StatusCode;
use axum::response::Response;
use serde::Deserialize;
use serde_json::json;

use super::query::Asked;
use crate::dataset::CLASSES;
use crate::serve::app::App;
use crate::serve::corrections::MOST_BYTES;
use crate::serve::error::{HttpError, json_response};

#[derive(Debug, Deserialize)]
pub struct Ask {
    label: u8,
}

pub async fn keep(
    State(app): State<Arc<App>>,
    Asked(ask): Asked<Ask>,
    request: Request,
) -> Result<Response, HttpError> {
    if usize::from(ask.label) >= CLASSES {
        return Err(HttpError::bad("`label` is a digit from 0 to 9"));
    }
    let body = app.bodies.read(request.into_body(), MOST_BYTES).await?;
    let keep = move |app: &App| match &app.corrections {
        Some(corrections) => corrections.keep(ask.label, &body.bytes),
        None => Err(HttpError::not_found("no corrections are kept here")),
    };
    let file = app.on_disk(keep).await??;
    let text = json!({ "file": file }).to_string();
    Ok(json_response(StatusCode::CREATED, text))
}
