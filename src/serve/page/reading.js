// Reading what is drawn while it is drawn, and pictures as they come.

import { byId } from './dom.js';
import { connection, predict } from './api.js';
import { desk } from './desk.js';
import { drawing } from './drawing.js';
import { newestWins } from './newest.js';

// Anything shorter is a dot to the reader.
const SHORTEST = 0.05;
const NO_DIGIT = new Error('No digit in this yet.');

const readDrawing = newestWins(async () => {
  if (!desk.network) return;
  const { version } = drawing;
  let answer = null;
  if (!drawing.isEmpty && drawing.extent < SHORTEST) {
    answer = NO_DIGIT;
  } else if (!drawing.isEmpty) {
    try {
      answer = await predict(await drawing.blob(), drawing.name, desk.network);
    } catch (error) {
      // The connection's return brings the drawing here again.
      if (error.status === 0) return;
      answer = error.status === 422 ? NO_DIGIT : error;
    }
  }
  if (drawing.isEmpty) answer = null;
  if (desk.isPicture) return;
  desk.show(drawing, answer);
  byId('answer').dataset.version = version;
});

export function showDrawing() {
  desk.show(drawing, null);
  readDrawing();
}

// Shows a picture that was read before.
export function showPicture(picture) {
  desk.show(picture, picture.answer);
}

export function startReading() {
  drawing.addEventListener('change', () => {
    if (!desk.isPicture) readDrawing();
  });
  desk.addEventListener('network', () => {
    if (!desk.isPicture) showDrawing();
  });
  connection.addEventListener('back', () => {
    if (!desk.isPicture) readDrawing();
  });
}
