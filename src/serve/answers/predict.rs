//! `POST /api/predict`: pictures in, what they show out.

use std::sync::Arc;

use axum::body::Body;
use axum::extract::{FromRequest, Multipart, Request, State};
use axum::http::{StatusCode, header};
use axum::response::Response;
use futures_util::stream::{self, StreamExt, TryStreamExt};
use serde::Deserialize;

use super::query::Asked;
use crate::evaluation::{Line, Way};
use crate::serve::app::App;
use crate::serve::body::{MOST_OF_FORM, MOST_OF_ONE};
use crate::serve::error::{HttpError, json_response};
use crate::serve::networks::Network;

/// The most pictures of a form.
const MOST_PICTURES: usize = 100;

/// How many of them wait for memory or for the network at once, so that none waits for too many others.
const AT_ONCE: usize = 16;

/// What a picture is called that came without a name.
const NAMELESS: &str = "picture";

/// What stands behind the `?`. A switch is on whatever its value, as in `?many`.
#[derive(Debug, Deserialize)]
pub struct Ask {
    checkpoint: Option<String>,
    many: Option<String>,
    details: Option<String>,
}

/// A picture as it was sent.
struct Sent {
    name: String,
    bytes: Vec<u8>,
}

pub async fn predict(
    State(app): State<Arc<App>>,
    Asked(ask): Asked<Ask>,
    request: Request,
) -> Result<Response, HttpError> {
    let network = app.network(ask.checkpoint).await?;
    let is_on = |switch: &Option<String>| switch.as_ref().is_some_and(|text| text != "false");
    let way = match Way::of(network.classes()) {
        Way::Plain if is_on(&ask.many) => {
            return Err(HttpError::bad(
                "`many` looks for digits, and the classes of this network are others",
            ));
        }
        Way::Digit if is_on(&ask.many) => Way::Digits,
        way => way,
    };
    let details = is_on(&ask.details);
    let kind = request.headers().get(header::CONTENT_TYPE);
    let kind = kind.and_then(|kind| kind.to_str().ok()).unwrap_or("");
    let is_form = kind
        .trim_start()
        .to_ascii_lowercase()
        .starts_with("multipart/");
    let most = if is_form { MOST_OF_FORM } else { MOST_OF_ONE };
    let (head, body) = request.into_parts();
    let body = app.bodies.read(body, most).await?;
    if !is_form {
        let sent = Sent {
            name: NAMELESS.to_string(),
            bytes: body.bytes,
        };
        let (status, text) = read(&app, &network, way, details, sent).await?;
        return Ok(json_response(status, text));
    }
    let pictures = parts(Request::from_parts(head, Body::from(body.bytes))).await?;
    let answers = pictures.into_iter().map(|sent| async {
        let answer = read(&app, &network, way, details, sent).await;
        answer.map(|(_, text)| text)
    });
    let answers = stream::iter(answers).buffered(AT_ONCE);
    let answers: Vec<String> = answers.try_collect().await?;
    let array = format!("[{}]", answers.join(","));
    Ok(json_response(StatusCode::OK, array))
}

/// The pictures of a form.
async fn parts(request: Request) -> Result<Vec<Sent>, HttpError> {
    let bad = |problem: String| HttpError::bad(format!("the form can't be read: {problem}"));
    let form = Multipart::from_request(request, &()).await;
    let mut form = form.map_err(|error| bad(error.body_text()))?;
    let mut pictures = Vec::new();
    while let Some(field) = form.next_field().await.map_err(|e| bad(e.body_text()))? {
        if pictures.len() == MOST_PICTURES {
            let message = format!("the form has more than {MOST_PICTURES} pictures");
            return Err(HttpError::new(StatusCode::PAYLOAD_TOO_LARGE, message));
        }
        let name = field.file_name().unwrap_or(NAMELESS);
        let name = name.chars().take(200).collect();
        let bytes = field.bytes().await.map_err(|e| bad(e.body_text()))?;
        pictures.push(Sent {
            name,
            bytes: bytes.to_vec(),
        });
    }
    if pictures.is_empty() {
        return Err(bad("it has no pictures".into()));
    }
    Ok(pictures)
}

/// The object for a picture, and the status it has when it is the only one.
async fn read(
    app: &App,
    network: &Network,
    way: Way,
    details: bool,
    sent: Sent,
) -> Result<(StatusCode, String), HttpError> {
    let name = sent.name.clone();
    let find = move |bytes: &[u8]| way.read(&name, bytes);
    let answer = match app.bodies.decode(sent.bytes, find).await? {
        Ok(found) => app.reader.read(network, sent.name.clone(), found).await?,
        Err(error) => Err(error),
    };
    Ok(match answer {
        Ok(answer) => {
            app.metrics.pictures.add(1);
            let line = answer.to_json(&sent.name, network.classes(), details);
            (StatusCode::OK, line.text())
        }
        Err(error) => {
            app.metrics.unreadable.add(1);
            let line = Line::failed(&sent.name, &error).text();
            (StatusCode::UNPROCESSABLE_ENTITY, line)
        }
    })
}
