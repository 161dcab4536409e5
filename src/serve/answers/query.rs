//! What stands behind the `?` of an address.

use axum::extract::{FromRequestParts, Query};
use axum::http::request::Parts;
use serde::de::DeserializeOwned;

use crate::serve::error::HttpError;

/// It, or a sentence about what is wrong with it.
pub struct Asked<T>(pub T);

impl<S: Sync, T: DeserializeOwned> FromRequestParts<S> for Asked<T> {
    type Rejection = HttpError;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, HttpError> {
        let query = Query::try_from_uri(&parts.uri);
        let Query(asked) = query.map_err(|error| HttpError::bad(error.body_text()))?;
        Ok(Self(asked))
    }
}
