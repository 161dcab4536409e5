"""What the peers share: MNIST's files, the networks, and the protocol they are measured by.

A worker reads one JSON object a line from standard input and answers each with one line:

    {"what": "ready"}  ->  {"name": "torch eager", "version": "2.15.0"}
    {"what": "train", "network": "mlp", "batch": 64, "seconds": 0.5}  ->  {"images_per_second": 1.0, "iterations": 1}

"what" is "ready", "train" or "infer". A request that fails is answered with {"error": "..."}.
"""

import contextlib
import ctypes
import gzip
import json
import math
import os
import sys
import time
import traceback
from pathlib import Path

MEAN, STD = 0.1307, 0.3081
# Training images in memory; iterations take one batch after the other and begin again at the end.
IMAGES = 4096

# ("conv", channels, kernel, padding), ("linear", features), ("dropout", p); max_pool is 2x2. "conv" may
# end with False for one without biases.
NETWORKS = {
    "cnn-9956": [
        ("conv", 3, 3, 0), ("batch_norm",), ("relu",), ("max_pool",),
        ("conv", 3, 5, 0), ("batch_norm",), ("relu",), ("max_pool",),
        ("flatten",), ("linear", 164), ("dropout", 0.5), ("relu",), ("linear", 10),
    ],
    "mlp": [
        ("flatten",), ("linear", 200), ("relu",), ("linear", 150), ("relu",),
        ("linear", 100), ("relu",), ("linear", 80), ("relu",), ("linear", 10),
    ],
    "convnet": [
        ("conv", 32, 5, 2), ("relu",), ("max_pool",),
        ("conv", 64, 3, 1), ("relu",), ("max_pool",),
        ("flatten",), ("dropout", 0.5), ("linear", 256), ("relu",),
        ("dropout", 0.5), ("linear", 128), ("relu",), ("dropout", 0.5), ("linear", 10),
    ],
    "convnet-tuned": [
        ("conv", 32, 5, 2, False), ("batch_norm",), ("relu",), ("max_pool",),
        ("conv", 48, 3, 1, False), ("batch_norm",), ("relu",),
        ("conv", 64, 3, 1, False), ("batch_norm",), ("relu",), ("max_pool",),
        ("conv", 96, 3, 1, False), ("batch_norm",), ("relu",),
        ("conv", 128, 3, 1, False), ("batch_norm",), ("relu",), ("max_pool",),
        ("flatten",), ("dropout", 0.4), ("linear", 10),
    ],
}  # fmt: skip
# Kind and learning rate; all else is PyTorch's default.
OPTIMIZERS = {
    "cnn-9956": ("sgd", 0.01),
    "mlp": ("adam", 0.001),
    "convnet": ("adam", 0.001),
    "convnet-tuned": ("adam", 0.002),
}


def layers_with_inputs(network):
    """Each layer of a network with the shape of its input: (channels, height, width) or (features,)."""
    shape = (1, 28, 28)
    for layer in NETWORKS[network]:
        yield layer, shape
        match layer:
            case ("conv", channels, kernel, padding, *_):
                shape = (channels, *(side + 2 * padding - kernel + 1 for side in shape[1:]))
            case ("max_pool",):
                shape = (shape[0], shape[1] // 2, shape[2] // 2)
            case ("flatten",):
                shape = (shape[0] * shape[1] * shape[2],)
            case ("linear", features):
                shape = (features,)


def multiply_adds(network, what):
    """Of one image: of a convolution as its definition has them, zeros of the border included.

    Training does as many again for the gradients of the weights, and for those of the inputs but for the
    first layer.
    """
    total, passes = 0, 1 if what == "infer" else 2
    for layer, shape in layers_with_inputs(network):
        match layer:
            case ("conv", channels, kernel, padding, *_):
                area = math.prod(side + 2 * padding - kernel + 1 for side in shape[1:])
                count = channels * shape[0] * kernel * kernel * area
            case ("linear", features):
                count = shape[0] * features
            case _:
                continue
        total += passes * count
        passes = 1 if what == "infer" else 3
    return total


def read_idx(folder, name):
    """The bytes of one IDX file, plain or .gz, without the header."""
    path = Path(folder) / name
    data = path.read_bytes() if path.exists() else gzip.decompress(path.with_name(f"{name}.gz").read_bytes())
    return bytearray(memoryview(data)[4 + 4 * data[3] :])


def data_option(parser):
    parser.add_argument(
        "--data",
        default=os.environ.get("MNISTCTL_DATA", "data/mnist"),
        help="folder with MNIST's four IDX files, plain or .gz (default: $MNISTCTL_DATA, else data/mnist)",
    )


def keep_freed_memory():
    """Has glibc keep large blocks, where it would give each back to the system and fetch it anew.

    PyTorch's tuning guide has another allocator preloaded for this; it doubles the convnet's speed in
    inference on batches. JAX doesn't need it.
    """
    mmap_max, trim_threshold, top_pad = -4, -1, -2
    with contextlib.suppress(AttributeError, OSError):  # not glibc
        libc = ctypes.CDLL(None)
        libc.mallopt(mmap_max, 0)
        libc.mallopt(trim_threshold, 2_000_000_000)
        libc.mallopt(top_pad, 100_000_000)


def say(*words):
    print(*words, file=sys.stderr, flush=True)


def measure(run, seconds):
    """Repeats `run(iterations)` for about so many seconds; how many iterations, in how long."""
    done, chunk = 0, 1
    start = time.perf_counter()
    while True:
        run(chunk)
        done += chunk
        elapsed = time.perf_counter() - start
        if elapsed >= seconds:
            return done, elapsed
        # The clock is read, and JAX waited for, about 20 times a second, and not much after the end.
        chunk = max(1, int(min(0.05, seconds - elapsed) * done / elapsed))


def serve(about, build):
    """Answers requests until standard input ends. `build(what, network, batch)` gives a `run(iterations)`."""
    answers = os.fdopen(os.dup(1), "w")
    os.dup2(2, 1)  # whatever a library or a compiler prints is no answer
    runners = {}

    def answer(request):
        if request["what"] == "ready":
            return about
        key = request["what"], request["network"], request["batch"]
        if key not in runners:
            start = time.perf_counter()
            run = build(*key)
            run(3)
            say(*key, f"built in {time.perf_counter() - start:.1f} s")
            measure(run, 0.3)
            runners[key] = run
        iterations, elapsed = measure(runners[key], request["seconds"])
        return {"images_per_second": iterations * request["batch"] / elapsed, "iterations": iterations}

    for line in sys.stdin:
        try:
            result = answer(json.loads(line))
        except Exception as error:
            traceback.print_exc()
            result = {"error": f"{type(error).__name__}: {error}".splitlines()[0]}
        print(json.dumps(result), file=answers, flush=True)
