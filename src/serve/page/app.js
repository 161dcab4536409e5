// Starts the page: asks for the networks and wires the parts together.

import { byId, element } from './dom.js';
import { connection, getNetworks } from './api.js';
import { desk } from './desk.js';
import { drawing } from './drawing.js';
import { startAnswer } from './answer.js';
import { startCamera } from './camera.js';
import { startCorrections } from './corrections.js';
import { startKeyboard } from './keyboard.js';
import { startNetworks } from './networks.js';
import { startPictures } from './pictures.js';
import { startReading } from './reading.js';
import { startRuns } from './runs.js';
import { startStage } from './stage.js';
import { VIEWS, startViews } from './views.js';
import { startWhy } from './why.js';

const notice = byId('connection');

function say(sentence) {
  notice.textContent = sentence;
  notice.hidden = !sentence;
}

async function askForNetworks() {
  try {
    desk.setNetworks(await getNetworks());
  } catch (error) {
    if (error.status !== 0) say(error.message);
  }
}

function listNetworks() {
  const options = desk.networks.map(({ name }) => element('option', { value: name, textContent: name }));
  byId('network').replaceChildren(...options);
  byId('network').value = desk.network.name;
}

connection.addEventListener('lost', () => say('The connection to mnistctl is lost. Trying again…'));
connection.addEventListener('back', () => say(''));

byId('undo').addEventListener('click', () => drawing.undo());
byId('clear').addEventListener('click', () => drawing.clear());
byId('network').addEventListener('change', (event) => desk.useNetwork(event.target.value));

startAnswer();
startCorrections();
startStage();
startKeyboard();
startReading();
startPictures();
startCamera();
startWhy();
startNetworks();
startRuns();
desk.addEventListener('networks', listNetworks);
connection.addEventListener('back', askForNetworks);
// Again with each view, as a run may have brought a network meanwhile.
for (const view of VIEWS) byId(`view-${view}`).addEventListener('shown', askForNetworks);
startViews();
