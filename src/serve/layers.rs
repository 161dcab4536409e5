//! What every request goes through: it is let pass or not, and its answer is counted.

use std::sync::Arc;
use std::time::Instant;

use axum::extract::{Request, State};
use axum::http::{HeaderName, HeaderValue, StatusCode, header};
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};

use super::app::App;
use super::error::HttpError;
use super::guard::{COOKIE, token_in};

/// What a browser may do with the page.
const HEADERS: [(HeaderName, &str); 6] = [
    (
        header::CONTENT_SECURITY_POLICY,
        "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data: blob:; \
         connect-src 'self'; media-src 'self' blob:; base-uri 'none'; form-action 'none'; \
         frame-ancestors 'none'",
    ),
    (header::X_CONTENT_TYPE_OPTIONS, "nosniff"),
    (header::REFERRER_POLICY, "no-referrer"),
    (
        HeaderName::from_static("permissions-policy"),
        "camera=(self)",
    ),
    (
        HeaderName::from_static("cross-origin-resource-policy"),
        "same-origin",
    ),
    (header::CACHE_CONTROL, "no-store"),
];

/// Lets a request pass, or answers it with what is wrong.
pub async fn guard(State(app): State<Arc<App>>, request: Request, next: Next) -> Response {
    let guard = &app.guard;
    let mut response = match guard.admit(request.method(), request.uri(), request.headers()) {
        Err(error) => error.into_response(),
        // The page is opened with the token once; the cookie has it from then on, out of sight.
        Ok(()) if guard.needs_token() && token_in(request.uri()).is_some() => {
            let token = token_in(request.uri()).unwrap_or_default();
            if guard.is_right(token) {
                let cookie = format!("{COOKIE}={token}; HttpOnly; SameSite=Strict; Path=/");
                let headers = [(header::SET_COOKIE, cookie), (header::LOCATION, "/".into())];
                (StatusCode::SEE_OTHER, headers).into_response()
            } else {
                unknown().into_response()
            }
        }
        Ok(()) if guard.knows(request.headers()) => next.run(request).await,
        Ok(()) => unknown().into_response(),
    };
    for (name, value) in HEADERS {
        let value = HeaderValue::from_static(value);
        response.headers_mut().entry(name).or_insert(value);
    }
    response
}

fn unknown() -> HttpError {
    HttpError::new(
        StatusCode::UNAUTHORIZED,
        "this server needs its token: open it as http://ADDRESS/?token=TOKEN, or send the header \
         `Authorization: Bearer TOKEN`",
    )
}

/// Counts every answer.
pub async fn measure(State(app): State<Arc<App>>, request: Request, next: Next) -> Response {
    let began = Instant::now();
    let response = next.run(request).await;
    app.metrics.count(response.status(), began.elapsed());
    response
}
