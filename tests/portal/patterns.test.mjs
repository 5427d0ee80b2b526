// Patterns of event types in a webhook's form: what they take is seen at the types' boxes, and what is saved is what somebody chose.

import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { randomUUID } from 'node:crypto';

import { browser } from './support/browser.mjs';
import { PORTAL, enter, link } from './support/portal.mjs';
import { Receiver } from './support/receiver.mjs';
import { operator, tenant } from './support/stack.mjs';

const one = browser();
const group = `taken${randomUUID().slice(0, 8)}`;
const [first, second] = [`${group}.first`, `${group}.second`];
let receiver;

before(async () => {
  receiver = await Receiver.open();
  for (const name of [first, second]) await operator.done('POST', '/v1/event-types', { name });
});
after(() => receiver?.close());

for (const scripts of [true, false]) {
  test(`what a pattern takes is seen at its types, and saved as it was chosen, ${scripts ? 'with' : 'without'} scripts`, () =>
    one.visit({ name: 'patterns', scripts }, async (page) => {
      const mine = await tenant();
      const made = await mine.customer.done('POST', '/v1/webhooks/create', { url: receiver.url(`/${mine.id}`), events: [`${group}.*`, second] });
      const events = async () => (await mine.customer.done('GET', `/v1/webhooks/${made.id}`)).events.toSorted();
      const box = (type) => page.locator(`input[name=events][value="${type}"]`);
      const note = (type) => page.locator('li').filter({ has: box(type) }).getByText(`through ${group}.*`);
      const save = async () => {
        await page.getByRole('button', { name: 'Save', exact: true }).last().click();
        await page.waitForURL(/done=saved/);
      };
      await enter(page, await link(mine), { scripts });
      await page.goto(`${PORTAL}/webhooks/${made.id}/edit`);
      for (const type of [first, second]) assert.ok(await note(type).isVisible(), `${type} says through what it is sent`);
      assert.equal(await box(first).isChecked(), scripts, 'where a script runs it looks as ticked');
      assert.ok(await box(second).isChecked());
      await page.getByLabel('Name', { exact: true }).first().fill('ERP');
      await save();
      assert.deepEqual(await events(), [`${group}.*`, second], 'what nobody touched stays');

      await page.goto(`${PORTAL}/webhooks/${made.id}/edit`);
      await page.getByLabel('Patterns', { exact: true }).fill('');
      if (scripts) assert.ok(!(await box(first).isChecked()) && (await box(second).isChecked()), 'the boxes follow the patterns');
      await box(first).check();
      await box(second).uncheck();
      await save();
      assert.deepEqual(await events(), [first]);
    }));
}
