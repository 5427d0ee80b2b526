// Verifies a webhook's signature. Copy `isAuthentic` into your receiver; it needs nothing but Node.
//
// Give it the body as a Buffer, exactly as it came (in Express: express.raw({ type: "application/json" })):
// parsing and printing JSON again may change the bytes, and then no signature fits. The header is
// x-nur-signature, x-nouvel-signature or x-netraflow-signature.
//
// Try it by hand:  WEBHOOK_SECRET=whsec_... node verify.mjs "$SIGNATURE" < body.json

import { createHmac, timingSafeEqual } from "node:crypto";
import { readFileSync, realpathSync } from "node:fs";
import { fileURLToPath } from "node:url";

/**
 * Whether `signature` is the hex HMAC-SHA256 of `body`, with or without `sha256=` before it.
 *
 * The key is the whole secret as you know it, `whsec_` included. timingSafeEqual takes equally long
 * wherever the two differ, but throws where the lengths do: a wrong length is simply a wrong signature.
 */
export function isAuthentic(body, signature, secret) {
  const expected = Buffer.from(createHmac("sha256", secret).update(body).digest("hex"));
  const given = Buffer.from((signature ?? "").trim().replace(/^sha256=/, ""));
  return given.length === expected.length && timingSafeEqual(given, expected);
}

if (process.argv[1] && realpathSync(process.argv[1]) === fileURLToPath(import.meta.url)) {
  const [, , signature] = process.argv;
  const secret = process.env.WEBHOOK_SECRET;
  if (signature === undefined || secret === undefined) {
    console.error('usage: WEBHOOK_SECRET=whsec_... node verify.mjs "$SIGNATURE" < body.json');
    process.exitCode = 2;
  } else if (isAuthentic(readFileSync(0), signature, secret)) {
    console.log("signature verified");
  } else {
    console.error("signature does not match");
    process.exitCode = 1;
  }
}
