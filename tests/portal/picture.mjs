// The picture of the portal that README.md shows: for `make portal-picture`, on a stack that runs. Its argument is where it goes.

import { chromium } from 'playwright-core';

import { FLAGS } from './support/browser.mjs';
import { enter, link } from './support/portal.mjs';
import { Receiver } from './support/receiver.mjs';
import { publisher, tenant } from './support/stack.mjs';
import { until } from './support/until.mjs';

const [path] = process.argv.slice(2);
const receiver = await Receiver.open();
const browser = await chromium.launch({ executablePath: process.env.CHROMIUM, args: FLAGS });
try {
  const mine = await tenant({ name: 'Example Ltd' });
  const provider = await publisher();
  const make = (name, events, more) => mine.customer.done('POST', '/v1/webhooks/create', { name, events, url: receiver.url(`/${name.toLowerCase()}`), ...more });
  receiver.answers_with('/warehouse', 503, { body: 'Down for maintenance until 6 a.m.' });
  const [erp, warehouse] = await Promise.all([
    make('ERP', ['invoice.*']),
    make('Warehouse', ['order.shipped', 'order.cancelled'], { retry_schedule: [] }),
    make('Reports', ['*'], { filter: { data: { amount: [{ numeric: ['>', 1000] }] } }, status: 'disabled' }),
  ]);
  const event = (type, data) => ({ tenant_id: mine.id, event: type, data });
  const events = Array.from({ length: 20 }, (_, at) => (at % 7 ? event('invoice.paid', { invoice: 4700 + at, amount: 120 * at }) : event('order.shipped', { order: at })));
  await provider.done('POST', '/v1/events/batch', { events });
  await until('all of them have ended', async () => {
    const of = ({ id }, status) => mine.customer.done('GET', `/v1/webhooks/${id}/deliveries?status=${status}&limit=100`);
    const [well, badly] = await Promise.all([of(erp, 'succeeded'), of(warehouse, 'failed')]);
    return well.deliveries.length + badly.deliveries.length === events.length;
  });
  const page = await browser.newPage({ viewport: { width: 1000, height: 760 } });
  await enter(page, await link(mine));
  await page.goto(page.url(), { waitUntil: 'networkidle' });
  await page.screenshot({ path });
} finally {
  await browser.close();
  await receiver.close();
}
