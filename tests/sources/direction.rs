//! Imports run downwards only: between the rooms of the program, which are the folders and files of
//! `src`, and between the files of a folder.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::Path;

use crate::rust_files;

/// From top to bottom: a room may use those below it.
const ROOMS: [&str; 21] = [
    "main",
    "commands",
    "cli",
    "serve",
    "interchange",
    "report",
    "comparison",
    "evaluation",
    "training",
    "recipe",
    "engine",
    "optimizer",
    "network",
    "ink",
    "dataset",
    "kernels",
    "schema",
    "files",
    "terminal",
    "interrupt",
    "rng",
];

/// Files of a folder that use each other, and why they may. A layer may hold layers: what a layer is,
/// the kinds there are, and what plans and runs lists of them are one recursion.
const CIRCLES: [&str; 1] =
    ["network: burn_form, kernel_form, layer, layers, onnx_form, plan, torch_form"];

/// A module by the names on the way to it: `["training", "checkpoint"]`.
type Module = Vec<String>;

/// A path in the code of a module.
struct Use {
    file: String,
    line: usize,
    /// The module that it stands in, and whether that is a file's `mod tests`.
    from: Module,
    in_tests: bool,
    /// As far as it is a module, and then an item.
    to: Vec<String>,
}

/// All of `src`.
#[derive(Default)]
struct Sources {
    uses: Vec<Use>,
    modules: BTreeSet<Module>,
    /// Where an item is that a module gives on: `training::Epoch` is in `training::metrics`.
    given_on: BTreeMap<Vec<String>, Module>,
}

impl Sources {
    fn read() -> Self {
        let src = Path::new(env!("CARGO_MANIFEST_DIR")).join("src");
        let mut files = Vec::new();
        rust_files(&src, &mut files);
        let mut sources = Self::default();
        // The library's own file only lists the rooms.
        files.retain(|path| *path != src.join("lib.rs"));
        for path in files {
            let name = path.strip_prefix(&src).unwrap().to_str().unwrap();
            sources.add(name, &fs::read_to_string(&path).unwrap());
        }
        sources
    }

    /// Adds a file, of which `name` is the path below `src`.
    fn add(&mut self, name: &str, text: &str) {
        let stem = name.strip_suffix(".rs").unwrap();
        let mut module: Module = stem.split('/').map(str::to_owned).collect();
        module.pop_if(|last| last == "mod");
        let (mut from, mut in_tests) = (module.clone(), false);
        for (index, line) in joined(text) {
            if line.starts_with("mod tests {") {
                in_tests = true;
                from.push("tests".to_string());
            }
            if let Some(path) = line.strip_prefix("pub use ") {
                for mut path in expand(path) {
                    let Some(item) = path.pop() else { continue };
                    let path = [&module[..], &path].concat();
                    self.given_on.insert([&module[..], &[item]].concat(), path);
                }
            }
            for path in absolute_paths(&line, &from) {
                self.uses.push(Use {
                    file: format!("src/{name}"),
                    line: index,
                    from: from.clone(),
                    in_tests,
                    to: path,
                });
            }
        }
        self.modules.insert(module);
    }

    /// The module that holds what a path names, as far as this can tell.
    fn module_of(&self, path: &[String]) -> Module {
        let ends = (1..=path.len()).rev().map(|length| &path[..length]);
        for end in ends {
            if self.modules.contains(end) {
                return end.to_vec();
            }
            if let Some(module) = self.given_on.get(end) {
                return module.clone();
            }
        }
        Vec::new()
    }

    /// The rooms that use one above them, each with the sentences that say where.
    fn upwards(&self) -> BTreeMap<(&str, &str), Vec<String>> {
        let height = |room: &str| {
            let found = ROOMS.iter().position(|name| *name == room);
            found.unwrap_or_else(|| panic!("the room {room} is not in ROOMS"))
        };
        let mut found: BTreeMap<_, Vec<String>> = BTreeMap::new();
        for each in &self.uses {
            let Some(to) = each.to.first().map(String::as_str) else {
                continue;
            };
            let from = each.from[0].as_str();
            // Tests may use whatever helps them, but for the commands.
            let highest = if each.in_tests { "cli" } else { from };
            if from != to && height(to) < height(highest) {
                let (file, line) = (&each.file, each.line);
                let sentence = format!("{file}:{line} uses `{to}`, which stands above `{from}`");
                let sentences = found.entry((from, to)).or_default();
                if sentences.last() != Some(&sentence) {
                    sentences.push(sentence);
                }
            }
        }
        found
    }

