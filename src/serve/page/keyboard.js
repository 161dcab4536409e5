// Drawing with the keyboard, and the shortcuts.

import { byId } from './dom.js';
import { announce } from './announce.js';
import { desk } from './desk.js';
import { HEIGHT, PEN, drawing } from './drawing.js';

const STEP = 0.02;
const WAYS = { ArrowLeft: [-1, 0], ArrowRight: [1, 0], ArrowUp: [0, -1], ArrowDown: [0, 1] };

const paper = byId('paper');
const crosshair = byId('crosshair');
const at = { x: 0.5, y: 0.2, width: PEN };
let down = false;

function showCrosshair() {
  crosshair.style.left = `${100 * at.x}%`;
  crosshair.style.top = `${(100 * at.y) / HEIGHT}%`;
  crosshair.classList.toggle('down', down);
}

function lift() {
  down = false;
  showCrosshair();
}

function onPaper(event) {
  const way = WAYS[event.key];
  if (way) {
    at.x = Math.min(1 - PEN, Math.max(PEN, at.x + way[0] * STEP));
    at.y = Math.min(HEIGHT - PEN, Math.max(PEN, at.y + way[1] * STEP));
    if (down) drawing.extend([{ ...at }]);
  } else if (event.key === ' ') {
    down = !down;
    if (down) drawing.begin({ ...at });
    announce(down ? 'Pen down' : 'Pen lifted');
  } else {
    return;
  }
  event.preventDefault();
  crosshair.hidden = false;
  showCrosshair();
}

function onPage(event) {
  const typing = event.target.matches('input, select, textarea');
  if (typing || byId('desk').hidden || document.querySelector('dialog[open]')) return;
  if (event.key.toLowerCase() === 'z' && (event.ctrlKey || event.metaKey) && !event.shiftKey) {
    lift();
    drawing.undo();
  } else if (event.key === 'Escape' || event.key === 'Delete') {
    lift();
    if (desk.isPicture) byId('draw-again').click();
    else drawing.clear();
  } else {
    return;
  }
  event.preventDefault();
}

export function startKeyboard() {
  paper.addEventListener('keydown', onPaper);
  paper.addEventListener('blur', () => {
    lift();
    crosshair.hidden = true;
  });
  document.addEventListener('keydown', onPage);
}
