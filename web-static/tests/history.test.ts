import assert from 'node:assert/strict';
import { test } from 'node:test';
import { changed, redone, started, undone } from '../src/history.ts';

test('undo and redo walk the same states; a change ends the redo', () => {
    let h = changed(changed(started('a'), 'b'), 'c');
    h = undone(undone(undone(h)));
    assert.equal(h.now, 'a');
    h = redone(h);
    assert.equal(h.now, 'b');
    h = changed(h, 'd');
    assert.equal(redone(h), h);
    assert.equal(undone(h).now, 'b');
    assert.equal(changed(h, 'd'), h);
});

test('it forgets the oldest steps, not the newest', () => {
    let h = started(0);
    for (let i = 1; i <= 1000; i++)
        h = changed(h, i);
    assert.ok(h.past.length <= 200);
    assert.equal(undone(h).now, 999);
});
