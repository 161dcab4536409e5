//! Networks that nobody thought of.

use mnistctl::network::Plan;
use proptest::prelude::*;
use proptest::test_runner::RngSeed;

use crate::compare::{check, recipe};

fn function() -> impl Strategy<Value = String> {
    // The eps is as large as it is because of features that are the same in all images: see
    // `grid::batch_norm_before_and_behind_everything`.
    let norm = "{kind='batch_norm',eps=0.1}";
    // No ReLU: of hundreds of thousands of values one is so near its kink that rounding decides.
    prop::sample::select(vec![
        "'gelu'",
        "'tanh'",
        "'elu'",
        "'sigmoid'",
        "'silu'",
        norm,
    ])
    .prop_map(str::to_string)
}

fn spatial() -> impl Strategy<Value = String> {
    let conv = (1usize..20, 1usize..6, 1usize..3, 0usize..4, any::<bool>()).prop_map(
        |(channels, kernel, stride, padding, bias)| {
            format!(
                "{{kind='conv',out_channels={channels},kernel_size={kernel},stride={stride},\
                 padding={padding},bias={bias}}}"
            )
        },
    );
    let pool = (1usize..4, 1usize..4, any::<bool>()).prop_map(|(kernel, stride, is_max)| {
        let kind = if is_max { "max_pool" } else { "avg_pool" };
        format!("{{kind='{kind}',kernel_size={kernel},stride={stride}}}")
    });
    // Its shortcut is a conv, so that it fits behind anything. No 1x1 kernels: on an image, which is
    // mostly paper, their gradients are sums that nearly cancel, and rounding decides.
    let residual = (1usize..7, 1usize..4, 1usize..3, function()).prop_map(
        |(channels, kernel, groups, function)| {
            let outs = channels * groups;
            format!(
                "{{kind='residual',layers=[{{kind='conv',out_channels={outs},kernel_size=3,padding=1}},\
                 {{kind='conv',out_channels={outs},kernel_size={kernel},padding='same',\
                 groups={groups}}},{function}],\
                 shortcut=[{{kind='conv',out_channels={outs},kernel_size=3,padding=1,bias=false}}]}}"
            )
        },
    );
    prop_oneof![3 => conv, 1 => pool, 2 => function(), 1 => residual]
}

fn flat() -> impl Strategy<Value = String> {
    let linear = (1usize..70, any::<bool>())
        .prop_map(|(outs, bias)| format!("{{kind='linear',out_features={outs},bias={bias}}}"));
    prop_oneof![linear, function()]
}

proptest! {
    // The same networks every time: a failure that comes and goes helps nobody. To look for new
    // ones, change the seed.
    #![proptest_config(ProptestConfig {
        cases: 150,
        rng_seed: RngSeed::Fixed(2026),
        failure_persistence: None,
        ..ProptestConfig::default()
    })]

    #[test]
    fn any_network_computes_what_burn_computes(
        spatial in prop::collection::vec(spatial(), 0..5),
        flat in prop::collection::vec(flat(), 0..4),
        batch in 9u32..70,
    ) {
        let mut layers = spatial;
        layers.push("'flatten'".into());
        layers.extend(flat);
        layers.push("{kind='linear',out_features=10}".into());
        // One BatchNorm takes away what another one before it did, and rounding errors are left.
        prop_assume!(layers.iter().filter(|layer| layer.contains("batch_norm")).count() < 2);
        let layers = layers.join(", ");
        let small = |plan: Plan| plan.parameter_count() < 200_000;
        prop_assume!(Plan::new(&recipe(&layers).model.layers).is_ok_and(small));
        check(&layers, batch);
    }
}
