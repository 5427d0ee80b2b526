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
  const [erp, warehouse] = await Promise.all([
    make('ERP', ['invoice.*']),
    make('Warehouse', ['order.shipped', 'order.cancelled'], { retry_schedule: [] }),
    make('Reports', ['*'], { filter: { data: { amount: [{ numeric: ['>', 1000] }] } }, status: 'disabled' }),
  ]);
  const publish = async (type, many) => {
    const events = Array.from({ length: many }, (_, at) => ({ tenant_id: mine.id, event: type, data: { number: 4700 + at, amount: 120 * at } }));
    await provider.done('POST', '/v1/events/batch', { events });
  };
  const ended = ({ id }, status, many) =>
    until(`${many} of ${id} are ${status}`, async () => {
      const { deliveries } = await mine.customer.done('GET', `/v1/webhooks/${id}/deliveries?status=${status}&limit=100`);
      return deliveries.length === many;
    });
  await Promise.all([publish('invoice.paid', 20), publish('order.shipped', 8)]);
  await Promise.all([ended(erp, 'succeeded', 20), ended(warehouse, 'succeeded', 8)]);
  receiver.answers_with('/warehouse', 503, { body: 'Down for maintenance until 6 a.m.' });
  await publish('order.shipped', 4);
  await ended(warehouse, 'failed', 4);
  const page = await browser.newPage({ viewport: { width: 1000, height: 600 } });
  await enter(page, await link(mine));
  await page.goto(page.url(), { waitUntil: 'networkidle' });
  await page.screenshot({ path, fullPage: true });
} finally {
  await browser.close();
  await receiver.close();
}
