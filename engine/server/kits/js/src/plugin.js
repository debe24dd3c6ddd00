// The steps of the plugin. What `describe` answers is description.json; the build writes it to ../build.
import './console.js';
import { localTime } from 'strowger:env/env@1.0.0';
import { say } from 'strowger:media/media@1.0.0';
import description from './description.js';
import { greeting } from './greeting.js';

/** A step takes its input and gives `{ name, data }`; to fail it throws `{ code, message, retryable }`. */
const steps = {
  greet({ prompt, zone = 'UTC' }) {
    const text = greeting(localTime(zone).hour);
    say(
      {
        prompts: [{ tag: 'given', val: prompt }],
        bindings: [{ name: 'greeting', value: { tag: 'value', val: JSON.stringify(text) } }],
      },
      true,
    );
    return { name: 'greeted', data: { greeting: text } };
  },
};

export const guest = {
  describe: () => description,

  run(step, input) {
    try {
      const { name, data = {} } = steps[step](JSON.parse(input));
      return { name, data: JSON.stringify(data) };
    } catch (error) {
      throw failure(error);
    }
  },
};

/** A refused host call becomes a failure of its name, as with the other kits; a bug says where it is. */
function failure(error) {
  if (typeof error?.code === 'string') {
    return { message: '', retryable: false, ...error };
  }
  const refusal = error?.payload;
  const code = refusal?.tag ?? refusal;
  if (typeof code === 'string') {
    return { code, message: String(refusal.val ?? code), retryable: ['timeout', 'unavailable'].includes(code) };
  }
  console.error(error?.stack ?? '');
  return { code: 'bug', message: String(error), retryable: false };
}
