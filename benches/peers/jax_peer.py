#!/usr/bin/env python3
"""JAX's worker for benches/peers/run; see common.py for the protocol.

Chosen because they were the fastest in a quick comparison on two cores with AVX-512: NCHW for the
cnn-9956 and NHWC for the convnets; in NCHW the maximum of four slices for max-pooling, in NHWC a
maximum over reshaped axes for training (a reduce_window's gradient takes twice the whole step) and a
reduce_window for inference; the random numbers of "rbg". A synchronous dispatch halves the latency
of one image, an asynchronous one (--async-dispatch) makes small training steps faster.
"""

import argparse
import math
import os
from functools import partial

from common import IMAGES, MEAN, OPTIMIZERS, STD, data_option, layers_with_inputs, read_idx, say, serve

LAYOUTS = {"cnn-9956": "NCHW", "mlp": "NHWC", "convnet": "NHWC", "convnet-tuned": "NHWC"}


def limit_threads(threads):
    """XLA has as many threads as the process has processors. Only works before jax is imported."""
    processors = sorted(os.sched_getaffinity(0))
    if threads < len(processors):
        os.sched_setaffinity(0, processors[:threads])
        os.environ["NPROC"] = str(threads)


def start_jax(threads, async_dispatch):
    """Imports jax, which reads its limits only then."""
    global jax, jnp, np
    limit_threads(threads)
    import jax
    import jax.numpy as jnp
    import numpy as np

    jax.config.update("jax_platforms", "cpu")
    jax.config.update("jax_cpu_enable_async_dispatch", async_dispatch)


