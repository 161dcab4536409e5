//! `train --init`: beginning with the weights of a checkpoint.

use support::World;

use mnistctl::training::Checkpoint;

/// Steps so small that no weight moves.
const NO_STEP: &str = "--data sample --limit 300 --epochs 1 --set optimizer.lr=1e-30";

#[test]
fn a_run_begins_with_the_weights_it_is_given() {
    let world = World::with_lenet();
    let args = format!("train --config lenet --init lenet.mpk {NO_STEP} --out tuned");
    let finished = world.run(&args);
    assert_eq!(finished.code, 0, "{}", finished.stderr);
    finished.assert_says(&["beginning with the weights of lenet.mpk"]);
    let load = |name: &str| Checkpoint::load(&world.path(name)).unwrap();
    let (given, tuned) = (load("lenet.mpk"), load("tuned/best.mpk"));
    assert_eq!(tuned.tensors, given.tensors, "no weight has moved");
    // The recipe says where the weights are from, so the run can be repeated from its folder.
    assert_eq!(tuned.recipe.training.init.as_deref(), Some("lenet.mpk"));
    world.ok("train --config tuned/recipe.toml --data sample --limit 300 --out again");
    assert_eq!(load("again/best.mpk").tensors, given.tensors);
    // And resumed, without the file.
    std::fs::remove_file(world.path("lenet.mpk")).unwrap();
    world.ok("train --resume tuned --epochs 2");
    assert_eq!(load("tuned/best.mpk").tensors, given.tensors);
}

#[test]
fn fine_tuning_learns_from_where_it_begins() {
    let world = World::with_lenet();
    let common = "--config lenet --data sample --limit 300 --epochs 1";
    world.ok(&format!("train {common} --out random"));
    world.ok(&format!("train {common} --init lenet.mpk --out tuned"));
    let accuracy = |run: &str| world.metrics(run)[0]["train"]["accuracy"].as_f64().unwrap();
    assert!(accuracy("tuned") > 0.9, "{}", accuracy("tuned"));
    assert!(accuracy("random") < accuracy("tuned"));
}

#[test]
fn another_last_layer_begins_afresh_and_other_layers_are_refused() {
    let world = World::with_lenet();
    let recipe = world.ok("recipes lenet");
    let last = "{ kind = \"linear\", out_features = 10 }";
    assert!(recipe.contains(last));
    let other = recipe.replace(
        last,
        "{ kind = \"linear\", out_features = 10, bias = false }",
    );
    world.write("other.toml", other);
    let finished = world.run(&format!(
        "train --config other.toml --init lenet.mpk {NO_STEP} --out other"
    ));
    assert_eq!(finished.code, 1, "a tensor is left over");
    finished.assert_says(&[
        "can't begin with the weights of lenet.mpk",
        "1 of its tensors",
    ]);

    let wider = recipe.replacen("out_features = 84", "out_features = 80", 1);
    assert_ne!(wider, recipe);
    world.write("wider.toml", wider);
    world.refused(
        &format!("train --config wider.toml --init lenet.mpk {NO_STEP} --out wider"),
        &[
            "can't begin with the weights of lenet.mpk",
            "linear, needs the shape [80,",
            "has the shape [84,",
        ],
    );
    world.refused(
        &format!("train --config lenet --init missing.mpk {NO_STEP} --out missing"),
        &["can't read the checkpoint missing.mpk"],
    );
}
