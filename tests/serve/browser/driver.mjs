// What a person does with the page, in a browser that Playwright drives.

import { readFileSync } from 'node:fs';
import path from 'node:path';

const strokes = JSON.parse(readFileSync(new URL('strokes.json', import.meta.url)));

export class Page {
  constructor(page) {
    this.page = page;
  }

  // The polylines of digits beside each other on the paper, in pixels of the window.
  async #polylines(digits, { place = 0, places = digits.length } = {}) {
    const paper = await this.page.locator('#paper').boundingBox();
    const side = Math.min(paper.width / places, paper.height);
    const left = paper.x + (paper.width - side * places) / 2;
    const top = paper.y + (paper.height - side) / 2;
    return [...digits].flatMap((digit, index) =>
      strokes[digit].map((line) => line.map(([x, y]) => [left + side * (place + index + x), top + side * y])),
    );
  }

  async draw(digits, { settle = true, ...where } = {}) {
    const { mouse } = this.page;
    for (const [start, ...rest] of await this.#polylines(digits, where)) {
      await mouse.move(...start);
      await mouse.down();
      for (const point of rest) await mouse.move(...point, { steps: 2 });
      await mouse.up();
    }
    if (settle) await this.settled();
  }

  async touch(digits) {
    const session = await this.page.context().newCDPSession(this.page);
    const send = (type, points) =>
      session.send('Input.dispatchTouchEvent', { type, touchPoints: points.map(([x, y]) => ({ x, y })) });
    for (const [start, ...rest] of await this.#polylines(digits)) {
      await send('touchStart', [start]);
      for (const point of rest) await send('touchMove', [point]);
      await send('touchEnd', []);
    }
    await this.settled();
  }

  // A horizontal line of a pen that is pressed with a force of 0 to 1.
  async penLine(force) {
    const paper = await this.page.locator('#paper').boundingBox();
    const session = await this.page.context().newCDPSession(this.page);
    const send = (type, part) =>
      session.send('Input.dispatchMouseEvent', {
        type,
        x: paper.x + paper.width * part,
        y: paper.y + paper.height / 2,
        button: 'left',
        buttons: type === 'mouseReleased' ? 0 : 1,
        clickCount: 1,
        pointerType: 'pen',
        force,
      });
    await send('mousePressed', 0.2);
    for (const part of [0.4, 0.6, 0.8]) await send('mouseMoved', part);
    await send('mouseReleased', 0.8);
    await this.settled();
  }

  async clear() {
    await this.page.locator('#clear').click();
    await this.settled();
  }

  // Until the answer is that of the drawing as it is now.
  settled() {
    return this.page.waitForFunction(() => {
      const { version } = document.querySelector('#paper').dataset;
      return version === undefined || document.querySelector('#answer').dataset.version === version;
    });
  }

  async answer() {
    return (await this.page.locator('#answer').textContent()).trim();
  }

  // How many pixels of the paper have ink.
  ink() {
    return this.page.evaluate(() => {
      const paper = document.querySelector('#paper');
      const { data } = paper.getContext('2d').getImageData(0, 0, paper.width, paper.height);
      return data.filter((level, index) => index % 4 === 3 && level > 0).length;
    });
  }

  // Milliseconds from the last move of a stroke to its answer, for strokes of changing digits.
  async latencies(count) {
    await this.page.evaluate(() => {
      const paper = document.querySelector('#paper');
      const answer = document.querySelector('#answer');
      window.times = { moved: 0, answered: 0 };
      paper.addEventListener('pointermove', (event) => (window.times.moved = event.timeStamp), { capture: true });
      new MutationObserver(() => {
        if (answer.dataset.version === paper.dataset.version) window.times.answered = performance.now();
      }).observe(answer, { attributeFilter: ['data-version'] });
    });
    const found = [];
    for (let times = 0; times < count; times++) {
      await this.draw(String([7, 1, 3, 6, 2][times % 5]));
      found.push(await this.page.evaluate(() => window.times.answered - window.times.moved));
      await this.clear();
    }
    return found;
  }

  drop(files) {
    return this.#transfer(files, 'drop');
  }

  paste(files) {
    return this.#transfer(files, 'paste');
  }

  async #transfer(files, how) {
    const contents = files.map((file) => ({ name: path.basename(file), base64: readFileSync(file).toString('base64') }));
    await this.page.evaluate(
      ({ contents, how }) => {
        const transfer = new DataTransfer();
        for (const { name, base64 } of contents) {
          const bytes = Uint8Array.from(atob(base64), (letter) => letter.charCodeAt(0));
          transfer.items.add(new File([bytes], name, { type: 'image/png' }));
        }
        const event =
          how === 'drop'
            ? new DragEvent('drop', { dataTransfer: transfer, bubbles: true, cancelable: true })
            : new ClipboardEvent('paste', { clipboardData: transfer, bubbles: true });
        document.querySelector('#stage').dispatchEvent(event);
      },
      { contents, how },
    );
  }

  async view(name) {
    await this.page.locator(`nav a[href="#${name}"]`).click();
    await this.page.locator(`#view-${name}`).waitFor({ state: 'visible' });
  }

  // Until a view has its contents.
  async filled(view) {
    const contents = { read: '#bars li', why: '#why .channels canvas', networks: '.card', runs: '#run .chart svg' };
    await this.page.waitForSelector(contents[view]);
    if (view === 'runs') {
      await this.page.evaluate(() => document.querySelectorAll('#run details').forEach((details) => (details.open = true)));
    }
  }

  async tabTo(selector) {
    for (let times = 0; times < 80; times++) {
      await this.page.keyboard.press('Tab');
      if (await this.page.evaluate((wanted) => document.activeElement.matches(wanted), selector)) return;
    }
    throw new Error(`Tab does not reach ${selector}`);
  }

  // axe-core's findings, one a line.
  async violations() {
    const found = await this.page.evaluate(() => window.axe.run());
    return found.violations
      .flatMap(({ id, nodes }) => nodes.map((node) => `${id}: ${node.target.join(' ')}: ${node.failureSummary}`))
      .join('\n');
  }
}
