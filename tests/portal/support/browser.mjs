// A real browser, and people in front of it. Whatever a page does that nobody should notice is a fault of that page: an error in the
// console, a report of its policy, a dialog, a request to anybody but the stack.

import assert from 'node:assert/strict';
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { after, before } from 'node:test';
import { chromium } from 'playwright-core';

import { pictures, stack } from './stack.mjs';
import { DEADLINE } from './until.mjs';

export const SIZES = {
  desk: { width: 1280, height: 900 },
  phone: { width: 360, height: 740 },
  // A desk at 400 %, which is as narrow as pages have to bear.
  narrow: { width: 320, height: 640 },
};

export const FLAGS = [
  '--no-sandbox',
  '--disable-gpu',
  '--disable-dev-shm-usage',
  '--disable-quic',
  '--no-first-run',
  '--disable-background-networking',
  '--disable-component-update',
  '--disable-sync',
  // Nothing outside of this machine is found, whatever asks for it.
  '--host-resolver-rules=MAP * ~NOTFOUND, EXCLUDE localhost, EXCLUDE 127.0.0.1',
];

// A browser says this of each answer that is an error, and a test that goes there says which it expects.
const ANSWERED = /^Failed to load resource: the server responded with a status of 4\d\d/;

/** The browser of a test file: it begins with the file's tests and ends with them. */
export function browser() {
  const one = { running: null };
  before(async () => {
    const executablePath = process.env.CHROMIUM;
    assert.ok(executablePath && existsSync(executablePath), 'CHROMIUM names no browser: `make portal-test` finds one');
    one.running = await chromium.launch({ executablePath, args: FLAGS, timeout: DEADLINE });
  });
  after(() => one.running?.close());
  one.visit = (options, does) => visit(one.running, options, does);
  return one;
}

/** Has somebody do something, in a profile of his own. Faults of the pages that he sees fail him, and so leave a picture.
 * `origins` are those that he visits beside the stack. */
async function visit(running, { size = 'desk', scripts = true, colorScheme = 'light', name, origins = [], ...others }, does) {
  const context = await running.newContext({
    viewport: SIZES[size],
    colorScheme,
    javaScriptEnabled: scripts,
    reducedMotion: 'reduce',
    ...others,
  });
  context.setDefaultTimeout(DEADLINE);
  const faults = await watched(context, origins);
  const page = await context.newPage();
  try {
    await does(page, faults);
    assert.deepEqual(faults, []);
  } catch (failure) {
    await picture(page, `failed-${name ?? 'visit'}`).catch(() => {});
    throw failure;
  } finally {
    await context.close();
  }
}

/** The list to which the faults of all pages of this context are added. */
async function watched(context, origins) {
  const faults = [];
  const known = [new URL(stack.api_url).origin, ...origins];
  await context.exposeBinding('reported', (_, report) => faults.push(`its policy is broken: ${report}`));
  await context.addInitScript(() => {
    const tell = (event) => window.reported(`${event.violatedDirective} by ${event.blockedURI} at ${event.sourceFile}:${event.lineNumber}`);
    document.addEventListener('securitypolicyviolation', tell);
  });
  context.on('request', (request) => {
    const url = new URL(request.url());
    if (!known.includes(url.origin) && url.protocol !== 'data:') faults.push(`it asks for ${url}`);
  });
  context.on('response', (response) => {
    const kind = response.request().resourceType();
    if (kind !== 'document' && response.status() >= 400) faults.push(`${kind} ${response.url()} is answered ${response.status()}`);
  });
  context.on('console', (message) => {
    const told = message.text();
    if (['error', 'warning'].includes(message.type()) && !ANSWERED.test(told)) faults.push(`the console has: ${told}`);
  });
  context.on('weberror', (error) => faults.push(`a script fails: ${error.error()}`));
  context.on('dialog', (dialog) => {
    faults.push(`a dialog says: ${dialog.message()}`);
    dialog.dismiss().catch(() => {});
  });
  return faults;
}

/** Keeps the page as a picture; of one that is very long, what is seen now. */
export function picture(page, name, { fullPage = true } = {}) {
  return page.screenshot({ fullPage, path: join(pictures, `${name.replaceAll(/[^\w-]+/g, '-')}.png`) });
}
