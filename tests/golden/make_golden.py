#!/usr/bin/env python3
"""Write the numbers in this folder: what PyTorch computes where mnistctl claims to agree with it.

Made with torch 2.15.0 (CPU, one thread, Python 3.11); numpy is not needed.

    pip install torch==2.15.0
    python3 tests/golden/make_golden.py            # writes next to this script
    python3 tests/golden/make_golden.py --spread   # writes nothing: prints how far f32 is from f64

The training runs read the digits in data/sample. On one machine every run writes the
same bytes; on another kind of CPU the last digits of f32 sums may differ.
"""

import argparse
import gzip
import json
import math
import random
import struct
import tomllib
from pathlib import Path

import torch
from torch import nn
from torch.optim.swa_utils import AveragedModel, get_ema_multi_avg_fn

HERE = Path(__file__).resolve().parent
SAMPLE = HERE.parent.parent / "data" / "sample"
BATCH, STEPS = 64, 20

# Which 64 images each step takes: batch n is images 64 n to 64 n + 63. Left out are batches with an image at which a
# ReLU or a max pool of that run is so near a decision that rounding takes it either way.
BATCHES = {
    "cnn-sgd": [0, 1, 3, 4, 5, 6, 7, 9, 10, 11, 13, 14, 15, 17, 18, 19, 20, 21, 22, 23],
    "cnn-all": [0, 1, 3, 4, 5, 6, 7, 8, 9, 11, 12, 13, 15, 16, 17, 27, 28, 31, 33, 51],
    "mlp-adam": [1, 2, 3, 4, 5, 6, 7, 8, 10, 11, 12, 13, 14, 15, 16, 17, 18, 19, 20, 21],
}


# Adam divides first gradients as small as its eps by nearly themselves, which amplifies noise without any kink.
NOISE = {"mlp-adam": 2e-7}


def batches(name):
    return BATCHES.get(name, list(range(STEPS)))


# ---------------------------------------------------------------- writing


def digits(value):
    """A tensor, a list or a number with 9 significant digits, enough to give back any f32."""
    if isinstance(value, torch.Tensor):
        value = value.tolist()
    if isinstance(value, list):
        return [digits(item) for item in value]
    return float(f"{value:.9g}")


def to_json(value, indent=""):
    """JSON with each object key on its own line, and each innermost list on one line."""
    deeper = indent + "  "
    if isinstance(value, dict):
        items = [f"{json.dumps(key)}: {to_json(item, deeper)}" for key, item in value.items()]
        opening, closing = "{", "}"
    elif isinstance(value, list) and any(isinstance(item, (dict, list)) for item in value):
        items = [to_json(item, deeper) for item in value]
        opening, closing = "[", "]"
    else:
        return json.dumps(value, allow_nan=False)
    return f"{opening}\n{deeper}" + f",\n{deeper}".join(items) + f"\n{indent}{closing}"


def write(name, content):
    path = HERE / name
    path.write_text(to_json({"torch": torch.__version__.split("+")[0], **content}) + "\n")
    print(f"{path.name}: {path.stat().st_size} bytes")


# ---------------------------------------------------------------- a) twenty training steps


def read_sample(prefix):
    """Images as f32 [count, 1, 28, 28], normalised, and labels, in file order."""
    pixels = gzip.decompress((SAMPLE / f"{prefix}-images-idx3-ubyte.gz").read_bytes())[16:]
    labels = gzip.decompress((SAMPLE / f"{prefix}-labels-idx1-ubyte.gz").read_bytes())[8:]
    images = torch.frombuffer(bytearray(pixels), dtype=torch.uint8).view(-1, 1, 28, 28)
    images = (images.to(torch.float32) / 255 - 0.1307) / 0.3081
    return images, torch.tensor(list(labels))


def cnn():
    return nn.Sequential(
        nn.Conv2d(1, 3, 3), nn.BatchNorm2d(3), nn.ReLU(), nn.MaxPool2d(2),
        nn.Conv2d(3, 3, 5), nn.BatchNorm2d(3), nn.ReLU(), nn.MaxPool2d(2),
        nn.Flatten(), nn.Linear(48, 164), nn.Dropout(0.0), nn.ReLU(), nn.Linear(164, 10),
    )  # fmt: skip


