// The page in headless Chromium, as a person uses it: masks equal the native tool's, with and without threads.
//   SITE=... CASES=... CHROMIUM=... SHOTS=... node --test page_test.mjs        as tests/run.sh does
import assert from 'node:assert/strict';
import {spawn} from 'node:child_process';
import {readFileSync} from 'node:fs';
import {createRequire} from 'node:module';
import {join} from 'node:path';
import {after, before, test} from 'node:test';

const {SITE, CASES, CHROMIUM, SHOTS, MODULES} = process.env;
const puppeteer = createRequire(join(MODULES, 'x.js'))('puppeteer-core');
const cases = JSON.parse(readFileSync(join(CASES, 'cases.json')));
const here = new URL('.', import.meta.url).pathname;
const PATIENCE = {timeout: 120_000};
let browser;

function serve(...options) {
  const server = spawn('python3', ['-B', join(here, '../serve.py'), SITE, '--port', '0', ...options]);
  return new Promise((resolve, reject) => {
    server.once('error', reject);
    server.stdout.once('data', (text) => resolve({server, url: String(text).trim()}));
  });
}

// A page whose console must stay silent.
async function open(url, {width = 1000, height = 1100, touch = false} = {}) {
  const page = await browser.newPage();
  const complaints = [];
  page.on('console', (message) => ['error', 'warn'].includes(message.type()) && complaints.push(message.text()));
  page.on('pageerror', (error) => complaints.push(String(error)));
  await page.setViewport({width, height, hasTouch: touch, isMobile: touch});
  await page.goto(url);
  await says(page, /^Ready/);
  return {page, complaints};
}

const says = (page, words) =>
  page.waitForFunction((source) => new RegExp(source).test(document.getElementById('status').textContent), PATIENCE,
    words.source);
const text = (page, id) => page.$eval(`#${id}`, (node) => node.textContent);
const hashOf = async (page) => {
  await page.waitForFunction(() => /^[0-9a-f]{64}$/.test(document.getElementById('hash').textContent), PATIENCE);
  return text(page, 'hash');
};

// Where a pixel of the photo is on the screen.
async function onScreen(page, x, y, {width, height}) {
  const frame = await page.$eval('#canvas', (canvas) => {
    canvas.scrollIntoView({block: 'center'});
    const {left, top, width, height} = canvas.getBoundingClientRect();
    return {left, top, width, height};
  });
  return [frame.left + ((x + 0.5) / width) * frame.width, frame.top + ((y + 0.5) / height) * frame.height];
}

// The photo as a person drops it.
async function drop(page, name) {
  const data = readFileSync(join(SITE, 'photos', name)).toString('base64');
  await page.evaluate(async (name, data) => {
    const bytes = await (await fetch(`data:application/octet-stream;base64,${data}`)).blob();
    const transfer = new DataTransfer();
    transfer.items.add(new File([bytes], name, {type: name.endsWith('png') ? 'image/png' : 'image/jpeg'}));
    dispatchEvent(new DragEvent('drop', {dataTransfer: transfer, bubbles: true, cancelable: true}));
  }, name, data);
  await says(page, /^Looking/);
  await says(page, /^Ready/);
}

before(async () => {
  browser = await puppeteer.launch({executablePath: CHROMIUM, args: ['--no-sandbox', '--disable-gpu']});
});
after(() => browser?.close());

for (const [name, options] of [['isolated, with threads', []], ['not isolated, one thread', ['--not-isolated']]]) {
  test(`clicks, boxes, undo: the native tool's masks (${name})`, async () => {
    const {server, url} = await serve(...options);
    try {
      const {page, complaints} = await open(url);
      const threads = Number((await text(page, 'kernels')).match(/(\d+) thread/)[1]);
      assert.equal(threads > 1, options.length === 0, `${threads} threads`);
      const [click, refined, boxed] = cases.filter((one) => one.model === 'sam_tiny_mobile.isam');
      await drop(page, click.photo);
      const press = async ({x, y, label}) =>
        page.mouse.click(...(await onScreen(page, x, y, click)), {button: label ? 'left' : 'right'});

      await press(click.points[0]);
      assert.equal(await hashOf(page), click.sha256);
      await press(refined.points[1]);
      await page.waitForFunction((old) => document.getElementById('hash').textContent !== old, PATIENCE, click.sha256);
      assert.equal(await hashOf(page), refined.sha256);
      await page.click('#undo');
      await page.waitForFunction((want) => document.getElementById('hash').textContent === want, PATIENCE, click.sha256);
      assert.match(await text(page, 'command'), /^intsam-segment sam_tiny_mobile.isam chelsea.png --point 200,150 -o/);
      await page.screenshot({path: join(SHOTS, `page-${threads > 1 ? 'threads' : 'one'}.png`)});

      await page.click('#clear');
      const [x0, y0, x1, y1] = boxed.box;
      await page.mouse.move(...(await onScreen(page, x0, y0, boxed)));
      await page.mouse.down();
      await page.mouse.move(...(await onScreen(page, x1, y1, boxed)), {steps: 5});
      await page.mouse.up();
      await page.waitForFunction((want) => document.getElementById('hash').textContent === want, PATIENCE, boxed.sha256);
      assert.deepEqual(complaints, []);
      await page.close();
    } finally {
      server.kill();
    }
  });
}