    /// The circles between files of a folder, each with the sentences that say where.
    fn circles(&self) -> BTreeMap<String, Vec<String>> {
        let mut found = BTreeMap::new();
        let folders: BTreeSet<&[String]> = self
            .modules
            .iter()
            .flat_map(|module| (1..module.len()).map(|length| &module[..length]))
            .collect();
        for folder in folders {
            let edges = self.edges(folder);
            let mut reached: BTreeMap<&str, BTreeSet<&str>> = BTreeMap::new();
            for (from, to) in edges.keys() {
                reached.entry(from).or_default().insert(to);
            }
            for _ in 0..reached.len() {
                let before = reached.clone();
                for further in reached.values_mut() {
                    let more = further.iter().filter_map(|file| before.get(file)).flatten();
                    *further = further.iter().chain(more).copied().collect();
                }
            }
            for (file, others) in &reached {
                if !others.contains(file) {
                    continue;
                }
                let back = |other: &&&str| reached.get(**other).is_some_and(|r| r.contains(file));
                let circle: BTreeSet<&str> = others.iter().filter(back).copied().collect();
                let name = circle.iter().copied().collect::<Vec<_>>().join(", ");
                let inside = edges.iter().filter(|((from, to), _)| {
                    circle.contains(from.as_str()) && circle.contains(to.as_str())
                });
                let places = inside.map(|((_, to), each)| {
                    format!(
                        "{}:{} uses `{to}`, which in the end uses it",
                        each.file, each.line
                    )
                });
                found.insert(format!("{}: {name}", folder.join("::")), places.collect());
            }
        }
        found
    }

    /// Which files and folders of `folder` use which others there, with one place each. Tests don't
    /// count.
    fn edges(&self, folder: &[String]) -> BTreeMap<(String, String), &Use> {
        let child = |module: &[String]| match module.strip_prefix(folder) {
            Some([first, ..]) => Some(first.clone()),
            _ => None,
        };
        let inside = self.uses.iter().filter(|each| !each.in_tests);
        let edges = inside.filter_map(|each| {
            let (from, to) = (child(&each.from)?, child(&self.module_of(&each.to))?);
            (from != to).then_some(((from, to), each))
        });
        edges.collect()
    }
}

/// The lines of a file that are not comments, with their numbers; a `use` over several lines is
/// one.
fn joined(text: &str) -> Vec<(usize, String)> {
    let mut lines: Vec<(usize, String)> = Vec::new();
    for (index, line) in text.lines().enumerate() {
        let code = line.split("//").next().unwrap();
        match lines.last_mut() {
            Some((_, last)) if is_unfinished_use(last) => last.push_str(code.trim()),
            _ => lines.push((index + 1, code.to_string())),
        }
    }
    lines
}

fn is_unfinished_use(line: &str) -> bool {
    let code = line.trim_start();
    let is_use = ["use ", "pub use ", "pub(crate) use ", "pub(super) use "]
        .iter()
        .any(|start| code.starts_with(start));
    is_use && !code.contains(';')
}

/// The paths in a line of the module `from` that begin with `crate`, `mnistctl`, `super` or `self`,
/// from the root of the program.
fn absolute_paths(line: &str, from: &[String]) -> Vec<Vec<String>> {
    let mut paths = Vec::new();
    for start in ["crate::", "mnistctl::", "super::", "self::"] {
        for (index, _) in line.match_indices(start) {
            let before = line[..index].chars().next_back();
            if before.is_some_and(|c| c.is_alphanumeric() || c == '_' || c == ':') {
                continue;
            }
            let mut base = match start {
                "crate::" | "mnistctl::" => Vec::new(),
                "super::" => from[..from.len() - 1].to_vec(),
                _ => from.to_vec(),
            };
            let mut rest = &line[index + start.len()..];
            while let Some(after) = rest.strip_prefix("super::") {
                base.pop();
                rest = after;
            }
            paths.extend(
                expand(rest)
                    .into_iter()
                    .map(|path| [&base[..], &path].concat()),
            );
        }
    }
    paths
}

