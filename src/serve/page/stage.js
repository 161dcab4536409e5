// The stage: the drawing or a picture, and the boxes where digits were found in it.

import { byId, element } from './dom.js';
import { desk } from './desk.js';
import { drawing } from './drawing.js';

const stage = byId('stage');
const paper = byId('paper');
const photo = byId('photo');
const boxes = byId('boxes');

// Where the subject lies on the stage, as CSS's `object-fit: contain` puts it there.
function placement(subject) {
  const { clientWidth, clientHeight } = stage;
  const scale = Math.min(clientWidth / subject.width, clientHeight / subject.height);
  return {
    scale,
    left: (clientWidth - scale * subject.width) / 2,
    top: (clientHeight - scale * subject.height) / 2,
  };
}

function drawBoxes() {
  const digits = desk.answer?.digits ?? [];
  if (!digits[0]?.box || !desk.subject.width) {
    boxes.replaceChildren();
    return;
  }
  const { scale, left, top } = placement(desk.subject);
  const nodes = digits.map((digit, index) => {
    const [x, y, width, height] = digit.box;
    const box = element('div', { className: index === desk.selected ? 'box chosen' : 'box' });
    box.style.left = `${left + scale * x}px`;
    box.style.top = `${top + scale * y}px`;
    box.style.width = `${scale * width}px`;
    box.style.height = `${scale * height}px`;
    box.append(element('span', { textContent: digit.digit }));
    return box;
  });
  boxes.replaceChildren(...nodes);
}

// The digit at a place of the stage, or -1.
function digitAt(x, y) {
  const digits = desk.answer?.digits ?? [];
  if (!digits[0]?.box || !desk.subject.width) return -1;
  const { scale, left, top } = placement(desk.subject);
  return digits.findIndex(({ box }) => {
    const [across, down] = [(x - left) / scale - box[0], (y - top) / scale - box[1]];
    return across >= 0 && down >= 0 && across <= box[2] && down <= box[3];
  });
}

function showSubject() {
  const picture = desk.isPicture;
  paper.hidden = picture;
  // A picture without a size is one that the browser can't show; the server may read it all the same.
  photo.hidden = !picture || !desk.subject.width;
  byId('unshown').hidden = !picture || !photo.hidden;
  for (const id of ['undo', 'clear', 'pad-keys']) byId(id).hidden = picture;
  byId('draw-again').hidden = !picture;
  byId('pad-heading').textContent = picture ? desk.subject.name : 'Draw a digit, or several';
  if (!photo.hidden && photo.src !== desk.subject.url) {
    photo.src = desk.subject.url;
    photo.alt = desk.subject.name;
  }
}

export function startStage() {
  desk.addEventListener('answer', showSubject);
  desk.addEventListener('answer', drawBoxes);
  desk.addEventListener('select', drawBoxes);
  new ResizeObserver(drawBoxes).observe(stage);

  drawing.addEventListener('tap', (event) => {
    const width = stage.clientWidth;
    const index = digitAt(event.at.x * width, event.at.y * width);
    if (index < 0) return;
    event.preventDefault();
    desk.select(index);
  });
  photo.addEventListener('click', (event) => {
    const index = digitAt(event.offsetX, event.offsetY);
    if (index >= 0) desk.select(index);
  });
}
