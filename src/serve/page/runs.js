// The runs: a list that is kept up to date while it is shown, beside one run.

import { byId, element, setText } from './dom.js';
import { getRuns } from './api.js';
import { newestWins } from './newest.js';
import { hideRun, showRun } from './run.js';
import { accuracy } from './words.js';

const POLL_MS = 3000;

const view = byId('view-runs');
const list = byId('run-list');
const rows = new Map();
let wanted = null;
let timer = 0;

function summaryOf(run) {
  const figures = [run.recipe];
  if (run.epochs) figures.push(`epoch ${run.epoch ?? 0} of ${run.epochs}`);
  if (run.val_accuracy !== null) figures.push(`validation ${accuracy(run.val_accuracy)}`);
  if (run.test_accuracy !== null) figures.push(`test ${accuracy(run.test_accuracy)}`);
  return figures.join(', ');
}

class Row {
  constructor(run) {
    this.state = element('span');
    this.figures = element('span', { className: 'figures' });
    const name = element('span', { className: 'name', textContent: run.name });
    this.link = element('a', { href: `#runs/${encodeURIComponent(run.name)}` }, name, this.state, this.figures);
    this.node = element('li', {}, this.link);
  }

  show(run) {
    this.state.className = `state ${run.state}`;
    setText(this.state, run.state);
    setText(this.figures, summaryOf(run));
  }
}

const refresh = newestWins(async () => {
  if (view.hidden || document.hidden) return;
  let runs;
  try {
    runs = await getRuns();
  } catch {
    // The notice of the lost connection says it, and the next poll tries again.
    return;
  }
  const names = new Set(runs.map((run) => run.name));
  for (const [name, row] of rows) {
    if (names.has(name)) continue;
    row.node.remove();
    rows.delete(name);
  }
  runs.forEach((run, index) => {
    if (!rows.has(run.name)) rows.set(run.name, new Row(run));
    const row = rows.get(run.name);
    row.show(run);
    // Moving a row takes the focus from it, so only those that stand elsewhere are moved.
    if (list.children[index] !== row.node) list.insertBefore(row.node, list.children[index] ?? null);
  });
  byId('no-runs').hidden = runs.length > 0;
  const shown = runs.find((run) => run.name === wanted) ?? runs[0];
  // A run that begins meanwhile doesn't take the place of the one that is looked at.
  wanted = shown?.name;
  for (const [name, { link }] of rows) {
    if (name === shown?.name) link.setAttribute('aria-current', 'true');
    else link.removeAttribute('aria-current');
  }
  if (view.hidden) return;
  if (shown) showRun(shown, runs);
  else hideRun();
});

// Shows the runs, and among them the one of this name (none: the newest).
export function openRuns(name) {
  if (name) wanted = name;
  refresh();
}

export function startRuns() {
  view.addEventListener('shown', () => {
    clearInterval(timer);
    timer = setInterval(refresh, POLL_MS);
    refresh();
  });
  view.addEventListener('left', () => {
    clearInterval(timer);
    hideRun();
  });
  document.addEventListener('visibilitychange', refresh);
}
