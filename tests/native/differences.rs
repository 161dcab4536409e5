//! Gradients against finite differences of a plain double-precision forward pass.

use mnistctl::dataset::Batch;
use mnistctl::engine::{Engine, Loss};
use mnistctl::kernels::Isa;
use mnistctl::network::{LayerSpec, NamedTensor, Padding, Plan, PlannedLayer, Shape};
use mnistctl::rng::Rng;

use crate::compare::{NORMALIZE, digits, native, recipe, state};

/// Values of all images, `[image][channel][row][column]`.
type Images = Vec<Vec<f64>>;

fn parameter<'a>(state: &'a [(String, Vec<f64>)], layer: &str, name: &str) -> Option<&'a [f64]> {
    let name = format!("{layer}.{name}");
    let found = state.iter().find(|(own, _)| *own == name);
    found.map(|(_, values)| values.as_slice())
}

/// Some layers, one after the other.
fn run(layers: &[PlannedLayer], x: &Images, state: &[(String, Vec<f64>)]) -> Images {
    layers
        .iter()
        .fold(x.clone(), |x, planned| layer(planned, &x, state))
}

fn extent(shape: Shape) -> (usize, usize, usize) {
    match shape {
        Shape::Maps {
            channels,
            height,
            width,
        } => (channels, height, width),
        Shape::Features(features) => (features, 1, 1),
    }
}

/// Windows of every map: `take` makes one value of each.
fn pool(
    layer: &PlannedLayer,
    x: &Images,
    (kernel_size, stride): (usize, usize),
    take: impl Fn(&[f64]) -> f64,
) -> Images {
    let (channels, height, width) = extent(layer.input);
    let (_, rows, columns) = extent(layer.output);
    let one = |x: &Vec<f64>| {
        let mut out = Vec::new();
        for channel in 0..channels {
            for r in 0..rows {
                for c in 0..columns {
                    let mut window = Vec::new();
                    for dy in 0..kernel_size {
                        for dx in 0..kernel_size {
                            let (y, x_) = (r * stride + dy, c * stride + dx);
                            window.push(x[(channel * height + y) * width + x_]);
                        }
                    }
                    out.push(take(&window));
                }
            }
        }
        out
    };
    x.iter().map(one).collect()
}

fn mean(window: &[f64]) -> f64 {
    window.iter().sum::<f64>() / window.len() as f64
}

