// The steps of the plugin. What `describe` answers is description.json; the build writes it to src/description.ts.
import './console.js';
import { localTime } from 'strowger:env/env@1.0.0';
import { say } from 'strowger:media/media@1.0.0';
import type { Failure, Outcome } from 'strowger:step/guest@1.0.0';
import description from './description.js';
import { greeting } from './greeting.js';

/** What the flow gives to `greet`: the engine has checked it against the description. */
interface Greet {
  prompt: string;
  zone?: string;
}

/** A step takes its input and gives an outcome; to fail it throws a `Failure`. */
type Step = (input: never) => { name: string; data?: object };

const steps: Record<string, Step> = {
  greet({ prompt, zone = 'UTC' }: Greet) {
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
  describe: (): string => description,

  run(step: string, input: string): Outcome {
    try {
      const { name, data = {} } = steps[step]!(JSON.parse(input) as never);
      return { name, data: JSON.stringify(data) };
    } catch (error) {
      throw failure(error as Thrown);
    }
  },
};

/** What may be thrown: a failure of the plugin's own, a refused host call, a bug. */
type Thrown = Partial<Failure> & { payload?: string | { tag: string; val?: unknown }; stack?: string };

/** A refused host call becomes a failure of its name, as with the other kits; a bug says where it is. */
function failure(error: Thrown): Failure {
  if (typeof error?.code === 'string') {
    return { code: error.code, message: error.message ?? '', retryable: error.retryable ?? false };
  }
  const refusal = error?.payload;
  if (refusal !== undefined) {
    const { tag, val } = typeof refusal === 'string' ? { tag: refusal, val: refusal } : refusal;
    return { code: tag, message: String(val ?? tag), retryable: ['timeout', 'unavailable'].includes(tag) };
  }
  console.error(error?.stack ?? '');
  return { code: 'bug', message: String(error), retryable: false };
}
