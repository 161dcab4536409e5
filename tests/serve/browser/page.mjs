// The page of `mnistctl serve` in a real browser: draws, drops pictures, watches a run, and more.
//
//   node page.mjs --base http://127.0.0.1:7878 --modules FOLDER/node_modules --chromium /usr/bin/chromium \
//     --png FOLDER --screenshots FOLDER [--training-run NAME]
//
// --modules has playwright-core and axe-core. The files in --png begin with their digit: 7-0001.png. The
// server has a finished run, a second network, and --collect. Prints a line for each check; exits with 1
// if one failed.

import { mkdirSync, readFileSync, readdirSync } from 'node:fs';
import { createRequire } from 'node:module';
import path from 'node:path';
import { parseArgs } from 'node:util';
import { makeChecks, expect, until } from './checks.mjs';
import { Page } from './driver.mjs';

const text = { type: 'string' };
const { values: options } = parseArgs({
  options: { base: text, modules: text, chromium: text, png: text, screenshots: text, 'training-run': text },
});
for (const name of ['base', 'modules', 'chromium', 'png', 'screenshots']) {
  if (!options[name]) {
    console.error(`--${name} is missing`);
    process.exit(2);
  }
}
const training = options['training-run'];
const modules = createRequire(path.resolve(options.modules, 'x.js'));
const { chromium } = modules('playwright-core');
const axe = readFileSync(modules.resolve('axe-core/axe.min.js'), 'utf8');
mkdirSync(options.screenshots, { recursive: true });

const WIDE = { width: 1280, height: 800 };
const PHONE = { width: 360, height: 740 };
const VIEWS = ['read', 'why', 'networks', 'runs'];
const pngs = readdirSync(options.png).filter((name) => /^\d.*\.png$/.test(name)).sort();
const note = { name: 'note.png', mimeType: 'image/png', buffer: Buffer.from('no picture') };
const fileOf = (digit) => path.join(options.png, pngs.find((name) => name.startsWith(digit)));

const browser = await chromium.launch({
  executablePath: options.chromium,
  args: [
    '--no-sandbox',
    '--disable-gpu',
    '--disable-quic',
    '--no-first-run',
    '--disable-background-networking',
    '--disable-component-update',
    '--disable-sync',
    '--use-fake-device-for-media-stream',
    '--use-fake-ui-for-media-stream',
  ],
});

const troubles = new Set();
const strangers = new Set();
let deliberate = false;

async function open({ viewport = WIDE, colorScheme = 'light', route = null, view = 'read', touch = false } = {}) {
  const context = await browser.newContext({ viewport, colorScheme, hasTouch: touch });
  await context.addInitScript({ content: axe });
  const page = await context.newPage();
  page.setDefaultTimeout(10_000);
  page.on('console', (message) => {
    if (message.type() === 'error' && !deliberate) troubles.add(`${message.text()} ${message.location().url}`);
  });
  page.on('pageerror', (error) => troubles.add(String(error)));
  page.on('request', (request) => {
    const url = new URL(request.url());
    if (!['data:', 'blob:'].includes(url.protocol) && url.origin !== new URL(options.base).origin) strangers.add(url.href);
  });
  if (route) await page.route('**/api/networks', route);
  await page.goto(`${options.base}/#${view}`);
  await page.waitForFunction(() => document.querySelector('#network').options.length > 0);
  return new Page(page);
}

const screenshot = (driver, name) => driver.page.screenshot({ path: path.join(options.screenshots, `${name}.png`) });

async function withPage(settings, body) {
  const driver = await open(settings);
  try {
    await body(driver);
  } finally {
    await driver.page.context().close();
  }
}

const { check, skip, finish } = makeChecks();

