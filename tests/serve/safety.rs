//! What comes from elsewhere, what is broken, too large, too slow or too much.

use std::io::{Read, Write};
use std::net::TcpStream;
use std::time::{Duration, Instant};

use rustix::process::{Resource, getrlimit, setrlimit};
use support::{World, test_digits};

use crate::client::{Reply, Server, png};

#[test]
fn other_sites_get_nothing() {
    let world = World::new();
    let server = Server::start(&world, "--collect kept");
    let port = server.address.rsplit(':').next().unwrap();
    let picture = png(&test_digits()[0].0);
    for host in [
        format!("evil.example:{port}"),
        "evil.example".into(),
        "192.0.2.1".into(),
    ] {
        for path in ["/", "/api/networks", "/api/runs", "/metrics"] {
            let reply = server.ask("GET", path, &format!("Host: {host}\r\n"), b"");
            reply.is_error(403, "its own address");
        }
    }
    for host in [format!("localhost:{port}"), format!("127.0.0.1:{port}")] {
        let reply = server.ask("GET", "/api/networks", &format!("Host: {host}\r\n"), b"");
        assert_eq!(reply.status, 200);
    }
    let ours = format!("Origin: http://{}\r\n", server.address);
    assert_eq!(
        server.ask("POST", "/api/predict", &ours, &picture).status,
        200
    );
    let foreign = [
        "Origin: http://evil.example\r\n".to_string(),
        "Origin: null\r\n".to_string(),
        format!("Origin: https://{}\r\n", server.address),
        "Origin: http://127.0.0.1:1\r\n".to_string(),
        "Sec-Fetch-Site: cross-site\r\n".to_string(),
        "Sec-Fetch-Site: same-site\r\n".to_string(),
    ];
    for headers in foreign {
        for path in ["/api/predict", "/api/corrections?label=1"] {
            server
                .ask("POST", path, &headers, &picture)
                .is_error(403, "other sites");
        }
    }
    assert!(world.listing("kept").is_empty());
    // A link to the page is none of that.
    let link = "Sec-Fetch-Site: cross-site\r\nSec-Fetch-Mode: navigate\r\n";
    assert_eq!(server.ask("GET", "/", link, b"").status, 200);
}

#[test]
fn every_answer_forbids_what_a_page_does_not_need() {
    let world = World::new();
    let server = Server::start(&world, "");
    for path in ["/", "/style.css", "/api/networks", "/nothing", "/healthz"] {
        let reply = server.get(path);
        assert!(
            reply.has_header("content-security-policy", "default-src 'none'"),
            "{path}"
        );
        assert!(!reply.has_header("content-security-policy", "-inline"));
        assert!(reply.has_header("x-content-type-options", "nosniff"));
        assert!(
            !reply
                .headers
                .to_ascii_lowercase()
                .contains("access-control")
        );
    }
    let html = server.get("/").text();
    // Nothing that the policy would refuse.
    assert!(!html.contains("style=\"") && !html.contains("onclick") && !html.contains("://"));
}

#[test]
fn a_token_is_needed_where_there_is_one() {
    let world = World::new();
    let token = "a-long-enough-token";
    let server = Server::start(&world, &format!("--token {token}"));
    for path in [
        "/",
        "/style.css",
        "/api/networks",
        "/healthz",
        "/metrics",
        "/nothing",
    ] {
        server.get(path).is_error(401, "token");
    }
    let wrong = ["Bearer a-long-enough-toke", "Bearer ", "Basic YTpi", token];
    for wrong in wrong {
        let header = format!("Authorization: {wrong}\r\n");
        assert_eq!(server.ask("GET", "/api/networks", &header, b"").status, 401);
    }
    let right = format!("Authorization: Bearer {token}\r\n");
    assert_eq!(server.ask("GET", "/api/networks", &right, b"").status, 200);
    // A browser opens the page with it once, and keeps it where scripts can't see it.
    assert_eq!(server.get("/?token=wrong-wrong-wrong").status, 401);
    let reply = server.get(&format!("/?token={token}"));
    assert_eq!(reply.status, 303);
    assert!(reply.has_header("location", "/"));
    let cookie = format!("mnistctl_token={token}");
    for part in [cookie.as_str(), "HttpOnly", "SameSite=Strict"] {
        assert!(reply.has_header("set-cookie", part), "{reply:?}");
    }
    let headers = format!("Cookie: theme=dark; {cookie}\r\n");
    assert_eq!(server.ask("GET", "/", &headers, b"").status, 200);
    assert_eq!(server.ask("GET", "/api/runs", &headers, b"").status, 200);
}

