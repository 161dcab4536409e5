//! Pictures in, digits out.

use serde_json::{Value, json};
use support::{TINY, World, json_lines, pictures, test_digits};

use crate::client::{Server, png};

/// A world with pictures of the first test digits, and their names and bytes.
fn with_pictures(count: usize) -> (World, Vec<(String, Vec<u8>)>) {
    let world = World::new();
    let mut all = Vec::new();
    for (index, (digit, _)) in test_digits().iter().take(count).enumerate() {
        // Every other one as MNIST has it, and as a photograph would.
        let bytes = match index % 2 {
            0 => png(digit),
            _ => pictures::draw(&pictures::KINDS[index % 30], digit, 7),
        };
        let name = format!("{index:02}.png");
        world.write(&name, &bytes);
        all.push((name, bytes));
    }
    (world, all)
}

#[test]
fn a_picture_is_answered_as_predict_answers_it() {
    let (world, pictures) = with_pictures(30);
    let names: Vec<&str> = pictures.iter().map(|(name, _)| name.as_str()).collect();
    let expected = json_lines(&world.ok(&format!("predict --json {}", names.join(" "))));
    let server = Server::start(&world, "");
    // All at once as a form, whose names are the files'.
    let files: Vec<_> = pictures
        .iter()
        .map(|(name, b)| (name.as_str(), &b[..]))
        .collect();
    let answers = server.post_form("/api/predict", &files).ok();
    assert_same(answers.as_array().unwrap(), &expected);
    // And one by one.
    for ((_, bytes), expected) in pictures.iter().zip(&expected) {
        let mut expected = expected.clone();
        expected["file"] = json!("picture");
        assert_same(&[server.post("/api/predict", bytes).ok()], &[expected]);
    }
}

#[test]
fn several_digits_are_answered_as_predict_many_answers_them() {
    let world = World::new();
    let digits = test_digits();
    let three: Vec<&[u8; 784]> = digits[..3].iter().map(|(digit, _)| digit).collect();
    let bytes = pictures::number(&three, 3);
    world.write("number.png", &bytes);
    let mut expected = json_lines(&world.ok("predict --many --json number.png")).remove(0);
    expected["file"] = json!("picture");
    let server = Server::start(&world, "");
    let answer = server.post("/api/predict?many", &bytes).ok();
    assert_same(&[answer], &[expected]);
    let answer = server.post("/api/predict?many&details", &bytes).ok();
    for digit in answer["digits"].as_array().unwrap() {
        assert_eq!(digit["pixels"].as_array().unwrap().len(), 784);
        assert_eq!(digit["probabilities"].as_array().unwrap().len(), 10);
    }
}

/// That answers are the same, but for the last digits of probabilities: pictures that are read together
/// may go another way through the kernels than one by itself.
fn assert_same(found: &[Value], expected: &[Value]) {
    assert_eq!(found.len(), expected.len());
    for (found, expected) in found.iter().zip(expected) {
        assert_close(found, expected);
    }
}

fn assert_close(found: &Value, expected: &Value) {
    match (found, expected) {
        (Value::Object(found), Value::Object(expected)) => {
            assert!(found.keys().eq(expected.keys()), "{found:?}, {expected:?}");
            for (found, expected) in found.values().zip(expected.values()) {
                assert_close(found, expected);
            }
        }
        (Value::Array(found), Value::Array(expected)) => assert_same(found, expected),
        (Value::Number(found), Value::Number(expected)) => {
            let apart = found.as_f64().unwrap() - expected.as_f64().unwrap();
            assert!(apart.abs() < 1e-5, "{found} and {expected}");
        }
        _ => assert_eq!(found, expected),
    }
}

#[test]
fn details_are_what_the_network_saw() {
    let world = World::new();
    let server = Server::start(&world, "");
    let (digit, _) = test_digits()[0];
    let answer = server.post("/api/predict?details", &png(&digit)).ok();
    assert_eq!(answer["pixels"], json!(digit.to_vec()));
}

#[test]
fn what_can_not_be_read_says_so() {
    let world = World::new();
    let server = Server::start(&world, "");
    let good = png(&test_digits()[0].0);
    let reply = server.post("/api/predict", b"not a picture");
    assert_eq!(reply.status, 422);
    assert!(reply.json()["error"].as_str().unwrap().contains("picture"));
    let files: [(&str, &[u8]); 3] = [("a.png", &good), ("b.txt", b"nothing"), ("c.png", &good)];
    let answers = server.post_form("/api/predict", &files).ok();
    assert!(answers[0]["digit"].is_u64() && answers[2]["digit"].is_u64());
    assert_eq!(answers[1]["file"], "b.txt");
    assert!(answers[1]["error"].is_string());
    server.post_form("/api/predict", &[]).is_error(400, "form");
    let missing = server.post("/api/predict?checkpoint=../run", &good);
    missing.is_error(404, "no such network");
    server.get("/api/nothing").is_error(404, "nothing");
    assert_eq!(server.get("/api/predict").status, 405);
}