def cnn_all():
    """Without biases before the batch norms: their gradients are rounding noise, which AdamW would make steps of."""
    return nn.Sequential(
        nn.Conv2d(1, 3, 3, bias=False), nn.BatchNorm2d(3), nn.ReLU(), nn.MaxPool2d(2),
        nn.Conv2d(3, 3, 5, bias=False), nn.BatchNorm2d(3), nn.ReLU(), nn.MaxPool2d(2),
        nn.Flatten(), nn.Linear(48, 164), nn.Dropout(0.0), nn.ReLU(), nn.Linear(164, 10),
    )  # fmt: skip


def mlp():
    return nn.Sequential(
        nn.Flatten(), nn.Linear(784, 200), nn.ReLU(), nn.Linear(200, 150), nn.ReLU(),
        nn.Linear(150, 100), nn.ReLU(), nn.Linear(100, 80), nn.ReLU(), nn.Linear(80, 10),
    )  # fmt: skip


class Residual(nn.Module):
    """x + f(x); without a shortcut, x itself is added."""

    def __init__(self, layers, shortcut=()):
        super().__init__()
        self.layers, self.shortcut = sequential(layers), sequential(shortcut)

    def forward(self, x):
        return self.layers(x) + self.shortcut(x)


# By the kinds' names in a recipe; its other keys are PyTorch's arguments.
MODULES = {
    "conv": nn.LazyConv2d, "batch_norm": nn.LazyBatchNorm2d, "linear": nn.LazyLinear,
    "relu": nn.ReLU, "silu": nn.SiLU, "prelu": nn.PReLU,
    "max_pool": nn.MaxPool2d, "avg_pool": nn.AvgPool2d, "global_avg_pool": lambda: nn.AdaptiveAvgPool2d(1),
    "flatten": nn.Flatten, "residual": Residual,
}  # fmt: skip


def sequential(layers):
    """The modules of a recipe's list of layers."""
    tables = [{"kind": layer} if isinstance(layer, str) else dict(layer) for layer in layers]
    return nn.Sequential(*(MODULES[table.pop("kind")](**table) for table in tables))


def recipe_run(name, parameter_count):
    """A run of the recipe beside this script, which the Rust test reads too."""
    recipe = tomllib.loads((HERE / f"{name}.toml").read_text())
    optimizer = recipe["optimizer"]
    optimizer_class = {"sgd": torch.optim.SGD, "adamw": torch.optim.AdamW}[optimizer.pop("kind")]

    def build():
        model = sequential(recipe["model"]["layers"])
        # One pass lets the lazy modules find the sizes of their inputs.
        model.eval()(torch.zeros(1, 1, 28, 28))
        return model

    make_optimizer = lambda parameters: optimizer_class(parameters, **optimizer)
    return build, make_optimizer, optimizer["lr"], parameter_count


def splitmix64(z):
    """The mixing function of SplitMix64, on unsigned 64-bit numbers."""
    mask = 2**64 - 1
    z = (z + 0x9E3779B97F4A7C15) & mask
    z = ((z ^ (z >> 30)) * 0xBF58476D1CE4E5B9) & mask
    z = ((z ^ (z >> 27)) * 0x94D049BB133111EB) & mask
    return z ^ (z >> 31)


def initial_values(t, shape, fan_in):
    """Element j of trainable tensor t: (2u - 1) * bound in f32, u = splitmix64(t * 2^32 + j) >> 40, over 2^24."""
    u = [(splitmix64((t << 32) + j) >> 40) / 2**24 for j in range(math.prod(shape))]
    bound = torch.tensor(1 / math.sqrt(fan_in), dtype=torch.float32)
    return ((2 * torch.tensor(u, dtype=torch.float32) - 1) * bound).view(shape)


