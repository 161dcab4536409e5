//! What networks differ in: the kernels' size, depth, activation, and the values that were swept.

use super::plan::Variant;
use crate::network::{LayerSpec, Padding};
use crate::recipe::Recipe;

/// One thing that variants may differ in.
#[derive(Debug)]
pub(super) struct Feature {
    /// How a sentence begins: `Kernel size`.
    pub name: String,
    /// What networks that are compared have in common, for the end of "networks alike in".
    pub alike: &'static str,
    /// The value of each variant; `None` for a variant without such a thing.
    pub cases: Vec<Option<Case>>,
}

/// A variant's value of a feature.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Case {
    /// The value in words that follow "with": `5x5`.
    pub value: String,
    /// Everything else about the variant, as far as it matters: variants with the same `rest`
    /// show what the value alone does.
    pub rest: String,
}

/// Every feature of `variants`, whether they differ in it or not.
pub(super) fn features(variants: &[Variant]) -> Vec<Feature> {
    let feature = |name: &str, alike, case: &dyn Fn(&Variant) -> Option<Case>| Feature {
        name: name.to_string(),
        alike,
        cases: variants.iter().map(case).collect(),
    };
    let mut features = vec![
        feature("Kernel size", "all else", &|variant| {
            let value = kernels(&variant.recipe)?;
            let rest = with_layers(&variant.recipe, without_kernels);
            Some(Case { value, rest })
        }),
        feature(
            "Number of convolutional layers",
            "kernel size, activation, linear layers and training",
            &|variant| {
                let recipe = &variant.recipe;
                Some(Case {
                    value: convs(recipe).to_string(),
                    rest: but_for_depth(recipe, linears(recipe)),
                })
            },
        ),
        feature(
            "Number of linear layers",
            "kernel size, activation, convolutional layers and training",
            &|variant| {
                let recipe = &variant.recipe;
                Some(Case {
                    value: linears(recipe).to_string(),
                    rest: but_for_depth(recipe, convs(recipe)),
                })
            },
        ),
        feature("Activation", "all else", &|variant| {
            let value = activations(&variant.recipe)?;
            let rest = with_layers(&variant.recipe, without_activation);
            Some(Case { value, rest })
        }),
    ];
    let settings = variants.iter().flat_map(|variant| &variant.settings);
    let mut keys: Vec<&str> = settings.map(|setting| setting.key.as_str()).collect();
    keys.sort();
    keys.dedup();
    for key in keys {
        features.push(feature(key, "all else", &|variant| {
            let (swept, others): (Vec<_>, Vec<_>) = variant
                .settings
                .iter()
                .partition(|setting| setting.key == key);
            let value = swept.first()?.value.clone();
            let rest = format!("{}, {others:?}", variant.config);
            Some(Case { value, rest })
        }));
    }
    features
}

/// `3x3`, `3x3 and 5x5`; `None` without convolutions.
fn kernels(recipe: &Recipe) -> Option<String> {
    let layers = all_layers(&recipe.model.layers).into_iter();
    let sizes = layers.filter_map(|layer| match layer {
        LayerSpec::Conv(conv) => Some(conv.kernel_size),
        _ => None,
    });
    let mut sizes: Vec<usize> = sizes.collect();
    sizes.sort();
    sizes.dedup();
    let sizes: Vec<String> = sizes.iter().map(|size| format!("{size}x{size}")).collect();
    (!sizes.is_empty()).then(|| sizes.join(" and "))
}

/// `ReLU`, `ELU and Tanh`; `None` for a network that has none.
fn activations(recipe: &Recipe) -> Option<String> {
    let layers = all_layers(&recipe.model.layers).into_iter();
    let names = layers.filter_map(|layer| layer.as_layer().activation());
    let mut names: Vec<&str> = names.collect();
    names.sort();
    names.dedup();
    (!names.is_empty()).then(|| names.join(" and "))
}

/// The layers of a list and those inside of them.
fn all_layers(layers: &[LayerSpec]) -> Vec<&LayerSpec> {
    let mut all = Vec::new();
    for layer in layers {
        all.push(layer);
        for (_, inner) in layer.as_layer().inner() {
            all.extend(all_layers(inner));
        }
    }
    all
}

fn count(recipe: &Recipe, is: impl Fn(&LayerSpec) -> bool) -> usize {
    let layers = all_layers(&recipe.model.layers);
    layers.into_iter().filter(|layer| is(layer)).count()
}

fn convs(recipe: &Recipe) -> usize {
    count(recipe, |layer| matches!(layer, LayerSpec::Conv(_)))
}

fn linears(recipe: &Recipe) -> usize {
    count(recipe, |layer| matches!(layer, LayerSpec::Linear(_)))
}

/// The recipe without its name, its seed and its network.
fn training(recipe: &Recipe) -> String {
    let mut rest = recipe.clone();
    rest.name.clear();
    rest.training.seed = 0;
    rest.model.layers.clear();
    rest.to_toml()
}

/// What networks of another depth still have in common; `others` is how many layers of the other
/// kind there are.
fn but_for_depth(recipe: &Recipe, others: usize) -> String {
    let (kernels, activations) = (kernels(recipe), activations(recipe));
    format!(
        "{kernels:?}, {activations:?}, {others}, {}",
        training(recipe)
    )
}

/// The recipe without its name and its seed, and with each layer as `change` leaves it.
fn with_layers(recipe: &Recipe, change: fn(&LayerSpec) -> LayerSpec) -> String {
    let layers = changed(&recipe.model.layers, change);
    format!("{layers:?}, {}", training(recipe))
}

fn changed(layers: &[LayerSpec], change: fn(&LayerSpec) -> LayerSpec) -> Vec<LayerSpec> {
    let layers = layers.iter().map(|layer| match layer {
        LayerSpec::Residual(block) => {
            let mut block = block.clone();
            block.layers = changed(&block.layers, change);
            block.shortcut = changed(&block.shortcut, change);
            LayerSpec::Residual(block)
        }
        other => change(other),
    });
    layers.collect()
}

fn without_kernels(layer: &LayerSpec) -> LayerSpec {
    match layer {
        LayerSpec::Conv(conv) => {
            let mut conv = conv.clone();
            conv.kernel_size = 1;
            conv.padding = Padding::Zeros(0);
            LayerSpec::Conv(conv)
        }
        other => other.clone(),
    }
}

fn without_activation(layer: &LayerSpec) -> LayerSpec {
    match layer.as_layer().activation() {
        Some(_) => LayerSpec::Relu(Default::default()),
        None => layer.clone(),
    }
}