test('a decoder alone and a saved embedding: the native mask without an encoder', async () => {
  const {server, url} = await serve();
  try {
    const {page, complaints} = await open(url);
    const upload = async (id, name) => (await page.$(`#${id}`)).uploadFile(join(CASES, name));
    await upload('model-file', 'decoder.isam');
    await says(page, /^This model has no image encoder/);
    await upload('embedding', 'photo.isemb');
    await says(page, /^Embedding loaded/);
    const [click] = cases;
    await page.mouse.click(...(await onScreen(page, click.points[0].x, click.points[0].y, click)));
    assert.equal(await hashOf(page), click.sha256);
    assert.deepEqual(complaints, []);
    await page.close();
  } finally {
    server.kill();
  }
});

test('hover, everything mode, stop, cut-out, keyboard', async () => {
  const {server, url} = await serve();
  try {
    const {page, complaints} = await open(url);
    const photo = {width: 512, height: 512};
    await page.mouse.move(...(await onScreen(page, 250, 200, photo)));
    await page.waitForFunction(() => /^preview/.test(document.getElementById('time').textContent), PATIENCE);

    await page.click('#everything');
    await says(page, /^Searching/);
    await page.click('#stop');
    await says(page, /^Stopped/);
    await page.click('#everything');
    await says(page, /^\d+ masks/);
    assert.ok(Number((await text(page, 'status')).match(/^\d+/)[0]) > 3);
    await page.screenshot({path: join(SHOTS, 'page-everything.png')});

    assert.equal(await page.$eval('#clear', (button) => button.disabled), false);

    await page.focus('#canvas');
    await page.keyboard.press('ArrowRight');
    await page.keyboard.press('Enter');
    await hashOf(page);
    assert.match(await text(page, 'command'), /--point 264,256 /);
    const picture = await page.evaluate(() => new Promise((resolve) => {
      const create = URL.createObjectURL;
      URL.createObjectURL = (blob) => {
        createImageBitmap(blob).then(({width, height}) => resolve({type: blob.type, width, height}));
        return create(blob);
      };
      document.getElementById('cutout').click();
    }));
    assert.deepEqual(picture, {type: 'image/png', ...photo});
    await page.keyboard.press('Escape');
    assert.equal(await page.$eval('#cutout', (button) => button.disabled), true);
    assert.deepEqual(complaints, []);
    await page.close();
  } finally {
    server.kill();
  }
});

test('a phone: 390 pixels wide, finger, long press', async () => {
  const {server, url} = await serve();
  try {
    const {page, complaints} = await open(url, {width: 390, height: 844, touch: true});
    assert.ok(await page.evaluate(() => document.documentElement.scrollWidth <= innerWidth), 'scrolls sideways');
    const photo = {width: 512, height: 512};
    await page.touchscreen.tap(...(await onScreen(page, 250, 200, photo)));
    await hashOf(page);
    assert.doesNotMatch(await text(page, 'command'), /,0 /);
    await page.touchscreen.touchStart(...(await onScreen(page, 60, 60, photo)));
    await new Promise((done) => setTimeout(done, 800));
    await page.touchscreen.touchEnd();
    await page.waitForFunction(() => /--point \d+,\d+,0 /.test(document.getElementById('command').textContent), PATIENCE);
    await page.screenshot({path: join(SHOTS, 'page-phone.png'), fullPage: true});
    assert.deepEqual(complaints, []);
    await page.close();
  } finally {
    server.kill();
  }
});

