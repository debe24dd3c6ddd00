// The same script of requests in a page and in a worker: one checker, one answer after the other.

import { Checker } from "./checker.js";

/// The answers to requests, letter for letter.
export async function answers(requests) {
  const checker = await Checker.load();
  return requests.map((request) => checker.askText(request));
}
