"""The network of the recipe NAME, as mnistctl VERSION trained it."""

from pathlib import Path

import torch
from PIL import Image
from safetensors.torch import load_file
from torch import nn

# What the pixels, from 0 to 1, are normalised with.
MEAN, STD = MEAN_VALUE, STD_VALUE
# What the labels 0 to 9 are called.
CLASSES = CLASS_LIST


# RESIDUAL
def make_model():
    """Normalised images [N, 1, 28, 28] to logits [N, 10], without a softmax where the recipe ends in one."""
    return LAYERS


def load(weights=Path(__file__).with_name("model.safetensors")):
    """The trained network, in evaluation mode."""
    model = make_model()
    model.load_state_dict(load_file(weights), strict=True)
    return model.eval().requires_grad_(False)


def normalize(pixels):
    """Bytes [..., 28, 28], white ink on black as in MNIST, to what the network takes."""
    return ((pixels.float() / 255 - MEAN) / STD).reshape(-1, 1, 28, 28)


def read(path):
    """A picture of 28x28 pixels or any other size, white ink on black as in MNIST."""
    image = Image.open(path).convert("L").resize((28, 28))
    return normalize(torch.tensor(list(image.getdata()), dtype=torch.uint8))
