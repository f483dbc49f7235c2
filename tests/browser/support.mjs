// A real server and a real browser for the tests of the dashboard.
// MLPD_BINARY: the program (default build/release/mlpd); MLPD_CHROMIUM: the browser (default Debian's).
import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { createRequire } from 'node:module';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before } from 'node:test';
import { fileURLToPath } from 'node:url';

const root = fileURLToPath(new URL('../../', import.meta.url));
const web = createRequire(join(root, 'web/package.json'));
const { chromium } = web('playwright-core');
export const axe_source = web.resolve('axe-core/axe.min.js');

export const article = JSON.parse(readFileSync(join(root, 'web/src/glass/article.json')));
export const binary = process.env.MLPD_BINARY ?? join(root, 'build/release/mlpd');
/** Long enough for a machine that other programs keep busy: only what fails takes so long. */
const kDeadlineMs = 60_000;

/** Servers that a failed test left behind end with it. */
const started = new Set();
process.on('exit', () => {
  for (const server of started) server.process.kill('SIGKILL');
});

async function free_port() {
  const probe = createServer();
  await new Promise((resolve) => probe.listen(0, '127.0.0.1', resolve));
  const { port } = probe.address();
  await new Promise((resolve) => probe.close(resolve));
  return port;
}

/** Calls `check` until it gives something true; fails with `what` after `timeout_ms`. */
export async function until(check, what, timeout_ms = kDeadlineMs) {
  const end = Date.now() + timeout_ms;
  for (;;) {
    const found = await check();
    if (found) return found;
    if (Date.now() > end) throw new Error(`not within ${timeout_ms} ms: ${what}`);
    await new Promise((resolve) => setTimeout(resolve, 25));
  }
}

/** A server on a port and a folder of its own. */
export class Server {
  constructor(options = []) {
    this.options = options;
    this.program = binary;
  }
  static async start(options) {
    const server = new Server(options);
    await server.start();
    return server;
  }
  async start() {
    this.port = await free_port();
    this.folder = await mkdtemp(join(tmpdir(), 'mlpd-browser-'));
    started.add(this);
    await this.run();
  }
  get url() {
    return `http://127.0.0.1:${this.port}`;
  }
  async run() {
    const words = ['serve', '--listen', `127.0.0.1:${this.port}`, '--data-dir', this.folder, ...this.options];
    this.process = spawn(this.program, words, { stdio: ['ignore', 'ignore', 'pipe'] });
    this.process.unref();
    this.process.stderr.unref();
    this.process.stderr.on('data', (text) => {
      this.log = `${this.log ?? ''}${text}`.slice(-4000);
    });
    await until(
      async () => (await fetch(`${this.url}/v2/health/ready`).catch(() => null))?.ok,
      `the server is ready: ${this.log}`,
    );
  }
  async kill() {
    if (this.process.exitCode !== null || this.process.signalCode !== null) return;
    this.process.ref();
    const gone = new Promise((resolve) => this.process.once('exit', resolve));
    this.process.kill('SIGKILL');
    await gone;
  }
  async stop() {
    await this.kill();
    started.delete(this);
    await rm(this.folder, { recursive: true, force: true });
  }
  async call(method, path, body, more = {}) {
    const headers = { 'Content-Type': 'application/json', ...more };
    const response = await fetch(this.url + path, { method, headers, body: body && JSON.stringify(body) });
    const text = await response.text();
    if (!response.ok) throw new Error(`${method} ${path}: ${response.status} ${text}`);
    return text ? JSON.parse(text) : undefined;
  }
}

let browser;
const executablePath = process.env.MLPD_CHROMIUM ?? '/usr/bin/chromium';
const switches = ['--no-sandbox', '--disable-dev-shm-usage'];
export async function launch() {
  browser = await chromium.launch({ executablePath, args: switches });
  return browser;
}

/**
 * A browser as people have it: of its tabs one is in front, and the others are hidden. (Playwright's own makes each of
 * its pages believe that it is in front, and paints all of them.)
 */
export async function launch_with_tabs() {
  const folder = await mkdtemp(join(tmpdir(), 'mlpd-tabs-'));
  const args = ['--headless=new', '--remote-debugging-port=0', `--user-data-dir=${folder}`, ...switches];
  const program = spawn(executablePath, args, { stdio: ['ignore', 'ignore', 'pipe'] });
  const gone = new Promise((resolve) => program.once('exit', resolve));
  let log = '';
  program.stderr.on('data', (text) => { log += text; });
  const address = await until(() => log.match(/DevTools listening on (ws:\S+)/)?.[1], 'the browser listens');
  const connected = await chromium.connectOverCDP(address, { noDefaults: true });
  const close = async () => {
    await connected.close();
    program.kill('SIGKILL');
    await gone;
    await rm(folder, { recursive: true, force: true, maxRetries: 5 });
  };
  return { context: connected.contexts()[0], close };
}

/** What the tests of one file share: the browser, and a server with these options (null: each test has its own). */
export function set_up(options = [], prepare = async () => {}) {
  const server = options && new Server(options);
  before(async () => {
    await launch();
    await server?.start();
    await prepare(server);
  });
  after(async () => {
    await browser.close();
    await server?.stop();
  });
  return server;
}

/** A page that notes whatever must not happen: errors, requests elsewhere, breaches of the policy. */
export async function open_page({ theme = 'light', language = 'en', width = 1280, height = 900, context, ...more } = {}) {
  const options = { viewport: { width, height }, colorScheme: theme, locale: language === 'zh' ? 'zh-CN' : 'en-US', ...more };
  const page = await (context ?? (await browser.newContext(options))).newPage();
  page.setDefaultTimeout(kDeadlineMs);
  page.faults = [];
  page.on('pageerror', (error) => page.faults.push(`error: ${error.message}`));
  page.on('console', (message) => {
    if (/Content Security Policy/i.test(message.text())) page.faults.push(message.text());
  });
  page.on('request', (request) => {
    const { hostname, protocol } = new URL(request.url());
    if (protocol.startsWith('http') && hostname !== '127.0.0.1') page.faults.push(`request: ${request.url()}`);
  });
  return page;
}

/** The page's words in one language, by their keys. */
export async function words(language) {
  const text = await readFile(join(root, `web/src/i18n/${language}.ts`), 'utf8');
  const literal = text.slice(text.indexOf('{', text.indexOf('export const')), text.lastIndexOf('}') + 1);
  return Function(`return ${literal}`)();
}

/** The end of a test: nothing happened on the page that must not. */
export async function finish(page) {
  assert.deepEqual(page.faults, []);
  await page.context().close();
}

export const network_of = (page) => new URLSearchParams(new URL(page.url()).hash.split('?')[1]).get('net');

/** The step that the Lab shows; NaN before it shows one. */
export const shown_step = (page) =>
  page.evaluate(() => Number(document.querySelector('.where .step b')?.textContent.replaceAll(',', '') ?? Number.NaN));

/** A page is settled once it asks nothing any more; its event stream stays open, so that the network is never idle. */
export async function settled(page) {
  await page.locator('h1').first().waitFor();
  await page.locator('main [role=status]', { hasText: /^(Loading|正在)/ }).waitFor({ state: 'detached' });
  let before = '';
  await until(async () => {
    const now = await page.evaluate(() => document.querySelector('main').textContent);
    const same = now === before;
    before = now;
    if (!same) await page.waitForTimeout(150);
    return same;
  }, `the page rests: ${page.url()}`);
}

export const routes = ['lab', 'glass', 'lessons', 'lessons/size', 'runs', 'data', 'models', 'api', 'system'];