test('a photo is pasted, and another comes from the camera', async () => {
  const {server, url} = await serve();
  try {
    const {page, complaints} = await open(url);
    const data = readFileSync(join(SITE, 'photos/chelsea.png')).toString('base64');
    await page.evaluate(async (data) => {
      const transfer = new DataTransfer();
      const bytes = await (await fetch(`data:image/png;base64,${data}`)).blob();
      transfer.items.add(new File([bytes], 'pasted.png', {type: 'image/png'}));
      dispatchEvent(new ClipboardEvent('paste', {clipboardData: transfer, bubbles: true}));
    }, data);
    await says(page, /^Looking/);
    await says(page, /^Ready/);
    const [click] = cases;
    await page.mouse.click(...(await onScreen(page, click.points[0].x, click.points[0].y, click)));
    assert.equal(await hashOf(page), click.sha256);
    assert.match(await text(page, 'command'), / pasted.png /);

    assert.equal(await page.$eval('#camera', (input) => input.getAttribute('capture')), 'environment');
    await (await page.$('#camera')).uploadFile(join(SITE, 'photos/rocket.jpg'));
    await says(page, /^Looking/);
    await says(page, /^Ready/);
    assert.deepEqual(complaints, []);
    await page.close();
  } finally {
    server.kill();
  }
});

for (const [name, options] of [['with threads', []], ['one thread', ['--not-isolated']]]) {
  test(`the module: progress, taking back, wasmPaths, errors (${name})`, async () => {
    const {server, url} = await serve(...options);
    try {
      const {page, complaints} = await open(url);
      const seen = await page.evaluate(async () => {
        const {Intsam} = await import('./dist/intsam.mjs');
        const failure = (promise) => promise.then(() => 'none', ({name, status, message}) => ({name, status, message}));
        const sam = await Intsam.create({model: 'models/micro.isam', wasmPaths: './dist/'});
        const photo = {data: new Uint8Array(128 * 96 * 4).map((_, i) => (i * i) >> 9), width: 128, height: 96};
        const steps = [];
        await sam.setImage(photo, {onProgress: ({step, steps: all}) => void steps.push(step <= all)});
        const settings = {pointsPerSide: 4, predIouThresh: 0, stabilityScoreThresh: 0};
        const all = {progress: 0, masks: 0};
        const masks = await sam.everything({
          ...settings, onProgress: () => void all.progress++, onMask: () => void all.masks++});

        const running = new AbortController();
        const stopped = failure(
          sam.everything({...settings, signal: running.signal, onProgress: () => running.abort()}));
        const waiting = new AbortController();
        const dropped = failure(sam.predict({points: [{x: 9, y: 9}], signal: waiting.signal}));
        waiting.abort();
        const before = failure(sam.predict({points: [{x: 9, y: 9}], signal: AbortSignal.abort()}));
        const after = await sam.predict({points: [{x: 60, y: 50}]}); // still well
        return {steps, all, found: masks.length, stopped: await stopped, dropped: await dropped, before: await before,
          after: after.pixels.length, wrong: await failure(sam.predict({points: [{x: 'a', y: 1}]})),
          nothing: await failure(Intsam.create({model: 'photos/none.isam'}))};
      });
      assert.ok(seen.steps.length > 1 && seen.steps.every(Boolean));
      assert.ok(seen.found > 0);
      assert.ok(seen.all.progress > 0);
      assert.equal(seen.all.masks, seen.found);
      for (const taken of [seen.stopped, seen.dropped, seen.before]) assert.equal(taken.name, 'AbortError');
      assert.equal(seen.after, 128 * 96);
      assert.deepEqual([seen.wrong.name, seen.wrong.status], ['IntsamError', 2]);
      assert.deepEqual([seen.nothing.name, seen.nothing.status], ['IntsamError', 3]);
      assert.deepEqual(complaints.filter((text) => !/404/.test(text)), []);
      await page.close();
    } finally {
      server.kill();
    }
  });
}

test('memory does not grow over 50 photos', async () => {
  const {server, url} = await serve();
  try {
    const {page} = await open(url);
    const sizes = await page.evaluate(async () => {
      const {Engine} = await import('./dist/engine.mjs');
      const {default: createModule} = await import('./dist/intsam-simd.mjs');
      const bytes = async (name) => (await fetch(name)).arrayBuffer();
      let memory;
      const engine = await Engine.create({
        createModule: async (options) => {
          const module = await createModule(options);
          memory = () => module.HEAPU8.length;
          return module;
        },
        wasmBinary: await bytes('dist/intsam-simd.wasm'),
        model: new Uint8Array(await bytes('models/micro.isam')),
      });
      const sizes = [];
      for (let i = 0; i < 50; ++i) {
        engine.setImage({data: new Uint8Array(128 * 96 * 4).fill(i), width: 128, height: 96});
        engine.predict({points: [{x: 60, y: 50}], form: ['pixels', 'rle', 'outlines'][i % 3]});
        sizes.push(memory());
      }
      return sizes;
    });
    assert.equal(sizes.at(-1), sizes[3]);
    await page.close();
  } finally {
    server.kill();
  }
});
