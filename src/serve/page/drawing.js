// The paper: strokes of mouse, finger or pen, undo, and the PNG that is read.

import { byId, bytesOf, element } from './dom.js';

// Everything is measured in widths of the paper, so that a turned phone keeps the drawing.
export const HEIGHT = 3 / 4;
export const PEN = 0.03;
// The reader needs no more (with 280 it reads no better), and is done sooner.
const PNG_WIDTH = 200;
const CROP_WIDTH = 840;
const TAP_LENGTH = 0.012;
const TAP_MS = 300;

// Tells 'change' with each piece of stroke, and 'tap' (cancelable; then no dot is left) with `at`.
class Drawing extends EventTarget {
  name = 'drawing';
  width = PNG_WIDTH;
  height = PNG_WIDTH * HEIGHT;
  version = 0;
  #strokes = [];
  #before = [];
  #canvas = byId('paper');
  #pen = this.#canvas.getContext('2d');
  #png = element('canvas', { width: this.width, height: this.height });
  #pointer = null;
  #start = null;

  constructor() {
    super();
    new ResizeObserver(() => this.#fit()).observe(this.#canvas);
    this.#canvas.addEventListener('pointerdown', (event) => this.#down(event));
    this.#canvas.addEventListener('pointermove', (event) => this.#move(event));
    this.#canvas.addEventListener('pointerup', (event) => this.#up(event));
    this.#canvas.addEventListener('pointercancel', (event) => this.#up(event));
  }

  // The size of what is drawn, its longer side.
  get extent() {
    let [left, right, top, bottom] = [1, 0, 1, 0];
    for (const { x, y } of this.#strokes.flat()) {
      [left, right] = [Math.min(left, x), Math.max(right, x)];
      [top, bottom] = [Math.min(top, y), Math.max(bottom, y)];
    }
    return Math.max(0, right - left, bottom - top);
  }

  get isEmpty() {
    return this.#strokes.length === 0;
  }

  begin(point) {
    this.#before.push(this.#strokes);
    this.#strokes = [...this.#strokes, [point]];
    drawStroke(this.#pen, this.#strokes.at(-1), 0);
  }

  extend(points) {
    const stroke = this.#strokes.at(-1);
    const from = stroke.length - 1;
    stroke.push(...points);
    drawStroke(this.#pen, stroke, from);
    this.#changed();
  }

  undo() {
    if (!this.#before.length) return;
    this.#pointer = null;
    this.#strokes = this.#before.pop();
    this.#redraw();
    this.#changed();
  }

  clear() {
    if (this.isEmpty) return;
    this.#pointer = null;
    this.#before.push(this.#strokes);
    this.#strokes = [];
    this.#redraw();
    this.#changed();
  }

  // By way of a data URL: browsers make a blob when they are idle, which they are not while one draws.
  async blob() {
    const pen = this.#png.getContext('2d', { willReadFrequently: true });
    this.#render(pen, this.width);
    const [, base64] = this.#png.toDataURL('image/png').split(',');
    return new Blob([bytesOf(base64)], { type: 'image/png' });
  }

  // A PNG of what is inside a box of `blob()`.
  crop([left, top, width, height]) {
    const scale = CROP_WIDTH / this.width;
    const whole = new OffscreenCanvas(CROP_WIDTH, CROP_WIDTH * HEIGHT);
    this.#render(whole.getContext('2d'), CROP_WIDTH);
    const part = new OffscreenCanvas(Math.ceil(width * scale), Math.ceil(height * scale));
    part.getContext('2d').drawImage(whole, -left * scale, -top * scale);
    return part.convertToBlob();
  }

  #render(pen, width) {
    pen.setTransform(1, 0, 0, 1, 0, 0);
    pen.fillStyle = '#fff';
    pen.fillRect(0, 0, width, width * HEIGHT);
    pen.scale(width, width);
    for (const stroke of this.#strokes) drawStroke(pen, stroke, 0);
  }

  #fit() {
    const width = this.#canvas.clientWidth * devicePixelRatio;
    if (!width) return;
    this.#canvas.width = width;
    this.#canvas.height = width * HEIGHT;
    this.#pen.scale(width, width);
    this.#redraw();
  }

  #redraw() {
    this.#pen.clearRect(0, 0, 1, HEIGHT);
    for (const stroke of this.#strokes) drawStroke(this.#pen, stroke, 0);
  }

  #changed() {
    this.version++;
    this.#canvas.dataset.version = this.version;
    this.dispatchEvent(new Event('change'));
  }

  #point(event) {
    const place = this.#canvas.getBoundingClientRect();
    return {
      x: (event.clientX - place.left) / place.width,
      y: (event.clientY - place.top) / place.width,
      width: PEN * weight(event),
    };
  }

  #down(event) {
    if (this.#pointer !== null || event.button !== 0) return;
    this.#pointer = event.pointerId;
    this.#canvas.setPointerCapture(event.pointerId);
    const point = this.#point(event);
    this.#start = { ...point, time: event.timeStamp, moved: false };
    this.begin(point);
  }

  #move(event) {
    if (event.pointerId !== this.#pointer) return;
    const all = event.getCoalescedEvents?.() ?? [];
    const points = (all.length ? all : [event]).map((one) => this.#point(one));
    const { x, y } = points.at(-1);
    this.#start.moved ||= Math.hypot(x - this.#start.x, y - this.#start.y) > TAP_LENGTH;
    this.extend(points);
  }

  #up(event) {
    if (event.pointerId !== this.#pointer) return;
    this.#pointer = null;
    // While it grew, its end was drawn straight; now it is drawn as it is read.
    this.#redraw();
    if (this.#start.moved || event.timeStamp - this.#start.time > TAP_MS) return;
    const tap = new Event('tap', { cancelable: true });
    tap.at = this.#start;
    if (this.dispatchEvent(tap)) {
      this.#changed();
    } else {
      this.#strokes = this.#before.pop();
      this.#redraw();
    }
  }
}

// A pen that is pressed harder writes broader; mouse and finger have no pressure to speak of.
function weight(event) {
  return event.pointerType === 'pen' && event.pressure > 0 ? 0.5 + event.pressure : 1;
}

// Draws the stroke from its point number `from` on, smoothly: through the middles between the
// points, each of which bends the curve.
function drawStroke(pen, points, from) {
  pen.lineCap = 'round';
  pen.lineJoin = 'round';
  pen.strokeStyle = '#000';
  const middle = (i) => ({
    x: (points[i].x + points[Math.max(0, i - 1)].x) / 2,
    y: (points[i].y + points[Math.max(0, i - 1)].y) / 2,
  });
  for (let i = from; i < points.length; i++) {
    const { x, y, width } = points[i];
    const start = middle(i);
    const end = i + 1 < points.length ? middle(i + 1) : points[i];
    pen.lineWidth = width;
    pen.beginPath();
    pen.moveTo(start.x, start.y);
    pen.quadraticCurveTo(x, y, end.x, end.y);
    pen.stroke();
  }
}

export const drawing = new Drawing();
