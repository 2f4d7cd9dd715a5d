// Undo and redo over immutable states.
export interface History<T> {
    past: T[];
    now: T;
    future: T[];
}

const DEPTH = 200;

export function started<T>(now: T): History<T> {
    return { past: [], now, future: [] };
}

export function changed<T>(h: History<T>, now: T): History<T> {
    return now === h.now ? h : { past: [...h.past, h.now].slice(-DEPTH), now, future: [] };
}

export function undone<T>(h: History<T>): History<T> {
    const last = h.past.at(-1);
    return last === undefined ? h : { past: h.past.slice(0, -1), now: last, future: [h.now, ...h.future] };
}

export function redone<T>(h: History<T>): History<T> {
    const [next, ...future] = h.future;
    return next === undefined ? h : { past: [...h.past, h.now], now: next, future };
}
