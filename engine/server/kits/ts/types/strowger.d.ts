// The contract wit/1.0 as componentize-qjs shows it: `u64` is a number, an `option` a value or null, a `variant` a tag with
// its value. A function whose WIT has a `result` returns its value, or throws an error whose `payload` is a `Refusal`.

declare module 'strowger:types/types@1.0.0' {
  export type Refusal =
    | 'hangup'
    | 'timeout'
    | 'cancelled'
    | 'interrupted'
    | { tag: 'denied' | 'invalid-argument' | 'limit' | 'unavailable' | 'failed'; val: string };
}

declare module 'strowger:step/guest@1.0.0' {
  export interface Outcome {
    name: string;
    /** A JSON object. */
    data: string;
  }
  export interface Failure {
    code: string;
    message: string;
    retryable: boolean;
  }
}

declare module 'strowger:contact/contact@1.0.0' {
  export interface Facts {
    id: string;
    channel: 'voice' | 'chat';
    from: string;
    to: string;
    language: string;
    priority: number;
    startedAt: number;
  }
  export function read(): Facts;
}

declare module 'strowger:media/media@1.0.0' {
  export type Prompt =
    | { tag: 'given'; val: string }
    | { tag: 'text'; val: { text: string; language: string | null } }
    | { tag: 'audio'; val: string }
    | { tag: 'spoken'; val: { value: string; style: string; language: string | null } };
  export type Bound = { tag: 'value'; val: string } | { tag: 'prompts'; val: Prompt[] };
  export interface Binding {
    name: string;
    value: Bound;
  }
  export interface Utterance {
    prompts: Prompt[];
    bindings: Binding[];
  }
  export interface Choice {
    key: string;
    label: Prompt | null;
    words: string[];
  }
  export interface ListenOptions {
    bargeIn: boolean;
    choices: Choice[];
    digits: { min: number; max: number; endKey: string | null } | null;
    text: boolean;
    timeoutMs: number;
    gapMs: number;
    sensitive: boolean;
  }
  export type Heard =
    | { tag: 'choice' | 'digits' | 'unmatched' | 'text'; val: string }
    | { tag: 'secret'; val: { handle: string; length: number; lastFour: string } }
    | { tag: 'nothing' };
  export interface RecordOptions {
    beep: boolean;
    maxMs: number;
    silenceMs: number;
    endKey: string | null;
  }
  export interface Recording {
    id: string;
    durationMs: number;
    endedBy: 'key' | 'silence' | 'max' | 'hangup';
  }
  export function say(what: Utterance, bargeIn: boolean): 'finished' | 'interrupted';
  export function listen(what: Utterance, options: ListenOptions): Heard;
  export function capture(options: RecordOptions): Recording;
  export function isCardNumber(secret: string): boolean;
  export function evaluate(expression: string, bindings: Binding[]): string;
}

declare module 'strowger:route/route@1.0.0' {
  export type Transferred = { tag: 'done' } | { tag: 'refused'; val: 'busy' | 'no-answer' | 'declined' | 'failed' };
  export interface QueueOptions {
    priority: number | null;
    skills: string[];
    attach: { name: string; value: string }[];
    maxWaitMs: number;
    music: string | null;
    say: string | null;
    everyMs: number;
  }
  export type Queued = 'done' | 'timeout' | 'full' | 'closed' | 'no-agents' | 'failed';
  export function transfer(target: string, options: { ringMs: number; callerId: string | null }): Transferred;
  export function enqueue(queue: string, options: QueueOptions): Queued;
}

declare module 'strowger:wait/wait@1.0.0' {
  export type Condition = { tag: 'elapsed'; val: number } | { tag: 'input' };
  export function sleep(ms: number): void;
  export function waitAny(conditions: Condition[]): number;
}

declare module 'strowger:http/client@1.0.0' {
  export interface Header {
    name: string;
    value: string;
  }
  export interface Request {
    method: string;
    url: string;
    headers: Header[];
    body: Uint8Array | null;
    secrets: { placeholder: string; handle: string }[];
    timeoutMs: number | null;
  }
  export interface Response {
    status: number;
    headers: Header[];
    body: Uint8Array;
  }
  export function fetch(request: Request): Response;
}

declare module 'strowger:kv/store@1.0.0' {
  export function get(key: string): Uint8Array | null;
  export function set(key: string, value: Uint8Array, ttlMs: number | null): void;
  function remove(key: string): void;
  export { remove as delete };
  export function compareAndSet(key: string, expected: Uint8Array | null, value: Uint8Array): boolean;
}

declare module 'strowger:env/env@1.0.0' {
  export type Level = 'debug' | 'info' | 'warn' | 'error';
  export interface Civil {
    year: number;
    month: number;
    day: number;
    weekday: number;
    hour: number;
    minute: number;
    second: number;
  }
  export function now(): number;
  export function localTime(zone: string): Civil;
  export function random(length: number): Uint8Array;
  export function config(): string;
  export function log(level: Level, message: string): void;
}