class Network:
    """A network's parameters and BatchNorm statistics, and the functions of them."""

    def __init__(self, name, seed=0):
        self.name = name
        self.layers = list(layers_with_inputs(name))
        self.channels_last = LAYOUTS[name] == "NHWC"
        self.generator = np.random.default_rng(seed)
        # One entry a layer, None where a layer has none.
        self.parameters = [self.initial(*layer) for layer in self.layers]
        self.statistics = [
            {"mean": jnp.zeros(shape[0]), "var": jnp.ones(shape[0])} if layer[0] == "batch_norm" else None
            for layer, shape in self.layers
        ]
        say(name, sum(array.size for array in jax.tree.leaves(self.parameters)), "parameters")

    def initial(self, layer, shape):
        match layer:
            case ("conv", channels, kernel, _, *no_bias):
                weight = (channels, shape[0], kernel, kernel)
                if self.channels_last:
                    weight = (kernel, kernel, shape[0], channels)
                own = self.uniform(shape[0] * kernel * kernel, weight, channels)
                return {"weight": own["weight"]} if no_bias else own
            case ("linear", features):
                return self.uniform(shape[0], (shape[0], features), features)
            case ("batch_norm",):
                return {"weight": jnp.ones(shape[0]), "bias": jnp.zeros(shape[0])}

    def uniform(self, fan_in, weight, bias):
        """PyTorch's default for convolutions and linear layers."""
        bound = 1 / math.sqrt(fan_in)
        draw = lambda shape: jnp.array(self.generator.uniform(-bound, bound, shape), jnp.float32)
        return {"weight": draw(weight), "bias": draw(bias)}

    def forward(self, parameters, statistics, x, key=None):
        """The logits and, with a key, which trains, the new statistics."""
        new = list(statistics)
        for index, (layer, _) in enumerate(self.layers):
            own = parameters[index]
            match layer:
                case ("conv", _, _, padding, *_):
                    x = self.conv(own, x, padding)
                case ("batch_norm",):
                    x, new[index] = self.batch_norm(own, statistics[index], x, train=key is not None)
                case ("relu",):
                    x = jax.nn.relu(x)
                case ("max_pool",):
                    x = self.max_pool(x, train=key is not None)
                case ("flatten",):
                    x = x.reshape(x.shape[0], -1)
                case ("linear", _):
                    x = x @ own["weight"] + own["bias"]
                case ("dropout", p) if key is not None:
                    key, mine = jax.random.split(key)
                    x = jnp.where(jax.random.bernoulli(mine, 1 - p, x.shape), x / (1 - p), 0)
        return x, new

    def per_channel(self, vector):
        return vector if self.channels_last else vector[:, None, None]

    def conv(self, own, x, padding):
        dimensions = ("NHWC", "HWIO", "NHWC") if self.channels_last else ("NCHW", "OIHW", "NCHW")
        pads = [(padding, padding)] * 2
        x = jax.lax.conv_general_dilated(x, own["weight"], (1, 1), pads, dimension_numbers=dimensions)
        return x + self.per_channel(own["bias"]) if "bias" in own else x

    def batch_norm(self, own, statistics, x, train, eps=1e-5, momentum=0.1):
        mean, var = statistics["mean"], statistics["var"]
        if train:
            axes = (0, 1, 2) if self.channels_last else (0, 2, 3)
            mean = x.mean(axes)
            var = jnp.square(x - self.per_channel(mean)).mean(axes)
            count = x.size / mean.size
            batch = {"mean": mean, "var": var * count / (count - 1)}
            statistics = jax.tree.map(lambda old, new: old + momentum * (new - old), statistics, batch)
        scale = own["weight"] * jax.lax.rsqrt(var + eps)
        return x * self.per_channel(scale) + self.per_channel(own["bias"] - mean * scale), statistics

    def max_pool(self, x, train):
        if not self.channels_last:
            rows, columns = x.shape[2] // 2 * 2, x.shape[3] // 2 * 2
            top, bottom = x[:, :, 0:rows:2], x[:, :, 1:rows:2]
            larger = jnp.maximum(top, bottom)
            return jnp.maximum(larger[..., 0:columns:2], larger[..., 1:columns:2])
        if not train:
            return jax.lax.reduce_window(x, -jnp.inf, jax.lax.max, (1, 2, 2, 1), (1, 2, 2, 1), "VALID")
        count, rows, columns, channels = x.shape
        x = x[:, : rows // 2 * 2, : columns // 2 * 2]
        return x.reshape(count, rows // 2, 2, columns // 2, 2, channels).max((2, 4))

    def loss(self, parameters, statistics, images, labels, key):
        logits, statistics = self.forward(parameters, statistics, images, key)
        chosen = jnp.take_along_axis(jax.nn.log_softmax(logits), labels[:, None], 1)
        return -chosen.mean(), statistics

    def update(self, parameters, gradients, state):
        """SGD or Adam as PyTorch has them; `state` is Adam's moments and number of steps."""
        kind, lr = OPTIMIZERS[self.name]
        if kind == "sgd":
            return jax.tree.map(lambda p, g: p - lr * g, parameters, gradients), state
        means, squares, steps = state
        steps = steps + 1
        means = jax.tree.map(lambda m, g: m + 0.1 * (g - m), means, gradients)
        squares = jax.tree.map(lambda s, g: 0.999 * s + 0.001 * g * g, squares, gradients)
        size, correction = lr / (1 - 0.9**steps), jnp.sqrt(1 - 0.999**steps)
        change = lambda p, m, s: p - size * m / (jnp.sqrt(s) / correction + 1e-8)
        return jax.tree.map(change, parameters, means, squares), (means, squares, steps)


def training_data(folder):
    """The first training images, normalised, (count, 28, 28), and their labels."""
    images = np.frombuffer(read_idx(folder, "train-images-idx3-ubyte"), np.uint8)
    labels = np.frombuffer(read_idx(folder, "train-labels-idx1-ubyte"), np.uint8)
    images = images[: IMAGES * 28 * 28].reshape(IMAGES, 28, 28).astype(np.float32)
    return (images / 255 - np.float32(MEAN)) / np.float32(STD), labels[:IMAGES].astype(np.int32)


def starts(batch):
    """Where one batch after the other starts, without end."""
    places = [np.int32(start) for start in range(0, IMAGES - batch + 1, batch)]
    while True:
        yield from places


def with_channel(images, network):
    return jnp.array(images[..., None] if network.channels_last else images[:, None])


def training(name, batch, data):
    network = Network(name)
    images, labels = with_channel(data[0], network), jnp.array(data[1])
    start = starts(batch)

    @partial(jax.jit, donate_argnums=0)
    def step(state, images, labels, first):
        parameters, statistics, moments, key = state
        key, mine = jax.random.split(key)
        images = jax.lax.dynamic_slice_in_dim(images, first, batch)
        labels = jax.lax.dynamic_slice_in_dim(labels, first, batch)
        with_gradients = jax.value_and_grad(network.loss, has_aux=True)
        (loss, statistics), gradients = with_gradients(parameters, statistics, images, labels, mine)
        parameters, moments = network.update(parameters, gradients, moments)
        return (parameters, statistics, moments, key), loss

    moments = None
    if OPTIMIZERS[name][0] == "adam":
        zeros = lambda: jax.tree.map(jnp.zeros_like, network.parameters)
        moments = (zeros(), zeros(), jnp.zeros(()))
    state = (network.parameters, network.statistics, moments, jax.random.key(0, impl="rbg"))

    def run(iterations):
        nonlocal state
        for _ in range(iterations):
            state, loss = step(state, images, labels, next(start))
        jax.block_until_ready(state)
        return loss

    return run


def inference(name, batch, data):
    network = Network(name)
    images = with_channel(data[0], network)
    start = starts(batch)

    @jax.jit
    def logits(parameters, statistics, images, first):
        images = jax.lax.dynamic_slice_in_dim(images, first, batch)
        return network.forward(parameters, statistics, images)[0]

    def run(iterations):
        for _ in range(iterations):
            result = logits(network.parameters, network.statistics, images, next(start)).block_until_ready()
        return result

    return run


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--threads", type=int, required=True)
    parser.add_argument("--async-dispatch", action="store_true", help="let Python run ahead of the computation")
    data_option(parser)
    args = parser.parse_args()
    start_jax(args.threads, args.async_dispatch)
    data = training_data(args.data)

    def build(what, network, batch):
        return {"train": training, "infer": inference}[what](network, batch, data)

    serve({"name": "JAX jit", "version": jax.__version__}, build)


if __name__ == "__main__":
    main()
