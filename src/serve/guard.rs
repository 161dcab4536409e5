//! Who may ask: only pages of this server, and where there is a token, only who knows it.
//!
//! A page of another site must neither read from this server (DNS rebinding: its name suddenly leads to
//! this machine, so `Host` is checked) nor post to it (so `Origin` is).

use std::net::IpAddr;

use axum::http::{HeaderMap, HeaderName, HeaderValue, Method, StatusCode, Uri, header};
use sha2::{Digest, Sha256};
use subtle::ConstantTimeEq;

use super::error::HttpError;

/// The cookie that keeps the token for the page.
pub const COOKIE: &str = "mnistctl_token";

#[derive(Debug)]
pub struct Guard {
    /// The sha256 of the token: comparing these takes as long for any text.
    token: Option<[u8; 32]>,
    /// Whether only this machine can reach the server.
    is_local: bool,
}

impl Guard {
    pub fn new(ip: IpAddr, token: Option<String>) -> Self {
        Self {
            token: token.map(|token| hash(&token)),
            is_local: ip.is_loopback(),
        }
    }

    /// Whether a request comes from a page of this server or from no page at all.
    pub fn admit(&self, method: &Method, uri: &Uri, headers: &HeaderMap) -> Result<(), HttpError> {
        let text = |name: HeaderName| headers.get(name).map(HeaderValue::to_str).transpose();
        let forbidden = |message: &str| HttpError::new(StatusCode::FORBIDDEN, message);
        let bad = |_| HttpError::bad("a header is no text");
        // HTTP/2 and proxies put it into the address.
        let host = match text(header::HOST).map_err(bad)? {
            Some(host) => host,
            None => uri.authority().map_or("", |authority| authority.as_str()),
        };
        if !self.is_ours(host) {
            return Err(forbidden(
                "this server answers only to its own address, not to another name for it",
            ));
        }
        if let Some(origin) = text(header::ORIGIN).map_err(bad)?
            && origin.strip_prefix("http://") != Some(host)
        {
            return Err(forbidden("requests from pages of other sites are refused"));
        }
        let site = text(HeaderName::from_static("sec-fetch-site")).map_err(bad)?;
        let is_foreign = site.is_some_and(|site| site != "same-origin" && site != "none");
        if is_foreign && !(method == Method::GET && uri.path() == "/") {
            return Err(forbidden("requests from pages of other sites are refused"));
        }
        Ok(())
    }

    /// Whether a `Host` is a name of this server: a domain is not, but for `localhost`.
    fn is_ours(&self, host: &str) -> bool {
        let name = match host.rsplit_once(':') {
            Some((name, port)) if port.bytes().all(|byte| byte.is_ascii_digit()) => name,
            _ => host,
        };
        let bare = name
            .strip_prefix('[')
            .and_then(|name| name.strip_suffix(']'));
        match bare.unwrap_or(name).parse::<IpAddr>() {
            Ok(ip) => ip.is_loopback() || !self.is_local,
            Err(_) => name.eq_ignore_ascii_case("localhost"),
        }
    }

    pub fn needs_token(&self) -> bool {
        self.token.is_some()
    }

    pub fn is_right(&self, token: &str) -> bool {
        let right = self.token.as_ref();
        right.is_none_or(|right| hash(token).ct_eq(right).into())
    }

    /// Whether a request brings the token, in its header or in the page's cookie.
    pub fn knows(&self, headers: &HeaderMap) -> bool {
        let values = |name| headers.get_all(name).iter().filter_map(|v| v.to_str().ok());
        let bearer = values(header::AUTHORIZATION).filter_map(|text| text.strip_prefix("Bearer "));
        let cookies = values(header::COOKIE).flat_map(|text| text.split(';'));
        let cookies = cookies.filter_map(|cookie| {
            let (name, value) = cookie.trim().split_once('=')?;
            (name == COOKIE).then_some(value)
        });
        self.token.is_none() || bearer.chain(cookies).any(|token| self.is_right(token))
    }
}

fn hash(text: &str) -> [u8; 32] {
    Sha256::digest(text).into()
}

/// The token in the address of the page.
pub fn token_in(uri: &Uri) -> Option<&str> {
    if uri.path() != "/" {
        return None;
    }
    let pairs = uri.query()?.split('&');
    pairs.filter_map(|pair| pair.strip_prefix("token=")).next()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_addresses_and_localhost_are_ours() {
        let local = Guard::new([127, 0, 0, 1].into(), None);
        let open = Guard::new([0, 0, 0, 0].into(), Some("x".repeat(16)));
        for host in [
            "localhost",
            "LOCALHOST:80",
            "127.0.0.1:7878",
            "[::1]:7878",
            "[::1]",
        ] {
            assert!(local.is_ours(host) && open.is_ours(host), "{host}");
        }
        for host in ["192.168.0.7:7878", "[fe80::1]"] {
            assert!(!local.is_ours(host) && open.is_ours(host), "{host}");
        }
        for host in [
            "",
            "evil.example",
            "localhost.evil.example:7878",
            "127.0.0.1.evil",
            ":80",
        ] {
            assert!(!local.is_ours(host) && !open.is_ours(host), "{host}");
        }
    }

    #[test]
    fn the_token_is_taken_from_header_and_cookie_and_nothing_else_will_do() {
        let guard = Guard::new([127, 0, 0, 1].into(), Some("correct horse 12".into()));
        let knows = |name: HeaderName, value: &'static str| {
            guard.knows(
                &[(name, HeaderValue::from_static(value))]
                    .into_iter()
                    .collect(),
            )
        };
        assert!(knows(header::AUTHORIZATION, "Bearer correct horse 12"));
        assert!(knows(
            header::COOKIE,
            "a=b; mnistctl_token=correct horse 12"
        ));
        assert!(!knows(header::AUTHORIZATION, "Bearer correct horse 1"));
        assert!(!knows(header::AUTHORIZATION, "correct horse 12"));
        assert!(!knows(header::COOKIE, "mnistctl_token="));
        assert!(!guard.knows(&HeaderMap::new()));
    }
}
