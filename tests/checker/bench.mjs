// What the checker costs in a browser: `node bench.mjs MODULE INPUT`. `cargo bench -p strowger-checker --bench browser`
// writes INPUT, a catalogue and flows, and runs this.

import { readFileSync } from "node:fs";
import { join } from "node:path";
import { brotliCompressSync, gzipSync } from "node:zlib";
import { withPage } from "./browser.mjs";

/// Pages that are opened anew.
const VISITS = 10;

const [, , module, input] = process.argv;
const bytes = readFileSync(join(module, "strowger-checker.wasm"));
const kilobytes = (bytes) => `${(bytes.length / 1024).toFixed(0)} KiB`;
const packed = `gzip ${kilobytes(gzipSync(bytes, { level: 9 }))}, brotli ${kilobytes(brotliCompressSync(bytes))}`;
console.log(`module: ${kilobytes(bytes)}, ${packed}`);

const given = JSON.parse(readFileSync(input, "utf8"));
const measured = await withPage(module, ["bench.js"], async (page, browser) => {
  console.log(`browser: Chromium ${browser.version()}`);
  // A visitor who has never been here: nothing is compiled yet.
  const loads = [];
  const firsts = [];
  for (let n = 0; n < VISITS; n += 1) {
    const visitor = await browser.newContext();
    const visited = await visitor.newPage();
    await visited.goto(page.url());
    const { load, first } = await visited.evaluate(async (given) => (await import("/bench.js")).visit(given), given);
    loads.push(load);
    firsts.push(first);
    await visitor.close();
  }
  const visits = [
    { what: "first visit, fetch, compile and instantiate", times: loads },
    { what: `first visit, first check, ${given.flows.at(-1).steps} steps`, times: firsts },
  ];
  return [...visits, ...(await page.evaluate(async (given) => (await import("/bench.js")).measure(given), given))];
});
for (const { what, times } of measured) {
  times.sort((a, b) => a - b);
  const at = (part) => times[Math.min(times.length - 1, Math.floor(times.length * part))].toFixed(2);
  console.log(`${what}: median ${at(0.5)} ms, fastest ${at(0)} ms, p95 ${at(0.95)} ms (${times.length} times)`);
}
