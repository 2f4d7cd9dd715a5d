// Label documents as Label Studio writes them: an array of result items. Pure functions; every change gives a new
// array. Items this page cannot draw pass through untouched.

export interface Item {
    id?: string;
    type: string;
    from_name?: string;
    to_name?: string;
    value?: Record<string, unknown>;
    origin?: 'manual' | 'prediction' | 'prediction-changed';
    score?: number;
    original_width?: number;
    original_height?: number;
    image_rotation?: number;
    [key: string]: unknown;
}

// Percent of the original image, 0..100, top-left corner; rotation in degrees clockwise about that corner.
export interface Box {
    x: number;
    y: number;
    width: number;
    height: number;
    rotation: number;
}

export interface Size {
    width: number;
    height: number;
}

const ID_CHARS = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789_-';

// [A-Za-z0-9_-]+, as Label Studio's own ids; getRandomValues also works where the page is not served over TLS.
export function newId(length = 10): string {
    return Array.from(crypto.getRandomValues(new Uint8Array(length)), (b) => ID_CHARS[b & 63]).join('');
}

// Four decimals: a hundredth of a pixel on an image of 10,000.
export function round(v: number): number {
    return Math.round(v * 1e4) / 1e4;
}

const clamp = (v: number, low: number, high: number) => Math.min(Math.max(v, low), high);

// The box between two corners in pixels, cut to the image, in percent.
export function boxFromPixels(ax: number, ay: number, bx: number, by: number, image: Size): Box {
    const left = clamp(Math.min(ax, bx), 0, image.width);
    const right = clamp(Math.max(ax, bx), 0, image.width);
    const top = clamp(Math.min(ay, by), 0, image.height);
    const bottom = clamp(Math.max(ay, by), 0, image.height);
    return between((left / image.width) * 100, (top / image.height) * 100, (right / image.width) * 100, (bottom / image.height) * 100);
}

// Edges are rounded, then measured, so that a box never reaches over 100 by a rounding.
function between(left: number, top: number, right: number, bottom: number): Box {
    const [x, y] = [round(Math.min(left, right)), round(Math.min(top, bottom))];
    return { x, y, width: round(round(Math.max(left, right)) - x), height: round(round(Math.max(top, bottom)) - y), rotation: 0 };
}

// Moved by percent, kept inside the image.
export function moveBox(b: Box, dx: number, dy: number): Box {
    return { ...b, x: round(clamp(b.x + dx, 0, 100 - Math.min(b.width, 100))), y: round(clamp(b.y + dy, 0, 100 - Math.min(b.height, 100))) };
}

// edge: the sides that follow, by compass point ("n", "se", …). A side pulled over its opposite turns the box inside out, not away.
export function resizeBox(b: Box, edge: string, dx: number, dy: number): Box {
    let [left, top, right, bottom] = [b.x, b.y, b.x + b.width, b.y + b.height];
    if (edge.includes('w'))
        left = clamp(left + dx, 0, 100);
    if (edge.includes('e'))
        right = clamp(right + dx, 0, 100);
    if (edge.includes('n'))
        top = clamp(top + dy, 0, 100);
    if (edge.includes('s'))
        bottom = clamp(bottom + dy, 0, 100);
    return { ...between(left, top, right, bottom), rotation: b.rotation };
}

export function boxOf(item: Item): Box | null {
    const v = item.value ?? {};
    const n = (k: string) => (typeof v[k] === 'number' ? (v[k] as number) : NaN);
    const b = { x: n('x'), y: n('y'), width: n('width'), height: n('height'), rotation: Number.isNaN(n('rotation')) ? 0 : n('rotation') };
    return Number.isFinite(b.x + b.y + b.width + b.height) ? b : null;
}

// The labels of an item: the array under the key named as its type.
export function labelsOf(item: Item): string[] {
    const l = item.value?.[item.type];
    return Array.isArray(l) ? l.filter((x): x is string => typeof x === 'string') : [];
}

export function isBox(item: Item): boolean {
    return item.type === 'rectanglelabels' && boxOf(item) !== null;
}

export function isSpan(item: Item): boolean {
    return item.type === 'labels' && typeof item.value?.start === 'number' && typeof item.value?.end === 'number';
}

