import assert from 'node:assert/strict';
import test from 'node:test';
import { greeting } from '../src/greeting.js';

test('every hour has its greeting', () => {
  const expected = [[4, 'Good evening'], [5, 'Good morning'], [12, 'Good afternoon'], [18, 'Good evening']];
  for (const [hour, text] of expected) {
    assert.equal(greeting(hour), text, `${hour}`);
  }
});
