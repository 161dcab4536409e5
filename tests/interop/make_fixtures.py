#!/usr/bin/env python3
"""What PyTorch wrote and answered, for the tests of `import` that run without PyTorch.

    python3 make_fixtures.py --data DIR [--mlp FOLDER]

DIR holds MNIST's four IDX files, plain or .gz. Trains the 9,956-parameter CNN for an epoch by the usual
script, as a class with named modules, and writes into `fixtures`:

    cnn.pt, cnn.safetensors    its state_dict, as torch.save and safetensors write it
    cnn.answers                its digits for the sample's 1,000 test images, a byte each
    cnn-half.pt                the same in float16, inside a dictionary beside an optimizer's state

With --mlp, also the MLP (237,000 parameters, too many to commit): FOLDER/mlp.pt, FOLDER/mlp.answers.
torch 2.15.0 and safetensors 0.8.0 were used.
"""

import argparse
import gzip
from pathlib import Path

import torch
from safetensors.torch import save_file
from torch import nn
from torch.nn import functional as F

HERE = Path(__file__).parent
SAMPLE = HERE.parent.parent / "data" / "sample"


def read_idx(folder, name):
    path = Path(folder) / name
    data = path.read_bytes() if path.exists() else gzip.decompress(path.with_name(f"{name}.gz").read_bytes())
    return torch.frombuffer(bytearray(data[4 + 4 * data[3] :]), dtype=torch.uint8)


def read_split(folder, prefix):
    images = read_idx(folder, f"{prefix}-images-idx3-ubyte").view(-1, 1, 28, 28)
    return (images.float() / 255 - 0.1307) / 0.3081, read_idx(folder, f"{prefix}-labels-idx1-ubyte").long()


class Cnn(nn.Module):
    def __init__(self):
        super().__init__()
        self.conv1 = nn.Conv2d(1, 3, 3)
        self.norm1 = nn.BatchNorm2d(3)
        self.conv2 = nn.Conv2d(3, 3, 5)
        self.norm2 = nn.BatchNorm2d(3)
        self.fc1 = nn.Linear(48, 164)
        self.drop = nn.Dropout(0.5)
        self.fc2 = nn.Linear(164, 10)

    def forward(self, x):
        x = F.max_pool2d(F.relu(self.norm1(self.conv1(x))), 2)
        x = F.max_pool2d(F.relu(self.norm2(self.conv2(x))), 2)
        return self.fc2(F.relu(self.drop(self.fc1(torch.flatten(x, 1)))))


class Mlp(nn.Module):
    def __init__(self):
        super().__init__()
        sizes = [784, 200, 150, 100, 80, 10]
        self.hidden = nn.ModuleList(nn.Linear(a, b) for a, b in zip(sizes[:-2], sizes[1:-1]))
        self.head = nn.Linear(sizes[-2], sizes[-1])

    def forward(self, x):
        x = torch.flatten(x, 1)
        for layer in self.hidden:
            x = F.relu(layer(x))
        return self.head(x)


def train(model, optimizer, images, labels):
    model.train()
    for batch in torch.randperm(len(images)).split(64):
        optimizer.zero_grad()
        F.cross_entropy(model(images[batch]), labels[batch]).backward()
        optimizer.step()
    model.eval()


def answers(model, path):
    images, labels = read_split(SAMPLE, "t10k")
    with torch.no_grad():
        digits = model(images).argmax(dim=1)
    print(f"{path}: {int((digits != labels).sum())} errors in {len(labels)} images")
    path.write_bytes(bytes(digits.to(torch.uint8).tolist()))


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--data", required=True)
    parser.add_argument("--mlp")
    args = parser.parse_args()
    torch.manual_seed(0)
    images, labels = read_split(args.data, "train")
    fixtures = HERE / "fixtures"
    fixtures.mkdir(exist_ok=True)

    cnn = Cnn()
    optimizer = torch.optim.SGD(cnn.parameters(), lr=0.05, momentum=0.9)
    train(cnn, optimizer, images, labels)
    state = cnn.state_dict()
    torch.save(state, fixtures / "cnn.pt")
    save_file(state, fixtures / "cnn.safetensors")
    half = {name: tensor.half() if tensor.is_floating_point() else tensor for name, tensor in state.items()}
    checkpoint = {"model_state_dict": half, "optimizer_state_dict": optimizer.state_dict(), "epoch": 1}
    torch.save(checkpoint, fixtures / "cnn-half.pt")
    answers(cnn, fixtures / "cnn.answers")

    if args.mlp:
        mlp, folder = Mlp(), Path(args.mlp)
        train(mlp, torch.optim.Adam(mlp.parameters()), images, labels)
        folder.mkdir(parents=True, exist_ok=True)
        torch.save(mlp.state_dict(), folder / "mlp.pt")
        answers(mlp, folder / "mlp.answers")


if __name__ == "__main__":
    main()