def initialise(model):
    """Give convolutions and linear layers the values above; batch norms and PReLUs keep what PyTorch gives them."""
    for t, (name, parameter) in enumerate(model.named_parameters()):
        layer = model.get_submodule(name.rpartition(".")[0])
        if isinstance(layer, (nn.Conv2d, nn.Linear)):
            fan_in = layer.weight[0].numel()
            parameter.data = initial_values(t, parameter.shape, fan_in)


def describe_tensors(model):
    """Name, shape, place in the .bin and exactly rounded f64 sum of each trainable tensor."""
    rows, offset = [], 0
    for name, parameter in model.named_parameters():
        total = math.fsum(parameter.detach().flatten().tolist())
        rows.append({"name": name, "shape": list(parameter.shape), "offset": offset, "initial_sum": total})
        offset += parameter.numel()
    return rows


def perturbed(values, noise, generator):
    """Times 1 + noise * (normally distributed)."""
    return (values * (1 + noise * torch.randn(values.shape, generator=generator, dtype=torch.float64))).to(values.dtype)


def train(name, model, make_optimizer, dtype=torch.float32, noise=0.0, seed=0):
    """Twenty steps of 64 images; the loss before each update. Weights and images may start with relative noise."""
    model.to(dtype).train()
    images, labels = read_sample("train")
    images = images.to(dtype)
    if noise:
        generator = torch.Generator().manual_seed(seed)
        for parameter in model.parameters():
            parameter.data = perturbed(parameter.data, noise, generator)
        images = perturbed(images, noise, generator)
    optimizer = make_optimizer(model.parameters())
    losses = []
    for number in batches(name):
        batch = slice(number * BATCH, (number + 1) * BATCH)
        loss = nn.functional.cross_entropy(model(images[batch]), labels[batch])
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        losses.append(loss.item())
    return losses


def eval_logits(model, dtype=torch.float32):
    images, _ = read_sample("t10k")
    with torch.no_grad():
        return model.eval()(images[:16].to(dtype))


RUNS = {
    "cnn-sgd": (cnn, lambda parameters: torch.optim.SGD(parameters, lr=0.01), 0.01, 9956),
    "mlp-adam": (mlp, lambda parameters: torch.optim.Adam(parameters, lr=0.001), 0.001, 211140),
    "layers-sgd": recipe_run("layers-sgd", 1067),
    "layers-adamw": recipe_run("layers-adamw", 5919),
}


def training_run(name):
    build, make_optimizer, lr, parameter_count = RUNS[name]
    model = build()
    initialise(model)
    tensors = describe_tensors(model)
    assert sum(p.numel() for p in model.parameters()) == parameter_count
    losses = train(name, model, make_optimizer)
    final = torch.cat([p.detach().flatten() for p in model.parameters()]).tolist()
    (HERE / f"{name}-final.bin").write_bytes(struct.pack(f"<{len(final)}f", *final))
    buffers = {k: digits(v) for k, v in model.named_buffers() if "running" in k}
    order = "" if name in BATCHES else " in file order"
    write(
        f"{name}.json",
        {
            "description": f"{STEPS} training steps on data/sample{order}; losses before each update, "
            "weights (in the .bin), buffers and eval-mode logits of test images 0 to 15 after the last",
            "lr": lr,
            "batch": BATCH,
            **({"batches": BATCHES[name]} if name in BATCHES else {}),
            "parameters": parameter_count,
            "losses": digits(losses),
            "tensors": tensors,
            "buffers": buffers,
            "eval_logits": digits(eval_logits(model)),
        },
    )


