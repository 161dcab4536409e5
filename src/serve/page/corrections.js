// "That was a 7": keeps a digit that was read wrong (or right) for the training.

import { byId, element } from './dom.js';
import { correct } from './api.js';
import { desk } from './desk.js';
import { withArticle } from './words.js';

// Paper around the digit, in parts of its longer side.
const MARGIN = 0.25;

function aroundBox({ width, height }, [left, top, wide, high]) {
  const margin = MARGIN * Math.max(wide, high);
  const x = Math.max(0, left - margin);
  const y = Math.max(0, top - margin);
  return [x, y, Math.min(width, left + wide + margin) - x, Math.min(height, top + high + margin) - y];
}

// A single digit is kept with everything around it, as the next reader will meet it.
function pngOf({ subject, answer, digit }) {
  const whole = [0, 0, subject.width, subject.height];
  const single = answer.digits.length === 1 || !digit.box;
  return subject.crop(single ? whole : aroundBox(subject, digit.box), digit);
}

export function startCorrections() {
  const place = byId('corrections');
  const said = element('p', { className: 'hint', role: 'status' });
  const buttons = element('div', { className: 'labels', role: 'group', 'aria-labelledby': 'corrections-label' });
  const label = element('p', { id: 'corrections-label' });

  async function keep(index) {
    try {
      const { file } = await correct(await pngOf(desk), index);
      said.textContent = `Kept as ${file}. Thank you.`;
    } catch (error) {
      said.textContent = error.message;
    }
  }

  const fill = () => {
    place.replaceChildren();
    if (!desk.collect) return;
    buttons.classList.toggle('ten', desk.network.digits);
    buttons.replaceChildren(
      ...desk.network.classes.map((name, index) =>
        element('button', {
          type: 'button',
          textContent: name,
          'aria-label': `That was ${withArticle(index, name)}`,
          onclick: () => keep(index),
        }),
      ),
    );
    place.append(label, buttons, said);
  };
  const update = () => {
    const { digit } = desk;
    const what = desk.answer?.digits?.length > 1 ? 'The chosen digit was' : 'That was';
    label.textContent = desk.network.digits ? `${what} a` : what;
    for (const button of buttons.children) button.disabled = !digit;
    said.textContent = '';
  };
  desk.addEventListener('network', fill);
  for (const event of ['network', 'answer', 'select']) desk.addEventListener(event, update);
}
