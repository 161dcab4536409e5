// Pictures that are dropped, pasted, chosen or taken: each is listed and read.

import { byId, element } from './dom.js';
import { announce } from './announce.js';
import { connection, predict } from './api.js';
import { desk } from './desk.js';
import { paintPixels } from './paint.js';
import { showDrawing, showPicture } from './reading.js';
import { inOneLine, percent } from './words.js';

// The server reads sides of up to 3,000 pixels; phones take larger pictures.
const LONGEST = 3000;
const SHORTENED = 2000;
const THUMBNAIL = 56;
const CROP_LONGEST = 1000;

const list = byId('picture-list');
const pictures = [];

function canvasOf(bitmap, [left, top, width, height], longest) {
  const scale = Math.min(1, longest / Math.max(width, height));
  const canvas = new OffscreenCanvas(Math.max(1, Math.round(width * scale)), Math.max(1, Math.round(height * scale)));
  canvas.getContext('2d').drawImage(bitmap, left, top, width, height, 0, 0, canvas.width, canvas.height);
  return canvas;
}

class Picture {
  width = 0;
  height = 0;
  answer = null;
  #file;

  constructor(file) {
    this.name = file.name || 'picture';
    this.#file = file;
    this.url = URL.createObjectURL(file);
    this.thumbnail = element('canvas', { width: THUMBNAIL, height: THUMBNAIL, 'aria-hidden': true });
    this.result = element('span', { className: 'result', textContent: 'waiting' });
    const name = element('span', { className: 'name', textContent: this.name });
    this.button = element('button', { type: 'button', onclick: () => this.#show() }, this.thumbnail, name, this.result);
    this.node = element('li', {}, this.button);
  }

  blob() {
    return this.#file;
  }

  // A picture that this browser can't show (TIFF, in most) is kept as the network saw it.
  async crop(box, digit) {
    if (this.width) return canvasOf(await createImageBitmap(this.#file), box, CROP_LONGEST).convertToBlob();
    const canvas = new OffscreenCanvas(28, 28);
    paintPixels(canvas, digit.pixels);
    return canvas.convertToBlob();
  }

  // On a phone the list is far below the stage.
  #show() {
    showPicture(this);
    byId('stage').scrollIntoView({ block: 'nearest' });
  }

  async prepare() {
    let bitmap;
    try {
      bitmap = await createImageBitmap(this.#file);
    } catch {
      // The server may know the format all the same.
      return;
    }
    const whole = [0, 0, bitmap.width, bitmap.height];
    if (Math.max(bitmap.width, bitmap.height) > LONGEST) {
      const small = canvasOf(bitmap, whole, SHORTENED);
      this.#file = await small.convertToBlob({ type: 'image/jpeg', quality: 0.92 });
      [this.width, this.height] = [small.width, small.height];
    } else {
      [this.width, this.height] = [bitmap.width, bitmap.height];
    }
    this.#drawThumbnail(bitmap);
    bitmap.close();
  }

  #drawThumbnail(bitmap) {
    const side = Math.min(bitmap.width, bitmap.height);
    const left = (bitmap.width - side) / 2;
    const top = (bitmap.height - side) / 2;
    this.thumbnail.getContext('2d').drawImage(bitmap, left, top, side, side, 0, 0, THUMBNAIL, THUMBNAIL);
  }

  async read() {
    this.result.textContent = 'reading';
    try {
      this.answer = await predict(this.#file, this.name, desk.network);
      const lowest = Math.min(...this.answer.digits.map((digit) => digit.confidence));
      this.result.textContent = `${inOneLine(this.answer.text)}, ${percent(lowest)}`;
      if (!this.width) paintPixels(this.thumbnail, this.answer.digits.at(-1).pixels);
    } catch (error) {
      this.answer = error;
      this.result.textContent = error.message;
    }
    this.button.classList.toggle('failed', this.answer instanceof Error);
    this.button.title = this.result.textContent;
  }
}

const unread = new Set();
let reading = false;

async function readAll(queue) {
  for (const picture of queue) unread.add(picture);
  if (reading) return;
  reading = true;
  let count = 0;
  for (; unread.size; count++) {
    const [picture] = unread;
    unread.delete(picture);
    await picture.read();
    if (desk.subject === picture) showPicture(picture);
  }
  reading = false;
  if (count > 1) announce(`${count} pictures read`);
}

export async function addPictures(files) {
  const added = [...files].map((file) => new Picture(file));
  if (!added.length || !desk.network) return;
  pictures.push(...added);
  list.append(...added.map((picture) => picture.node));
  byId('pictures').hidden = false;
  for (const picture of added) {
    await picture.prepare();
    if (picture === added[0]) showPicture(picture);
    readAll([picture]);
  }
}

function forgetAll() {
  for (const picture of pictures) URL.revokeObjectURL(picture.url);
  pictures.length = 0;
  unread.clear();
  list.replaceChildren();
  byId('pictures').hidden = true;
  showDrawing();
  byId('paper').focus();
}

function acceptDrops() {
  const stage = byId('stage');
  const hasFiles = (event) => event.dataTransfer?.types.includes('Files');
  document.addEventListener('dragover', (event) => {
    if (!hasFiles(event)) return;
    event.preventDefault();
    stage.classList.add('drop');
  });
  document.addEventListener('dragleave', (event) => {
    if (!event.relatedTarget) stage.classList.remove('drop');
  });
  document.addEventListener('drop', (event) => {
    stage.classList.remove('drop');
    if (!hasFiles(event)) return;
    event.preventDefault();
    addPictures(event.dataTransfer.files);
  });
}

export function startPictures() {
  const files = byId('files');
  byId('choose').addEventListener('click', () => files.click());
  files.addEventListener('change', () => {
    addPictures(files.files);
    // So that the same file can be chosen again.
    files.value = '';
  });
  document.addEventListener('paste', (event) => addPictures(event.clipboardData?.files ?? []));
  acceptDrops();
  byId('draw-again').addEventListener('click', () => {
    showDrawing();
    byId('paper').focus();
  });
  byId('forget-pictures').addEventListener('click', forgetAll);
  desk.addEventListener('network', () => readAll(pictures));
  connection.addEventListener('back', () => readAll(pictures.filter((picture) => picture.answer?.status === 0)));
  desk.addEventListener('answer', () => {
    for (const picture of pictures) picture.button.setAttribute('aria-pressed', picture === desk.subject);
  });
}
