// What the portal's pages weigh and take, as JSON: for `make portal-figures`, and no judgement.

import { chromium } from 'playwright-core';

import { FLAGS } from './support/browser.mjs';
import { filled } from './support/filled.mjs';
import { PORTAL, enter, link, session } from './support/portal.mjs';
import { Receiver } from './support/receiver.mjs';
import { stack } from './support/stack.mjs';
import { walk } from './support/walk.mjs';
import { weighed } from './support/weight.mjs';

const TIMES = 15;
const median = (numbers) => numbers.toSorted((one, other) => one - other)[Math.floor(numbers.length / 2)];

/** Milliseconds from asking to the answer's last byte, in a process that has answered it before. */
async function warm(ask) {
  await ask();
  const took = [];
  for (let time = 0; time < TIMES; time += 1) {
    const begun = performance.now();
    await ask();
    took.push(performance.now() - begun);
  }
  return median(took);
}

const receiver = await Receiver.open();
const browser = await chromium.launch({ executablePath: process.env.CHROMIUM, args: FLAGS });
try {
  const mine = await filled(receiver, (place) => `Some ${place}`);
  const page = await browser.newPage();
  await enter(page, await link(mine));
  const pages = await walk(page, page.url());
  const visitor = await session(mine);
  const figures = new Map();
  for (const { url, kind } of pages.filter((one) => !figures.has(one.kind))) {
    const { document, all } = await weighed(page, url);
    figures.set(kind, { page: kind, document, all, ms: await warm(() => visitor.get(url)) });
  }
  const beside = { 'a page that asks the API for nothing': `${PORTAL}/left`, 'a call of the API': `${stack.api_url}/v1/openapi.json` };
  const others = [];
  for (const [what, url] of Object.entries(beside)) others.push({ page: what, ms: await warm(() => visitor.get(url)) });
  others.push({ page: '`GET /v1/webhooks`', ms: await warm(() => mine.customer.call('GET', '/v1/webhooks')) });
  const { all, script } = await weighed(page, `${PORTAL}/webhooks`);
  process.stdout.write(JSON.stringify({ pages: [...figures.values()], others, first: { all, script } }));
} finally {
  await browser.close();
  await receiver.close();
}
