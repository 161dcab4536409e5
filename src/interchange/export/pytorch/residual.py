class Residual(nn.Module):
    """shortcut(x) + layers(x), where an empty shortcut is x itself."""

    def __init__(self, layers, shortcut):
        super().__init__()
        self.layers = layers
        self.shortcut = shortcut

    def forward(self, x):
        return self.shortcut(x) + self.layers(x)


