// Ten probabilities as bars.

import { element, setText } from './dom.js';
import { NONE, percent } from './words.js';

// A list of bars, and a function that shows probabilities in it (null: none yet).
export function makeBars(classes) {
  const rows = classes.map((name) => {
    const fill = element('span', { className: 'fill' });
    const value = element('span', { className: 'value', textContent: NONE });
    const label = element('span', { className: 'label', textContent: name });
    const track = element('span', { className: 'track' }, fill);
    return { fill, value, node: element('li', {}, label, track, value) };
  });
  const list = element('ul', { className: 'bars', 'aria-label': 'Probabilities' }, ...rows.map((row) => row.node));
  const show = (probabilities, digit) => {
    rows.forEach(({ fill, value, node }, index) => {
      const part = probabilities?.[index] ?? 0;
      fill.style.width = `${100 * part}%`;
      setText(value, probabilities ? percent(part) : NONE);
      node.classList.toggle('best', index === digit);
    });
  };
  return { list, show };
}
