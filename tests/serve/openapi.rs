//! The document that describes the server, held against what the server answers.

use std::process::Command;

use support::{World, test_digits};

use crate::client::{Server, png};

/// A Python that has what tests/interop/requirements.txt lists.
const PYTHON: &str = "MNISTCTL_PYTHON";

#[test]
fn the_document_says_what_the_server_answers() {
    let Some(python) = std::env::var_os(PYTHON) else {
        eprintln!("skipped: {PYTHON} is not set to a Python with openapi-core");
        return;
    };
    let world = World::with_lenet();
    world.write("tiny.toml", support::TINY);
    world.ok("train --config tiny.toml --data sample --limit 500 --epochs 2 --out runs/one");
    let server = Server::start(&world, "--collect kept --checkpoint lenet.mpk");
    world.write("digit.png", png(&test_digits()[0].0));
    let output = Command::new(python)
        .arg(concat!(
            env!("CARGO_MANIFEST_DIR"),
            "/tests/serve/check_openapi.py"
        ))
        .arg(format!("http://{}", server.address))
        .arg(world.path("digit.png"))
        .output()
        .unwrap();
    let said = String::from_utf8_lossy(&output.stdout);
    let complaint = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{said}\n{complaint}");
    assert!(
        said.ends_with("every operation answered as it is described\n"),
        "{said}"
    );
}
