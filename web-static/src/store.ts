// The smallest observable state there is, and its hook. It knows nothing of what it holds.
import { useEffect, useReducer } from 'preact/hooks';

export class Store<S extends object> {
    private listeners = new Set<() => void>();

    constructor(public state: S) {}

    set(patch: Partial<S>): void {
        this.state = { ...this.state, ...patch };
        for (const f of [...this.listeners])
            f();
    }

    subscribe(f: () => void): () => void {
        this.listeners.add(f);
        return () => this.listeners.delete(f);
    }
}

export function useStore<S extends object>(store: Store<S>): S {
    const [, redraw] = useReducer((n: number) => n + 1, 0);
    useEffect(() => store.subscribe(() => redraw(undefined as never)), [store]);
    return store.state;
}
