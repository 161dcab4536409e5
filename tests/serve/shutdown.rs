//! How a server ends, and why one doesn't begin.

use std::io::Write;
use std::time::{Duration, Instant};

use support::{World, kill, test_digits};

use crate::client::{Reply, Server, png};

#[test]
fn a_signal_lets_requests_end() {
    let world = World::new();
    for (signal, code) in [("-TERM", 143), ("-INT", 130)] {
        let mut server = Server::start(&world, "");
        let picture = png(&test_digits()[0].0);
        let mut stream = server.connect();
        let head = format!(
            "POST /api/predict HTTP/1.1\r\nHost: {}\r\nContent-Length: {}\r\n\r\n",
            server.address,
            picture.len()
        );
        stream.write_all(head.as_bytes()).unwrap();
        stream.write_all(&picture[..50]).unwrap();
        // The request is under way when the signal comes; the rest arrives after it.
        std::thread::sleep(Duration::from_millis(300));
        kill(signal, server.child.id());
        std::thread::sleep(Duration::from_millis(300));
        stream.write_all(&picture[50..]).unwrap();
        assert!(Reply::read(stream).ok()["digit"].is_u64());
        assert_eq!(server.child.wait().unwrap().code(), Some(code));
    }
}

#[test]
fn idle_connections_and_listeners_do_not_hold_it_up() {
    let world = World::with_tiny();
    world.ok("train --config tiny.toml --data sample --limit 500 --out runs/one");
    std::fs::remove_file(world.path("runs/one/summary.json")).unwrap();
    let mut server = Server::start(&world, "");
    let idle = server.connect();
    let mut listening = server.connect();
    let path = "/api/runs/one/events";
    let head = format!("GET {path} HTTP/1.1\r\nHost: {}\r\n\r\n", server.address);
    listening.write_all(head.as_bytes()).unwrap();
    std::thread::sleep(Duration::from_millis(300));
    let began = Instant::now();
    kill("-TERM", server.child.id());
    assert_eq!(server.child.wait().unwrap().code(), Some(143));
    assert!(
        began.elapsed() < Duration::from_secs(5),
        "{:?}",
        began.elapsed()
    );
    drop(idle);
}

#[test]
fn what_can_not_begin_says_why() {
    let world = World::new();
    let server = Server::start(&world, "");
    let port = server.address.rsplit(':').next().unwrap();
    world.refused(&format!("serve --port {port}"), &[port, "in use", "--port"]);
    world.refused("serve --host 0.0.0.0", &["0.0.0.0", "--token"]);
    world.refused("serve --token short", &["16 characters"]);
    world.refused("serve --token not;for;a;cookie;1", &["only letters"]);
    world.refused("serve --port 0 --checkpoint none.mpk", &["none.mpk"]);
    world.write("file", "");
    world.refused("serve --port 0 --collect file", &["file"]);
    let finished = world.run("serve --host everywhere");
    assert_eq!(finished.code, 2);
}