await withPage({}, async (driver) => {
  const { page } = driver;
  for (let digit = 0; digit < 10; digit++) {
    await check(`a drawn ${digit} is read as ${digit}`, async () => {
      await driver.draw(String(digit));
      expect(await driver.answer(), String(digit));
      expect(await page.locator('#bars .best .label').innerText(), String(digit));
      await driver.clear();
    });
  }

  await check('undo takes the last stroke away, and the answer changes back', async () => {
    await driver.draw('7', { place: 0, places: 2 });
    expect(await driver.answer(), '7');
    await driver.draw('0', { place: 1, places: 2 });
    expect(await driver.answer(), '70');
    await page.locator('#undo').click();
    await driver.settled();
    expect(await driver.answer(), '7');
    await driver.draw('0', { place: 1, places: 2 });
    await page.keyboard.press('Control+z');
    await driver.settled();
    expect(await driver.answer(), '7');
  });

  await check('clear empties paper and answer, and undo brings them back', async () => {
    await page.locator('#clear').click();
    await driver.settled();
    expect(await driver.ink(), 0);
    expect(await page.locator('#bars .best').count(), 0);
    await page.locator('#undo').click();
    await driver.settled();
    expect(await driver.answer(), '7');
    await page.keyboard.press('Escape');
    await driver.settled();
    expect(await driver.ink(), 0);
  });

  await check('2026 is read as a number, with four boxes', async () => {
    await driver.draw('2026');
    expect(await driver.answer(), '2026');
    expect(await page.locator('#boxes .box').count(), 4);
    await screenshot(driver, 'draw-light');
  });

  await check('the last digit is looked at first; a box and the arrow keys choose another', async () => {
    const chosen = async () => [await page.locator('#bars .best .label').innerText(), await page.locator('.box.chosen span').innerText()].join();
    expect(await chosen(), '6,6');
    const before = await driver.ink();
    const place = await page.locator('#boxes .box').nth(1).boundingBox();
    await page.mouse.click(place.x + place.width / 2, place.y + place.height / 2);
    expect(await chosen(), '0,0');
    expect(await driver.ink(), before, 'the tap leaves no dot');
    await page.locator('#answer [aria-checked=true]').focus();
    await page.keyboard.press('ArrowLeft');
    expect(await chosen(), '2,2');
    expect(await page.evaluate(() => document.activeElement.getAttribute('aria-checked')), 'true');
  });

  await check('the first screen shows paper and answer without scrolling', async () => {
    for (const id of ['paper', 'answer', 'bars', 'seen']) {
      const place = await page.locator(`#${id}`).boundingBox();
      expect(place.y >= 0 && place.y + place.height <= WIDE.height, true, `#${id} is on the screen`);
    }
  });

  await check('a pen that is pressed harder writes broader', async () => {
    const ink = [];
    for (const force of [0.1, 0.9]) {
      await driver.clear();
      await driver.penLine(force);
      ink.push(await driver.ink());
    }
    expect(ink[1] > 1.5 * ink[0], true, ink.join(' and '));
    await driver.clear();
  });

  await check('undo in the middle of a stroke ends it', async () => {
    await page.mouse.move(300, 300);
    await page.mouse.down();
    await page.mouse.move(400, 300, { steps: 3 });
    await page.keyboard.press('Control+z');
    await page.mouse.move(400, 400, { steps: 3 });
    await page.mouse.up();
    await driver.settled();
    expect(await driver.ink(), 0);
  });

  await check('an answer is there within 300 ms of the last move of a stroke', async () => {
    await driver.clear();
    const times = await driver.latencies(20);
    const median = times.sort((a, b) => a - b)[times.length >> 1];
    expect(median < 300, true, `the median is ${median.toFixed(1)} ms`);
    return `median of 20: ${median.toFixed(1)} ms, slowest ${times.at(-1).toFixed(1)} ms; the target is 30 ms`;
  });
});

await withPage({}, async (driver) => {
  const { page } = driver;
  const row = (name) => page.locator('#picture-list li', { hasText: name });
  const result = async (name) => {
    await until(`${name} is read`, async () => !/waiting|reading/.test(await row(name).locator('.result').innerText()));
    return row(name).locator('.result').innerText();
  };

  await check('a dropped picture is read', async () => {
    await driver.drop([fileOf(7)]);
    const said = await result(path.basename(fileOf(7)));
    expect(said.startsWith('7,'), true, said);
    expect(await driver.answer(), '7');
    expect(await page.locator('#boxes .box').count(), 1);
  });

  await check('several chosen pictures are read', async () => {
    const files = [3, 5, 8].map(fileOf);
    await page.locator('#files').setInputFiles(files);
    for (const [index, digit] of [3, 5, 8].entries()) {
      const said = await result(path.basename(files[index]));
      expect(said.startsWith(`${digit},`), true, said);
    }
    await row(path.basename(files[1])).locator('button').click();
    expect(await driver.answer(), '5');
  });

  await check('a pasted picture is read', async () => {
    await driver.paste([fileOf(4)]);
    const said = await result(path.basename(fileOf(4)));
    expect(said.startsWith('4,'), true, said);
  });

  await check('a file that is no picture shows its sentence', async () => {
    await page.locator('#files').setInputFiles(note);
    const said = await result('note.png');
    expect(/note\.png.* picture/.test(said), true, said);
    expect(await driver.answer(), said);
    return said;
  });

  await check('the camera takes a picture', async () => {
    await page.locator('#use-camera').click();
    await page.waitForFunction(() => document.querySelector('video').videoWidth > 0);
    await page.locator('#take-picture').click();
    await result('camera.jpg');
    expect(await page.evaluate(() => document.querySelector('video').srcObject), null);
  });

  await check('after pictures one can draw again', async () => {
    await page.locator('#draw-again').click();
    await driver.draw('3');
    expect(await driver.answer(), '3');
    await page.locator('#forget-pictures').click();
    expect(await page.locator('#pictures').isVisible(), false);
    expect(await page.locator('#picture-list li').count(), 0);
  });
});

