// What a screen reader says about answers: the last of them, once the pen rests.

import { byId } from './dom.js';

const REST_MS = 700;
let timer = 0;

export function announce(text) {
  clearTimeout(timer);
  timer = setTimeout(() => (byId('announcements').textContent = text), REST_MS);
}
