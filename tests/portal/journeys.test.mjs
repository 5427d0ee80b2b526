// What customers come to the portal for, by clicking: at a desk, on a phone, and where no script runs.

import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';

import { browser, picture } from './support/browser.mjs';
import { enter, link } from './support/portal.mjs';
import { Receiver, isSigned } from './support/receiver.mjs';
import { operator, publisher, tenant } from './support/stack.mjs';
import { until } from './support/until.mjs';

const MANY = 50;
const one = browser();
let receiver, provider, type;

before(async () => {
  receiver = await Receiver.open();
  provider = await publisher();
  type = `order.t${process.pid}`;
  await operator.done('POST', '/v1/event-types', { name: type, description: 'An order was paid.', example: { order: 4711, amount: 120 } });
});
after(() => receiver?.close());

const button = (page, name) => page.getByRole('button', { name, exact: true });
const to = (page, name) => page.getByRole('link', { name, exact: true });
const standing = (page, status) => page.locator('.standing').getByText(status, { exact: true });
const headers = { headers: { 'x-shop': 'is closed' } };

/** Waits until something is shown: a page with scripts shows it by itself, another is loaded again. */
function seen(page, locator) {
  return until(`${locator} on ${page.url()}`, async () => {
    if (await locator.isVisible()) return true;
    if (!page.scripts) await page.reload();
    return false;
  });
}

/** The provider publishes events for this customer, in batches. */
async function publish(mine, events) {
  const whole = events.map((data) => ({ tenant_id: mine.id, event: type, data }));
  for (let at = 0; at < whole.length; at += 25) await provider.done('POST', '/v1/events/batch', { events: whole.slice(at, at + 25) });
}

/** Makes a webhook that is not tried again, and tells its secret. */
async function make(page, mine) {
  await to(page, 'New webhook').click();
  await page.getByLabel('Address', { exact: true }).fill(receiver.url(`/${mine.id}`));
  await page.getByLabel('Name', { exact: true }).first().fill('ERP');
  await page.locator(`input[name=events][value="${type}"]`).check();
  await page.getByText('More settings').click();
  await page.getByLabel('do not retry').check();
  await button(page, 'Create this webhook').click();
  const secret = await page.locator('#secret').innerText();
  await to(page, 'To the webhook').click();
  await page.getByRole('heading', { name: 'ERP', level: 1 }).waitFor();
  return secret;
}

/** Has it sent large orders alone, having seen what the filter lets through. */
async function filter(page) {
  await to(page, 'Edit').click();
  await page.getByLabel('Event pattern (JSON)').fill('{"data": {"amount": [{"numeric": [">", 100]}]}}');
  await page.getByText('Try it on an event').click();
  await page.getByLabel('Event type', { exact: true }).fill(type);
  await page.getByLabel('Data (JSON)').fill('{"amount": 50}');
  await button(page, 'Test the filter').click();
  await page.getByText('This event would not be sent.').waitFor();
  await page.getByLabel('Data (JSON)').fill('{"amount": 120}');
  await button(page, 'Test the filter').click();
  await page.getByText('This event would be sent.').waitFor();
  await button(page, 'Save').last().click();
  await page.getByRole('heading', { name: 'Settings' }).waitFor();
}

/** Sends a test, sees it arrive, and tells what came. */
async function tried(page, mine) {
  const before = receiver.at(`/${mine.id}`).length;
  await button(page, 'Send a test').first().click();
  await seen(page, standing(page, 'delivered'));
  return (await receiver.until(`/${mine.id}`, before + 1)).at(-1);
}