export function isRegion(item: Item): boolean {
    return isBox(item) || isSpan(item);
}

// What a person changes in a model's item stays that item, marked as changed.
function touched(item: Item): Item {
    return item.origin === 'prediction' ? { ...item, origin: 'prediction-changed' } : item;
}

export function setValue(items: Item[], id: string, value: Record<string, unknown>): Item[] {
    return items.map((i) => (i.id === id && isRegion(i) ? touched({ ...i, value: { ...i.value, ...value } }) : i));
}

export function setLabel(items: Item[], id: string, from: string, type: string, label: string): Item[] {
    return items.map((i) => {
        if (i.id !== id || i.type !== type)
            return i;
        return touched({ ...i, from_name: from, value: { ...i.value, [type]: [label] } });
    });
}

export function newBox(from: string, to: string, label: string, box: Box, image: Size): Item {
    return {
        id: newId(), type: 'rectanglelabels', from_name: from, to_name: to, origin: 'manual',
        original_width: image.width, original_height: image.height, image_rotation: 0, value: { ...box, rectanglelabels: [label] },
    };
}

// start, end: code points, end not included.
export function newSpan(from: string, to: string, label: string, start: number, end: number, text: string | null): Item {
    const value = text === null ? { start, end, labels: [label] } : { start, end, text, labels: [label] };
    return { id: newId(), type: 'labels', from_name: from, to_name: to, origin: 'manual', value };
}

// A region goes with everything that shares its id, and with the relations that point to it.
export function removeRegion(items: Item[], id: string): Item[] {
    return items.filter((i) => i.id !== id && i.from_id !== id && i.to_id !== id);
}

// The one item of a control that speaks of the whole object (choices, textarea, rating …).
export function formItem(items: Item[], control: string): Item | undefined {
    return items.find((i) => i.from_name === control && !isRegion(i));
}

// value undefined takes the answer back.
export function setForm(items: Item[], from: string, to: string, type: string, value: unknown): Item[] {
    const old = formItem(items, from);
    if (value === undefined)
        return items.filter((i) => i !== old);
    if (old)
        return items.map((i) => (i === old ? touched({ ...i, value: { ...i.value, [type]: value } }) : i));
    return [...items, { id: newId(), type, from_name: from, to_name: to, origin: 'manual', value: { [type]: value } }];
}

// A model's items taken over as they are: their own ids and scores, origin "prediction".
export function fromPrediction(result: Item[]): Item[] {
    return result.map((i) => (i.type === 'relation' ? i : { ...i, id: i.id ?? newId(), origin: 'prediction' as const }));
}

// Adds what the model said where the person has said nothing: regions by id, forms by control.
export function acceptPrediction(items: Item[], result: Item[]): Item[] {
    const has = (p: Item) => (isRegion(p) ? items.some((i) => i.id === p.id) : items.some((i) => i.from_name === p.from_name && i.type === p.type));
    return [...items, ...fromPrediction(result).filter((p) => !has(p))];
}

// The model's items that are not in the label.
export function missing(items: Item[], result: Item[]): Item[] {
    return result.filter((p) => isRegion(p) && !items.some((i) => i.id === p.id));
}

export function same(a: unknown, b: unknown): boolean {
    if (a === b)
        return true;
    if (typeof a !== 'object' || typeof b !== 'object' || !a || !b || Array.isArray(a) !== Array.isArray(b))
        return false;
    const [ka, kb] = [Object.keys(a), Object.keys(b)];
    return ka.length === kb.length && ka.every((k) => same((a as Record<string, unknown>)[k], (b as Record<string, unknown>)[k]));
}

// Offsets: the DOM counts UTF-16 units, label documents count code points.
export function toCodePoints(text: string, units: number): number {
    let n = 0;
    for (let i = 0; i < units && i < text.length; n++)
        i += text.codePointAt(i)! > 0xffff ? 2 : 1;
    return n;
}

export function toUnits(text: string, points: number): number {
    let i = 0;
    for (let n = 0; n < points && i < text.length; n++)
        i += text.codePointAt(i)! > 0xffff ? 2 : 1;
    return i;
}
