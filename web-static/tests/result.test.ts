import assert from 'node:assert/strict';
import { test } from 'node:test';
import {
    acceptPrediction, boxFromPixels, boxOf, fromPrediction, isRegion, labelsOf, missing, moveBox, newBox, newId, newSpan, removeRegion, resizeBox, same, setForm, setLabel, setValue,
    toCodePoints, toUnits, type Item,
} from '../src/result.ts';

const IMAGE = { width: 2242, height: 2802 };

test('ids follow the grammar and differ', () => {
    const ids = Array.from({ length: 500 }, () => newId());
    assert.equal(new Set(ids).size, 500);
    assert.ok(ids.every((i) => /^[A-Za-z0-9_-]{10}$/.test(i)));
});

test('pixels become percent of the original image, whatever corner comes first', () => {
    const b = { x: 10, y: 10, width: 25, height: 20, rotation: 0 };
    assert.deepEqual(boxFromPixels(224.2, 280.2, 784.7, 840.6, IMAGE), b);
    assert.deepEqual(boxFromPixels(784.7, 840.6, 224.2, 280.2, IMAGE), b);
});

test('a box is cut to the image and never reaches over 100 by a rounding', () => {
    assert.deepEqual(boxFromPixels(-50, -50, 9999, 9999, IMAGE), { x: 0, y: 0, width: 100, height: 100, rotation: 0 });
    for (let i = 0; i < 2000; i++) {
        const b = boxFromPixels(Math.random() * 2242, Math.random() * 2802, 3000, 3000, IMAGE);
        assert.ok(b.x + b.width <= 100 + 1e-9 && b.y + b.height <= 100 + 1e-9, JSON.stringify(b));
    }
});

test('moving keeps the size and stays inside', () => {
    const b = { x: 80, y: 5, width: 15, height: 10, rotation: 0 };
    assert.deepEqual(moveBox(b, 40, -40), { ...b, x: 85, y: 0 });
    assert.deepEqual(moveBox(b, -5.5, 2.25), { ...b, x: 74.5, y: 7.25 });
});

test('resizing follows the named edges and turns inside out over the opposite one', () => {
    const b = { x: 20, y: 20, width: 30, height: 30, rotation: 0 };
    assert.deepEqual(resizeBox(b, 'se', 10, 5), { ...b, width: 40, height: 35 });
    assert.deepEqual(resizeBox(b, 'n', 99, -10), { ...b, y: 10, height: 40 });
    assert.deepEqual(resizeBox(b, 'w', 40, 0), { ...b, x: 50, width: 10 });
    assert.deepEqual(resizeBox(b, 'e', 90, 0), { ...b, width: 80 });
});

test('a new box is a Label Studio item', () => {
    const i = newBox('box', 'image', 'Car', { x: 1, y: 2, width: 3, height: 4, rotation: 0 }, IMAGE);
    const { id, ...rest } = i;
    assert.match(id!, /^[\w-]+$/);
    assert.deepEqual(rest, { type: 'rectanglelabels', from_name: 'box', to_name: 'image', origin: 'manual', original_width: 2242, original_height: 2802, image_rotation: 0,
        value: { x: 1, y: 2, width: 3, height: 4, rotation: 0, rectanglelabels: ['Car'] } });
    assert.ok(isRegion(i));
    assert.deepEqual(boxOf(i), { x: 1, y: 2, width: 3, height: 4, rotation: 0 });
});

test('offsets are code points: a family of surrogates and joiners counts each of its parts', () => {
    const text = 'Zoë 👩‍🚀 met Ada Lovelace';
    const from = text.indexOf('Ada');
    assert.equal(from, 14);
    assert.equal(toCodePoints(text, from), 12);
    assert.equal(toCodePoints(text, text.length), 24);
    assert.equal(toUnits(text, 12), 14);
    for (let n = 0; n <= [...text].length; n++)
        assert.equal(toCodePoints(text, toUnits(text, n)), n);
    assert.equal(toUnits('ab', 99), 2);
});

