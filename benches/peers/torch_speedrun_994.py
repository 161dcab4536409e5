#!/usr/bin/env python3
"""PyTorch with the network, the recipe and the epochs of `mnistctl`'s configs/speedrun-994.toml.

The whole set is one tensor in memory. Every batch is augmented in one piece, by affine_grid and
grid_sample, for torchvision's RandomAffine takes one image after the other.

Prints one line of JSON, as torch_speedrun.py does.
"""

# First, for it takes the time before PyTorch is imported.
from torch_speedrun import run

import math

import torch
from torch import nn
from torch.nn import functional as F

from common import MEAN, STD

EPOCHS, BATCH = 2, 128
DEGREES, TRANSLATE, SCALE, SHEAR = 8, 0.06, (0.92, 1.08), 8


def conv(ins, outs, kernel_size, padding=0):
    return [nn.Conv2d(ins, outs, kernel_size, padding=padding, bias=False), nn.BatchNorm2d(outs)]


def model_of():
    return nn.Sequential(
        *conv(1, 12, 5), nn.MaxPool2d(2), nn.ReLU(),
        *conv(12, 32, 3, 1), nn.ReLU(),
        *conv(32, 48, 3), nn.MaxPool2d(2), nn.ReLU(),
        nn.Flatten(), nn.Linear(1200, 10),
    )  # fmt: skip


def augmented(images):
    """The images turned, moved, scaled and sheared, each by its own draws, with paper around them."""
    count = len(images)
    uniform = lambda low, high: torch.empty(count).uniform_(low, high)
    angle, shear = uniform(-DEGREES, DEGREES).deg2rad(), uniform(-SHEAR, SHEAR).deg2rad()
    inverse_scale = 1 / uniform(*SCALE)
    # Where an output's pixel comes from: moved back, turned back, sheared back, in halves of the image.
    sine, cosine, tangent = angle.sin(), angle.cos(), shear.tan()
    a, b = cosine + tangent * sine, sine - tangent * cosine
    linear = torch.stack([a, b, -sine, cosine], 1).view(count, 2, 2) * inverse_scale.view(-1, 1, 1)
    moved = torch.stack([uniform(-2 * TRANSLATE, 2 * TRANSLATE) for _ in range(2)], 1)
    theta = torch.cat([linear, -linear @ moved.unsqueeze(2)], 2)
    grid = F.affine_grid(theta, images.shape, align_corners=False)
    paper = -MEAN / STD
    return F.grid_sample(images - paper, grid, align_corners=False).add_(paper)


def train(model, images, labels):
    optimizer = torch.optim.Adam(model.parameters(), lr=0.01, betas=(0.7, 0.9), fused=True)
    steps = EPOCHS * math.ceil(len(labels) / BATCH)
    scheduler = torch.optim.lr_scheduler.OneCycleLR(optimizer, max_lr=0.01, total_steps=steps, cycle_momentum=False)
    model.train()
    for _ in range(EPOCHS):
        for batch in torch.randperm(len(labels)).split(BATCH):
            loss = F.cross_entropy(model(augmented(images[batch])), labels[batch])
            optimizer.zero_grad(set_to_none=True)
            loss.backward()
            optimizer.step()
            scheduler.step()


if __name__ == "__main__":
    run(__doc__.splitlines()[0], model_of, train)