/// One layer, written down as its definition says.
fn layer(layer: &PlannedLayer, x: &Images, state: &[(String, Vec<f64>)]) -> Images {
    let of = |name: &str| parameter(state, &layer.name, name);
    let each = |f: &dyn Fn(f64) -> f64| -> Images {
        x.iter()
            .map(|x| x.iter().map(|&x| f(x)).collect())
            .collect()
    };
    let (ins, height, width) = extent(layer.input);
    match &layer.spec {
        LayerSpec::Conv(conv) => {
            let (_, rows, columns) = extent(layer.output);
            let (k, stride) = (conv.kernel_size, conv.stride);
            let Padding::Zeros(pad) = conv.padding else {
                panic!()
            };
            let (w, bias) = (of("weight").unwrap(), of("bias"));
            let (ins_of, outs_of) = (ins / conv.groups, conv.out_channels / conv.groups);
            let one = |x: &Vec<f64>| {
                let mut out = Vec::new();
                for o in 0..conv.out_channels {
                    let first = o / outs_of * ins_of;
                    for r in 0..rows {
                        for c in 0..columns {
                            let mut sum = bias.map_or(0.0, |bias| bias[o]);
                            for i in 0..ins_of {
                                for dy in 0..k {
                                    for dx in 0..k {
                                        let (y, x_) = (r * stride + dy, c * stride + dx);
                                        if (pad..pad + height).contains(&y)
                                            && (pad..pad + width).contains(&x_)
                                        {
                                            let at =
                                                ((first + i) * height + y - pad) * width + x_ - pad;
                                            sum += w[((o * ins_of + i) * k + dy) * k + dx] * x[at];
                                        }
                                    }
                                }
                            }
                            out.push(sum);
                        }
                    }
                }
                out
            };
            x.iter().map(one).collect()
        }
        LayerSpec::BatchNorm(norm) => {
            let (weight, bias) = (of("weight").unwrap(), of("bias").unwrap());
            let area = height * width;
            let mut out = x.clone();
            for channel in 0..ins {
                let range = channel * area..(channel + 1) * area;
                let all: Vec<f64> = x.iter().flat_map(|x| x[range.clone()].to_vec()).collect();
                let mean = mean(&all);
                let squares = all.iter().map(|v| (v - mean) * (v - mean));
                let variance = squares.sum::<f64>() / all.len() as f64;
                for out in &mut out {
                    for value in &mut out[range.clone()] {
                        let normal = (*value - mean) / (variance + norm.eps).sqrt();
                        *value = normal * weight[channel] + bias[channel];
                    }
                }
            }
            out
        }
        LayerSpec::MaxPool(own) => pool(
            layer,
            x,
            (own.window.kernel_size, own.window.stride),
            |window| window.iter().copied().fold(f64::NEG_INFINITY, f64::max),
        ),
        LayerSpec::AvgPool(own) => {
            pool(layer, x, (own.window.kernel_size, own.window.stride), mean)
        }
        LayerSpec::GlobalAvgPool(_) => pool(layer, x, (height, height), mean),
        LayerSpec::Linear(linear) => {
            let (w, bias) = (of("weight").unwrap(), of("bias"));
            let one = |x: &Vec<f64>| -> Vec<f64> {
                (0..linear.out_features)
                    .map(|o| {
                        let products = x.iter().zip(&w[o * ins..(o + 1) * ins]);
                        let sum: f64 = products.map(|(x, w)| x * w).sum();
                        sum + bias.map_or(0.0, |bias| bias[o])
                    })
                    .collect()
            };
            x.iter().map(one).collect()
        }
        LayerSpec::Residual(_) => {
            let [layers, shortcut] = [0, 1].map(|list| run(&layer.inner[list], x, state));
            let pairs = layers.iter().zip(&shortcut);
            pairs
                .map(|(a, b)| a.iter().zip(b).map(|(a, b)| a + b).collect())
                .collect()
        }
        LayerSpec::Prelu(prelu) => {
            let weights = of("weight").unwrap();
            let area = height * width;
            let value = |(at, &x): (usize, &f64)| {
                let channel = if prelu.num_parameters == 1 {
                    0
                } else {
                    at / area
                };
                if x > 0.0 { x } else { weights[channel] * x }
            };
            x.iter()
                .map(|x| x.iter().enumerate().map(value).collect())
                .collect()
        }
        LayerSpec::Flatten(_) | LayerSpec::Softmax(_) => x.clone(),
        LayerSpec::Tanh(_) => each(&f64::tanh),
        LayerSpec::Sigmoid(_) => each(&|x| 1.0 / (1.0 + (-x).exp())),
        LayerSpec::Silu(_) => each(&|x| x / (1.0 + (-x).exp())),
        LayerSpec::Elu(elu) => each(&|x| if x > 0.0 { x } else { elu.alpha * x.exp_m1() }),
        other => panic!("{other:?} is not needed here"),
    }
}

fn softmax(scores: &[f64]) -> Vec<f64> {
    let max = scores.iter().copied().fold(f64::NEG_INFINITY, f64::max);
    let powers: Vec<f64> = scores.iter().map(|s| (s - max).exp()).collect();
    let sum: f64 = powers.iter().sum();
    powers.into_iter().map(|p| p / sum).collect()
}

fn loss(plan: &Plan, x: &Images, labels: &[u8], kind: Loss, state: &[(String, Vec<f64>)]) -> f64 {
    let values = run(&plan.layers, x, state);
    let losses = values.iter().zip(labels).map(|(logits, &label)| {
        let scores = match kind {
            Loss::CrossEntropy => logits.clone(),
            Loss::CrossEntropyOnSoftmax => softmax(logits),
        };
        -softmax(&scores)[usize::from(label)].ln()
    });
    losses.sum::<f64>() / labels.len() as f64
}

#[test]
fn gradients_are_finite_differences() {
    check_gradients(
        "{kind='conv',out_channels=3,kernel_size=5,stride=2,padding=1}, 'batch_norm', 'tanh', \
         {kind='max_pool',kernel_size=2}, {kind='conv',out_channels=5,kernel_size=3}, 'elu', \
         {kind='max_pool',kernel_size=2,stride=1}, 'flatten', {kind='linear',out_features=12}, \
         'batch_norm', 'sigmoid', {kind='linear',out_features=10}, 'softmax'",
    );
}

