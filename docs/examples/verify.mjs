// Verifies a webhook's signature. Copy what you need into your receiver; it needs nothing but Node.
//
// `isAuthentic` is for one header of hex: x-nur-signature, x-nouvel-signature or x-netraflow-signature.
// `isAuthenticStandard` is for Standard Webhooks: webhook-id, webhook-timestamp and webhook-signature.
// Both take one secret, or a list of them: while yours is being changed, the old one and the new one.
//
// Give them the body as a Buffer, exactly as it came (in Express: express.raw({ type: "application/json" })):
// parsing and printing JSON again may change the bytes, and then no signature fits.
//
// Try it by hand:  WEBHOOK_SECRET=... node verify.mjs "$SIGNATURE" ["$WEBHOOK_ID" "$WEBHOOK_TIMESTAMP"] < body.json
// (several secrets: one on each line of WEBHOOK_SECRET)

import { createHmac, timingSafeEqual } from "node:crypto";
import { readFileSync, realpathSync } from "node:fs";
import { fileURLToPath } from "node:url";

const TOLERANCE = 300;

/**
 * Whether `signature` is the hex HMAC-SHA256 of `body`, with or without `sha256=` before it.
 *
 * The key is the whole secret as you know it, `whsec_` included.
 */
export function isAuthentic(body, signature, secret) {
  const given = (signature ?? "").trim().replace(/^sha256=/, "");
  return known(secret).some((key) => isSame(given, createHmac("sha256", key).update(body).digest("hex")));
}

/**
 * Whether Standard Webhooks' headers fit `body`; `headers` has lower-case names, as Node's requests do.
 *
 * The key is what the base64 after `whsec_` says. While a secret is being changed there are two signatures, and one
 * that fits is enough. An old timestamp is refused: somebody may be sending again what they once overheard.
 */
export function isAuthenticStandard(body, headers, secret, now = Date.now() / 1000) {
  const id = headers["webhook-id"] ?? "";
  const timestamp = headers["webhook-timestamp"] ?? "";
  if (!/^\d+$/.test(timestamp) || Math.abs(now - Number(timestamp)) > TOLERANCE) return false;
  const given = (headers["webhook-signature"] ?? "").split(" ");
  return known(secret).some((one) => {
    const text = one.replace(/^whsec_/, "");
    const key = Buffer.from(text, "base64");
    if (key.length === 0 || key.toString("base64") !== text) return false;
    const signed = createHmac("sha256", key).update(`${id}.${timestamp}.`).update(body);
    const expected = `v1,${signed.digest("base64")}`;
    return given.some((signature) => isSame(signature, expected));
  });
}

/** The secrets that are any: a setting that is missing may come as an empty text, and anybody can sign with that. */
function known(secret) {
  return [secret].flat().filter((text) => typeof text === "string" && text !== "");
}

/**
 * timingSafeEqual takes equally long wherever the two differ, so that nobody can find a valid signature by measuring,
 * but throws where the lengths do: a wrong length is simply a wrong signature.
 */
function isSame(given, expected) {
  const [one, other] = [Buffer.from(given), Buffer.from(expected)];
  return one.length === other.length && timingSafeEqual(one, other);
}

if (process.argv[1] && realpathSync(process.argv[1]) === fileURLToPath(import.meta.url)) {
  const [signature, id, timestamp, ...more] = process.argv.slice(2);
  const secret = process.env.WEBHOOK_SECRET?.split("\n");
  const complete = signature !== undefined && (id === undefined) === (timestamp === undefined) && more.length === 0;
  if (!complete || secret === undefined) {
    console.error('usage: WEBHOOK_SECRET=... node verify.mjs "$SIGNATURE" ["$WEBHOOK_ID" "$WEBHOOK_TIMESTAMP"] < body.json');
    process.exitCode = 2;
  } else {
    const body = readFileSync(0);
    const headers = { "webhook-signature": signature, "webhook-id": id, "webhook-timestamp": timestamp };
    const good = id === undefined ? isAuthentic(body, signature, secret) : isAuthenticStandard(body, headers, secret);
    if (good) {
      console.log("signature verified");
    } else {
      console.error("signature does not match");
      process.exitCode = 1;
    }
  }
}
