//! Gradients against finite differences of a plain double-precision forward pass.

use mnistctl::dataset::Batch;
use mnistctl::kernels::Isa;
use mnistctl::network::{FusedNetwork, NamedTensor, Plan, PlannedLayer, Shape};
use mnistctl::recipe::{LayerSpec, Loss, Padding};
use mnistctl::rng::Rng;

use crate::compare::{NORMALIZE, digits, recipe, state};

/// Values of all images, `[image][channel][row][column]`.
type Images = Vec<Vec<f64>>;

fn parameter<'a>(state: &'a [(String, Vec<f64>)], layer: usize, name: &str) -> Option<&'a [f64]> {
    let name = format!("{layer}.{name}");
    let found = state.iter().find(|(own, _)| *own == name);
    found.map(|(_, values)| values.as_slice())
}

/// One layer, written down as its definition says.
fn layer(number: usize, layer: &PlannedLayer, x: &Images, state: &[(String, Vec<f64>)]) -> Images {
    let of = |name: &str| parameter(state, number, name);
    let each = |f: &dyn Fn(f64) -> f64| -> Images {
        x.iter()
            .map(|x| x.iter().map(|&x| f(x)).collect())
            .collect()
    };
    let (ins, height, width) = match layer.input {
        Shape::Maps {
            channels,
            height,
            width,
        } => (channels, height, width),
        Shape::Features(features) => (features, 1, 1),
    };
    match &layer.spec {
        LayerSpec::Conv {
            out_channels,
            kernel_size: k,
            stride,
            padding,
            ..
        } => {
            let Shape::Maps {
                height: rows,
                width: columns,
                ..
            } = layer.output
            else {
                panic!()
            };
            let Padding::Zeros(pad) = *padding else {
                panic!()
            };
            let (w, bias) = (of("weight").unwrap(), of("bias"));
            let one = |x: &Vec<f64>| {
                let mut out = Vec::new();
                for o in 0..*out_channels {
                    for r in 0..rows {
                        for c in 0..columns {
                            let mut sum = bias.map_or(0.0, |bias| bias[o]);
                            for i in 0..ins {
                                for dy in 0..*k {
                                    for dx in 0..*k {
                                        let (y, x_) = (r * stride + dy, c * stride + dx);
                                        if (pad..pad + height).contains(&y)
                                            && (pad..pad + width).contains(&x_)
                                        {
                                            let at = (i * height + y - pad) * width + x_ - pad;
                                            sum += w[((o * ins + i) * k + dy) * k + dx] * x[at];
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
        LayerSpec::BatchNorm { eps, .. } => {
            let (weight, bias) = (of("weight").unwrap(), of("bias").unwrap());
            let area = height * width;
            let mut out = x.clone();
            for channel in 0..ins {
                let range = channel * area..(channel + 1) * area;
                let all: Vec<f64> = x.iter().flat_map(|x| x[range.clone()].to_vec()).collect();
                let mean = all.iter().sum::<f64>() / all.len() as f64;
                let squares = all.iter().map(|v| (v - mean) * (v - mean));
                let variance = squares.sum::<f64>() / all.len() as f64;
                for out in &mut out {
                    for value in &mut out[range.clone()] {
                        let normal = (*value - mean) / (variance + eps).sqrt();
                        *value = normal * weight[channel] + bias[channel];
                    }
                }
            }
            out
        }
        LayerSpec::MaxPool {
            kernel_size,
            stride,
        } => {
            let Shape::Maps {
                height: rows,
                width: columns,
                ..
            } = layer.output
            else {
                panic!()
            };
            let one = |x: &Vec<f64>| {
                let mut out = Vec::new();
                for channel in 0..ins {
                    for r in 0..rows {
                        for c in 0..columns {
                            let mut best = f64::NEG_INFINITY;
                            for dy in 0..*kernel_size {
                                for dx in 0..*kernel_size {
                                    let (y, x_) = (r * stride + dy, c * stride + dx);
                                    best = best.max(x[(channel * height + y) * width + x_]);
                                }
                            }
                            out.push(best);
                        }
                    }
                }
                out
            };
            x.iter().map(one).collect()
        }
        LayerSpec::Linear { out_features, .. } => {
            let (w, bias) = (of("weight").unwrap(), of("bias"));
            let one = |x: &Vec<f64>| -> Vec<f64> {
                (0..*out_features)
                    .map(|o| {
                        let products = x.iter().zip(&w[o * ins..(o + 1) * ins]);
                        let sum: f64 = products.map(|(x, w)| x * w).sum();
                        sum + bias.map_or(0.0, |bias| bias[o])
                    })
                    .collect()
            };
            x.iter().map(one).collect()
        }
        LayerSpec::Flatten | LayerSpec::Softmax => x.clone(),
        LayerSpec::Tanh => each(&f64::tanh),
        LayerSpec::Sigmoid => each(&|x| 1.0 / (1.0 + (-x).exp())),
        LayerSpec::Elu { alpha } => each(&|x| if x > 0.0 { x } else { alpha * x.exp_m1() }),
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
    let mut values = x.clone();
    for (number, planned) in plan.layers.iter().enumerate() {
        values = layer(number, planned, &values, state);
    }
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
    let layers = "{kind='conv',out_channels=3,kernel_size=5,stride=2,padding=1}, 'batch_norm', \
                  'tanh', {kind='max_pool',kernel_size=2}, \
                  {kind='conv',out_channels=5,kernel_size=3}, 'elu', \
                  {kind='max_pool',kernel_size=2,stride=1}, 'flatten', \
                  {kind='linear',out_features=12}, 'batch_norm', 'sigmoid', \
                  {kind='linear',out_features=10}, 'softmax'";
    let plan = Plan::new(&recipe(layers).model.layers).unwrap();
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
            let mut network = FusedNetwork::new(&plan, NORMALIZE, 2, isa);
            network.load_state(&start).unwrap();
            let batch = Batch {
                images: &images,
                labels: &labels,
            };
            let ours = network.backward(batch, kind.into(), 0).loss_sum / labels.len() as f64;
            assert!((ours - loss(&plan, &x, &labels, kind, &doubles)).abs() < 1e-5);
            let mut rng = Rng::new(5, &[]);
            for tensor in network.gradients() {
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
