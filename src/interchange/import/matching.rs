//! Which tensor of a file is which of the network's: by name, or by order and shape.

use std::cmp::Ordering;
use std::collections::HashMap;

use super::{Foreign, shown};
use crate::network::{NamedTensor, Parameter, Plan, PlannedLayer};

/// A file's tensors that make up one module, with what is left of their names.
struct Module {
    name: String,
    tensors: Vec<(String, Foreign)>,
}

/// The network's tensors in the plan's order, and theirs and our names where these differ.
type Matched = (Vec<NamedTensor>, Vec<(String, String)>);

/// Finds a tensor for each of the plan's. Those of whole numbers, which no layer learns, are left out.
///
/// # Errors
/// A sentence that names the layer or the tensor for which there is no other.
pub fn match_tensors(plan: &Plan, mut tensors: Vec<Foreign>) -> Result<Matched, String> {
    tensors.retain(|tensor| tensor.values.is_some());
    let has = |name: &str| tensors.iter().any(|tensor| tensor.name == name);
    let present = plan.parameters().filter(|(name, _)| has(name)).count();
    if present == plan.parameters().count() {
        return Ok((by_name(plan, tensors)?, Vec::new()));
    }
    // Some names may be ours by chance, such as `0.weight`.
    let by_name = (present > 0).then(|| missing(plan, has));
    by_order(plan, tensors).map_err(|problem| by_name.flatten().unwrap_or(problem))
}

/// What to say of the first of our names that is missing.
fn missing(plan: &Plan, has: impl Fn(&str) -> bool) -> Option<String> {
    plan.all_layers().find_map(|layer| {
        let mut names = layer.parameters.iter().map(|p| layer.tensor_name(p));
        let name = names.find(|name| !has(name))?;
        Some(format!("{name}, of its {}, is missing", what(layer)))
    })
}

/// A layer by its number and kind.
fn what(layer: &PlannedLayer) -> String {
    format!("layer {}, {}", layer.number(), layer.spec.kind())
}

/// The tensors that have our names.
fn by_name(plan: &Plan, tensors: Vec<Foreign>) -> Result<Vec<NamedTensor>, String> {
    let mut named: HashMap<String, Foreign> = HashMap::new();
    for tensor in tensors {
        named.insert(tensor.name.clone(), tensor);
    }
    let mut matched = Vec::new();
    for layer in plan.all_layers() {
        for parameter in &layer.parameters {
            let name = layer.tensor_name(parameter);
            let Some(tensor) = named.remove(&name) else {
                return Err(format!("{name}, of its {}, is missing", what(layer)));
            };
            if tensor.shape != parameter.shape {
                return Err(format!(
                    "{name} has the shape {:?}, but its {} needs {:?}",
                    tensor.shape,
                    what(layer),
                    parameter.shape
                ));
            }
            matched.push(ours(name, tensor));
        }
    }
    nothing_left(named.keys())?;
    Ok(matched)
}

/// For each layer the first module that has tensors of its names and shapes.
fn by_order(plan: &Plan, tensors: Vec<Foreign>) -> Result<Matched, String> {
    let mut modules = modules(tensors);
    let (mut matched, mut renamed) = (Vec::new(), Vec::new());
    let learned = plan
        .all_layers()
        .filter(|layer| !layer.parameters.is_empty());
    for layer in learned {
        let fits = |module: &Module| has_exactly(module, &layer.parameters);
        let Some(place) = modules.iter().position(fits) else {
            let wanted = layer.parameters.iter();
            let wanted: Vec<_> = wanted
                .map(|p| format!("{} {:?}", p.name, p.shape))
                .collect();
            return Err(format!(
                "there is nothing left in it for its {}, which needs {}; what is left: {}",
                what(layer),
                wanted.join(", "),
                list(modules.iter().flat_map(all_names))
            ));
        };
        let module = modules.remove(place);
        let mut tensors: HashMap<String, Foreign> = module.tensors.into_iter().collect();
        for parameter in &layer.parameters {
            let name = layer.tensor_name(parameter);
            if let Some(tensor) = tensors.remove(parameter.name) {
                renamed.push((shown(&tensor.name), name.clone()));
                matched.push(ours(name, tensor));
            }
        }
    }
    let left: Vec<String> = modules.iter().flat_map(all_names).collect();
    nothing_left(left.iter())?;
    Ok((matched, renamed))
}

