#!/usr/bin/env python3
"""PyTorch's worker for benches/peers/run; see common.py for the protocol.

Chosen because they were the fastest in a quick comparison on two cores with AVX-512: the fused
optimizers; channels_last for the convnets (a third faster), and for the cnn-9956 only in inference
on batches. glibc is told to keep freed memory (see common.py).

With --compile a training step is one compiled graph: forward, loss, backward and the optimizer's
update, which is written out here. For the mlp and the convnet that took a third less time than
compiling the model and calling the fused optimizer. Inference is compiled with its weights frozen,
and both with the C++ wrapper, which makes small batches cheaper.
"""

import argparse
import os

os.environ.setdefault("TORCHINDUCTOR_COMPILE_THREADS", "1")  # no compile processes beside a measurement

import torch
from torch import nn
from torch.func import functional_call, grad_and_value
from torch.nn.functional import cross_entropy

from common import (
    IMAGES,
    MEAN,
    OPTIMIZERS,
    STD,
    data_option,
    keep_freed_memory,
    layers_with_inputs,
    read_idx,
    say,
    serve,
)


def module(layer, shape):
    match layer:
        case ("conv", channels, kernel, padding, *no_bias):
            return nn.Conv2d(shape[0], channels, kernel, padding=padding, bias=not no_bias)
        case ("batch_norm",):
            return nn.BatchNorm2d(shape[0])
        case ("relu",):
            return nn.ReLU()
        case ("max_pool",):
            return nn.MaxPool2d(2)
        case ("flatten",):
            return nn.Flatten()
        case ("linear", features):
            return nn.Linear(shape[0], features)
        case ("dropout", p):
            return nn.Dropout(p)


def model_of(network):
    model = nn.Sequential(*(module(*layer) for layer in layers_with_inputs(network)))
    say(network, sum(parameter.numel() for parameter in model.parameters()), "parameters")
    return model


def training_data(folder):
    """The first training images, normalised, and their labels."""
    images = torch.frombuffer(read_idx(folder, "train-images-idx3-ubyte"), dtype=torch.uint8)
    labels = torch.frombuffer(read_idx(folder, "train-labels-idx1-ubyte"), dtype=torch.uint8)
    images = images[: IMAGES * 28 * 28].view(IMAGES, 1, 28, 28)
    return (images.float() / 255 - MEAN) / STD, labels[:IMAGES].long()


def starts(batch):
    """Where one batch after the other starts, without end."""
    while True:
        yield from range(0, IMAGES - batch + 1, batch)


def eager_step(network, model):
    """A function of images and labels that trains once and returns the loss."""
    kind, lr = OPTIMIZERS[network]
    optimizer = {"sgd": torch.optim.SGD, "adam": torch.optim.Adam}[kind](model.parameters(), lr, fused=True)

    def step(images, labels):
        loss = cross_entropy(model(images), labels)
        optimizer.zero_grad(set_to_none=True)
        loss.backward()
        optimizer.step()
        return loss.detach()

    return step


def compiled_step(network, model):
    """The same as one compiled graph."""
    kind, lr = OPTIMIZERS[network]
    parameters = {name: parameter.detach() for name, parameter in model.named_parameters()}
    buffers = dict(model.named_buffers())
    means, squares = ({name: torch.zeros_like(p) for name, p in parameters.items()} for _ in range(2))
    steps = torch.zeros(())

    def loss_of(parameters, buffers, images, labels):
        return cross_entropy(functional_call(model, (parameters, buffers), (images,)), labels)

    def sgd(gradients):
        for name, parameter in parameters.items():
            parameter.sub_(gradients[name], alpha=lr)

    def adam(gradients, beta1=0.9, beta2=0.999, eps=1e-8):
        steps.add_(1)
        size = lr / (1 - beta1**steps)
        correction = (1 - beta2**steps).sqrt()
        for name, parameter in parameters.items():
            gradient, mean, square = gradients[name], means[name], squares[name]
            mean.lerp_(gradient, 1 - beta1)
            square.mul_(beta2).addcmul_(gradient, gradient, value=1 - beta2)
            parameter.sub_(size * mean / (square.sqrt() / correction + eps))

    update = {"sgd": sgd, "adam": adam}[kind]

    def step(images, labels):
        gradients, loss = grad_and_value(loss_of)(parameters, buffers, images, labels)
        update(gradients)
        return loss

    return torch.no_grad()(torch.compile(step, fullgraph=True, dynamic=False, options={"cpp_wrapper": True}))


def training(network, batch, data, compiled):
    images, labels = data
    model = model_of(network).train()
    if network.startswith("convnet"):
        model = model.to(memory_format=torch.channels_last)
    step = (compiled_step if compiled else eager_step)(network, model)
    start = starts(batch)

    def run(iterations):
        for _ in range(iterations):
            first = next(start)
            loss = step(images[first : first + batch], labels[first : first + batch])
        return loss

    return run


def inference(network, batch, data, compiled):
    images, _ = data
    model = model_of(network).eval()
    if not compiled and (network.startswith("convnet") or network == "cnn-9956" and batch > 1):
        model = model.to(memory_format=torch.channels_last)
    if compiled:
        model = torch.compile(model, dynamic=False, options={"cpp_wrapper": True, "freezing": True})
    start = starts(batch)

    @torch.inference_mode()
    def run(iterations):
        for _ in range(iterations):
            first = next(start)
            logits = model(images[first : first + batch])
        return logits

    return run


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--threads", type=int, required=True)
    parser.add_argument("--compile", action="store_true", help="use torch.compile")
    data_option(parser)
    args = parser.parse_args()
    keep_freed_memory()
    torch.set_num_threads(args.threads)
    torch.manual_seed(0)
    data = training_data(args.data)

    def build(what, network, batch):
        return {"train": training, "infer": inference}[what](network, batch, data, args.compile)

    name = "torch compiled" if args.compile else "torch eager"
    serve({"name": name, "version": torch.__version__}, build)


if __name__ == "__main__":
    main()
