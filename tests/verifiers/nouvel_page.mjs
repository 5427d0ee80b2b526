// Runs the programs of nouvel's webhook page, unchanged, on a delivery that was really received.
//
//     WEBHOOK_SECRET=... node nouvel_page.mjs PAGE verification|integration SIGNATURE [every-bit] < BODY
//
// Ends with 0 if the page's handler answered 200, with 1 if it refused. With `every-bit` it ends with 0 if the handler
// refused the body with each one of its bits flipped that changes what the JSON says. The page's programs are
// TypeScript: what is no JavaScript in them, a few kinds of annotation, is taken away by rule. The web framework, which need
// not be installed for this, is stood in for by the three calls of it that the page makes. `integration` is the page's
// full example with its call that starts a job: that goes to the API named by API instead of the page's own host.

import { flipped, input, load, program, withoutTypes } from './page.mjs';

const [page, which, signature, mode] = process.argv.slice(2);
const HOST = 'https://app.nouvel.ai';
const PATH = '/webhooks/nouvel';

const handlers = {};
const app = {
  use() {},
  listen() {},
  post(path, handler) {
    handlers[path] = handler;
  },
};
const express = Object.assign(() => app, { json: () => () => {} });
globalThis.standIn = { app, express };

if (which === 'verification') {
  const source = program(page, 'import crypto', '\n});');
  await load(`const { app } = globalThis.standIn;\n${withoutTypes(source)}`);
} else {
  const { fetch } = globalThis;
  globalThis.fetch = (url, options) => fetch(url.replace(HOST, process.env.API), options);
  const source = program(page, '// 1. Submit generation', 'app.listen(3000);');
  const standIn = 'const express = globalThis.standIn.express;';
  await load(withoutTypes(source).replace("import express from 'express';", standIn));
}
const handler = handlers[PATH];

/** The framework's answer to a request with this body: JSON is parsed before the handler sees it. */
function answer(body) {
  const response = {
    code: 200,
    status(code) {
      this.code = code;
      return this;
    },
    json() {},
    send() {},
  };
  let parsed;
  try {
    parsed = JSON.parse(new TextDecoder('utf-8', { fatal: true }).decode(body));
  } catch {
    return 400;
  }
  try {
    handler({ headers: { 'x-nouvel-signature': signature }, body: parsed }, response);
  } catch (error) {
    console.log(`refused: ${error.message}`);
    return 500;
  }
  return response.code;
}

const body = input();
if (mode === 'every-bit') {
  const { log } = console;
  console.log = () => {};
  const said = JSON.stringify(JSON.parse(body));
  const saysTheSame = (other) => {
    try {
      return JSON.stringify(JSON.parse(other)) === said;
    } catch {
      return false;
    }
  };
  for (const other of flipped(body)) {
    if (answer(other) < 400 && !saysTheSame(other.toString())) {
      log(`accepted: ${other}`);
      process.exit(1);
    }
  }
} else {
  const code = answer(body);
  console.log(`answered: ${code}`);
  process.exit(code === 200 ? 0 : 1);
}