/// The tensors by the module that they belong to, in the order of the first of each.
fn modules(tensors: Vec<Foreign>) -> Vec<Module> {
    let mut modules: Vec<Module> = Vec::new();
    let mut places: HashMap<String, usize> = HashMap::new();
    for tensor in tensors {
        let (module, own) = match tensor.name.rsplit_once('.') {
            Some((module, own)) => (module.to_string(), own.to_string()),
            None => (String::new(), tensor.name.clone()),
        };
        let place = *places.entry(module.clone()).or_insert(modules.len());
        if place == modules.len() {
            modules.push(Module {
                name: module,
                tensors: Vec::new(),
            });
        }
        modules[place].tensors.push((own, tensor));
    }
    modules
}

fn has_exactly(module: &Module, parameters: &[Parameter]) -> bool {
    let has = |parameter: &Parameter| {
        let mut tensors = module.tensors.iter();
        tensors.any(|(name, tensor)| name == parameter.name && tensor.shape == parameter.shape)
    };
    module.tensors.len() == parameters.len() && parameters.iter().all(has)
}

fn all_names(module: &Module) -> impl Iterator<Item = String> + '_ {
    let prefix = if module.name.is_empty() { "" } else { "." };
    let tensors = module.tensors.iter();
    tensors.map(move |(own, tensor)| format!("{}{prefix}{own} {:?}", module.name, tensor.shape))
}

fn nothing_left<'a>(names: impl ExactSizeIterator<Item = &'a String>) -> Result<(), String> {
    if names.len() == 0 {
        return Ok(());
    }
    Err(format!(
        "no layer needs what is left of it: {}",
        list(names.cloned())
    ))
}

/// At most a few of the names, in order.
fn list(names: impl Iterator<Item = String>) -> String {
    const MOST: usize = 6;
    let mut names: Vec<String> = names.map(|name| shown(&name)).collect();
    names.sort_by(|a, b| by_number(a, b));
    let rest = names.len().saturating_sub(MOST);
    names.truncate(MOST);
    let listed = if names.is_empty() {
        "nothing".to_string()
    } else {
        names.join(", ")
    };
    if rest == 0 {
        listed
    } else {
        format!("{listed} and {rest} more")
    }
}

fn ours(name: String, tensor: Foreign) -> NamedTensor {
    NamedTensor {
        name,
        shape: tensor.shape,
        values: tensor.values.unwrap_or_default(),
    }
}

/// The order of names in which `fc10` comes behind `fc9`.
pub fn by_number(a: &str, b: &str) -> Ordering {
    let parts = |name: &str| -> Vec<(u64, String)> {
        let mut parts = Vec::new();
        let mut rest = name;
        while !rest.is_empty() {
            let text = rest
                .find(|c: char| c.is_ascii_digit())
                .unwrap_or(rest.len());
            let (text, digits) = rest.split_at(text);
            let end = digits.find(|c: char| !c.is_ascii_digit());
            let (digits, behind) = digits.split_at(end.unwrap_or(digits.len()));
            parts.push((digits.parse().unwrap_or(u64::MAX), text.to_string()));
            rest = behind;
        }
        // Text first, then the number behind it.
        parts
    };
    let (a, b) = (parts(a), parts(b));
    let pairs = a.iter().zip(&b);
    let mut orders = pairs.map(|((m, s), (n, t))| s.cmp(t).then(m.cmp(n)));
    let first = orders.find(|order| order.is_ne());
    first.unwrap_or_else(|| a.len().cmp(&b.len()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_in_names_count_as_numbers() {
        let mut names = [
            "fc10.weight",
            "fc9.weight",
            "conv2.bias",
            "conv2.weight",
            "fc9.bias",
            "10",
            "9",
        ];
        names.sort_by(|a, b| by_number(a, b));
        let expected = [
            "9",
            "10",
            "conv2.bias",
            "conv2.weight",
            "fc9.bias",
            "fc9.weight",
            "fc10.weight",
        ];
        assert_eq!(names, expected);
    }
}
