//! `mnistctl recipes`

use super::{Error, Status, plan, print};
use crate::recipe::{BUILTIN, Recipe};

pub fn run(name: Option<&str>) -> Result<Status, Error> {
    let text = match name {
        Some(name) => Recipe::builtin_text(name)?.to_string(),
        None => list()?,
    };
    print(&text)?;
    Ok(Status::Done)
}

fn list() -> Result<String, Error> {
    let mut text = String::new();
    for builtin in &BUILTIN {
        let recipe = Recipe::load(builtin.name, &[])?;
        let plan = plan(&recipe)?;
        text += &format!(
            "{:<20} {:>9} parameters, {:>3} epochs\n",
            builtin.name,
            plan.parameters(),
            recipe.training.epochs
        );
    }
    Ok(text)
}