test('text goes into a span only where the config keeps it', () => {
    assert.deepEqual(newSpan('ner', 't', 'PER', 0, 3, 'Zoë').value, { start: 0, end: 3, text: 'Zoë', labels: ['PER'] });
    assert.deepEqual(newSpan('ner', 't', 'PER', 0, 3, null).value, { start: 0, end: 3, labels: ['PER'] });
});

test('a choice is one item that changes, and goes when taken back', () => {
    const one = setForm([], 'c', 'image', 'choices', ['A']);
    const two = setForm(one, 'c', 'image', 'choices', ['B']);
    assert.equal(two.length, 1);
    assert.equal(two[0]!.id, one[0]!.id);
    assert.equal(two[0]!.origin, 'manual');
    assert.deepEqual(two[0]!.value, { choices: ['B'] });
    assert.deepEqual(setForm(two, 'c', 'image', 'choices', undefined), []);
});

const GUESS: Item[] = [
    { id: 'g1', type: 'rectanglelabels', from_name: 'box', to_name: 'image', score: 0.9, value: { x: 1, y: 1, width: 9, height: 9, rotation: 0, rectanglelabels: ['Car'] } },
    { id: 'g2', type: 'choices', from_name: 'c', to_name: 'image', score: 0.8, value: { choices: ['A'] } },
];

test('accepting keeps ids, scores and what the person said already', () => {
    const mine = setForm([], 'c', 'image', 'choices', ['B']);
    const all = acceptPrediction(mine, GUESS);
    assert.deepEqual(all.map((i) => [i.id === 'g1', i.origin]), [[false, 'manual'], [true, 'prediction']]);
    assert.deepEqual(acceptPrediction([], GUESS), GUESS.map((i) => ({ ...i, origin: 'prediction' })));
    assert.ok(same(acceptPrediction(all, GUESS), all));
    assert.deepEqual(missing(all, GUESS), []);
    assert.deepEqual(missing(mine, GUESS).map((i) => i.id), ['g1']);
});

test('changing an accepted item marks it, and only it', () => {
    const taken = acceptPrediction([], GUESS);
    const moved = setValue(taken, 'g1', { x: 5 });
    assert.deepEqual(moved.map((i) => i.origin), ['prediction-changed', 'prediction']);
    assert.equal(moved[0]!.score, 0.9);
    assert.deepEqual(labelsOf(setLabel(taken, 'g1', 'box', 'rectanglelabels', 'Van')[0]!), ['Van']);
    assert.equal(setForm(taken, 'c', 'image', 'choices', ['B'])[1]!.origin, 'prediction-changed');
    assert.equal(taken[0]!.origin, 'prediction');
});

test('a prediction without ids gets some; unknown keys and unknown items stay', () => {
    const odd: Item = { type: 'polygonlabels', from_name: 'p', to_name: 'image', value: { points: [[0, 0]], polygonlabels: ['X'] }, vendor: { a: 1 } };
    const [made] = fromPrediction([odd]);
    assert.match(made!.id!, /^[\w-]+$/);
    assert.deepEqual(made!.vendor, { a: 1 });
    assert.equal(setForm([made!], 'c', 'image', 'choices', ['A'])[0], made);
});

test('removing a region removes what hangs on it', () => {
    const items: Item[] = [...GUESS, { id: 'g1', type: 'textarea', from_name: 't', to_name: 'image', value: { text: ['x'] } }, { type: 'relation', from_id: 'g1', to_id: 'z' }];
    assert.deepEqual(removeRegion(items, 'g1').map((i) => i.id), ['g2']);
});

test('same compares by value', () => {
    assert.ok(same([{ a: [1, { b: null }] }], [{ a: [1, { b: null }] }]));
    assert.ok(!same([1, 2], [1]));
    assert.ok(!same({ a: 1 }, { b: 1 }));
    assert.ok(!same([], {}));
    assert.ok(!same(null, {}));
});
