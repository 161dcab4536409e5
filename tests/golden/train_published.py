#!/usr/bin/env python3
"""Train the published 9,956-parameter CNN in PyTorch, to compare mnistctl's results with.

    python3 train_published.py --data DIR --loss softmax --seed 0 > seed0.json

DIR holds MNIST's four IDX files, plain or .gz. 55,000 images, drawn with the seed, are
trained on and 5,000 choose the learning rate and the best epoch; the 10,000 test images
are looked at once, after the last epoch. One line per epoch goes to stderr, one line of
JSON to stdout. An epoch takes about 3 s on one core; torch 2.15.0 was used.

The published recipe ends the network in a softmax and gives its output to a cross-entropy
that expects logits and applies softmax again: --loss softmax. --loss logits does it the
usual way.
"""

import argparse
import copy
import gzip
import json
import sys
import time
from pathlib import Path

import torch
from torch import nn

BATCH = 64
VALIDATION = 5000


def read_idx(folder, name):
    """The bytes of one IDX file, plain or .gz, without the header, as a uint8 tensor."""
    path = Path(folder) / name
    data = path.read_bytes() if path.exists() else gzip.decompress(path.with_name(f"{name}.gz").read_bytes())
    header = 4 + 4 * data[3]
    return torch.frombuffer(bytearray(data[header:]), dtype=torch.uint8)


def read_split(folder, prefix):
    images = read_idx(folder, f"{prefix}-images-idx3-ubyte").view(-1, 1, 28, 28)
    return images, read_idx(folder, f"{prefix}-labels-idx1-ubyte").long()


def normalise(images):
    return (images.float() / 255 - 0.1307) / 0.3081


class Cnn(nn.Module):
    def __init__(self, softmax):
        super().__init__()
        self.layers = nn.Sequential(
            nn.Conv2d(1, 3, 3), nn.BatchNorm2d(3), nn.ReLU(), nn.MaxPool2d(2),
            nn.Conv2d(3, 3, 5), nn.BatchNorm2d(3), nn.ReLU(), nn.MaxPool2d(2),
            nn.Flatten(), nn.Linear(48, 164), nn.Dropout(0.5), nn.ReLU(), nn.Linear(164, 10),
        )  # fmt: skip
        if softmax:
            self.layers.append(nn.Softmax(dim=1))

    def forward(self, images):
        return self.layers(normalise(images))


def train_epoch(model, optimizer, images, labels):
    """One pass in a new random order; the mean loss and accuracy seen on the way."""
    model.train()
    loss_sum = correct = 0
    for batch in torch.randperm(len(labels)).split(BATCH):
        output = model(images[batch])
        loss = nn.functional.cross_entropy(output, labels[batch])
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        loss_sum += loss.item() * len(batch)
        correct += (output.argmax(1) == labels[batch]).sum().item()
    return loss_sum / len(labels), correct / len(labels)


@torch.no_grad()
def evaluate(model, images, labels):
    """Mean loss and accuracy."""
    model.eval()
    output = torch.cat([model(part) for part in images.split(1000)])
    loss = nn.functional.cross_entropy(output, labels).item()
    return loss, (output.argmax(1) == labels).sum().item() / len(labels)


def train(args):
    torch.manual_seed(args.seed)
    images, labels = read_split(args.data, "train")
    order = torch.randperm(len(labels))
    val, rest = order[:VALIDATION], order[VALIDATION:]
    val, training = (images[val], labels[val]), (images[rest], labels[rest])

    model = Cnn(softmax=args.loss == "softmax")
    optimizer = torch.optim.SGD(model.parameters(), lr=0.01)
    scheduler = torch.optim.lr_scheduler.ReduceLROnPlateau(optimizer)
    best = None
    for epoch in range(1, args.epochs + 1):
        start = time.monotonic()
        lr = optimizer.param_groups[0]["lr"]
        loss, accuracy = train_epoch(model, optimizer, *training)
        val_loss, val_accuracy = evaluate(model, *val)
        scheduler.step(val_loss)
        last = {"epoch": epoch, "val_loss": val_loss, "val_accuracy": val_accuracy}
        if best is None or val_loss < best["val_loss"]:
            best, best_weights = last, copy.deepcopy(model.state_dict())
        print(
            f"epoch {epoch} lr {lr:g} train {loss:.4f} {accuracy:.4f} val {val_loss:.4f} {val_accuracy:.4f} "
            f"{time.monotonic() - start:.1f} s",
            file=sys.stderr,
            flush=True,
        )

    test = read_split(args.data, "t10k")
    for result, weights in ((last, copy.deepcopy(model.state_dict())), (best, best_weights)):
        model.load_state_dict(weights)
        result["test_loss"], result["test_accuracy"] = evaluate(model, *test)
    return {"best": best, "last": last}


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--data", default="data/mnist", help="folder with the four IDX files (default: data/mnist)")
    parser.add_argument("--loss", choices=["logits", "softmax"], default="logits", help="what the cross-entropy gets")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--epochs", type=int, default=150)
    args = parser.parse_args()
    torch.set_num_threads(1)

    start = time.monotonic()
    result = train(args)
    about = {"torch": torch.__version__, "loss": args.loss, "seed": args.seed, "epochs": args.epochs}
    print(json.dumps({**about, **result, "seconds": round(time.monotonic() - start, 1)}))


if __name__ == "__main__":
    main()
