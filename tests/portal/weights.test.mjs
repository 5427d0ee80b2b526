// What the portal's pages weigh: the least of networks carries them.

import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';

import { browser } from './support/browser.mjs';
import { filled } from './support/filled.mjs';
import { PORTAL, enter, link } from './support/portal.mjs';
import { Receiver } from './support/receiver.mjs';
import { weighed } from './support/weight.mjs';

const KB = 1000;
const one = browser();
let receiver;
before(async () => {
  receiver = await Receiver.open();
});
after(() => receiver?.close());

test('the first page weighs under 60 kB with all that it loads, of which the script is under 10', (t) =>
  one.visit({ name: 'weight' }, async (page) => {
    const mine = await filled(receiver, (place) => `Some ${place}`);
    await enter(page, await link(mine));
    const { all, document, script, stylesheet } = await weighed(page, `${PORTAL}/webhooks`);
    t.diagnostic(`${all} bytes: ${document} of HTML, ${script} of script, ${stylesheet} of style`);
    assert.ok(all < 60 * KB, `it weighs ${all} bytes`);
    assert.ok(script < 10 * KB, `its script weighs ${script} bytes`);
  }));
