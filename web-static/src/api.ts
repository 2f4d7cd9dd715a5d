// The API's typed client (docs/api.md). Every answer that is not 2xx becomes an ApiError; it never retries what
// the server has refused, only what it has asked to be sent again later.
import type { Item } from './result.ts';
import { sessionExpired, token, type Session } from './session.ts';

export type Role = 'viewer' | 'annotator' | 'reviewer' | 'qa' | 'model' | 'manager';
export type Stage = 'annotate' | 'review' | 'qa';
export type Verdict = 'accept' | 'fix' | 'reject';

export interface ProjectRow {
    id: number;
    name: string;
    role: Role | null;
    paused?: boolean;
}
export interface Project extends ProjectRow {
    label_config: string;
    label_config_version: number;
    workflow: { allow_skip?: boolean; lease_s?: Partial<Record<Stage, number>> };
    version: number;
}
export interface Member {
    user: number;
    email: string;
    name: string;
    role: Role;
}
export interface TaskRef {
    id: number;
    state: string;
    version: number;
}
export interface Prediction {
    id?: number;
    model: string | null;
    score: number | null;
    result: Item[] | null; // null: it could not be read
}
export interface Label extends Prediction {
    id: number;
    kind: string;
    author: number | string | null;
}
export interface Comment {
    author: number | string | null;
    region: string | null;
    text: string;
    created_at: string;
}
export interface Assignment {
    id: number;
    stage: Stage;
    slot: number;
    version: number;
    lease_expires_at: string;
    task: TaskRef & { data: Record<string, unknown>; meta: unknown };
    label: Label | null;
    predictions: Prediction[];
    draft: { result: Item[]; saved_at: string } | null;
    comments: Comment[];
}
export interface Done {
    task: TaskRef;
    label: { id: number; seq: number; sha256: string } | null;
}
export interface Progress {
    tasks: Record<string, number>;
    labels: Record<string, number>;
    actions: Record<string, number>;
    total: number;
}
export interface Release {
    id: number;
    project: number;
    name: string;
    state: 'building' | 'ready' | 'failed';
    items: number | null;
    root: string | null;
    splits: Record<string, number> | null;
    created_at: string;
    error: string | null;
}
export interface NewComment {
    region?: string;
    text: string;
}

export class ApiError extends Error {
    constructor(
        readonly status: number,
        readonly slug: string,
        readonly title: string,
        readonly detail: string,
        readonly pointer: string | null = null,
        readonly lateLabel: number | null = null,
    ) {
        super(detail || title);
    }

    // The server could not be reached, or was too busy: the same request may be sent again.
    get passing(): boolean {
        return this.status === 0 || this.status === 429 || this.status >= 500;
    }
}

interface Options {
    body?: unknown;
    version?: number;
    key?: string;
    signal?: AbortSignal;
    keepalive?: boolean;
}

const RETRIES = 3;

async function problem(r: Response): Promise<ApiError> {
    const p = (await r.json().catch(() => ({}))) as Record<string, unknown>;
    const text = (k: string) => (typeof p[k] === 'string' ? (p[k] as string) : '');
    return new ApiError(r.status, text('type').replace('/errors/', ''), text('title') || r.statusText || `HTTP ${r.status}`, text('detail'),
        text('pointer') || null, typeof p.late_label === 'number' ? p.late_label : null);
}

function headersOf(o: Options): Headers {
    const h = new Headers();
    const t = token();
    if (t)
        h.set('Authorization', `Bearer ${t}`);
    if (o.body !== undefined)
        h.set('Content-Type', 'application/json');
    if (o.version !== undefined)
        h.set('If-Match', `"${o.version}"`);
    if (o.key)
        h.set('Idempotency-Key', o.key);
    return h;
}

async function send(method: string, path: string, o: Options): Promise<Response> {
    try {
        return await fetch(path, {
            method, headers: headersOf(o), body: o.body === undefined ? null : JSON.stringify(o.body), signal: o.signal ?? null,
            keepalive: o.keepalive ?? false, cache: 'no-store', credentials: 'omit',
        });
    } catch (e) {
        if (o.signal?.aborted)
            throw e;
        throw new ApiError(0, 'network', 'The server cannot be reached', 'Check the connection; nothing here is lost.');
    }
}

const sleep = (ms: number) => new Promise((done) => setTimeout(done, ms));

async function open(method: string, path: string, o: Options = {}): Promise<Response> {
    for (let tries = 1; ; tries++) {
        const r = await send(method, path, o);
        if (r.ok)
            return r;
        const wait = Number(r.headers.get('Retry-After') ?? 'NaN');
        if ((r.status === 429 || r.status === 503) && wait >= 0 && tries < RETRIES) {
            await sleep(Math.min(wait, 5) * 1000 * (0.75 + Math.random() / 2));
            continue;
        }
        if (r.status === 401 && path !== '/v1/login')
            sessionExpired();
        throw await problem(r);
    }
}

async function call<T>(method: string, path: string, o?: Options): Promise<T> {
    const r = await open(method, path, o);
    return r.status === 204 ? (undefined as T) : ((await r.json()) as T);
}

export const api = {
    login: (email: string, password: string) => call<Session>('POST', '/v1/login', { body: { email, password } }),
    projects: (after?: number) =>
        call<{ projects: ProjectRow[]; next: number | null }>('GET', `/v1/projects?limit=200${after ? `&after=${after}` : ''}`),
    project: (id: number) => call<Project>('GET', `/v1/projects/${id}`),
    members: (id: number) => call<{ members: Member[] }>('GET', `/v1/projects/${id}/members?limit=500`),
    progress: (id: number, signal?: AbortSignal) => call<Progress>('GET', `/v1/projects/${id}/progress`, signal ? { signal } : {}),

    claim: (project: number, body: { stage: Stage; count: number; wait_s: number }, signal?: AbortSignal) =>
        call<{ assignments: Assignment[] }>('POST', `/v1/projects/${project}/claims`, { body, ...(signal && { signal }) }),
    heartbeats: (assignments: { id: number; version: number }[]) =>
        call<{ results: { id: number; lease_expires_at?: string; error?: string }[] }>('POST', '/v1/heartbeats', { body: { assignments } }),
    draft: (a: Assignment, result: Item[], keepalive = false) =>
        call<{ saved_at: string }>('PUT', `/v1/assignments/${a.id}/draft`, { version: a.version, body: { result }, keepalive }),
    submit: (a: Assignment, body: { result: Item[]; lead_time: number }, key: string) =>
        call<Done>('POST', `/v1/assignments/${a.id}/submit`, { version: a.version, body, key }),
    verdict: (a: Assignment, body: { verdict: Verdict; result?: Item[]; comments?: NewComment[]; lead_time: number }, key: string) =>
        call<Done>('POST', `/v1/assignments/${a.id}/verdict`, { version: a.version, body, key }),
    skip: (a: Assignment, reason: string, key: string) =>
        call<Done>('POST', `/v1/assignments/${a.id}/skip`, { version: a.version, body: reason ? { reason } : {}, key }),
    release: (a: Assignment) => call<unknown>('POST', `/v1/assignments/${a.id}/release`, { version: a.version, keepalive: true }),

    releases: (project: number) => call<{ releases: Release[] }>('GET', `/v1/projects/${project}/releases`),
    cut: (project: number, name: string) => call<Release>('POST', `/v1/projects/${project}/releases`, { body: { name } }),
    exported: (id: number, format: string) => open('GET', `/v1/releases/${id}/export?format=${format}`).then((r) => r.blob()),
    asset: (path: string) => open('GET', path).then((r) => r.blob()),
};
