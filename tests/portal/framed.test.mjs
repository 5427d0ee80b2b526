// The portal in a frame of a page that the operator has named, as his customers' people see it there.

import assert from 'node:assert/strict';
import { createServer } from 'node:http';
import { test } from 'node:test';

import { browser, picture } from './support/browser.mjs';
import { link } from './support/portal.mjs';
import { stack, tenant } from './support/stack.mjs';
import { until } from './support/until.mjs';

const one = browser();
const origin = stack.portal?.PortalFrameAncestors;
const skip = !origin && 'the stack was made without PORTAL_FRAME_ANCESTORS';

/** A page of another site, with the portal in a frame. */
async function framing(port, { url }) {
  const html = `<!doctype html><html lang="en"><title>Settings</title><iframe src="${url}" title="Webhooks" width="900" height="700"></iframe></html>`;
  const server = createServer((_, answer) => answer.writeHead(200, { 'content-type': 'text/html' }).end(html));
  await new Promise((listening) => server.listen(port, '127.0.0.1', listening));
  return server;
}

test('the portal works in a frame of a page that may frame it, in its language and under its name', { skip }, async () => {
  const mine = await tenant();
  const server = await framing(new URL(origin).port, await link(mine));
  try {
    await one.visit({ name: 'framed', origins: [origin] }, async (page) => {
      await page.goto(origin);
      const frame = page.frameLocator('iframe');
      await frame.getByText(stack.portal.PortalName).waitFor();
      await frame.getByRole('link', { name: 'Neuer Webhook' }).first().click();
      await frame.locator('#url').fill('http://not.secure.example/');
      await frame.getByRole('button', { name: 'Webhook anlegen' }).click();
      await frame.locator('#errors').waitFor();
      assert.equal(await frame.locator('html').getAttribute('lang'), 'de');
      const [cookie] = await page.context().cookies();
      assert.deepEqual([cookie.httpOnly, cookie.secure, cookie.sameSite], [true, true, 'None']);
      await picture(page, 'framed');
    });
  } finally {
    server.close();
  }
});

test('a page that the operator has not named still may not frame it', { skip }, async () => {
  const server = await framing(0, await link(await tenant()));
  const other = `http://localhost:${server.address().port}`;
  try {
    await one.visit({ name: 'not-framed', origins: [other] }, async (page, faults) => {
      await page.goto(other);
      await until('the browser refuses the frame', () => page.frames().some((frame) => frame.url().startsWith('chrome-error:')));
      assert.ok(faults.splice(0).every((fault) => fault.includes('frame')));
    });
  } finally {
    server.close();
  }
});
