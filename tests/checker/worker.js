// A Web Worker that answers one script of requests.

import { answers } from "./asking.js";

self.onmessage = async ({ data }) => {
  try {
    self.postMessage({ answers: await answers(data) });
  } catch (error) {
    self.postMessage({ error: String(error) });
  }
};
