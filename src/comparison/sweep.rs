//! `--sweep key=v1,v2`: the values that every recipe is trained with.

use thiserror::Error;

/// A value of one `--sweep`, as it was written.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Setting {
    pub key: String,
    pub value: String,
}

impl Setting {
    /// `key=value`, as `train --set` takes it.
    pub fn to_text(&self) -> String {
        format!("{}={}", self.key, self.value)
    }
}

/// A `--sweep` that can't be read.
#[derive(Debug, Error)]
#[error("--sweep {text} is not understood: {problem}")]
pub struct SweepError {
    text: String,
    problem: String,
}

/// `key=v1,v2` of each `--sweep`, as the settings it stands for. `epochs_given` tells whether
/// `--epochs` sets the epochs of all runs.
pub(super) fn read_sweeps(
    texts: &[String],
    epochs_given: bool,
) -> Result<Vec<Vec<Setting>>, SweepError> {
    let mut sweeps: Vec<Vec<Setting>> = Vec::new();
    for text in texts {
        let fail = |problem: &str| SweepError {
            text: text.clone(),
            problem: problem.to_string(),
        };
        let Some((key, values)) = text.split_once('=') else {
            return Err(fail(
                "it must be key=value,value, such as optimizer.lr=0.1,0.01",
            ));
        };
        let key = key.trim();
        match key {
            "" => return Err(fail("it names no key")),
            "training.seed" => return Err(fail("seeds are chosen with --seeds N")),
            "name" => {
                return Err(fail("the name says which recipe it is, so it can't vary"));
            }
            "training.epochs" if epochs_given => {
                return Err(fail("--epochs sets the epochs of all runs already"));
            }
            _ if sweeps.iter().any(|sweep| sweep[0].key == key) => {
                return Err(fail("that key is swept already; put all values into one"));
            }
            _ => {}
        }
        let values = split_values(values);
        if values.iter().any(String::is_empty) {
            return Err(fail("a value is missing"));
        }
        let setting = |value| Setting {
            key: key.to_string(),
            value,
        };
        sweeps.push(values.into_iter().map(setting).collect());
    }
    Ok(sweeps)
}

/// Splits at commas, but not inside brackets, braces or quotes: `[0.9,0.999],[0.7,0.9]` are two
/// values.
fn split_values(text: &str) -> Vec<String> {
    let mut values = vec![String::new()];
    let mut depth = 0usize;
    let mut quote = None;
    for c in text.chars() {
        match (quote, c) {
            (None, ',') if depth == 0 => {
                values.push(String::new());
                continue;
            }
            (None, '[' | '{') => depth += 1,
            (None, ']' | '}') => depth = depth.saturating_sub(1),
            (None, '"' | '\'') => quote = Some(c),
            (Some(open), _) if open == c => quote = None,
            _ => {}
        }
        let last = values.len() - 1;
        values[last].push(c);
    }
    values.iter().map(|value| value.trim().into()).collect()
}

/// Every choice of one setting from each sweep; without sweeps, the empty choice.
pub(super) fn product(sweeps: &[Vec<Setting>]) -> Vec<Vec<Setting>> {
    sweeps.iter().fold(vec![Vec::new()], |choices, sweep| {
        let extended = choices.iter().flat_map(|choice| {
            sweep.iter().map(|setting| {
                let mut choice = choice.clone();
                choice.push(setting.clone());
                choice
            })
        });
        extended.collect()
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn commas_inside_brackets_and_quotes_belong_to_the_value() {
        assert_eq!(
            split_values("[0.9, 0.999],[0.7,0.9]"),
            ["[0.9, 0.999]", "[0.7,0.9]"]
        );
        assert_eq!(split_values("\"a,b\", c"), ["\"a,b\"", "c"]);
        assert_eq!(split_values(""), [""]);
    }
}