await withPage({}, async (driver) => {
  const { page } = driver;
  await check('why: an occlusion in two colours, and the channels of each convolution', async () => {
    // A drawn 6 has pixels of both kinds.
    await driver.draw('6');
    await driver.view('why');
    await page.waitForSelector('#why .channels canvas');
    const colours = await page.evaluate(() => {
      const canvas = document.querySelector('canvas.occlusion');
      const { data } = canvas.getContext('2d').getImageData(0, 0, 28, 28);
      let [orange, blue] = [0, 0];
      for (let i = 0; i < data.length; i += 4) {
        if (data[i] > data[i + 2] + 20) orange++;
        if (data[i + 2] > data[i] + 20) blue++;
      }
      return { orange, blue };
    });
    expect(colours.orange > 0 && colours.blue > 0, true, JSON.stringify(colours));
    expect(await page.locator('#why h3').first().innerText(), 'Occlusion: for and against a 6');
    const drawn = await page.evaluate(() =>
      [...document.querySelectorAll('#why .channels canvas')].filter((canvas) => {
        const { data } = canvas.getContext('2d').getImageData(0, 0, canvas.width, canvas.height);
        return data.some((level, index) => index % 4 < 3 && level > 0);
      }).length,
    );
    expect(drawn > 0, true, 'a channel is not all black');
    await screenshot(driver, 'why');
    return `${await page.locator('#why .channels').count()} convolutions, ${await page.locator('#why .channels canvas').count()} channels`;
  });

  await check('why follows the pen', async () => {
    await driver.clear();
    await driver.draw('4');
    await until('the heading names the 4', async () => (await page.locator('#why h3').first().innerText()).endsWith('a 4'));
  });

  await check('two networks read the same drawing, side by side', async () => {
    await driver.view('networks');
    await driver.clear();
    const { networks } = await (await page.request.get(`${options.base}/api/networks`)).json();
    const names = networks.filter(({ digits }) => digits).map(({ name }) => name).slice(0, 2);
    expect(names.length, 2, 'networks of digits that the server has');
    for (const box of await page.locator('.choice-list input').all()) await box.uncheck();
    const boxes = names.map((name) => page.getByRole('checkbox', { name, exact: true }));
    for (const box of boxes) await box.check();
    await driver.draw('7');
    const cards = page.locator('.card');
    await until('both have read it', async () => {
      const numbers = await cards.locator('.number').allInnerTexts();
      return numbers.length === 2 && numbers.every((number) => /^\d+$/.test(number));
    });
    expect(await cards.locator('.bars').count(), 2);
    expect(await cards.first().locator('.number').innerText(), '7');
    await screenshot(driver, 'networks');
    await boxes[1].uncheck();
    expect(await cards.count(), 1);
    return page.locator('.verdict').innerText();
  });

  await check('a correction is kept', async () => {
    await driver.view('read');
    await driver.clear();
    await driver.draw('7');
    await page.getByRole('button', { name: 'That was a 7' }).click();
    const said = page.locator('#corrections [role=status]');
    await until('the page says so', async () => /^Kept as 7\//.test(await said.innerText()));
    return said.innerText();
  });

  await check('a lost connection is said, and what was drawn is read when it is back', async () => {
    deliberate = true;
    await page.context().setOffline(true);
    await driver.clear();
    await driver.draw('3', { settle: false });
    await page.locator('#connection').waitFor({ state: 'visible' });
    await page.context().setOffline(false);
    await page.locator('#connection').waitFor({ state: 'hidden' });
    await driver.settled();
    expect(await driver.answer(), '3');
    deliberate = false;
  });
});

const changed = (change) => async (route) => {
  const response = await route.fetch();
  await route.fulfill({ response, json: change(await response.json()) });
};

await withPage({ route: changed((answer) => ({ ...answer, collect: false })) }, async (driver) => {
  await check('without --collect nothing asks for corrections', async () => {
    await driver.draw('7');
    expect(await driver.page.getByRole('button', { name: /That was/ }).count(), 0);
  });
});

const many = ({ networks, ...rest }) => ({
  ...rest,
  networks: [...networks, ...Array.from({ length: 300 }, (_, index) => ({ ...networks[0], name: `variant-${index}` }))],
});
await withPage({ route: changed(many), view: 'networks' }, async (driver) => {
  await check('many networks can be searched', async () => {
    await driver.page.getByRole('searchbox').fill('variant-29');
    // 29, and 290 to 299.
    expect(await driver.page.locator('.choice-list label:visible').count(), 11);
  });
});

await withPage({ view: 'runs' }, async (driver) => {
  const { page } = driver;
  const { runs } = await (await page.request.get(`${options.base}/api/runs`)).json();
  const finished = runs.find((run) => run.state === 'finished' && run.test_accuracy !== null);
  const row = (name) => page.locator('#run-list a', { has: page.getByText(name, { exact: true }) });
  const choose = async (name) => {
    await row(name).click();
    await until(`${name} is shown`, async () => (await page.locator('#run-heading').innerText()) === name);
    await until('its three charts are drawn', async () => (await page.locator('#run .chart svg').count()) === 3);
  };

  await check('a finished run is listed with its test accuracy', async () => {
    expect(finished !== undefined, true, 'the server has a finished run');
    const figures = await row(finished.name).innerText();
    expect(figures.includes(`test ${(100 * finished.test_accuracy).toFixed(2)}%`), true, figures);
    await choose(finished.name);
    await page.locator('#run summary', { hasText: 'Recipe' }).click();
    expect((await page.locator('#run pre').innerText()).includes('='), true, 'its recipe is shown');
    return figures.replaceAll('\n', ' ');
  });

  await check('two runs on one chart', async () => {
    const other = runs.find((run) => run.name !== finished.name && run.epoch > 0);
    expect(other !== undefined, true, 'the server has a second run');
    const alone = await page.locator('#run .chart').first().innerHTML();
    await page.locator('#compare-with').selectOption(other.name);
    const label = page.locator('#run .chart').first();
    await until('the chart names both', async () => (await label.getAttribute('aria-label')).endsWith(`${finished.name} and ${other.name}`));
    expect((await label.innerHTML()) !== alone, true, 'the chart changed');
    await page.locator('#compare-with').selectOption('');
  });

  if (!training) {
    skip('a run that is training grows', 'no --training-run');
  } else {
    await check('a run that is training grows', async () => {
      await choose(training);
      const epoch = async () => Number(/epoch (\d+) of/.exec(await page.locator('.run-status').innerText())?.[1]);
      await until('its epoch is shown', async () => (await epoch()) > 0);
      const drawn = () => page.locator('#run .chart').first().innerHTML();
      const [epochBefore, before] = [await epoch(), await drawn()];
      await until('the epoch grows', async () => (await epoch()) > epochBefore, 60_000);
      await until('the chart changes', async () => (await drawn()) !== before);
      await screenshot(driver, 'runs');
      return `epoch ${epochBefore}, then: ${await page.locator('.run-status').innerText()}`;
    });
  }

  await check('the stream of events is closed with its view', async () => {
    // The browser has six connections to a server: streams left open would stop the page.
    for (let times = 0; times < 4; times++) {
      for (const run of runs.slice(0, 3)) await page.goto(`${options.base}/#runs/${encodeURIComponent(run.name)}`);
      await driver.view('read');
      await driver.view('runs');
    }
    await driver.view('read');
    await driver.draw('7');
    expect(await driver.answer(), '7');
  });
});

await withPage({}, async (driver) => {
  const { page } = driver;
  await check('by keyboard alone: every main control is reached', async () => {
    await page.keyboard.press('Tab');
    expect(await page.evaluate(() => document.activeElement.className), 'skip');
    const reached = new Set();
    for (let times = 0; times < 40; times++) {
      await page.keyboard.press('Tab');
      const at = await page.evaluate(() => document.activeElement.id || document.activeElement.getAttribute('href') || document.activeElement.ariaLabel);
      reached.add(at);
    }
    const wanted = ['#read', '#why', '#networks', '#runs', 'paper', 'undo', 'clear', 'choose', 'use-camera', 'network'];
    const missed = wanted.filter((id) => !reached.has(id));
    expect(missed.join(), '');
  });

  await check('by keyboard alone: drawn, read, corrected, undone, cleared, and the views', async () => {
    await page.locator('#paper').focus();
    await page.keyboard.press(' ');
    for (let times = 0; times < 18; times++) await page.keyboard.press('ArrowDown');
    await page.keyboard.press(' ');
    await driver.settled();
    expect(await driver.answer(), '1');
    const said = page.locator('#announcements');
    await until('the answer is announced', async () => (await said.innerText()).startsWith('Read as 1'));
    await driver.tabTo('[aria-label="That was a 1"]');
    await page.keyboard.press('Enter');
    await until('it is kept', async () => (await page.locator('#corrections').innerText()).includes('Kept as 1/'));
    await page.keyboard.press('Control+z');
    await driver.settled();
    expect(await driver.ink(), 0);
    for (const view of ['why', 'networks', 'runs', 'read']) {
      await driver.tabTo(`nav a[href="#${view}"]`);
      await page.keyboard.press('Enter');
      await page.locator(`#view-${view}`).waitFor({ state: 'visible' });
    }
  });
});

await withPage({ viewport: PHONE, touch: true }, async (driver) => {
  const { page } = driver;
  await check('on a phone a finger draws, and the answer is right below', async () => {
    await driver.touch('5');
    expect(await driver.answer(), '5');
    const paper = await page.locator('#paper').boundingBox();
    const answer = await page.locator('#answer').boundingBox();
    expect(answer.y > paper.y + paper.height && answer.y + answer.height < PHONE.height, true);
    await screenshot(driver, 'phone');
    await driver.clear();
    await driver.draw('2026');
    await page.locator('#files').setInputFiles([fileOf(7), fileOf(3)]);
    await page.waitForSelector('#boxes .box');
  });

  for (const view of VIEWS) {
    await check(`on a phone nothing is wider than the screen: ${view}`, async () => {
      await driver.view(view);
      await driver.filled(view);
      expect(await page.evaluate(() => document.documentElement.scrollWidth), PHONE.width);
    });
  }
});

await withPage({}, async (driver) => {
  const { page } = driver;
  await driver.draw('2026');
  for (const colorScheme of ['light', 'dark']) {
    await page.emulateMedia({ colorScheme });
    for (const viewport of [WIDE, PHONE]) {
      await page.setViewportSize(viewport);
      for (const view of VIEWS) {
        await check(`axe-core finds nothing: ${view}, ${colorScheme}, ${viewport.width} pixels`, async () => {
          await driver.view(view);
          await driver.filled(view);
          expect(await driver.violations(), '');
        });
      }
    }
    await page.setViewportSize(WIDE);
    await driver.view('read');
    if (colorScheme === 'dark') {
      await check('the dark page is dark', async () => {
        const levels = await page.evaluate(() => getComputedStyle(document.body).backgroundColor.match(/\d+/g).map(Number));
        expect(Math.max(...levels) < 60, true, levels.join());
        await screenshot(driver, 'draw-dark');
      });
    }
    await check(`axe-core finds nothing: pictures and camera, ${colorScheme}`, async () => {
      await page.locator('#files').setInputFiles([{ ...note, name: '7.png', buffer: readFileSync(fileOf(7)) }, note]);
      await page.waitForSelector('#picture-list .failed');
      expect(await driver.violations(), '');
      await page.locator('#use-camera').click();
      expect(await driver.violations(), '');
      await page.keyboard.press('Escape');
      await page.locator('#forget-pictures').click();
    });
  }
});

await check('no error in the console', async () => expect([...troubles].join('\n'), ''));
await check('no request to another origin', async () => expect([...strangers].join('\n'), ''));

await browser.close();
finish();
