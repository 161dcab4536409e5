//! What the ten classes are called: the digits, or names of other things that look like MNIST.

use serde::Serialize;

use super::CLASSES;

/// The longest name, in characters: more fits into no table.
const LONGEST: usize = 40;

/// The names of the classes 0 to 9. By default they are the digits themselves.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize)]
#[serde(transparent)]
pub struct Classes {
    names: Option<Vec<String>>,
}

impl Classes {
    /// Ten names, in the order of the labels.
    ///
    /// # Errors
    /// What is wrong with them, in words that go on from "the names ...".
    pub fn named(names: Vec<String>) -> Result<Self, String> {
        if names.len() != CLASSES {
            return Err(format!(
                "must be {CLASSES} names, one for each label from 0 to 9, not {}",
                names.len()
            ));
        }
        for (label, name) in names.iter().enumerate() {
            let length = name.chars().count();
            if name.trim() != name || name.contains(char::is_control) || length == 0 {
                return Err(format!(
                    "has {name:?} for label {label}; a name has at least one letter, no spaces around it \
                     and no line breaks"
                ));
            }
            if length > LONGEST {
                return Err(format!(
                    "has a name of {length} characters for label {label}; {LONGEST} are the most"
                ));
            }
            if let Some(first) = names[..label].iter().position(|other| other == name) {
                return Err(format!(
                    "has the name `{name}` for the labels {first} and {label}; each needs its own"
                ));
            }
        }
        Ok(Self { names: Some(names) })
    }

    /// Whether they are other things than digits.
    pub fn are_named(&self) -> bool {
        self.names.is_some()
    }

    /// What a class is called.
    ///
    /// # Panics
    /// When `class` is not below 10, as indexing does.
    pub fn name(&self, class: usize) -> String {
        match &self.names {
            Some(names) => names[class].clone(),
            None => class.to_string(),
        }
    }

    /// A class's own name, where it has another than its digit.
    pub fn own_name(&self, class: usize) -> Option<&str> {
        self.names.as_ref().map(|names| names[class].as_str())
    }

    /// What all classes are called.
    pub fn names(&self) -> Vec<String> {
        (0..CLASSES).map(|class| self.name(class)).collect()
    }

    /// What one of them is: a `digit` or a `class`.
    pub fn noun(&self) -> &'static str {
        if self.are_named() { "class" } else { "digit" }
    }

    /// Several of them: `digits` or `classes`.
    pub fn nouns(&self) -> &'static str {
        if self.are_named() {
            "classes"
        } else {
            "digits"
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ten_different_names_are_needed() {
        let names: Vec<String> = ('a'..='j').map(String::from).collect();
        let with = |label: usize, name: &str| {
            let mut names = names.clone();
            names[label] = name.to_string();
            Classes::named(names).unwrap_err()
        };
        let classes = Classes::named(names.clone()).unwrap();
        assert_eq!((classes.name(9), classes.noun()), ("j".into(), "class"));
        assert_eq!(Classes::default().name(9), "9");
        assert!(with(3, "").contains("label 3"));
        assert!(with(3, " x").contains("label 3"));
        assert!(with(3, "x\u{1b}[2J").contains("label 3"));
        assert!(with(3, "b").contains("labels 1 and 3"));
        assert!(with(3, &"x".repeat(41)).contains("41 characters"));
        assert!(Classes::named(names[1..].to_vec()).is_err());
    }
}
