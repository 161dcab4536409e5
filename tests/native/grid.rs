//! Every shape and every kind of layer that a recipe can name.

use mnistctl::network::Plan;

use crate::compare::{check, has_tiles, recipe};

const BATCHES: [u32; 5] = [1, 2, 17, 64, 100];

fn conv(channels: usize, kernel_size: usize, rest: &str) -> String {
    format!("{{kind='conv',out_channels={channels},kernel_size={kernel_size}{rest}}}")
}

const POOL: &str = "{kind='max_pool',kernel_size=2}";
const END: &str = "'flatten', {kind='linear',out_features=10}";

/// Channels in, kernels and batches; channels out in turn. The widths are 27, 13 and less.
fn convs_of(kernel_size: usize) {
    let channels = [1, 3, 5, 16, 33];
    for (number, &ins) in channels.iter().enumerate() {
        for (turn, batch) in BATCHES.into_iter().enumerate() {
            let outs = channels[(number + turn) % channels.len()];
            let first = conv(ins, 2, "");
            let second = match turn % 2 {
                0 => conv(outs, kernel_size, ""),
                _ => conv(outs, kernel_size, ",padding='same'"),
            };
            check(&format!("{first}, {POOL}, {second}, 'tanh', {END}"), batch);
        }
    }
}

#[test]
fn convs_with_1x1_kernels() {
    convs_of(1);
}

#[test]
fn convs_with_3x3_kernels() {
    convs_of(3);
}

#[test]
fn convs_with_5x5_kernels() {
    convs_of(5);
}

#[test]
fn convs_with_7x7_kernels() {
    convs_of(7);
}

#[test]
fn convs_with_strides_paddings_and_no_bias() {
    for (first, second) in [
        (",stride=2", ",stride=2,padding=1"),
        (",padding=4", ",padding=3,bias=false"),
        (",bias=false", ",stride=3"),
        (",padding='same'", ",padding=2,stride=2"),
    ] {
        let (first, second) = (conv(3, 3, first), conv(4, 4, second));
        check(&format!("{first}, 'relu', {second}, 'relu', {END}"), 19);
    }
    // Wider than the widest run of taps that is computed together.
    let (first, second) = (conv(2, 9, ""), conv(3, 13, ",padding=3"));
    check(&format!("{first}, {second}, 'relu', {END}"), 5);
}

#[test]
fn batch_norm_before_and_behind_everything() {
    let (a, b) = (conv(3, 3, ""), conv(5, 5, ",padding=1"));
    for layers in [
        format!("{a}, 'batch_norm', 'relu', {POOL}, {b}, 'batch_norm', 'relu', {POOL}, {END}"),
        format!("{a}, {POOL}, 'batch_norm', 'tanh', {b}, 'batch_norm', {END}"),
        format!("'batch_norm', {a}, 'tanh', 'batch_norm', {POOL}, {END}"),
        // A digit's border is the same in all images. With the usual eps, BatchNorm multiplies what
        // differs there, rounding errors, by 316: no two ways of computing it agree.
        format!("{a}, 'batch_norm', 'flatten', {{kind='batch_norm',eps=0.1}}, {END}"),
        "'flatten', {kind='linear',out_features=33}, 'batch_norm', 'relu', \
         {kind='linear',out_features=10}, 'batch_norm'"
            .to_string(),
        format!("{a}, {{kind='batch_norm',eps=0.1,momentum=0.5}}, {POOL}, {END}"),
    ] {
        // Of two features BatchNorm makes -1 and 1 whatever they are, and the gradient is zero.
        for batch in [9, 17, 64] {
            check(&layers, batch);
        }
    }
}

#[test]
fn every_function() {
    for function in [
        "'relu'",
        "'leaky_relu'",
        // Larger inputs give smaller outputs: pooling can't go first.
        "{kind='leaky_relu',negative_slope=-0.5}",
        "'elu'",
        "{kind='elu',alpha=0.3}",
        "'gelu'",
        "'tanh'",
        "'sigmoid'",
        "'silu'",
        "'prelu'",
        "'prelu', 'prelu', 'tanh'",
        "{kind='dropout',p=0}",
        "'relu', {kind='dropout',p=0}, 'sigmoid'",
    ] {
        let first = conv(4, 3, "");
        let linear = "{kind='linear',out_features=21}";
        check(
            &format!("{first}, {function}, {POOL}, 'flatten', {linear}, {function}, {END}"),
            18,
        );
        check(&format!("{function}, {END}, {function}"), 3);
    }
}

#[test]
fn every_pooling() {
    for pool in [
        "{kind='max_pool',kernel_size=2}",
        "{kind='max_pool',kernel_size=3}",
        "{kind='max_pool',kernel_size=3,stride=2}",
        "{kind='max_pool',kernel_size=2,stride=3}",
        "{kind='max_pool',kernel_size=5,stride=1}",
        "{kind='max_pool',kernel_size=1}",
        "{kind='avg_pool',kernel_size=2}",
        "{kind='avg_pool',kernel_size=3,stride=2}",
        "{kind='avg_pool',kernel_size=2,stride=3}",
        "{kind='avg_pool',kernel_size=5,stride=1}",
        "{kind='avg_pool',kernel_size=1}",
    ] {
        for between in ["", "'batch_norm', ", "'relu', ", "'batch_norm', 'gelu', "] {
            let first = conv(3, 4, "");
            check(&format!("{first}, {between}{pool}, {END}"), 20);
        }
        check(&format!("{pool}, {pool}, {END}"), 2);
    }
}

