//! What two runs, or two comparisons, have in common when time is left out.

use std::fs;
use std::path::Path;

use serde_json::Value;

use support::{json_lines, listing};

/// Keys whose values depend on the clock.
const TIMES: [&str; 2] = ["seconds", "images_per_second"];

/// Panics unless the run folders `a` and `b` hold the same files with the same bytes, but for times.
pub fn assert_same_run(a: &Path, b: &Path) {
    assert_eq!(listing(a), listing(b), "{}", b.display());
    for name in listing(a) {
        let [a, b] = [a, b].map(|folder| fs::read(folder.join(&name)).unwrap());
        let same = match name.as_str() {
            "metrics.jsonl" => lines(&a) == lines(&b),
            "metrics.csv" => rows(&a) == rows(&b),
            "summary.json" => object(&a) == object(&b),
            "report.html" => page(&a) == page(&b),
            _ => a == b,
        };
        assert!(same, "{name} differs");
    }
}

fn lines(bytes: &[u8]) -> Vec<Value> {
    let mut lines = json_lines(std::str::from_utf8(bytes).unwrap());
    lines.iter_mut().for_each(forget_times);
    lines
}

/// The cells of a table whose last columns are the times.
fn rows(bytes: &[u8]) -> Vec<Vec<String>> {
    let table = std::str::from_utf8(bytes).unwrap();
    assert!(table.lines().next().unwrap().ends_with(&TIMES.join(",")));
    let rows = table.lines().map(|row| {
        let cells: Vec<String> = row.split(',').map(str::to_string).collect();
        cells[..cells.len() - TIMES.len()].to_vec()
    });
    rows.collect()
}

fn object(bytes: &[u8]) -> Value {
    let mut object = serde_json::from_slice(bytes).unwrap();
    forget_times(&mut object);
    object
}

fn forget_times(object: &mut Value) {
    let object = object.as_object_mut().unwrap();
    let before = object.len();
    object.retain(|key, _| !TIMES.contains(&key.as_str()));
    assert!(object.len() < before, "no times in {object:?}");
}

/// A report without its two figures that depend on the clock.
fn page(html: &[u8]) -> String {
    let mut html = String::from_utf8(html.to_vec()).unwrap();
    for figure in ["Training time", "Training images/s"] {
        let start = html.find(figure).expect(figure);
        let end = start + html[start..].find("</dd>").unwrap();
        html.replace_range(start..end, "");
    }
    html
}
