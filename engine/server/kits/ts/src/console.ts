// `console` writes to the plugin's log. Chance for secrets comes from `random` of strowger:env/env: Math.random is the
// same in every step.
import { log, type Level } from 'strowger:env/env@1.0.0';

type Print = (...parts: unknown[]) => void;

declare global {
  var console: { debug: Print; log: Print; info: Print; warn: Print; error: Print };
}

const at =
  (level: Level): Print =>
  (...parts) =>
    log(level, parts.map((part) => (typeof part === 'string' ? part : JSON.stringify(part) ?? String(part))).join(' '));

globalThis.console = { debug: at('debug'), log: at('info'), info: at('info'), warn: at('warn'), error: at('error') };
