#!/usr/bin/env python3
"""The usual PyTorch script for MNIST, timed an epoch at a time, with the cnn-9956 network.

torchvision's Dataset and transforms on the raw files, a DataLoader with shuffling, SGD and
ReduceLROnPlateau; 55,000 images to train on, 5,000 to validate with after each epoch. Prints one
line of JSON; "seconds_per_epoch" is the median over the epochs.
"""

import argparse
import gzip
import json
import statistics
import tempfile
import time
from pathlib import Path

import torch
from torch.nn.functional import cross_entropy
from torch.utils.data import DataLoader, random_split
from torchvision import datasets, transforms

from common import MEAN, STD, data_option, say
from torch_peer import model_of


def mnist(folder):
    """torchvision's training set; it wants the files uncompressed in MNIST/raw."""
    with tempfile.TemporaryDirectory() as root:
        raw = Path(root) / "MNIST" / "raw"
        raw.mkdir(parents=True)
        for part in ("train", "t10k"):
            for kind in ("images-idx3-ubyte", "labels-idx1-ubyte"):
                path = Path(folder) / f"{part}-{kind}"
                packed = path.with_name(f"{path.name}.gz")
                data = path.read_bytes() if path.exists() else gzip.decompress(packed.read_bytes())
                (raw / path.name).write_bytes(data)
        transform = transforms.Compose([transforms.ToTensor(), transforms.Normalize((MEAN,), (STD,))])
        return datasets.MNIST(root, train=True, transform=transform)


def train(model, loader, optimizer):
    model.train()
    for images, labels in loader:
        optimizer.zero_grad()
        loss = cross_entropy(model(images), labels)
        loss.backward()
        optimizer.step()


@torch.no_grad()
def validate(model, loader):
    """Mean loss and accuracy."""
    model.eval()
    loss = correct = 0
    for images, labels in loader:
        logits = model(images)
        loss += cross_entropy(logits, labels, reduction="sum").item()
        correct += (logits.argmax(1) == labels).sum().item()
    return loss / len(loader.dataset), correct / len(loader.dataset)


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--epochs", type=int, default=3)
    parser.add_argument("--workers", type=int, default=0, help="the DataLoader's processes (default: 0, none)")
    parser.add_argument("--threads", type=int, required=True)
    data_option(parser)
    args = parser.parse_args()
    torch.set_num_threads(args.threads)
    torch.manual_seed(0)

    training, validation = random_split(mnist(args.data), [55_000, 5_000])
    training_loader = DataLoader(training, batch_size=64, shuffle=True, num_workers=args.workers)
    validation_loader = DataLoader(validation, batch_size=1000, num_workers=args.workers)
    model = model_of("cnn-9956")
    optimizer = torch.optim.SGD(model.parameters(), lr=0.01)
    scheduler = torch.optim.lr_scheduler.ReduceLROnPlateau(optimizer)

    epochs = []
    for epoch in range(1, args.epochs + 1):
        start = time.perf_counter()
        train(model, training_loader, optimizer)
        loss, accuracy = validate(model, validation_loader)
        scheduler.step(loss)
        epochs.append(time.perf_counter() - start)
        say(f"epoch {epoch}: {epochs[-1]:.1f} s, validation loss {loss:.4f}, accuracy {accuracy:.4f}")
    print(json.dumps({"seconds_per_epoch": statistics.median(epochs), "epochs": epochs, "accuracy": accuracy}))


if __name__ == "__main__":
    main()
