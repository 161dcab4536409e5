//! The page's files, which are part of the program, and what is said in one line.

use std::sync::Arc;

use axum::extract::State;
use axum::http::{StatusCode, header};
use axum::response::{IntoResponse, Response};
use serde_json::json;

use crate::report::chart::dark_rules;
use crate::serve::app::App;
use crate::serve::error::{HttpError, json, json_response};

/// A file of the page.
#[derive(Debug, Clone, Copy)]
pub struct File {
    pub path: &'static str,
    kind: &'static str,
    text: &'static str,
}

/// A file of `page/`, with its path on the server.
macro_rules! file {
    ($path:literal, $name:literal, $kind:literal) => {
        File {
            path: $path,
            kind: $kind,
            text: include_str!(concat!("../page/", $name)),
        }
    };
}

/// A script of `page/`.
macro_rules! script {
    ($name:literal) => {
        File {
            path: concat!("/", $name, ".js"),
            kind: "text/javascript; charset=utf-8",
            text: include_str!(concat!("../page/", $name, ".js")),
        }
    };
}

/// All of them.
pub const FILES: [File; 25] = [
    file!("/", "index.html", "text/html; charset=utf-8"),
    script!("announce"),
    script!("answer"),
    script!("api"),
    script!("app"),
    script!("bars"),
    script!("camera"),
    script!("corrections"),
    script!("desk"),
    script!("dom"),
    script!("drawing"),
    file!("/icon.svg", "icon.svg", "image/svg+xml"),
    script!("keyboard"),
    script!("networks"),
    script!("newest"),
    script!("paint"),
    script!("pictures"),
    script!("reading"),
    script!("run"),
    script!("runs"),
    script!("stage"),
    file!("/style.css", "style.css", "text/css; charset=utf-8"),
    script!("views"),
    script!("why"),
    script!("words"),
];

impl File {
    pub fn response(self) -> Response {
        ([(header::CONTENT_TYPE, self.kind)], self.text).into_response()
    }
}

/// `GET /charts.css`: what makes the charts dark where the page is.
pub async fn charts() -> Response {
    let rules = format!(
        "@media screen and (prefers-color-scheme: dark) {{\n{}}}\n",
        dark_rules()
    );
    ([(header::CONTENT_TYPE, "text/css; charset=utf-8")], rules).into_response()
}

/// `GET /api/openapi.json`
pub async fn openapi() -> Response {
    let text = include_str!("../openapi.json");
    json_response(StatusCode::OK, text.to_string())
}

/// `GET /api/networks`
pub async fn networks(State(app): State<Arc<App>>) -> Result<Response, HttpError> {
    let networks = app.on_disk(|app| app.networks.all()).await?;
    let described: Vec<_> = networks.iter().map(|network| network.described()).collect();
    Ok(json(&json!({
        "networks": described,
        "collect": app.corrections.is_some(),
        "version": env!("CARGO_PKG_VERSION"),
    })))
}

/// `GET /metrics`
pub async fn metrics(State(app): State<Arc<App>>) -> Response {
    let kind = "text/plain; version=0.0.4; charset=utf-8";
    ([(header::CONTENT_TYPE, kind)], app.metrics.text()).into_response()
}

/// `GET /healthz`
pub async fn healthy() -> &'static str {
    "ok\n"
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_file_of_the_page_is_served() {
        let folder = concat!(env!("CARGO_MANIFEST_DIR"), "/src/serve/page");
        let mut there: Vec<String> = std::fs::read_dir(folder)
            .unwrap()
            .map(|entry| format!("/{}", entry.unwrap().file_name().to_str().unwrap()))
            .collect();
        there.sort();
        let mut served = FILES.map(|file| match file.path {
            "/" => "/index.html".to_string(),
            path => path.to_string(),
        });
        served.sort();
        assert_eq!(there, served);
    }
}
