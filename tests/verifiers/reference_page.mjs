// Opens the page that shows the API's document (its URL is the first argument, a Chromium the second) as its readers do: on a phone and
// on a desk, in the light and in the dark, with scripts and without. Prints what is amiss with it, a line for each, and leaves a picture
// of each in the folder that is the third.

import { chromium } from 'playwright-core';
import axe from 'axe-core';

const [url, program, pictures] = process.argv.slice(2);
const faults = [];
const expect = (holds, otherwise) => holds || faults.push(otherwise);

const SIZES = { phone: { width: 360, height: 740 }, desk: { width: 1280, height: 900 } };
const READERS = [
  ['phone', 'dark', true],
  ['desk', 'light', true],
  ['phone', 'light', false],
  ['desk', 'dark', false],
];
// What a reader sees of the page's parts.
const shown = (page, selector) => page.locator(selector).filter({ visible: true }).count();

const browser = await chromium.launch({ executablePath: program, args: ['--no-sandbox', '--disable-gpu', '--disable-dev-shm-usage'] });
try {
  for (const [size, colorScheme, javaScriptEnabled] of READERS) {
    const name = `${size}, ${colorScheme}, ${javaScriptEnabled ? 'with' : 'without'} scripts`;
    const context = await browser.newContext({ viewport: SIZES[size], colorScheme, javaScriptEnabled });
    await judge(await context.newPage(), name, javaScriptEnabled, `${pictures}/docs-${size}-${colorScheme}.png`);
    await context.close();
  }
} finally {
  await browser.close();
}
process.stdout.write(faults.map((fault) => `${fault}\n`).join(''));
process.exitCode = faults.length ? 1 : 0;

async function judge(page, name, scripts, picture) {
  page.on('request', (request) => {
    const asked = request.url();
    expect(asked === url || asked.startsWith('data:'), `${name}: it asks for ${asked}`);
  });
  page.on('console', (message) => expect(message.type() !== 'error', `${name}: the console has ${message.text()}`));
  page.on('pageerror', (error) => faults.push(`${name}: ${error}`));
  await page.goto(url);
  await page.screenshot({ path: picture });
  const all = await page.locator('.operation').count();
  expect(all > 30, `${name}: it has ${all} operations`);
  expect((await shown(page, '.operation')) === all, `${name}: some operations are hidden`);
  expect((await shown(page, '#words')) === (scripts ? 1 : 0), `${name}: the search is there only where it works`);
  const [wide, room] = await page.evaluate(() => [document.documentElement.scrollWidth, innerWidth]);
  expect(wide <= room, `${name}: it is ${wide} wide where there is room for ${room}`);
  // All of it, for what is folded is judged as well.
  await page.evaluate(() => document.querySelectorAll('details').forEach((details) => (details.open = true)));
  if (scripts) {
    // By the debugger: the page's own policy lets no script in.
    await page.evaluate(axe.source);
    const { violations, passes } = await page.evaluate(() => window.axe.run({ resultTypes: ['violations'] }));
    expect(passes.some((rule) => rule.id === 'color-contrast'), `${name}: nobody judged its contrast`);
    for (const { id, nodes } of violations) faults.push(`${name}: ${id} at ${nodes.slice(0, 3).map((node) => node.target)}`);
    await search(page, name, all);
  }
}

async function search(page, name, all) {
  await page.fill('#words', 'rotate SECRET');
  const found = await shown(page, '.operation');
  expect(found > 0 && found < all / 2, `${name}: the search leaves ${found} operations of ${all}`);
  expect((await shown(page, '#rotateWebhookSecret')) === 1, `${name}: the search does not find what it should`);
  expect((await shown(page, 'nav li')) === found, `${name}: the list of operations is not searched`);
  await page.fill('#words', 'retry_schedule');
  expect((await shown(page, '#createWebhook .hit')) > 0, `${name}: a field that was found is not marked`);
  await page.fill('#words', 'no such thing anywhere');
  expect((await shown(page, '.operation')) === 0, `${name}: the search finds what is not there`);
  await page.fill('#words', '');
  expect((await shown(page, '.operation')) === all, `${name}: an empty search does not show all`);
}