#[test]
fn networks_are_those_named_the_programs_own_and_those_of_runs() {
    let world = World::with_lenet();
    let names = ('a'..='j').map(|name| format!("\"{name}\""));
    let classes = format!(
        "[data]\nclasses = [{}]\n\n[model]",
        names.collect::<Vec<_>>().join(",")
    );
    world.write("letters.toml", TINY.replace("[model]", &classes));
    world.ok("train --config letters.toml --data sample --limit 500 --out runs/letters");
    std::fs::create_dir_all(world.path("runs/no-run")).unwrap();
    let server = Server::start(&world, "--checkpoint lenet.mpk");
    let listed = server.get("/api/networks").ok();
    let all = listed["networks"].as_array().unwrap();
    let field =
        |key: &str| -> Vec<Value> { all.iter().map(|network| network[key].clone()).collect() };
    assert_eq!(field("name"), ["lenet.mpk", "handwriting", "letters"]);
    assert_eq!(field("source"), ["checkpoint", "built-in", "run"]);
    assert_eq!(field("digits"), [true, true, false]);
    assert_eq!(field("parameters"), [61_706, 275_786, 7_850]);
    assert_eq!(all[2]["classes"][9], "j");
    assert!(all[2]["test_accuracy"].is_f64());

    let picture = png(&test_digits()[0].0);
    let ask = |query: &str| server.post(&format!("/api/predict{query}"), &picture);
    let (default, lenet) = (ask("").ok(), ask("?checkpoint=lenet.mpk").ok());
    assert_close(&default, &lenet);
    assert!(default != ask("?checkpoint=handwriting").ok());
    let letters = ask("?checkpoint=letters").ok();
    let digit = letters["digit"].as_u64().unwrap() as usize;
    assert_eq!(letters["class"], all[2]["classes"][digit]);
    ask("?checkpoint=letters&many").is_error(400, "many");
}

#[test]
fn an_explanation_has_the_channels_and_what_each_pixel_is_worth() {
    let world = World::with_lenet();
    let server = Server::start(&world, "--checkpoint lenet.mpk");
    let (digit, label) = *test_digits().iter().find(|(_, label)| *label == 1).unwrap();
    let body = json!({ "pixels": digit.to_vec() }).to_string();
    let answer = server.post("/api/explain", body.as_bytes()).ok();
    assert_eq!(answer["digit"], label);
    let layers = answer["layers"].as_array().unwrap();
    let shapes: Vec<[u64; 3]> = layers
        .iter()
        .map(|layer| ["channels", "height", "width"].map(|key| layer[key].as_u64().unwrap()))
        .collect();
    assert_eq!(shapes, [[6, 28, 28], [16, 10, 10]]);
    assert_eq!(layers[1]["name"], "layer 4, conv");
    // A one without its ink is none: covering it costs more than covering paper.
    let values = answer["occlusion"]["values"].as_array().unwrap();
    let mean = |ink: bool| {
        let pixels = (0..784).filter(|&pixel| (digit[pixel] > 128) == ink);
        let values: Vec<f64> = pixels
            .map(|pixel| values[pixel].as_f64().unwrap())
            .collect();
        values.iter().sum::<f64>() / values.len() as f64
    };
    assert!(
        mean(true) > mean(false) + 0.1,
        "{} {}",
        mean(true),
        mean(false)
    );
    for bad in [
        &b"{}"[..],
        b"[",
        b"{\"pixels\":[1,2]}",
        b"{\"pixels\":[256]}",
    ] {
        assert_eq!(server.post("/api/explain", bad).status, 400);
    }
}

#[test]
fn corrections_are_kept_for_data_import() {
    let world = World::new();
    let server = Server::start(&world, "--collect kept");
    assert_eq!(server.get("/api/networks").ok()["collect"], true);
    for (digit, label) in test_digits().iter().take(20) {
        let reply = server.post(&format!("/api/corrections?label={label}"), &png(digit));
        assert_eq!(reply.status, 201, "{reply:?}");
        let file = reply.json()["file"].as_str().unwrap().to_string();
        assert!(world.path("kept").join(file).is_file());
    }
    let imported = world.ok("data import kept --output data");
    assert!(imported.contains("  all      16       4"), "{imported}");
    let picture = png(&test_digits()[0].0);
    server
        .post("/api/corrections?label=10", &picture)
        .is_error(400, "0 to 9");
    server
        .post("/api/corrections?label=x", &picture)
        .is_error(400, "label");
    server
        .post("/api/corrections?label=1", b"GIF89a")
        .is_error(415, "PNG");
    server
        .post("/api/corrections?label=1", &picture[..60])
        .is_error(422, "");

    let without = Server::start(&world, "");
    assert_eq!(without.get("/api/networks").ok()["collect"], false);
    assert_eq!(
        without.post("/api/corrections?label=1", &picture).status,
        404
    );
}

#[test]
fn counts_are_there_for_prometheus() {
    let world = World::new();
    let server = Server::start(&world, "");
    assert_eq!(server.get("/healthz").text(), "ok\n");
    let picture = png(&test_digits()[0].0);
    for _ in 0..3 {
        server.post("/api/predict", &picture).ok();
    }
    server.post("/api/predict", b"nothing");
    let text = server.get("/metrics").text();
    for line in [
        "mnistctl_pictures_total 3",
        "mnistctl_unreadable_pictures_total 1",
        "mnistctl_answers_total{status=\"2xx\"} 4",
        "mnistctl_answers_total{status=\"4xx\"} 1",
        "mnistctl_answer_seconds_count 5",
        "mnistctl_answer_seconds_bucket{le=\"+Inf\"} 5",
    ] {
        assert!(
            text.contains(&format!("\n{line}\n")),
            "{line} is missing in {text}"
        );
    }
}
