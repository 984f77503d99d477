// Takes the samples round by round, every system in each, and prints their medians as one Markdown table.
//   SITE=... CHROMIUM=... MODULES=... node measure.mjs ROUNDS        as run.sh does
import {spawn} from 'node:child_process';
import {readFileSync} from 'node:fs';
import {createRequire} from 'node:module';
import {join} from 'node:path';

const {SITE, CHROMIUM, MODULES} = process.env;
const rounds = Number(process.argv[2]);
const puppeteer = createRequire(join(MODULES, 'x.js'))('puppeteer-core');
const serve = new URL('../../../bindings/web/serve.py', import.meta.url).pathname;

const SYSTEMS = [
  ['@intsam/web w8a8', 'intsam', 'w8a8'],
  ['@intsam/web w6a6', 'intsam', 'w6a6'],
  ['onnxruntime-web FP32', 'onnx', 'onnx'],
  ['onnxruntime-web INT8 static QDQ', 'onnx', 'onnx-static'],
];
const HOVER = ['sam_tiny_mobile', 'sam_tiny'];
const THREADS = [1, 2];

const median = (values) => values.toSorted((a, b) => a - b)[values.length >> 1];

async function sample(browser, url, system, model, threads) {
  const page = await browser.newPage();
  try {
    page.setDefaultTimeout(300_000);
    await page.goto(url);
    await page.waitForFunction(() => window.measure !== undefined);
    return await page.evaluate((...words) => window.measure(...words), system, model, threads);
  } finally {
    await page.close();
  }
}

const server = spawn('python3', ['-B', serve, SITE, '--port', '0']);
const url = await new Promise((resolve) =>
  server.stdout.once('data', (text) => resolve(`${String(text).trim()}/page.html`)));
// A page that nobody looks at is slowed down otherwise.
const FLAGS = ['--no-sandbox', '--disable-gpu', '--disable-renderer-backgrounding', '--disable-background-timer-throttling',
  '--disable-backgrounding-occluded-windows'];
const browser = await puppeteer.launch({executablePath: CHROMIUM, args: FLAGS, protocolTimeout: 1_800_000});
try {
  const samples = new Map();
  for (let round = 1; round <= rounds; ++round) {
    for (const threads of THREADS) {
      for (const [label, system, model] of SYSTEMS) {
        const taken = await sample(browser, url, system, model, threads);
        process.stderr.write(`round ${round}, ${threads} thread(s), ${label}: ${JSON.stringify(taken)}\n`);
        const key = `${label}/${threads}`;
        samples.set(key, [...samples.get(key) ?? [], taken]);
      }
    }
  }
  const previews = new Map();
  for (let round = 1; round <= rounds; ++round) {
    for (const threads of THREADS) {
      for (const model of HOVER) {
        const {rate} = await sample(browser, url, 'hover', model, threads);
        process.stderr.write(`round ${round}, ${threads} thread(s), ${model}: ${rate.toFixed(1)} previews a second\n`);
        const key = `${model}/${threads}`;
        previews.set(key, [...previews.get(key) ?? [], rate]);
      }
    }
  }
  const cpu = readFileSync('/proc/cpuinfo', 'utf8').match(/model name\s*: (.*)/)[1];
  console.log(`MobileSAM, random weights; ${cpu}; ${await browser.version()}; median of ${rounds}\n`);
  console.log('| system | threads | encoder | first prompt | further prompts |\n|---|---|---|---|---|');
  for (const [label] of SYSTEMS) {
    for (const threads of THREADS) {
      const of = (figure) => median(samples.get(`${label}/${threads}`).map((taken) => taken[figure]));
      console.log(`| ${label} | ${threads} | ${(of('encoder') / 1000).toFixed(2)} s | ${of('first').toFixed(0)} ms | `
        + `${of('next').toFixed(0)} ms |`);
    }
  }
  console.log('\n| hover preview | threads | previews a second |\n|---|---|---|');
  for (const model of HOVER) {
    for (const threads of THREADS) {
      console.log(`| ${model} | ${threads} | ${median(previews.get(`${model}/${threads}`)).toFixed(1)} |`);
    }
  }
} finally {
  await browser.close();
  server.kill();
}
