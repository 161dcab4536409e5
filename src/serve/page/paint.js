// Numbers as pixels: the 28x28, the occlusion over it, a channel of a convolution.

const SIDE = 28;
// Okabe and Ito's orange and sky blue, which people with any kind of colour vision can tell apart.
const FOR = [230, 159, 0];
const AGAINST = [86, 180, 233];
// The digit under the occlusion is dimmed, so that the colours stand out on its ink too.
const DIM = 0.45;

function paint(canvas, width, height, colourAt) {
  canvas.width = width;
  canvas.height = height;
  const pen = canvas.getContext('2d');
  const image = pen.createImageData(width, height);
  for (let i = 0; i < width * height; i++) image.data.set([...colourAt(i), 255], 4 * i);
  pen.putImageData(image, 0, 0);
}

// From black at zero to the colour at one.
const shade = (colour, part) => colour.map((level) => level * part);

// A positive number is orange, a negative one blue, and the brighter the further it is from zero.
const signed = (value, most) => shade(value > 0 ? FOR : AGAINST, most ? Math.min(1, Math.abs(value) / most) : 0);

export function paintPixels(canvas, pixels) {
  paint(canvas, SIDE, SIDE, (i) => Array(3).fill(pixels?.[i] ?? 0));
}

// Roots of the values, as a few pixels often speak ten times as loud as all others.
export function paintOcclusion(canvas, pixels, values) {
  const roots = values.map((value) => Math.sign(value) * Math.sqrt(Math.abs(value)));
  const most = Math.max(...roots.map(Math.abs));
  paint(canvas, SIDE, SIDE, (i) => {
    const part = most ? Math.abs(roots[i]) / most : 0;
    const ink = DIM * pixels[i] * (1 - part);
    return signed(roots[i], most).map((level) => level + ink);
  });
}

// `bytes` are the channel's, where `b` stands for low + b / 255 * (high - low).
export function paintChannel(canvas, bytes, { width, height, low, high }) {
  const most = Math.max(Math.abs(low), Math.abs(high));
  paint(canvas, width, height, (i) => signed(low + (bytes[i] / 255) * (high - low), most));
}