/// `a::{b, c::{d, e}}` as `a::b`, `a::c::d` and `a::c::e`; ends where the path does.
fn expand(text: &str) -> Vec<Vec<String>> {
    let text = text.trim_start();
    if let Some(group) = text.strip_prefix('{') {
        let (mut depth, mut start, mut paths) = (0, 0, Vec::new());
        for (index, c) in group.char_indices() {
            match c {
                '{' => depth += 1,
                ',' if depth == 0 => {
                    paths.extend(expand(&group[start..index]));
                    start = index + 1;
                }
                '}' if depth == 0 => {
                    paths.extend(expand(&group[start..index]));
                    break;
                }
                '}' => depth -= 1,
                _ => {}
            }
        }
        return paths;
    }
    let end = text.find(|c: char| !c.is_alphanumeric() && c != '_');
    let (name, rest) = text.split_at(end.unwrap_or(text.len()));
    if name.is_empty() || name == "self" {
        return vec![Vec::new()];
    }
    let rests = match rest.strip_prefix("::") {
        Some(rest) => expand(rest),
        None => vec![Vec::new()],
    };
    let joined = rests.into_iter();
    joined
        .map(|rest| [&[name.to_string()], &rest[..]].concat())
        .collect()
}

/// Asserts that exactly the offenders in `allowed` are there.
fn assert_only<T: Ord + Copy + std::fmt::Debug>(found: BTreeMap<T, Vec<String>>, allowed: &[T]) {
    let offences = found.iter().filter(|(key, _)| !allowed.contains(key));
    let offences: Vec<&str> = offences.flat_map(|(_, all)| all).map(|s| &**s).collect();
    assert!(offences.is_empty(), "\n{}\n", offences.join("\n"));
    for key in allowed {
        let needed = found.contains_key(key);
        assert!(needed, "{key:?} offends no more; take it off its list");
    }
}

#[test]
fn rooms_use_only_what_stands_below_them() {
    let sources = Sources::read();
    // Or this would pass wherever the sources aren't.
    assert!(sources.uses.len() > 400, "{}", sources.uses.len());
    assert_only(sources.upwards(), &[]);
}

#[test]
fn files_of_a_folder_use_each_other_in_one_direction() {
    let sources = Sources::read();
    let circles = sources.circles();
    let circles = circles
        .iter()
        .map(|(name, places)| (name.as_str(), places.clone()));
    assert_only(circles.collect(), &CIRCLES);
}

/// The checks themselves: every way to write a path is seen, and the offender named.
#[test]
fn an_offender_is_named() {
    let mut sources = Sources::default();
    sources.add(
        "ink/mod.rs",
        "pub use fit::{Fit, fit};\nmod fit;\nmod pen;\n",
    );
    sources.add(
        "ink/fit.rs",
        "use super::pen;\nuse crate::{\n    rng::Rng,\n    training::{self, Epoch},\n};\n\
         // crate::report\nfn f() { crate::files::sweep() }\n\
         #[cfg(test)]\nmod tests {\n    use super::super::super::report;\n    use crate::commands;\n}\n",
    );
    sources.add("ink/pen.rs", "\nfn g() { super::Fit::new() }\n");
    sources.add("training/mod.rs", "");
    let upwards: Vec<String> = sources.upwards().into_values().flatten().collect();
    assert_eq!(
        upwards,
        [
            "src/ink/fit.rs:11 uses `commands`, which stands above `ink`",
            "src/ink/fit.rs:2 uses `training`, which stands above `ink`",
        ]
    );
    let circles: Vec<_> = sources.circles().into_iter().collect();
    let places = [
        "src/ink/fit.rs:1 uses `pen`, which in the end uses it".to_string(),
        "src/ink/pen.rs:2 uses `fit`, which in the end uses it".to_string(),
    ];
    assert_eq!(circles, [("ink: fit, pen".to_string(), places.to_vec())]);
}
