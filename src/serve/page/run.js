// One run: its figures, its curves as they grow, its recipe.

import { byId, element, setText } from './dom.js';
import { checkConnection, getChart, getRun, runEvents } from './api.js';
import { newestWins } from './newest.js';
import { accuracy, count, duration, significant } from './words.js';

const CHARTS = { loss: 'Loss', accuracy: 'Accuracy', lr: 'Learning rate' };
// All epochs so far come at once; one drawing of the charts is enough for them.
const SETTLE_MS = 100;
// A table of thousands of rows makes the page slow; metrics.csv in the run's folder has them all.
const MOST_ROWS = 500;

const place = byId('run');
let shown = null;

class RunView {
  run = null;
  epochs = new Map();
  #events = null;
  #timer = 0;
  #told = 0;

  constructor(name) {
    this.name = name;
    this.heading = element('h3', { id: 'run-heading', textContent: name });
    this.status = element('p', { className: 'run-status' });
    this.progress = element('progress', { max: 1, value: 0, 'aria-label': 'Epochs trained' });
    this.figures = element('dl', { className: 'figures' });
    this.other = element('select', { id: 'compare-with', onchange: () => this.drawCharts() });
    this.problem = element('p', { className: 'hint', role: 'status', hidden: true });
    this.charts = Object.entries(CHARTS).map(([kind, title]) => {
      const chart = element('div', { className: 'chart', role: 'img', 'aria-label': `${title} by epoch of ${name}` });
      return { kind, title, chart, node: element('figure', {}, chart) };
    });
    this.rows = element('tbody');
    this.recipe = element('code');
    const label = element('label', { htmlFor: 'compare-with', textContent: 'Compare with' });
    const compare = element('p', { className: 'choice' }, label, this.other);
    this.nodes = [
      this.heading,
      this.status,
      this.progress,
      this.figures,
      compare,
      this.problem,
      element('div', { className: 'charts' }, ...this.charts.map((chart) => chart.node)),
      element('details', {}, element('summary', { textContent: 'Figures of each epoch' }), scrolling('Figures of each epoch', epochTable(this.rows))),
      element('details', {}, element('summary', { textContent: 'Recipe' }), scrolling('Recipe', element('pre', {}, this.recipe))),
    ];
  }