def all_run():
    """AdamW with label smoothing, clipped gradients, a warm-up and a moving average of the weights."""
    model = cnn_all()
    initialise(model)
    tensors = describe_tensors(model)
    average = AveragedModel(model, multi_avg_fn=get_ema_multi_avg_fn(0.9), use_buffers=True)
    optimizer = torch.optim.AdamW(model.parameters(), lr=0.003, weight_decay=0.05)
    steps = 5
    warmup = torch.optim.lr_scheduler.LinearLR(optimizer, start_factor=0.1, total_iters=steps)
    images, labels = read_sample("train")
    losses, norms = [], []
    for number in batches("cnn-all"):
        batch = slice(number * BATCH, (number + 1) * BATCH)
        loss = nn.functional.cross_entropy(model.train()(images[batch]), labels[batch], label_smoothing=0.1)
        optimizer.zero_grad()
        loss.backward()
        norms.append(nn.utils.clip_grad_norm_(model.parameters(), 1.5).item())
        optimizer.step()
        warmup.step()
        average.update_parameters(model)
        losses.append(loss.item())
    assert min(norms) < 1.5 < max(norms), norms
    for part, of in [("final", model), ("average", average.module)]:
        values = torch.cat([p.detach().flatten() for p in of.parameters()]).tolist()
        (HERE / f"cnn-all-{part}.bin").write_bytes(struct.pack(f"<{len(values)}f", *values))
    buffers = lambda of: {k: digits(v) for k, v in of.named_buffers() if "running" in k}
    write(
        "cnn-all.json",
        {
            "description": "as the other runs, with AdamW(lr=0.003, weight_decay=0.05), label_smoothing=0.1, "
            "clip_grad_norm_(1.5), LinearLR(0.1, total_iters=5), AveragedModel(get_ema_multi_avg_fn(0.9), "
            "use_buffers=True); eval-mode logits are the average's",
            "steps": steps,
            "batches": batches("cnn-all"),
            "parameters": sum(p.numel() for p in model.parameters()),
            "losses": digits(losses),
            "tensors": tensors,
            "buffers": buffers(model),
            "average_buffers": buffers(average.module),
            "eval_logits": digits(eval_logits(average.module)),
        },
    )


def results(name, dtype, onednn, **noise):
    """Losses, final weights and eval logits, all as f64, of a run in `dtype` from the same initial weights."""
    build, make_optimizer, _, _ = RUNS[name]
    torch.backends.mkldnn.enabled = onednn
    model = build()
    initialise(model)
    losses = torch.tensor(train(name, model, make_optimizer, dtype, **noise), dtype=torch.float64)
    weights = torch.cat([p.detach().flatten() for p in model.parameters()])
    return losses, weights.double(), eval_logits(model, dtype).double()


def print_spread():
    """How far rounding moves the results: f32 without and with oneDNN, and f64 with noise in its inputs, from f64."""
    for name in RUNS:
        exact = results(name, torch.float64, onednn=False)
        far = lambda found: [(a - b).abs().max().item() for a, b in zip(found, exact)]
        for onednn in (False, True):
            for threads in (1, 2):
                torch.set_num_threads(threads)
                print_far(f"{name}, oneDNN {onednn}, threads {threads}", far(results(name, torch.float32, onednn)))
        noise = NOISE.get(name, 1e-6)
        trials = [far(results(name, torch.float64, False, noise=noise, seed=seed)) for seed in range(1, 21)]
        print_far(f"{name}, worst of 20 with noise {noise:g}", [max(column) for column in zip(*trials)])


def print_far(what, far):
    print(f"{what}: losses {far[0]:.1e}, final weights {far[1]:.1e}, eval logits {far[2]:.1e}", flush=True)


# ---------------------------------------------------------------- b) optimizers


def sgd(**changes):
    defaults = {"lr": 0.01, "momentum": 0.0, "dampening": 0.0, "weight_decay": 0.0, "nesterov": False}
    return "sgd", torch.optim.SGD, {**defaults, **changes}


def adam(**changes):
    defaults = {"lr": 0.001, "betas": [0.9, 0.999], "eps": 1e-8, "weight_decay": 0.0}
    return "adam", torch.optim.Adam, {**defaults, **changes}


def adamw(**changes):
    defaults = {"lr": 0.001, "betas": [0.9, 0.999], "eps": 1e-8, "weight_decay": 1e-2}
    return "adamw", torch.optim.AdamW, {**defaults, **changes}


def rmsprop(**changes):
    defaults = {"lr": 0.01, "alpha": 0.99, "eps": 1e-8, "weight_decay": 0.0, "momentum": 0.0}
    return "rmsprop", torch.optim.RMSprop, {**defaults, **changes}