#[test]
fn gradients_of_residual_and_grouped_layers_are_finite_differences() {
    check_gradients(
        "{kind='conv',out_channels=4,kernel_size=3,stride=2}, 'batch_norm', 'silu', \
         {kind='residual',layers=[{kind='conv',out_channels=4,kernel_size=3,padding=1,groups=4}, \
         'batch_norm', {kind='prelu',num_parameters=4}, {kind='conv',out_channels=4,kernel_size=1}]}, \
         'prelu', {kind='avg_pool',kernel_size=3,stride=2}, {kind='residual',layers=[\
         {kind='residual',layers=['batch_norm','tanh',{kind='conv',out_channels=4,kernel_size=3,\
         padding=1}]}, {kind='conv',out_channels=6,kernel_size=2,groups=2}], \
         shortcut=[{kind='conv',out_channels=6,kernel_size=2,bias=false}]}, \
         {kind='avg_pool',kernel_size=2}, 'global_avg_pool', 'flatten', \
         {kind='residual',layers=[{kind='linear',out_features=6}, {kind='prelu',num_parameters=6}]}, \
         {kind='linear',out_features=10}",
    );
}

#[test]
fn gradients_of_convolutions_by_tiles_are_finite_differences() {
    // Without maxima, which have several slopes where a digit's empty border makes two of them equal.
    check_gradients(
        "{kind='conv',out_channels=16,kernel_size=6,stride=3}, 'tanh', \
         {kind='conv',out_channels=17,kernel_size=3,padding=1}, 'batch_norm', 'silu', \
         {kind='conv',out_channels=16,kernel_size=3}, 'elu', {kind='avg_pool',kernel_size=2}, \
         'flatten', {kind='linear',out_features=10}",
    );
}

fn check_gradients(layers: &str) {
    let recipe = recipe(layers);
    let plan = Plan::new(&recipe.model.layers).unwrap();
    let start: Vec<NamedTensor> = state(&plan, 11);
    let indices: Vec<u32> = (100..118).collect();
    let digits = digits();
    let (images, labels) = digits.select(&indices);
    let pixel = |byte: u8| (f64::from(byte) / 255.0 - NORMALIZE.mean) / NORMALIZE.std;
    let x: Images = images
        .iter()
        .map(|image| image.iter().map(|&byte| pixel(byte)).collect())
        .collect();
    let doubles: Vec<(String, Vec<f64>)> = start
        .iter()
        .map(|t| {
            (
                t.name.clone(),
                t.values.iter().map(|&v| f64::from(v)).collect(),
            )
        })
        .collect();

    for kind in [Loss::CrossEntropy, Loss::CrossEntropyOnSoftmax] {
        for isa in Isa::available() {
            let mut recipe = recipe.clone();
            recipe.training.loss = kind;
            let mut network = native(&recipe, &plan, isa, 2);
            network.load_state(&start).unwrap();
            let batch = Batch {
                images: &images,
                labels: &labels,
            };
            let (ours, gradients) = network.gradients(batch, 0);
            assert!((ours - loss(&plan, &x, &labels, kind, &doubles)).abs() < 1e-5);
            let mut rng = Rng::new(5, &[]);
            for tensor in gradients {
                let place = doubles.iter().position(|(name, _)| *name == tensor.name);
                let largest = tensor.values.iter().fold(0f32, |m, v| m.max(v.abs()));
                for _ in 0..4 {
                    let at = rng.below(tensor.values.len() as u64) as usize;
                    let mut moved = doubles.clone();
                    let mut at_offset = |offset: f64| {
                        moved[place.unwrap()].1[at] = doubles[place.unwrap()].1[at] + offset;
                        loss(&plan, &x, &labels, kind, &moved)
                    };
                    let step = 1e-5;
                    let difference = (at_offset(step) - at_offset(-step)) / (2.0 * step);
                    let ours = f64::from(tensor.values[at]);
                    let tolerance = 1e-4 * f64::from(largest).max(1e-3);
                    assert!(
                        (ours - difference).abs() < tolerance,
                        "{} {at} on {isa}: {ours}, not {difference}",
                        tensor.name
                    );
                }
            }
        }
    }
}
