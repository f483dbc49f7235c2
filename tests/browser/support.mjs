// A real server and a real browser for the tests of the dashboard.
// MLPD_BINARY: the program (default build/release/mlpd); MLPD_CHROMIUM: the browser (default Debian's).
import { spawn } from 'node:child_process';
import { mkdtemp, rm } from 'node:fs/promises';
import { createRequire } from 'node:module';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

const root = fileURLToPath(new URL('../../', import.meta.url));
const web = createRequire(join(root, 'web/package.json'));
const { chromium } = web('playwright-core');
export const axe_source = web.resolve('axe-core/axe.min.js');

const binary = process.env.MLPD_BINARY ?? join(root, 'build/release/mlpd');
const kStartMs = 10_000;

async function free_port() {
  const probe = createServer();
  await new Promise((resolve) => probe.listen(0, '127.0.0.1', resolve));
  const { port } = probe.address();
  await new Promise((resolve) => probe.close(resolve));
  return port;
}

/** Calls `check` until it gives something true; fails with `what` after `timeout_ms`. */
export async function until(check, what, timeout_ms = 10_000) {
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
  static async start(options = []) {
    const server = new Server();
    server.port = await free_port();
    server.folder = await mkdtemp(join(tmpdir(), 'mlpd-browser-'));
    server.options = options;
    await server.run();
    return server;
  }
  get url() {
    return `http://127.0.0.1:${this.port}`;
  }
  async run() {
    const words = ['serve', '--listen', `127.0.0.1:${this.port}`, '--data-dir', this.folder, ...this.options];
    this.process = spawn(binary, words, { stdio: ['ignore', 'ignore', 'pipe'] });
    this.process.stderr.on('data', (text) => {
      this.log = `${this.log ?? ''}${text}`.slice(-4000);
    });
    await until(
      async () => (await fetch(`${this.url}/v2/health/ready`).catch(() => null))?.ok,
      `the server is ready: ${this.log}`,
      kStartMs,
    );
  }
  async kill() {
    if (this.process.exitCode !== null || this.process.signalCode !== null) return;
    const gone = new Promise((resolve) => this.process.once('exit', resolve));
    this.process.kill('SIGKILL');
    await gone;
  }
  async stop() {
    await this.kill();
    await rm(this.folder, { recursive: true, force: true });
  }
  async call(method, path, body) {
    const headers = { 'Content-Type': 'application/json' };
    const response = await fetch(this.url + path, { method, headers, body: body && JSON.stringify(body) });
    const text = await response.text();
    if (!response.ok) throw new Error(`${method} ${path}: ${response.status} ${text}`);
    return text ? JSON.parse(text) : undefined;
  }
}

export const launch = () =>
  chromium.launch({
    executablePath: process.env.MLPD_CHROMIUM ?? '/usr/bin/chromium',
    args: ['--no-sandbox', '--disable-dev-shm-usage'],
  });

/** A page that notes whatever must not happen: errors, requests elsewhere, breaches of the policy. */
export async function open_page(browser, { theme = 'light', language = 'en', width = 1280, height = 900, context } = {}) {
  const options = { viewport: { width, height }, colorScheme: theme, locale: language === 'zh' ? 'zh-CN' : 'en-US' };
  const page = await (context ?? (await browser.newContext(options))).newPage();
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

/** The step that the Lab shows. */
export const shown_step = async (page) =>
  Number((await page.locator('.where .step b').textContent()).replaceAll(',', ''));

export const routes = ['lab', 'glass', 'lessons', 'lessons/size', 'runs', 'data', 'models', 'api', 'system'];
