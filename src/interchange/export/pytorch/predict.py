import sys
from model import CLASSES, load, read

probabilities = load()(read(sys.argv[1])).softmax(dim=1)[0]
print(f"{sys.argv[1]}: {CLASSES[int(probabilities.argmax())]} ({float(probabilities.max()):.3f})")
