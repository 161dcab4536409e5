// Several networks side by side: each reads the same drawing or picture.

import { byId, element, setText } from './dom.js';
import { connection, predict } from './api.js';
import { desk } from './desk.js';
import { makeBars } from './bars.js';
import { newestWins } from './newest.js';
import { accuracy, count, inOneLine, percent } from './words.js';

const MANY = 12;
const AT_FIRST = 2;
// A verdict names so many networks, and counts more.
const NAMED = 3;

const place = byId('networks');
const view = byId('view-networks');
const verdict = element('p', { className: 'verdict', role: 'status' });
const cards = element('div', { className: 'cards' });
const chosen = new Map();

class Card {
  answer = null;

  constructor(network) {
    this.network = network;
    this.bars = makeBars(network.classes);
    this.number = element('p', { className: 'number' });
    this.confidence = element('p', { className: 'confidence' });
    const size = `${network.recipe}, ${count(network.parameters)} parameters`;
    const tested = `test accuracy ${accuracy(network.test_accuracy)}`;
    this.node = element(
      'article',
      { className: 'card' },
      element('h3', { textContent: network.name }),
      element('p', { className: 'hint' }, size, element('br'), tested),
      element('div', { className: 'card-answer' }, this.number, this.confidence),
      this.bars.list,
    );
    this.show(null);
  }

  show(answer) {
    this.answer = answer;
    const digits = answer?.digits;
    // The digit that is looked at, where this network found as many.
    const digit = digits?.[digits.length === desk.answer?.digits?.length ? desk.selected : digits.length - 1];
    this.number.classList.toggle('sentence', !digits);
    setText(this.number, answer?.text ?? answer?.message ?? '–');
    setText(this.confidence, digit ? percent(digit.confidence) : '');
    this.bars.show(digit?.probabilities, digit?.digit);
  }
}

function judge() {
  const texts = new Map();
  for (const { answer, network } of chosen.values()) {
    if (answer?.text) texts.set(answer.text, [...(texts.get(answer.text) ?? []), network.name]);
  }
  const readings = [...texts].sort((a, b) => b[1].length - a[1].length);
  for (const { answer, node } of chosen.values()) {
    node.classList.toggle('differs', readings.length > 1 && answer?.text !== readings[0][0]);
  }
  const said = readings.map(([text, names]) => `${inOneLine(text)} (${names.length > NAMED ? `${names.length} networks` : names.join(', ')})`);
  if (!readings.length) setText(verdict, 'Draw, and all of them read it.');
  else if (readings.length === 1) setText(verdict, `All read ${inOneLine(readings[0][0])}.`);
  else setText(verdict, `They disagree: ${said.join(', ')}.`);
}

// Each gets what lies on the desk when its turn comes, so that all follow the pen.
const readAll = newestWins(async () => {
  if (view.hidden) return;
  for (const card of [...chosen.values()]) {
    const { subject, network, answer } = desk;
    try {
      // Its own answer came already.
      if (!answer || card.network.name === network.name) card.show(answer);
      else card.show(await predict(await subject.blob(), subject.name, card.network));
    } catch (error) {
      card.show(error);
    }
    judge();
  }
  judge();
});

function showCards() {
  cards.replaceChildren(...[...chosen.values()].map((card) => card.node));
  judge();
  readAll();
}

function choose(network, wanted) {
  if (wanted) chosen.set(network.name, new Card(network));
  else chosen.delete(network.name);
  showCards();
}

function fill() {
  const alike = desk.networks.filter(({ digits }) => digits === desk.networks[0].digits);
  const isNew = !place.hasChildNodes();
  const wanted = isNew ? alike.slice(0, AT_FIRST) : desk.networks.filter(({ name }) => chosen.has(name));
  chosen.clear();
  for (const network of wanted) chosen.set(network.name, new Card(network));
  const rows = desk.networks.map((network) => {
    const checked = chosen.has(network.name);
    const box = element('input', { type: 'checkbox', checked, onchange: () => choose(network, box.checked) });
    return { network, node: element('label', {}, box, network.name) };
  });
  const choices = element('fieldset', { className: 'choices' }, element('legend', { textContent: 'Networks' }));
  if (rows.length > MANY) {
    const search = element('input', { type: 'search', placeholder: 'Search', 'aria-label': 'Search the networks' });
    search.addEventListener('input', () => {
      const wanted = search.value.trim().toLowerCase();
      for (const { network, node } of rows) node.hidden = !`${network.name} ${network.recipe}`.toLowerCase().includes(wanted);
    });
    choices.append(search);
  }
  choices.append(element('div', { className: 'choice-list' }, ...rows.map((row) => row.node)));
  place.replaceChildren(choices, verdict, cards);
  showCards();
}

export function startNetworks() {
  desk.addEventListener('networks', fill);
  for (const event of ['answer', 'select']) desk.addEventListener(event, readAll);
  view.addEventListener('shown', readAll);
  connection.addEventListener('back', readAll);
}
