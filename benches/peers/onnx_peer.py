#!/usr/bin/env python3
"""The worker of ONNX Runtime and of OpenVINO for benches/peers/run; see common.py for the protocol.

Both get the network as an ONNX graph with a fixed batch, in f32, and only infer. They fold BatchNorm into
the convolutions by themselves. OpenVINO is asked for the lowest latency: of one call at a time, which is
what is measured, all threads work on it.
"""

import argparse
import math

import numpy as np
import onnx
from onnx import TensorProto, helper, numpy_helper

from common import IMAGES, MEAN, STD, data_option, layers_with_inputs, read_idx, serve


def graph_of(network, batch):
    """A network with random weights, from images (batch, 1, 28, 28) to logits."""
    generator = np.random.default_rng(0)
    nodes, weights, value = [], [], "images"

    def weight(shape, fan_in):
        bound = 1 / math.sqrt(fan_in)
        return constant(generator.uniform(-bound, bound, shape))

    def constant(array):
        weights.append(numpy_helper.from_array(array.astype(np.float32), f"weight{len(weights)}"))
        return weights[-1].name

    def add(kind, *inputs, **attributes):
        nonlocal value
        output = f"value{len(nodes)}"
        nodes.append(helper.make_node(kind, [value, *inputs], [output], **attributes))
        value = output

    for layer, shape in layers_with_inputs(network):
        match layer:
            case ("conv", channels, kernel, padding, *no_bias):
                fan_in = shape[0] * kernel * kernel
                inputs = [weight((channels, shape[0], kernel, kernel), fan_in)]
                inputs += [] if no_bias else [weight(channels, fan_in)]
                add("Conv", *inputs, kernel_shape=[kernel] * 2, pads=[padding] * 4)
            case ("batch_norm",):
                ones, zeros = np.ones(shape[0]), np.zeros(shape[0])
                add("BatchNormalization", *(constant(array) for array in (ones, zeros, zeros, ones)))
            case ("relu",):
                add("Relu")
            case ("max_pool",):
                add("MaxPool", kernel_shape=[2, 2], strides=[2, 2])
            case ("flatten",):
                add("Flatten")
            case ("linear", features):
                add("Gemm", weight((features, math.prod(shape)), math.prod(shape)), weight(features, math.prod(shape)), transB=1)
    ends = [
        helper.make_tensor_value_info(name, TensorProto.FLOAT, shape)
        for name, shape in [("images", [batch, 1, 28, 28]), (value, [batch, 10])]
    ]
    graph = helper.make_graph(nodes, network, ends[:1], ends[1:], weights)
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=8)
    onnx.checker.check_model(model)
    return model.SerializeToString()


def onnx_runtime(threads):
    import onnxruntime

    def load(model):
        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads = threads
        options.inter_op_num_threads = 1
        session = onnxruntime.InferenceSession(model, options, providers=["CPUExecutionProvider"])
        return lambda images: session.run(None, {"images": images})

    return {"name": "ONNX Runtime", "version": onnxruntime.__version__}, load


def openvino(threads):
    import openvino

    core = openvino.Core()
    config = {
        "INFERENCE_NUM_THREADS": threads,
        "PERFORMANCE_HINT": "LATENCY",
        "INFERENCE_PRECISION_HINT": "f32",
    }

    def load(model):
        request = core.compile_model(core.read_model(model), "CPU", config).create_infer_request()
        return lambda images: request.infer({0: images}, share_inputs=True, share_outputs=True)

    return {"name": "OpenVINO", "version": openvino.__version__.split("-")[0]}, load


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--threads", type=int, required=True)
    parser.add_argument("--runtime", choices=["onnxruntime", "openvino"], required=True)
    data_option(parser)
    args = parser.parse_args()
    about, load = {"onnxruntime": onnx_runtime, "openvino": openvino}[args.runtime](args.threads)
    images = np.frombuffer(read_idx(args.data, "train-images-idx3-ubyte"), np.uint8)
    images = images[: IMAGES * 28 * 28].reshape(IMAGES, 1, 28, 28).astype(np.float32)
    images = (images / 255 - np.float32(MEAN)) / np.float32(STD)

    def build(what, network, batch):
        if what != "infer":
            raise ValueError(f"{about['name']} does not train")
        infer = load(graph_of(network, batch))
        batches = [images[first : first + batch] for first in range(0, IMAGES - batch + 1, batch)]
        turn = 0

        def run(iterations):
            nonlocal turn
            for _ in range(iterations):
                infer(batches[turn % len(batches)])
                turn += 1

        return run

    serve(about, build)


if __name__ == "__main__":
    main()