OPTIMIZERS = [
    sgd(),
    sgd(momentum=0.9),
    sgd(momentum=0.9, nesterov=True),
    sgd(momentum=0.9, dampening=0.1),
    sgd(weight_decay=0.01),
    sgd(momentum=0.9, nesterov=True, weight_decay=0.01),
    adam(),
    adam(betas=[0.8, 0.95], eps=1e-6),
    adam(weight_decay=0.01),
    adamw(),
    adamw(lr=0.01, weight_decay=0.5),
    adamw(weight_decay=0.0),
    rmsprop(),
    rmsprop(momentum=0.9, weight_decay=0.01),
    rmsprop(alpha=0.9, eps=1e-3),
]


def gradient_sequence():
    """Seeded f32 gradients: ordinary, small, tiny (near Adam's eps), large, and one that is zero until step 10."""
    gradients = torch.randn(STEPS, 6) * torch.tensor([1.0, 0.1, 1e-3, 1e-7, 10.0, 1.0])
    gradients[:10, 5] = 0.0
    return gradients


def optimizer_case(kind, optimizer_class, args):
    parameter = nn.Parameter(torch.randn(6))
    initial, gradients = parameter.detach().clone(), gradient_sequence()
    options = {key: tuple(value) if key == "betas" else value for key, value in args.items()}
    optimizer = optimizer_class([parameter], **options)
    expected = []
    for gradient in gradients:
        parameter.grad = gradient.clone()
        optimizer.step()
        expected.append(digits(parameter.detach()))
    return {
        "kind": kind,
        "args": args,
        "initial": digits(initial),
        "gradients": digits(gradients),
        "expected": expected,
    }


def optimizers():
    torch.manual_seed(1)
    write(
        "optimizers.json",
        {
            "description": "six f32 parameters, a given gradient for each step, and the parameters after it",
            "cases": [optimizer_case(*case) for case in OPTIMIZERS],
        },
    )


# ---------------------------------------------------------------- c) ReduceLROnPlateau


def decaying(rng, count, noise=0.02):
    """A loss that falls and levels off, with noise."""
    return [round(2 * math.exp(-i / 60) + 0.05 + noise * rng.gauss(0, 1), 5) for i in range(count)]


