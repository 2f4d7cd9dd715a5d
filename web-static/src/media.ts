// A task's images: fetched with the token, kept as blob: URLs while they are likely to be shown.
import { api } from './api.ts';
import type { Size } from './result.ts';

export interface Picture extends Size {
    url: string;
}

const KEPT = 6;
const cache = new Map<string, Promise<Picture>>();

// Our own API is asked with the token; another path of this host is an ordinary image; other hosts the page may not reach.
async function source(path: string): Promise<string> {
    const url = new URL(path, location.href);
    if (url.origin !== location.origin)
        throw new Error(`This image lies on another host (${url.host || url.protocol}). Upload it to the server's assets, then import the task with that address.`);
    return url.pathname.startsWith('/v1/') ? URL.createObjectURL(await api.asset(url.pathname + url.search)) : url.href;
}

async function fetched(path: string): Promise<Picture> {
    const url = await source(path);
    const image = new Image();
    image.src = url;
    await image.decode().catch(() => {
        throw new Error('These bytes are not an image that the browser can show.');
    });
    return { url, width: image.naturalWidth, height: image.naturalHeight };
}

export function picture(path: string): Promise<Picture> {
    const known = cache.get(path);
    const p = known ?? fetched(path);
    cache.delete(path);
    cache.set(path, p);
    if (!known)
        p.catch(() => cache.delete(path));
    for (const [old, gone] of [...cache].slice(0, Math.max(0, cache.size - KEPT))) {
        cache.delete(old);
        gone.then((g) => URL.revokeObjectURL(g.url), () => undefined);
    }
    return p;
}