#[test]
fn linear_layers_of_many_widths() {
    for width in [1, 15, 16, 17, 130, 257] {
        for batch in BATCHES {
            check(
                &format!("'flatten', {{kind='linear',out_features={width}}}, 'tanh', {END}"),
                batch,
            );
        }
    }
    check(
        "'flatten', {kind='linear',out_features=10,bias=false}, 'softmax'",
        33,
    );
}

#[test]
fn convs_of_every_grouping() {
    for (ins, outs, groups) in [(4, 4, 4), (4, 8, 4), (6, 9, 3), (32, 32, 2), (33, 66, 33)] {
        for rest in [
            ",padding='same'",
            ",stride=2,padding=1",
            ",padding=3,bias=false",
            "",
        ] {
            for kernel_size in [1, 3, 5] {
                // Behind a depthwise 1x1 conv it would take all there is of the weight away again.
                let norm = if kernel_size == 1 {
                    ""
                } else {
                    "'batch_norm', "
                };
                let first = conv(ins, 5, ",stride=2");
                let second = conv(outs, kernel_size, &format!(",groups={groups}{rest}"));
                check(
                    &format!("{first}, 'tanh', {second}, {norm}'silu', {END}"),
                    19,
                );
            }
        }
    }
    // Kernels of every width that the gradient of a depthwise conv's weights divides differently.
    for kernel_size in 1..=11 {
        let depthwise = conv(3, kernel_size, ",groups=3,padding=2");
        check(
            &format!("{}, 'tanh', {depthwise}, 'tanh', {END}", conv(3, 3, "")),
            11,
        );
    }
    check(&format!("{}, {POOL}, {END}", conv(6, 3, ",groups=1")), 9);
}

/// By tiles of 4x4 and of 2x2 outputs, whole and cut, with borders, in bands, in groups and in sums.
#[test]
fn convs_by_winograds_tiles() {
    let first = conv(16, 5, ",stride=2");
    let pool = |stride: usize| format!("{{kind='max_pool',kernel_size=3,stride={stride}}}");
    for layers in [
        format!("{}, 'tanh'", conv(16, 3, "")),
        format!("{}, 'relu', {POOL}", conv(40, 3, ",padding='same'")),
        format!("{}, 'tanh', {}", conv(17, 3, ",padding=2"), pool(1)),
        format!("{}, 'batch_norm', {}", conv(24, 3, ",bias=false"), pool(3)),
        format!("{}, {POOL}", conv(32, 3, ",padding=1,groups=1")),
        format!(
            "{}, 'tanh', {}, 'silu'",
            conv(32, 1, ""),
            conv(64, 3, ",groups=2,padding=1")
        ),
        // Maps of 6x6 and of 2x2 pixels.
        format!("{POOL}, 'tanh', {}, {POOL}", conv(16, 3, ",padding=1")),
        format!(
            "{POOL}, {}, {POOL}, {}",
            conv(16, 3, ""),
            conv(16, 3, ",padding=1")
        ),
        format!(
            "{{kind='residual',layers=[{}, 'batch_norm', 'tanh', {}]}}, 'relu'",
            conv(16, 3, ",padding=1"),
            conv(16, 3, ",padding='same'")
        ),
    ] {
        let layers = format!("{first}, 'tanh', {layers}, {END}");
        assert!(
            has_tiles(&Plan::new(&recipe(&layers).model.layers).unwrap()),
            "{layers}"
        );
        for batch in [5, 34] {
            check(&layers, batch);
        }
    }
}

/// Blocks whose value is read with a border, without one, as a vector, and by several.
#[test]
fn residual_blocks_of_every_form() {
    let (a, b, c) = (
        conv(4, 3, ",padding='same'"),
        conv(4, 3, ",padding=1"),
        conv(6, 1, ""),
    );
    let block = |layers: &str, shortcut: &str| {
        format!("{{kind='residual',layers=[{layers}],shortcut=[{shortcut}]}}")
    };
    for blocks in [
        block(&a, ""),
        block(&format!("{a}, 'batch_norm', 'silu', {b}, 'batch_norm'"), ""),
        format!("{}, 'relu', {POOL}", block(&a, "")),
        format!("{}, 'batch_norm', 'tanh', {POOL}", block(&b, "'silu'")),
        block(&format!("'batch_norm', 'tanh', {a}"), ""),
        block(&c, &conv(6, 3, ",padding=1,bias=false")),
        block(&conv(6, 3, ",stride=2,padding=1"), &conv(6, 1, ",stride=2")),
        block(&block(&a, ""), &block("'tanh'", &b)),
        block(&format!("{POOL}, {a}"), "{kind='avg_pool',kernel_size=2}"),
        format!("{}, {}", block(&a, ""), block("'silu'", &a)),
        block(
            "'flatten', {kind='linear',out_features=9}",
            "'flatten', {kind='linear',out_features=9}",
        ),
        format!(
            "{}, 'batch_norm'",
            block(
                &format!("{a}, 'flatten', {{kind='linear',out_features=7}}"),
                "'flatten', {kind='linear',out_features=7}"
            )
        ),
        format!(
            "{}, 'global_avg_pool'",
            block("'prelu'", "{kind='prelu',num_parameters=4}")
        ),
    ] {
        let first = conv(4, 5, ",stride=2");
        check(&format!("{first}, 'tanh', {blocks}, {END}"), 18);
        // On the image itself, whose gradient nobody wants, those that don't need four channels.
        let alone = format!("{blocks}, {END}");
        if Plan::new(&recipe(&alone).model.layers).is_ok() {
            check(&alone, 7);
        }
    }
    check(
        &format!(
            "'flatten', {{kind='residual',layers=[{{kind='linear',out_features=784}},'batch_norm','tanh']}}, {END}"
        ),
        33,
    );
}
