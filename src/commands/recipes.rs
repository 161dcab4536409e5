//! `mnistctl recipes`

use super::{Error, Status, plan, print};
use crate::recipe::{BUILTIN, Builtin, Recipe};

pub fn run(name: Option<&str>) -> Result<Status, Error> {
    let is_group = |name| BUILTIN.iter().any(|builtin| builtin.group() == Some(name));
    let text = match name {
        None => list_all()?,
        Some(group) if is_group(group) => list(Some(group))?,
        Some(name) => Recipe::builtin_text(name)?.to_string(),
    };
    print(&text)?;
    Ok(Status::Done)
}

/// The recipes that stand alone, then each group under a line that names it.
fn list_all() -> Result<String, Error> {
    let mut text = list(None)?;
    let mut groups: Vec<&str> = BUILTIN.iter().filter_map(Builtin::group).collect();
    groups.dedup();
    for group in groups {
        text += &format!("\n`{group}`, a group: mnistctl compare {group}\n");
        text += &list(Some(group))?;
    }
    Ok(text)
}

/// One line for each recipe of a group, or for each recipe outside all groups.
fn list(group: Option<&str>) -> Result<String, Error> {
    let mut text = String::new();
    for builtin in BUILTIN.iter().filter(|builtin| builtin.group() == group) {
        let recipe = Recipe::load(builtin.name, &[])?;
        let plan = plan(&recipe)?;
        text += &format!(
            "{:<28} {:>9} parameters, {:>3} epochs\n",
            builtin.name,
            plan.parameter_count(),
            recipe.training.epochs
        );
    }
    Ok(text)
}