#[test]
fn paths_lead_nowhere() {
    let world = World::with_tiny();
    world.ok("train --config tiny.toml --data sample --limit 500 --out runs/one");
    world.write("secret.txt", "secret");
    let server = Server::start(&world, "");
    for path in [
        "/../secret.txt",
        "/%2e%2e/secret.txt",
        "/..%2fsecret.txt",
        "//secret.txt",
        "/page/index.html",
        "/api/runs/../../secret.txt",
        "/api/runs/one/../../../secret.txt",
        "/api/runs/one%2f..%2f..%2fsecret.txt",
        "/api/runs/one/recipe.toml",
    ] {
        let reply = server.get(path);
        assert!([400, 404].contains(&reply.status), "{path}: {reply:?}");
        assert!(!reply.text().contains("secret\n"), "{path}");
    }
}

#[test]
fn garbage_is_answered_and_the_server_goes_on() {
    let world = World::new();
    let server = Server::start(&world, "--collect kept");
    let picture = png(&test_digits()[0].0);
    let mut random = 1u64;
    let mut garbage = |length: usize| -> Vec<u8> {
        let byte = |_| {
            random = random
                .wrapping_mul(6_364_136_223_846_793_005)
                .wrapping_add(1);
            (random >> 56) as u8
        };
        (0..length).map(byte).collect()
    };
    for length in [0, 1, 100, 100_000] {
        for path in [
            "/api/predict",
            "/api/predict?many",
            "/api/explain",
            "/api/corrections?label=3",
        ] {
            let bytes = garbage(length);
            let status = server.post(path, &bytes).status;
            assert!((400..500).contains(&status), "{path} {length}: {status}");
        }
        let kinds = [
            "multipart/form-data",
            "multipart/form-data; boundary=",
            "multipart/form-data; boundary=edge",
        ];
        for kind in kinds {
            let header = format!("Content-Type: {kind}\r\n");
            for mut bytes in [garbage(length), b"--edge\r\n".to_vec()] {
                bytes.extend(garbage(length));
                let status = server.ask("POST", "/api/predict", &header, &bytes).status;
                assert!((400..500).contains(&status), "{kind} {length}: {status}");
            }
        }
        // A head that is none.
        let mut stream = server.connect();
        let _ = stream.write_all(&garbage(length.max(1)));
        let _ = stream.write_all(b"\r\n\r\n");
        let mut answer = Vec::new();
        let _ = stream.read_to_end(&mut answer);
    }
    // A head that never ends.
    let mut stream = server.connect();
    let line = format!("GET / HTTP/1.1\r\nX: {}\r\n", "x".repeat(1 << 20));
    let _ = stream.write_all(line.as_bytes());
    let mut answer = Vec::new();
    let _ = stream.read_to_end(&mut answer);
    assert!(answer.is_empty() || answer.starts_with(b"HTTP/1.1 431"));
    assert!(server.post("/api/predict", &picture).ok()["digit"].is_u64());
}