def stairs(rng, count):
    """Levels that drop every 40 steps, almost flat in between."""
    return [round(2 * 0.7 ** (i // 40) + 1e-4 * rng.random(), 5) for i in range(count)]


def rising(rng, count):
    """Falls for a third of the way, then rises: overfitting."""
    trend = [1 - i / count if i < count // 3 else 2 * i / count for i in range(count)]
    return [round(value + 0.01 * rng.random(), 5) for value in trend]


def ties(rng, count):
    """Two decimals only, so the best value comes back exactly, many times."""
    return [round(value, 2) for value in decaying(rng, count, noise=0.01)]


def accuracy(rng, count):
    return [round(1 - value / 3, 5) for value in decaying(rng, count)]


def negative(rng, count):
    """A falling metric below zero, where a relative threshold works against the sign."""
    return [round(value - 4, 5) for value in decaying(rng, count)]


def at_threshold(args):
    """Each value is the last accepted one moved by exactly the threshold, or one f64 to either side of that."""

    def sequence(rng, count):
        sign = -1 if args["mode"] == "min" else 1
        best, values = 1.0, [1.0]
        while len(values) < count:
            relative = args["threshold_mode"] == "rel"
            edge = best * (1.0 + sign * args["threshold"]) if relative else best + sign * args["threshold"]
            better = math.nextafter(edge, sign * math.inf)
            worse = math.nextafter(edge, -sign * math.inf)
            values.append(rng.choice([better, edge, edge, worse, worse, best]))
            best = better if values[-1] == better else best
        return values

    return sequence


def with_nan(rng, count):
    """NaN first, a few times on the way down, and for a stretch on the plateau."""
    values = decaying(rng, count)
    for i in [0, 5, 6, 50, *range(200, 230)]:
        values[i] = math.nan
    return values


PLATEAU_DEFAULTS = {
    "mode": "min", "factor": 0.1, "patience": 10, "threshold": 1e-4,
    "threshold_mode": "rel", "cooldown": 0, "min_lr": 0.0, "eps": 1e-8,
}  # fmt: skip

PLATEAU_CASES = [
    ("defaults, decaying", decaying, 500, {}),
    ("defaults, stairs", stairs, 400, {}),
    ("defaults, rising", rising, 300, {}),
    ("patience 0", decaying, 300, {"patience": 0, "factor": 0.9}),
    ("patience 1", decaying, 300, {"patience": 1, "factor": 0.8}),
    ("patience 1, down to where eps stops it", rising, 300, {"patience": 1}),
    ("patience 3", stairs, 300, {"patience": 3, "factor": 0.8}),
    ("ties, rel threshold 0", ties, 300, {"threshold": 0.0, "patience": 3, "factor": 0.8}),
    ("ties, abs threshold 0", ties, 300, {"threshold": 0.0, "threshold_mode": "abs", "patience": 1, "factor": 0.9}),
    ("abs threshold 1e-4", stairs, 300, {"threshold_mode": "abs", "patience": 3, "factor": 0.8}),
    ("abs threshold 0.1", decaying, 300, {"threshold": 0.1, "threshold_mode": "abs", "patience": 3, "factor": 0.8}),
    ("rel threshold 0.1", decaying, 300, {"threshold": 0.1, "patience": 3, "factor": 0.8}),
    ("at rel threshold 0", at_threshold, 300, {"threshold": 0.0, "patience": 3, "factor": 0.9}),
    ("at rel threshold 1e-4", at_threshold, 300, {"patience": 3, "factor": 0.9}),
    ("at rel threshold 0.1", at_threshold, 300, {"threshold": 0.1, "patience": 3, "factor": 0.9}),
    ("at abs threshold 1e-4", at_threshold, 300, {"threshold_mode": "abs", "patience": 3, "factor": 0.9}),
    ("at abs threshold 0.1", at_threshold, 300,
     {"threshold": 0.1, "threshold_mode": "abs", "patience": 3, "factor": 0.9}),
    ("mode max, at rel threshold 1e-4", at_threshold, 300, {"mode": "max", "patience": 3, "factor": 0.9}),
    ("mode max, at abs threshold 0.1", at_threshold, 300,
     {"mode": "max", "threshold": 0.1, "threshold_mode": "abs", "patience": 3, "factor": 0.9}),
    ("cooldown 5", decaying, 300, {"cooldown": 5, "patience": 3, "factor": 0.8}),
    ("cooldown 5, patience 0", rising, 300, {"cooldown": 5, "patience": 0, "factor": 0.8}),
    ("min_lr", decaying, 300, {"min_lr": 3e-4, "patience": 3, "factor": 0.5}),
    ("min_lr above the lr", decaying, 300, {"min_lr": 0.1, "patience": 3}),
    ("eps skips a small change", decaying, 300, {"eps": 2e-3, "patience": 3, "factor": 0.5}),
    ("a change of exactly eps is skipped", rising, 300,
     {"eps": 0.0625, "patience": 3, "factor": 0.5, "initial_lr": 0.5}),
    ("mode max", accuracy, 300, {"mode": "max", "patience": 3, "factor": 0.8}),
    ("mode max, abs threshold 0.1", accuracy, 300,
     {"mode": "max", "threshold": 0.1, "threshold_mode": "abs", "patience": 3, "factor": 0.8}),
    ("metrics below zero", negative, 300, {"threshold": 5e-3, "patience": 0, "factor": 0.9}),
    ("everything at once", stairs, 300,
     {"factor": 0.3, "patience": 1, "threshold": 1e-3, "threshold_mode": "abs", "cooldown": 5, "min_lr": 1e-5,
      "eps": 1e-6}),
    ("NaN among the metrics", with_nan, 300, {"factor": 0.8, "patience": 3}),
]  # fmt: skip


def plateau_case(number, name, sequence, count, changes):
    args = {**PLATEAU_DEFAULTS, **changes}
    initial_lr = args.pop("initial_lr", 0.01)
    if sequence is at_threshold:
        sequence = at_threshold(args)
    metrics = sequence(random.Random(number), count)
    optimizer = torch.optim.SGD([nn.Parameter(torch.zeros(1))], lr=initial_lr)
    scheduler = torch.optim.lr_scheduler.ReduceLROnPlateau(optimizer, **args)
    lrs = []
    for metric in metrics:
        scheduler.step(metric)
        lrs.append(optimizer.param_groups[0]["lr"])
    # Texts, because a JSON parser may read a number one bit off, and these must be exact.
    exact = lambda numbers: [repr(number) for number in numbers]
    return {"name": name, "args": args, "initial_lr": initial_lr, "metrics": exact(metrics), "lrs": exact(lrs)}


def plateau():
    write(
        "plateau.json",
        {
            "description": "the lr after each step(metric), f64 as Python's repr writes it, in texts",
            "cases": [plateau_case(number, *case) for number, case in enumerate(PLATEAU_CASES)],
        },
    )


# ---------------------------------------------------------------- d) batch normalisation


def batch_norm():
    torch.manual_seed(2)
    layer = nn.BatchNorm2d(2, eps=1e-3, momentum=0.3)
    layer.weight.data, layer.bias.data = torch.randn(2), torch.randn(2)
    steps = []
    for step in range(3):
        inputs = torch.randn(3, 2, 4, 5) * (step + 1) + step
        inputs.requires_grad_()
        loss_weights = torch.randn(3, 2, 4, 5)
        layer.zero_grad()
        output = layer(inputs)
        (output * loss_weights).sum().backward()
        steps.append(
            {
                "input": digits(inputs.flatten()),
                "loss_weights": digits(loss_weights.flatten()),
                "output": digits(output.flatten()),
                "running_mean": digits(layer.running_mean),
                "running_var": digits(layer.running_var),
                "input_grad": digits(inputs.grad.flatten()),
                "weight_grad": digits(layer.weight.grad),
                "bias_grad": digits(layer.bias.grad),
            }
        )
    eval_input = torch.randn(3, 2, 4, 5)
    write(
        "batch_norm.json",
        {
            "description": "BatchNorm2d(2) in training mode, loss = sum(output * loss_weights), no update of weight "
            "and bias; then eval mode. Tensors of the given shape are listed flat, row-major",
            "eps": layer.eps,
            "momentum": layer.momentum,
            "shape": [3, 2, 4, 5],
            "weight": digits(layer.weight),
            "bias": digits(layer.bias),
            "steps": steps,
            "eval_input": digits(eval_input.flatten()),
            "eval_output": digits(layer.eval()(eval_input).flatten()),
        },
    )


# ---------------------------------------------------------------- e) default initialisation


def statistics(values):
    values = torch.stack(values).double()
    std, mean = torch.std_mean(values, correction=0)
    return {
        "count": values.numel(),
        "min": digits(values.min().item()),
        "max": digits(values.max().item()),
        "mean": digits(mean.item()),
        "std": digits(std.item()),
    }


def init_case(name, fan_in, build, instances=1000):
    torch.manual_seed(3)
    layers = [build() for _ in range(instances)]
    return {
        "layer": name,
        "fan_in": fan_in,
        "bound": 1 / math.sqrt(fan_in),
        "instances": instances,
        "weight": statistics([layer.weight.detach() for layer in layers]),
        "bias": statistics([layer.bias.detach() for layer in layers]),
    }


def init():
    write(
        "init.json",
        {
            "description": "PyTorch's default initialisation: uniform in -bound..bound, bound = 1 / sqrt(fan_in), "
            "for weights and biases alike. Measured over all elements of many instances",
            "cases": [
                init_case("Conv2d(3, 8, 5)", 75, lambda: nn.Conv2d(3, 8, 5)),
                init_case("Linear(48, 164)", 48, lambda: nn.Linear(48, 164)),
            ],
        },
    )


def one_cycle_case(steps, **args):
    optimizer = torch.optim.SGD([nn.Parameter(torch.zeros(1))], lr=1.0)
    scheduler = torch.optim.lr_scheduler.OneCycleLR(optimizer, total_steps=steps, cycle_momentum=False, **args)
    lrs = []
    for step in range(steps):
        lrs.append(optimizer.param_groups[0]["lr"])
        optimizer.step()
        if step + 1 < steps:
            scheduler.step()
    return {"steps": steps, "args": args, "lrs": [repr(lr) for lr in lrs]}


def one_cycle():
    write(
        "one_cycle.json",
        {
            "description": "torch.optim.lr_scheduler.OneCycleLR with cycle_momentum=False: the rate of each step",
            "cases": [
                one_cycle_case(40, max_lr=0.01),
                one_cycle_case(7, max_lr=0.5, pct_start=0.5),
                one_cycle_case(25, max_lr=0.1, pct_start=0.2, anneal_strategy="linear"),
                one_cycle_case(30, max_lr=0.02, div_factor=10.0, final_div_factor=100.0),
            ],
        },
    )


def schedule_case(kind, scheduler_class, args, epochs=12, steps=3, warmup=None, **defaults):
    """The rate of each batch: the warm-up is stepped once a batch, the schedule after it once an epoch."""
    lr = 0.1
    optimizer = torch.optim.SGD([nn.Parameter(torch.zeros(1))], lr=lr)
    rate = lambda: optimizer.param_groups[0]["lr"]
    lrs = []
    if warmup:
        linear = torch.optim.lr_scheduler.LinearLR(
            optimizer, start_factor=warmup["start_factor"], total_iters=warmup["epochs"] * steps
        )
        for _ in range(warmup["epochs"] * steps):
            lrs.append(rate())
            optimizer.step()
            linear.step()
        optimizer = torch.optim.SGD([nn.Parameter(torch.zeros(1))], lr=lr)
    scheduler = scheduler_class(optimizer, **args, **defaults)
    while len(lrs) < epochs * steps:
        lrs.extend([rate()] * steps)
        optimizer.step()
        scheduler.step()
    args = {"t_max" if key == "T_max" else key: value for key, value in args.items()}
    return {
        "kind": kind, "args": args, "warmup": warmup, "lr": lr, "epochs": epochs, "steps": steps,
        "lrs": [repr(lr) for lr in lrs],
    }  # fmt: skip


def schedules():
    of = torch.optim.lr_scheduler
    write(
        "schedules.json",
        {
            "description": "StepLR, ExponentialLR, CosineAnnealingLR and ConstantLR(1), with and without LinearLR "
            "before them: the rate of each batch",
            "cases": [
                schedule_case("step", of.StepLR, {"step_size": 3, "gamma": 0.1}),
                schedule_case("step", of.StepLR, {"step_size": 5, "gamma": 0.5}, warmup={"epochs": 2, "start_factor": 0.01}),
                schedule_case("exponential", of.ExponentialLR, {"gamma": 0.9}),
                schedule_case("exponential", of.ExponentialLR, {"gamma": 0.97}, warmup={"epochs": 1, "start_factor": 0.5}),
                schedule_case("cosine_annealing", of.CosineAnnealingLR, {"T_max": 12}),
                schedule_case("cosine_annealing", of.CosineAnnealingLR, {}, T_max=12),
                schedule_case("cosine_annealing", of.CosineAnnealingLR, {"T_max": 5, "eta_min": 0.001}),
                schedule_case("cosine_annealing", of.CosineAnnealingLR, {"eta_min": 0.001}, T_max=9,
                              warmup={"epochs": 3, "start_factor": 0.25}),
                schedule_case("constant", of.ConstantLR, {}, factor=1.0, warmup={"epochs": 4, "start_factor": 0.1}),
            ],
        },
    )  # fmt: skip


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--spread", action="store_true", help="only print how far the f32 runs are from f64")
    args = parser.parse_args()
    torch.set_num_threads(1)
    torch.use_deterministic_algorithms(True)
    torch.backends.mkldnn.enabled = False  # its f32 convolution gradients round more: see --spread
    if args.spread:
        return print_spread()
    for name in RUNS:
        training_run(name)
    all_run()
    optimizers()
    plateau()
    one_cycle()
    schedules()
    batch_norm()
    init()


if __name__ == "__main__":
    main()
