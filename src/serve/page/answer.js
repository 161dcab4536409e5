// The answer: the number in big type, and of one of its digits the bars and the 28x28.

import { byId, element, setText } from './dom.js';
import { announce } from './announce.js';
import { desk } from './desk.js';
import { makeBars } from './bars.js';
import { paintPixels } from './paint.js';
import { inOneLine, percent } from './words.js';

const SURE = 0.8;

const number = byId('answer');
const confidence = byId('confidence');
const seen = byId('seen');
let bars = null;

// Buttons of which one is pressed, as radio buttons: Tab reaches the pressed one, arrows move on.
function digitButtons(answer, selected) {
  let index = 0;
  const lines = answer.text.split('\n').map((line) => {
    const buttons = [...line].map((digit) => {
      const mine = index++;
      return element('button', {
        type: 'button',
        role: 'radio',
        textContent: digit,
        tabIndex: mine === selected ? 0 : -1,
        'aria-checked': mine === selected,
        onclick: () => desk.select(mine),
      });
    });
    return element('div', { className: 'line' }, ...buttons);
  });
  return element('div', { className: 'digits', role: 'radiogroup', 'aria-label': 'Digits found' }, ...lines);
}

const STEPS = { ArrowRight: 1, ArrowDown: 1, ArrowLeft: -1, ArrowUp: -1 };

function onKey(event) {
  const step = STEPS[event.key];
  const count = desk.answer?.digits?.length ?? 0;
  if (!step || count < 2) return;
  event.preventDefault();
  desk.select((desk.selected + step + count) % count);
  number.querySelector('[aria-checked=true]').focus();
}

function showNumber() {
  const { answer } = desk;
  number.classList.toggle('sentence', !answer?.digits);
  number.classList.toggle('long', (answer?.text?.length ?? 0) > 5);
  if (!answer) {
    setText(number, desk.isPicture ? 'Reading…' : 'Draw, and it is read as you draw.');
  } else if (answer instanceof Error) {
    setText(number, answer.message);
  } else if (answer.digits.length > 1) {
    const focused = number.contains(document.activeElement);
    number.replaceChildren(digitButtons(answer, desk.selected));
    if (focused) number.querySelector('[aria-checked=true]').focus();
  } else {
    setText(number, answer.text);
  }
}

function showDigit() {
  const { digit } = desk;
  bars.show(digit?.probabilities, digit?.digit);
  paintPixels(seen, digit?.pixels);
  if (!digit) {
    setText(confidence, '');
    return;
  }
  const which = desk.answer.digits.length > 1 ? `The ${digit.digit}: confidence` : 'Confidence';
  const unsure = digit.confidence < SURE ? ', unsure' : '';
  setText(confidence, `${which} ${percent(digit.confidence)}${unsure}`);
}

function speak() {
  const { answer, digit } = desk;
  if (answer instanceof Error) announce(answer.message);
  else if (answer) announce(`Read as ${inOneLine(answer.text)}; ${percent(digit.confidence)}`);
}

export function startAnswer() {
  number.addEventListener('keydown', onKey);
  desk.addEventListener('network', () => {
    bars = makeBars(desk.network.classes);
    byId('bars').replaceChildren(bars.list);
    showDigit();
  });
  const show = () => {
    showNumber();
    showDigit();
  };
  desk.addEventListener('answer', show);
  desk.addEventListener('answer', speak);
  desk.addEventListener('select', show);
}
