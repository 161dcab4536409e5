// Why: which pixels spoke for and against the digit, and what each convolution made of it.

import { byId, bytesOf, element, setText } from './dom.js';
import { connection, explain } from './api.js';
import { desk } from './desk.js';
import { newestWins } from './newest.js';
import { paintChannel, paintOcclusion } from './paint.js';
import { count, significant, withArticle } from './words.js';

const place = byId('why');
const view = byId('view-why');

const note = element('p', { className: 'hint' });
const heading = element('h3');
const overlay = element('canvas', { className: 'occlusion', width: 28, height: 28, role: 'img' });
const sentence = element('p');
const strongest = element('p', { className: 'hint' });
const legend = element(
  'p',
  { className: 'legend' },
  element('span', { className: 'key for' }),
  'for ',
  element('span', { className: 'key against' }),
  'against',
);
const occlusion = element('div', { className: 'occlusion-row' }, overlay, element('div', {}, heading, legend, sentence, strongest));
const convolutions = element('div');
const contents = element('div', {}, occlusion, convolutions);

function showOcclusion({ digit, occlusion: { patch, values } }, pixels) {
  const what = withArticle(digit, desk.className(digit));
  paintOcclusion(overlay, pixels, values);
  setText(heading, `Occlusion: for and against ${what}`);
  overlay.setAttribute('aria-label', `The pixels that spoke for and against ${what}`);
  setText(sentence, `Each pixel shows how far the log-odds of ${what} fall when a ${patch}x${patch} patch of paper covers it.`);
  setText(strongest, `From ${significant(Math.min(...values))} to ${significant(Math.max(...values))}.`);
}

// Elements of a layer are made once and painted again, as this follows the drawing.
function layerNodes({ name, channels, height, width }) {
  const canvases = Array.from({ length: channels }, () => element('canvas'));
  const label = `${channels} channels of ${name}`;
  const grid = element('div', { className: 'channels', role: 'img', 'aria-label': label }, ...canvases);
  const shape = `${count(channels)} channels of ${height}x${width}`;
  const range = element('p', { className: 'hint' });
  const node = element('section', {}, element('h3', { textContent: name }), range, grid);
  return { key: `${name} ${shape}`, node, canvases, range, shape };
}

let layers = [];

function showLayers(answered) {
  const keys = answered.map(({ name, channels, height, width }) => `${name} ${count(channels)} channels of ${height}x${width}`);
  if (keys.join() !== layers.map((layer) => layer.key).join() || !convolutions.hasChildNodes()) {
    layers = answered.map(layerNodes);
    const explanation = layers.length
      ? 'What each convolution gives, before normalisation and activation: orange above zero, blue below, brighter further away.'
      : 'This network has no convolutions, so there are no channels to show.';
    const title = element('h3', { textContent: 'Channels', className: 'part' });
    convolutions.replaceChildren(title, element('p', { textContent: explanation }), ...layers.map((layer) => layer.node));
  }
  answered.forEach((layer, index) => {
    const { canvases, range, shape } = layers[index];
    const bytes = bytesOf(layer.values);
    const size = layer.height * layer.width;
    canvases.forEach((canvas, channel) => paintChannel(canvas, bytes.subarray(channel * size, (channel + 1) * size), layer));
    setText(range, `${shape}, values from ${significant(layer.low)} to ${significant(layer.high)}`);
  });
}

const showWhy = newestWins(async () => {
  if (view.hidden) return;
  const { digit, network } = desk;
  if (!digit) {
    note.textContent = desk.answer?.message ?? 'Draw a digit first: this follows the pen.';
    place.replaceChildren(note);
    return;
  }
  try {
    const answer = await explain(digit.pixels, network);
    showOcclusion(answer, digit.pixels);
    showLayers(answer.layers);
    place.replaceChildren(contents);
  } catch (error) {
    note.textContent = error.message;
    place.replaceChildren(note);
  }
});

export function startWhy() {
  for (const event of ['answer', 'select']) desk.addEventListener(event, showWhy);
  view.addEventListener('shown', showWhy);
  connection.addEventListener('back', showWhy);
}
