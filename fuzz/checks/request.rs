//! What a client sends to `mnistctl serve`: any bytes on a connection.

use std::net::{Ipv4Addr, SocketAddr};
use std::sync::LazyLock;

use mnistctl::serve::{Offline, Options};

static SERVER: LazyLock<Offline> = LazyLock::new(|| {
    Offline::new(Options {
        checkpoints: Vec::new(),
        runs: "there/are/none".into(),
        address: SocketAddr::from((Ipv4Addr::LOCALHOST, 0)),
        token: None,
        collect: None,
    })
    .expect("the program's own network is sound")
});

/// The most memory that answering may take: a picture's, and the network's.
pub fn memory(bytes: &[u8]) -> usize {
    (320 << 20) + 8 * bytes.len()
}

/// Whatever it is, it is answered with HTTP or not at all, and never with a bug.
pub fn check(bytes: &[u8]) {
    let answer = SERVER.answer(bytes);
    assert!(answer.is_empty() || answer.starts_with(b"HTTP/1."));
    for bug in [&b" 500 Internal"[..], b"bug in mnistctl"] {
        let found = answer.windows(bug.len()).any(|part| part == bug);
        assert!(!found, "{}", String::from_utf8_lossy(&answer));
    }
}