/** Finds what failed, sees why, and sends it again. */
async function resend(page, mine) {
  const path = `/${mine.id}`;
  receiver.answers_with(path, 503, { body: 'The shop is closed.', ...headers });
  await publish(mine, [{ amount: 4711 }]);
  const row = page.getByRole('row').filter({ has: page.locator('.badge').getByText('failed', { exact: true }) }).first();
  // The list comes anew where it is looked at.
  await page.getByRole('heading', { name: 'Deliveries', exact: true }).scrollIntoViewIfNeeded();
  await seen(page, row);
  await row.getByRole('link').click();
  const answer = page.getByText('The shop is closed.').first();
  if (!(await answer.isVisible())) await page.getByText('Answer', { exact: true }).first().click();
  await answer.waitFor();
  receiver.answers_with(path, 204);
  await button(page, 'Resend').click();
  await seen(page, standing(page, 'delivered'));
  assert.equal(JSON.parse(receiver.at(path).at(-1).body).data.amount, 4711);
}

/** Sends what was missed, having seen how much it is. */
async function recover(page, mine, id) {
  const path = `/${mine.id}`;
  receiver.answers_with(path, 503, headers);
  await publish(mine, Array.from({ length: MANY }, (_, order) => ({ amount: 120, order })));
  await until('all have failed', async () => {
    const { deliveries } = await mine.customer.done('GET', `/v1/webhooks/${id}/deliveries?status=failed&limit=100`);
    return deliveries.length === MANY;
  });
  receiver.answers_with(path, 204);
  const before = receiver.at(path).length;
  await to(page, 'Send missed events').click();
  await button(page, 'Count them').click();
  await page.getByText(`${MANY} events would be sent.`).waitFor();
  await button(page, `Send ${MANY} events now`).click();
  await seen(page, page.getByText('It is done. The list of deliveries shows which of them arrived.'));
  await page.getByText(`${MANY} of ${MANY} resent`).waitFor();
  const came = (await receiver.until(path, before + MANY)).slice(before);
  assert.equal(new Set(came.map(({ body }) => JSON.parse(body).data.order)).size, MANY);
}

/** Changes the secret, and tells the new one. */
async function rotate(page) {
  await to(page, 'Change the secret').click();
  await button(page, 'Change it now').click();
  await page.getByRole('heading', { name: 'The new secret' }).waitFor();
  return page.locator('#secret').innerText();
}

for (const { who, size, scripts } of [
  { who: 'at a desk', size: 'desk', scripts: true },
  { who: 'on a phone', size: 'phone', scripts: true },
  { who: 'whose browser runs no scripts', size: 'desk', scripts: false },
]) {
  test(`a customer ${who} makes, filters, tries, mends and secures a webhook by clicking`, () =>
    one.visit({ name: `journey ${who}`, size, scripts }, async (page) => {
      page.scripts = scripts;
      const kept = (step) => picture(page, `journey-${size}${scripts ? '' : '-without-scripts'}-${step}`);
      const mine = await tenant();
      const path = `/${mine.id}`;
      const back = () => page.getByRole('link', { name: 'Back to the webhook' }).click();
      await enter(page, await link(mine), { scripts });
      await page.getByText('There is no webhook yet').waitFor();
      await kept('nothing');
      const secret = await make(page, mine);
      const id = page.url().split('/').at(-1);
      await kept('made');

      await filter(page);
      await publish(mine, [{ amount: 50 }, { amount: 1000 }]);
      await receiver.until(path, 1);
      await kept('filtered');

      const test = await tried(page, mine);
      assert.ok(isSigned(test, secret), 'the receiver verifies with the secret that was shown');
      assert.deepEqual(receiver.at(path).map(({ body }) => JSON.parse(body).data.amount), [1000, 120], 'the filter holds');
      await kept('tested');
      await back();

      await resend(page, mine);
      await kept('sent-again');
      await back();

      await recover(page, mine, id);
      await kept('recovered');

      const next = await rotate(page);
      assert.notEqual(next, secret);
      await kept('rotated');
      await to(page, 'Deliveries').click();
      const last = await tried(page, mine);
      assert.ok(isSigned(last, next) && isSigned(last, secret), 'the receiver verifies with the new secret, and still with the old one');

      await to(page, 'Webhooks').click();
      await page.getByRole('link', { name: 'ERP', exact: true }).waitFor();
      if (!scripts) await to(page, 'Show success rates and last failures').click();
      await page.getByText('delivered in the last 24 hours').waitFor();
      await kept('listed');
    }));
}
