import sys
from model import load, read

probabilities = load()(read(sys.argv[1])).softmax(dim=1)[0]
print(f"{sys.argv[1]}: {int(probabilities.argmax())} ({float(probabilities.max()):.3f})")