#[test]
fn a_gigabyte_is_refused_before_it_is_in_memory() {
    let world = World::new();
    let server = Server::start(&world, "");
    // Said beforehand.
    let mut stream = server.connect();
    let head = format!(
        "POST /api/predict HTTP/1.1\r\nHost: {}\r\nContent-Length: {}\r\nConnection: close\r\n\r\n",
        server.address,
        1u64 << 30
    );
    stream.write_all(head.as_bytes()).unwrap();
    Reply::read(stream).is_error(413, "20 MiB");
    // A little too much is taken and thrown away, so that whoever sends it can read the answer.
    let reply = server.post("/api/predict", &vec![b'x'; 30 << 20]);
    reply.is_error(413, "20 MiB");
    // Not said, in chunks, as a picture and as a form.
    for kind in ["image/png", "multipart/form-data; boundary=edge"] {
        let mut stream = server.connect();
        let head = format!(
            "POST /api/predict HTTP/1.1\r\nHost: {}\r\nContent-Type: {kind}\r\n\
             Transfer-Encoding: chunked\r\nConnection: close\r\n\r\n",
            server.address
        );
        stream.write_all(head.as_bytes()).unwrap();
        let chunk = [
            format!("{:x}\r\n", 1 << 20).into_bytes(),
            vec![b'x'; 1 << 20],
            b"\r\n".to_vec(),
        ];
        let chunk = chunk.concat();
        let sent = (0..1024)
            .take_while(|_| stream.write_all(&chunk).is_ok())
            .count();
        assert!(sent < 200, "{sent} MiB were taken");
    }
    let status = std::fs::read_to_string(format!("/proc/{}/status", server.child.id()));
    if let Ok(status) = status {
        let peak = status.lines().find_map(|line| line.strip_prefix("VmHWM:"));
        let peak: u64 = peak
            .unwrap()
            .trim()
            .trim_end_matches(" kB")
            .parse()
            .unwrap();
        assert!(peak < 400 << 10, "{peak} KiB");
    }
}

#[test]
fn the_slow_are_cut_off() {
    let world = World::new();
    let server = Server::start(&world, "");
    let began = Instant::now();
    // A head that comes byte by byte, and one that doesn't come.
    let mut dripping = server.connect();
    let silent = server.connect();
    let cut_off = move |mut stream: TcpStream| {
        let mut rest = Vec::new();
        let _ = stream.read_to_end(&mut rest);
        began.elapsed()
    };
    let silent = std::thread::spawn(move || cut_off(silent));
    let head = "GET / HTTP/1.1\r\nX: "
        .bytes()
        .chain(std::iter::repeat(b'x'));
    for byte in head {
        if began.elapsed() > Duration::from_secs(40) || dripping.write_all(&[byte]).is_err() {
            break;
        }
        std::thread::sleep(Duration::from_millis(100));
    }
    assert!(
        began.elapsed() < Duration::from_secs(25),
        "{:?}",
        began.elapsed()
    );
    assert!(silent.join().unwrap() < Duration::from_secs(25));
}

#[test]
fn a_thousand_idle_connections_keep_nobody_waiting() {
    let world = World::new();
    let server = Server::start(&world, "");
    let picture = png(&test_digits()[0].0);
    // Each is a file of this process, which the other tests need some of, too.
    let mut limit = getrlimit(Resource::Nofile);
    limit.current = limit
        .maximum
        .map_or(Some(4096), |most| Some(most.min(4096)));
    setrlimit(Resource::Nofile, limit).unwrap();
    let count = limit
        .current
        .map_or(1000, |most| most.saturating_sub(300))
        .min(1000);
    assert!(count >= 500, "{count} connections");
    let connect = |_| TcpStream::connect(&server.address).unwrap();
    let _idle: Vec<TcpStream> = (0..count).map(connect).collect();
    let began = Instant::now();
    for _ in 0..50 {
        server.post("/api/predict", &picture).ok();
    }
    assert!(
        began.elapsed() < Duration::from_secs(5),
        "{:?}",
        began.elapsed()
    );
}

#[test]
fn clients_that_go_leave_nothing_behind() {
    let world = World::new();
    let server = Server::start(&world, "--collect kept");
    let picture = png(&test_digits()[0].0);
    for cut in 0..60 {
        let mut stream = server.connect();
        let path = ["/api/predict", "/api/corrections?label=1"][cut % 2];
        let request = format!(
            "POST {path} HTTP/1.1\r\nHost: {}\r\nContent-Length: {}\r\n\r\n",
            server.address,
            picture.len()
        );
        let request = [request.as_bytes(), &picture].concat();
        let _ = stream.write_all(&request[..request.len() * cut / 60]);
        drop(stream);
    }
    // Nothing half-sent was kept.
    assert!(world.listing("kept").is_empty());
    assert!(server.post("/api/predict", &picture).ok()["digit"].is_u64());
}
