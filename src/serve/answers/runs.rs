//! `GET /api/runs` and below: trainings, their figures and their charts.

use std::sync::Arc;

use axum::extract::{Path, State};
use axum::http::header;
use axum::response::{IntoResponse, Response};
use serde::{Deserialize, Serialize};
use serde_json::json;

use super::query::Asked;
use crate::report::chart::{LineChart, svg};
use crate::report::curves;
use crate::serve::app::App;
use crate::serve::error::{HttpError, json};
use crate::serve::runs::{Row, Run};
use crate::training::{LogLine, Summary};

/// `GET /api/runs`
pub async fn list(State(app): State<Arc<App>>) -> Result<Response, HttpError> {
    let rows = app.on_disk(|app| app.runs.all()).await?;
    Ok(json(&json!({ "runs": rows })))
}

/// `GET /api/runs/NAME`
pub async fn one(
    State(app): State<Arc<App>>,
    Path(name): Path<String>,
) -> Result<Response, HttpError> {
    #[derive(Serialize)]
    struct Whole {
        #[serde(flatten)]
        row: Row,
        toml: String,
        log: Vec<LogLine>,
        summary: Option<Summary>,
    }
    let run = app.on_disk(move |app| app.runs.find(&name)).await??;
    Ok(json(&Whole {
        toml: run.recipe.to_toml(),
        row: run.row,
        log: run.log,
        summary: run.summary,
    }))
}

/// What stands behind the `?` of a chart.
#[derive(Debug, Deserialize)]
pub struct Ask {
    kind: Kind,
    /// A second run.
    with: Option<String>,
}

#[derive(Debug, Clone, Copy, Deserialize)]
#[serde(rename_all = "snake_case")]
enum Kind {
    Loss,
    Accuracy,
    Lr,
}

/// `GET /api/runs/NAME/chart.svg`
pub async fn chart(
    State(app): State<Arc<App>>,
    Path(name): Path<String>,
    Asked(ask): Asked<Ask>,
) -> Result<Response, HttpError> {
    let draw = move |app: &App| {
        let draw = |run: &Run| -> LineChart {
            match ask.kind {
                Kind::Loss => curves::loss(&run.row.name, &run.log),
                Kind::Accuracy => curves::accuracy(&run.row.name, &run.log),
                Kind::Lr => curves::learning_rate(&run.row.name, &run.log),
            }
        };
        let run = app.runs.find(&name)?;
        let chart = match &ask.with {
            None => draw(&run),
            Some(other) => {
                let other = app.runs.find(other)?;
                let names = [run.row.name.as_str(), other.row.name.as_str()];
                curves::together(names, [draw(&run), draw(&other)])
            }
        };
        svg(&chart).map_err(|error| HttpError::internal(error.to_string()))
    };
    let svg = app.on_disk(draw).await??;
    Ok(([(header::CONTENT_TYPE, "image/svg+xml")], svg).into_response())
}
