//! A run's `metrics.jsonl` and, after an empty line, its `summary.json`: what `report` and
//! `compare` make of them.

use std::path::Path;
use std::sync::LazyLock;

use mnistctl::comparison::{Comparison, Ending, Finished, Table, Wanted, findings};
use mnistctl::network::Plan;
use mnistctl::recipe::Recipe;
use mnistctl::report::run::RunReport;
use mnistctl::training::{LogLine, Summary};

/// A long line's charts, of which each is drawn in 960x600 pixels twice as fine.
pub fn memory(data: &[u8]) -> usize {
    (64 << 20) + 64 * data.len()
}

static RECIPE: LazyLock<Recipe> = LazyLock::new(|| Recipe::load("lenet", &[]).unwrap());
static PLAN: LazyLock<Plan> = LazyLock::new(|| Plan::new(&RECIPE.model.layers).unwrap());
static COMPARISON: LazyLock<Comparison> = LazyLock::new(|| {
    let wanted = Wanted {
        recipes: &["lenet".to_string()],
        seeds: Some(2),
        ..Wanted::default()
    };
    Comparison::new(&wanted).unwrap()
});

pub fn check(data: &[u8]) {
    check_figures(data);
    check_page(data);
}

fn parse(data: &[u8]) -> Option<(Vec<LogLine>, Option<Summary>)> {
    let text = std::str::from_utf8(data).ok()?;
    let (log, summary) = text.split_once("\n\n").unwrap_or((text, ""));
    let summary = match Summary::parse(summary, Path::new("summary.json")) {
        Ok(summary) => Some(summary),
        Err(error) => {
            assert!(!error.to_string().is_empty());
            None
        }
    };
    Some((LogLine::parse_all(log), summary))
}

/// What `compare` works out.
pub fn check_figures(data: &[u8]) {
    let Some((log, summary)) = parse(data) else {
        return;
    };
    for line in &log {
        let again = LogLine::parse_all(&line.to_json());
        assert!(again.len() == 1 && is_near(line, &again[0]), "{line:?}");
    }
    let Some(summary) = summary else { return };
    let other = (summary.clone(), log[..log.len() / 2].to_vec());
    let endings = [(summary, log), other]
        .map(|(summary, log)| Ending::Complete(Box::new(Finished { summary, log })));
    let table = Table::new(&COMPARISON, &endings);
    assert!(!table.to_string().is_empty());
    assert!(!table.to_csv().expect("a table in memory").is_empty());
    findings(&COMPARISON, &table);
}

/// Whether two lines are the same but for the last bits of their figures: serde_json may read a
/// number as one beside it.
fn is_near(line: &LogLine, other: &LogLine) -> bool {
    let figures = |line: &LogLine| {
        let (epoch, val) = (&line.epoch, line.epoch.val.unwrap_or(line.epoch.train));
        let times = [line.seconds, line.images_per_second];
        let losses = [epoch.lr, epoch.train.loss, val.loss];
        [&times[..], &losses, &[epoch.train.accuracy, val.accuracy]].concat()
    };
    let near = |(a, b): (&f64, &f64)| (a - b).abs() <= 1e-15 * a.abs() + f64::MIN_POSITIVE;
    line.epoch.epoch == other.epoch.epoch
        && line.epoch.val.is_some() == other.epoch.val.is_some()
        && figures(line).iter().zip(&figures(other)).all(near)
}

/// What `report` draws.
pub fn check_page(data: &[u8]) {
    let Some((log, summary)) = parse(data) else {
        return;
    };
    let report = RunReport {
        recipe: &RECIPE,
        plan: &PLAN,
        log: &log,
        summary: summary.as_ref(),
        test: None,
        training: None,
        commands: "",
    };
    let page = report.make().expect("what was read can be drawn").html;
    // What stands in a file stays text: the page itself has no scripts.
    assert!(!page.contains("<script"));
}
