//! The page in a real browser: Chromium, driven by `browser/page.mjs` through playwright-core.

use std::fs;
use std::process::{Command, Stdio};

use support::{World, kill, test_digits};

use crate::client::{Server, png};

/// Where the packages of tests/serve/browser/package.json are installed.
const MODULES: &str = "MNISTCTL_NODE_MODULES";

const CHROMIUM: &str = "/usr/bin/chromium";

#[test]
fn the_page_works_in_chromium() {
    let Some(modules) = std::env::var_os(MODULES) else {
        eprintln!("skipped: {MODULES} is not set to a folder with playwright-core and axe-core");
        return;
    };
    if !fs::exists(CHROMIUM).unwrap() {
        eprintln!("skipped: there is no {CHROMIUM}");
        return;
    }
    let world = World::with_tiny();
    // Two finished runs: for one chart, and as networks beside the program's own.
    world.ok("train --config tiny.toml --data sample --epochs 3 --out runs/finished");
    world.ok("train --config lenet --data sample --epochs 3 --out runs/lenet");
    fs::create_dir(world.path("digits")).unwrap();
    for (index, (digit, label)) in test_digits().iter().take(100).enumerate() {
        world.write(&format!("digits/{label}-{index:04}.png"), png(digit));
    }
    fs::create_dir(world.path("screenshots")).unwrap();
    // Slow enough that it goes on while the page is looked at.
    let train =
        "train --config convnet --data sample --epochs 1000 --threads 1 --out runs/training";
    let mut training = world.command(train).stderr(Stdio::null()).spawn().unwrap();
    world.wait_for("runs/training/metrics.jsonl");
    let server = Server::start(&world, "--collect kept");
    let mut script = Command::new("node");
    script
        .arg(concat!(
            env!("CARGO_MANIFEST_DIR"),
            "/tests/serve/browser/page.mjs"
        ))
        .args(["--base", &format!("http://{}", server.address)])
        .arg("--modules")
        .arg(modules)
        .args(["--chromium", CHROMIUM])
        .arg("--png")
        .arg(world.path("digits"))
        .arg("--screenshots")
        .arg(world.path("screenshots"))
        .args(["--training-run", "training"]);
    let output = script.output().unwrap();
    kill("-KILL", training.id());
    training.wait().unwrap();
    let said = String::from_utf8_lossy(&output.stdout);
    println!("{said}");
    let complaint = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{said}\n{complaint}");
    assert!(!said.to_lowercase().contains("skip"), "{said}");
    assert!(!world.listing("kept").is_empty());
}