  open() {
    this.#load();
    this.#events = runEvents(this.name);
    this.#events.addEventListener('epoch', (event) => this.#epoch(JSON.parse(event.data)));
    this.#events.addEventListener('state', (event) => this.#state(JSON.parse(event.data)));
    this.#events.addEventListener('error', () => {
      // The browser connects again by itself, and tells nobody why it has to.
      if (this.#events.readyState === EventSource.CONNECTING) checkConnection();
    });
  }

  async #load() {
    try {
      const { toml, log, ...run } = await getRun(this.name);
      this.recipe.textContent = toml;
      for (const line of log) this.epochs.set(line.epoch, line);
      this.run = run;
      this.#show();
    } catch (error) {
      this.#say(error);
    }
  }

  close() {
    this.#events.close();
    clearTimeout(this.#timer);
  }

  offer(runs) {
    const names = runs.map((run) => run.name).filter((name) => name !== this.name);
    const offered = [...this.other.options].slice(1).map((option) => option.value);
    if (this.other.options.length && names.join('\n') === offered.join('\n')) return;
    const before = this.other.value;
    const options = names.map((name) => element('option', { value: name, textContent: name }));
    this.other.replaceChildren(element('option', { value: '', textContent: 'no other run' }), ...options);
    if (names.includes(before)) this.other.value = before;
  }

  #epoch(line) {
    this.epochs.set(line.epoch, line);
    clearTimeout(this.#timer);
    this.#timer = setTimeout(() => this.#show(), SETTLE_MS);
  }

  #state(run) {
    this.run = run;
    this.#showFigures();
    if (run.state !== 'finished') return;
    this.#events.close();
    // Its last epochs may not have come yet.
    this.#load();
  }

  #show() {
    this.#showFigures();
    this.#showEpochs();
    this.drawCharts();
  }

  #say(error) {
    // The page says by itself that the server is away.
    this.problem.hidden = error.status === 0;
    this.problem.textContent = error.message;
  }

  #showFigures() {
    const { run } = this;
    if (!run) return;
    const last = [...this.epochs.values()].at(-1);
    const epoch = Math.max(run.epoch ?? 0, last?.epoch ?? 0);
    const figures = [run.state, `epoch ${epoch} of ${run.epochs ?? '?'}`];
    if (run.state === 'training') {
      if (run.eta_seconds !== null) figures.push(`${duration(run.eta_seconds)} left`);
      if (last) figures.push(`${count(last.images_per_second)} images/s`);
    }
    this.progress.max = run.epochs || 1;
    this.progress.value = epoch;
    this.progress.hidden = run.state !== 'training';
    if (!epoch) figures.push('no epoch has ended yet');
    setText(this.status, figures.join(', '));
    const terms = {
      Recipe: run.recipe,
      Parameters: count(run.parameters),
      'Validation accuracy': accuracy(run.val_accuracy),
      'Test accuracy': accuracy(run.test_accuracy),
      'Training time': duration(run.seconds),
    };
    const pairs = Object.entries(terms).map(([term, figure]) =>
      element('div', {}, element('dt', { textContent: term }), element('dd', { textContent: figure })),
    );
    this.figures.replaceChildren(...pairs);
  }

  #showEpochs() {
    const lines = [...this.epochs.values()];
    for (const line of lines.slice(Math.max(this.#told, lines.length - MOST_ROWS))) {
      const { train, val } = line;
      const cells = [
        line.epoch,
        significant(line.lr),
        significant(train.loss),
        significant(val?.loss),
        accuracy(train.accuracy),
        accuracy(val?.accuracy),
        count(line.images_per_second),
      ];
      this.rows.append(element('tr', {}, ...cells.map((cell) => element('td', { textContent: cell }))));
    }
    this.#told = lines.length;
    while (this.rows.children.length > MOST_ROWS) this.rows.firstChild.remove();
  }

  drawCharts = newestWins(async () => {
    if (!this.epochs.size) return;
    const other = this.other.value;
    try {
      for (const { kind, title, chart } of this.charts) {
        const svg = await getChart(this.name, kind, other);
        if (shown !== this) return;
        chart.replaceChildren(drawn(svg));
        chart.setAttribute('aria-label', `${title} by epoch of ${this.name}${other ? ` and ${other}` : ''}`);
      }
      this.problem.hidden = true;
    } catch (error) {
      this.#say(error);
    }
  });
}

// The server's own SVG, parsed as XML rather than set as HTML.
function drawn(svg) {
  return document.importNode(new DOMParser().parseFromString(svg, 'image/svg+xml').documentElement, true);
}

function epochTable(rows) {
  const titles = ['epoch', 'learning rate', 'loss', 'validation loss', 'accuracy', 'validation accuracy', 'images/s'];
  const head = element('tr', {}, ...titles.map((title) => element('th', { scope: 'col', textContent: title })));
  return element('table', {}, element('thead', {}, head), rows);
}

// What is too wide scrolls by itself, by keyboard too.
function scrolling(name, node) {
  return element('div', { className: 'scroll', role: 'region', tabIndex: 0, 'aria-label': name }, node);
}

export function showRun(run, runs) {
  // A run that was finished and trains again is another one.
  const again = shown?.run?.state === 'finished' && run.state !== 'finished';
  if (shown?.name !== run.name || again) {
    hideRun();
    shown = new RunView(run.name);
    place.replaceChildren(...shown.nodes);
    place.hidden = false;
    shown.open();
  }
  shown.offer(runs);
}

export function hideRun() {
  shown?.close();
  shown = null;
  place.hidden = true;
}
