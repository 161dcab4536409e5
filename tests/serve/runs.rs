//! Trainings, finished and under way.

use std::io::{BufRead, BufReader, Write};
use std::process::Stdio;

use serde_json::Value;
use support::{World, kill};

use crate::client::Server;

#[test]
fn a_finished_run_is_listed_with_its_figures_log_and_charts() {
    let world = World::with_tiny();
    world.ok("train --config tiny.toml --data sample --limit 500 --epochs 3 --out runs/one");
    world.ok("train --config tiny.toml --data sample --limit 500 --epochs 2 --out runs/two");
    let server = Server::start(&world, "");
    let listed = server.get("/api/runs").ok();
    let names: Vec<_> = listed["runs"]
        .as_array()
        .unwrap()
        .iter()
        .map(|r| &r["name"])
        .collect();
    assert_eq!(names, ["two", "one"]);
    let run = server.get("/api/runs/one").ok();
    let summary = world.json("runs/one/summary.json");
    assert_eq!(run["state"], "finished");
    assert_eq!(run["test_accuracy"], summary["test"]["accuracy"]);
    assert_eq!(run["summary"], summary);
    assert_eq!(
        run["toml"].as_str().unwrap(),
        world.text("runs/one/recipe.toml")
    );
    assert_eq!(run["log"].as_array().unwrap(), &world.metrics("runs/one"));
    // The report's own charts.
    for kind in ["loss", "accuracy", "lr"] {
        let chart = server.get(&format!("/api/runs/one/chart.svg?kind={kind}"));
        let title = "tiny: ";
        let report = world
            .text(&format!("runs/one/{kind}.svg"))
            .replace(title, "one: ");
        assert_eq!(chart.text(), report, "{kind}");
        assert!(chart.has_header("content-type", "image/svg+xml"));
    }
    let both = server
        .get("/api/runs/one/chart.svg?kind=loss&with=two")
        .text();
    for name in ["one: validation", "two: validation", "one and two: loss"] {
        assert!(both.contains(name), "{name}");
    }
    for path in ["none", "..", "%2e%2e", "..%2fruns%2fone", "one%00", "."] {
        let reply = server.get(&format!("/api/runs/{path}"));
        assert_eq!(reply.status, 404, "{path}: {reply:?}");
    }
    assert_eq!(server.get("/api/runs/one/chart.svg?kind=x").status, 400);
    server
        .get("/api/runs/one/chart.svg?kind=lr&with=..")
        .is_error(404, "run");
}

/// An event's kind and data.
fn next_event(lines: &mut impl Iterator<Item = String>) -> Option<(String, Value)> {
    let (mut kind, mut data) = (None, None);
    for line in lines {
        // Chunks of the transfer have lines of their own.
        if let Some(text) = line.strip_prefix("event: ") {
            kind = Some(text.to_string());
        } else if let Some(text) = line.strip_prefix("data: ") {
            data = Some(serde_json::from_str(text).unwrap());
        }
        if let (Some(kind), Some(data)) = (&kind, &data) {
            return Some((kind.clone(), Clone::clone(data)));
        }
    }
    None
}

#[test]
fn a_run_under_way_tells_its_epochs_as_they_end() {
    let world = World::with_tiny();
    let train = "train --config tiny.toml --data sample --epochs 100000 --out runs/long";
    let mut training = world.command(train).stderr(Stdio::null()).spawn().unwrap();
    world.wait_for("runs/long/metrics.jsonl");
    let server = Server::start(&world, "");
    let run = server.get("/api/runs").ok()["runs"][0].clone();
    assert_eq!(
        (&run["name"], &run["state"]),
        (&"long".into(), &"training".into())
    );
    let mut stream = server.connect();
    let head = format!(
        "GET /api/runs/long/events HTTP/1.1\r\nHost: {}\r\n\r\n",
        server.address
    );
    stream.write_all(head.as_bytes()).unwrap();
    let mut lines = BufReader::new(stream).lines().map_while(Result::ok);
    let mut epoch = 0;
    let mut eta = None;
    while epoch < 50 || eta.is_none() {
        let (kind, data) = next_event(&mut lines).unwrap();
        match kind.as_str() {
            "epoch" => {
                epoch += 1;
                assert_eq!(data["epoch"], epoch);
            }
            "state" => {
                assert_eq!(data["state"], "training");
                eta = data["eta_seconds"].as_f64();
            }
            other => panic!("{other}"),
        }
    }
    kill("-TERM", training.id());
    training.wait().unwrap();
    // It has stopped, is not finished, and is told so.
    let stopped = std::iter::from_fn(|| next_event(&mut lines));
    let mut stopped = stopped
        .filter(|(kind, _)| kind == "state")
        .map(|(_, data)| data);
    assert!(stopped.any(|row| row["state"] == "stopped"));
    // Who comes back later is told what is new, and no more.
    let after = format!("Last-Event-ID: {}\r\n", epoch - 1);
    drop(lines);
    let mut stream = server.connect();
    let path = "/api/runs/long/events";
    let head = format!(
        "GET {path} HTTP/1.1\r\nHost: {}\r\n{after}\r\n",
        server.address
    );
    stream.write_all(head.as_bytes()).unwrap();
    let mut lines = BufReader::new(stream).lines().map_while(Result::ok);
    assert_eq!(next_event(&mut lines).unwrap().1["epoch"], epoch);
}

#[test]
fn the_events_of_a_finished_run_end() {
    let world = World::with_tiny();
    world.ok("train --config tiny.toml --data sample --limit 500 --epochs 3 --out runs/one");
    let server = Server::start(&world, "");
    let text = server.get("/api/runs/one/events").text();
    assert_eq!(text.matches("event: epoch").count(), 3);
    assert!(text.contains("\"finished\""));
}
