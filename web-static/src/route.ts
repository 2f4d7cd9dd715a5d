// The address after '#': #/p/<project>/<page>. Works from any static server and never leaves the page.
import { useEffect, useState } from 'preact/hooks';

export const PAGES = ['annotate', 'review', 'qa', 'progress'] as const;
export type Page = (typeof PAGES)[number];
export type Route = { project: number; page: Page } | null;

export function parseRoute(hash: string): Route {
    const m = /^#\/p\/(\d{1,16})\/(\w+)$/.exec(hash);
    const page = PAGES.find((p) => p === m?.[2]);
    return m && page ? { project: Number(m[1]), page } : null;
}

export const href = (project: number, page: Page) => `#/p/${project}/${page}`;

export function useRoute(): Route {
    const [hash, setHash] = useState(location.hash);
    useEffect(() => {
        const f = () => setHash(location.hash);
        addEventListener('hashchange', f);
        return () => removeEventListener('hashchange', f);
    }, []);
    return parseRoute(hash);
}
