// A stand-in for annotate-server: docs/api.md in memory, enough for the pages and their test. It also serves the built
// files under the policy that the real server sets.
import { createServer } from 'node:http';
import { createHash, randomBytes } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { extname, join, normalize } from 'node:path';
import { fileURLToPath } from 'node:url';

export const CSP = "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' blob:; media-src 'self' blob:; connect-src 'self'; font-src 'self'; worker-src 'self'; " +
    "frame-ancestors 'none'; base-uri 'none'; form-action 'self'; object-src 'none'; require-trusted-types-for 'script'";
const HEADERS = {
    'Content-Security-Policy': CSP, 'X-Content-Type-Options': 'nosniff', 'Referrer-Policy': 'no-referrer', 'Cross-Origin-Opener-Policy': 'same-origin', 'Cross-Origin-Resource-Policy': 'same-origin',
};
const TYPES = { '.html': 'text/html; charset=utf-8', '.js': 'text/javascript', '.css': 'text/css', '.svg': 'image/svg+xml', '.woff2': 'font/woff2' };
const DIST = fileURLToPath(new URL('../../web-static/dist', import.meta.url));
const TITLES = { 401: 'Not signed in', 403: 'Not allowed', 404: 'Not found', 409: 'Not possible now', 412: 'The version has moved on', 422: 'The request is not valid', 428: 'If-Match is missing' };
const SLUGS = { 401: 'unauthorized', 403: 'forbidden', 404: 'not-found', 409: 'conflict', 412: 'version', 422: 'invalid', 428: 'if-match' };
const STATES = ['prelabel', 'annotate', 'review', 'qa', 'done', 'skipped', 'archived'];
const ROLES = { prelabel: ['model'], annotate: ['annotator', 'reviewer', 'qa', 'manager'], review: ['reviewer', 'qa', 'manager'], qa: ['qa', 'manager'] };

class Fail extends Error {
    constructor(status, detail, extra = {}) {
        super(detail);
        Object.assign(this, { status, extra });
    }
}

function world() {
    const w = { id: 0, users: [], tokens: new Map(), projects: [], tasks: [], assignments: [], labels: [], assets: new Map(), releases: [], once: new Map() };
    w.next = () => ++w.id;
    return w;
}

export function addUser(w, email, password, name, admin = false) {
    const u = { id: w.next(), email, password, name, admin };
    w.users.push(u);
    return u;
}

function addProject(w, body, creator) {
    const workflow = { review: { mode: 'all', percent: 100 }, qa: { percent: 0 }, allow_skip: true, skip_limit: 3, max_rework: 3, lease_s: { annotate: 600, review: 600, qa: 600 }, ...body.workflow };
    const p = { id: w.next(), name: body.name, label_config: body.label_config, label_config_version: 1, workflow, paused: false, version: 1, created_at: now(), members: new Map([[creator, 'manager']]), labels: {}, actions: {} };
    w.projects.push(p);
    return p;
}

const now = () => new Date().toISOString();
const bump = (o, k) => (o[k] = (o[k] ?? 0) + 1);
const find = (list, id) => list.find((x) => x.id === Number(id)) ?? (() => { throw new Fail(404, 'There is no such thing.'); })();

function addTask(w, p, item) {
    const t = { id: w.next(), project: p.id, data: item.data ?? item, meta: item.meta ?? {}, state: p.workflow.prelabel ? 'prelabel' : 'annotate', version: 1, head: null, rework: 0, skips: 0, comments: [], first: null, predictions: [] };
    w.tasks.push(t);
    open(w, t, t.state);
    return t;
}

function open(w, t, stage, o = {}) {
    w.assignments.push({ id: w.next(), task: t, stage, slot: 1, state: 'open', version: 0, holder: null, expires: 0, excluded: o.excluded ?? [], reserved: o.reserved ?? null, draft: null, done: null });
}

function addLabel(w, t, kind, author, result) {
    const sha256 = createHash('sha256').update(JSON.stringify(result)).digest('hex');
    const l = { id: w.next(), task: t.id, seq: w.labels.filter((x) => x.task === t.id).length + 1, kind, author, model: null, score: null, sha256, result, regions: result.length, created_at: now() };
    w.labels.push(l);
    bump(find(w.projects, t.project).labels, kind);
    return l;
}

// Moves the task on after an accepted action and opens the work of its new state.
function move(w, a, action, to, o) {
    const p = find(w.projects, a.task.project);
    bump(p.actions, action);
    a.state = action === 'skip' ? 'skipped' : 'submitted';
    a.task.state = to;
    a.task.version++;
    if (ROLES[to])
        open(w, a.task, to, o);
    w.wake();
}

const seen = (p) => ({ id: p.id, name: p.name, label_config: p.label_config, label_config_version: 1, workflow: p.workflow, paused: p.paused, version: p.version, created_at: p.created_at });

function shown(a) {
    const t = a.task;
    return { id: a.id, stage: a.stage, slot: a.slot, version: a.version, lease_expires_at: new Date(a.expires).toISOString(),
        task: { id: t.id, data: t.data, meta: t.meta, state: t.state, version: t.version }, label: t.head && { id: t.head.id, kind: t.head.kind, author: t.head.author, model: null, score: null, result: t.head.result },
        predictions: t.predictions, draft: a.draft, comments: t.comments };
}

function claim(w, p, user, body) {
    const live = (a) => a.state === 'leased' && a.expires > Date.now();
    const lease = (body.lease_s ?? p.workflow.lease_s[body.stage] ?? 600) * 1000;
    const here = w.assignments.filter((a) => a.task.project === p.id && a.stage === body.stage && (a.state === 'open' || a.state === 'leased'));
    const mine = here.filter((a) => live(a) && a.holder === user.id);
    const free = here.filter((a) => !live(a) && !a.excluded.includes(user.id) && (a.reserved === null || a.reserved === user.id));
    const taken = free.slice(0, Math.max(0, (body.count ?? 1) - mine.length));
    for (const a of taken)
        Object.assign(a, { state: 'leased', holder: user.id, version: a.version + 1, expires: Date.now() + lease });
    return [...mine, ...taken].slice(0, body.count ?? 1).map(shown);
}

// The caller's own assignment at the version of If-Match; late work is kept.
function held(w, id, user, version, result) {
    const a = find(w.assignments, id);
    if (version === null)
        throw new Fail(428, 'Send the version that came with the claim.');
    if (a.version !== version || a.holder !== user.id)
        throw new Fail(412, 'Somebody else has taken this task since.', result ? { late_label: addLabel(w, a.task, 'late', user.id, result).id } : {});
    if (a.state !== 'leased')
        throw new Fail(409, 'This has been decided already.');
    return a;
}

const answer = (a, label) => ({ task: { id: a.task.id, state: a.task.state, version: a.task.version }, label: label && { id: label.id, seq: label.seq, sha256: label.sha256 } });

const afterReview = (p) => (p.workflow.qa.percent > 0 ? 'qa' : 'done');

function predict(w, user, { assignment, version, model, score = null, result, error }) {
    const a = held(w, assignment, user, version);
    if (!error) {
        const label = addLabel(w, a.task, 'prelabel', null, result);
        a.task.predictions.push({ id: label.id, kind: 'prelabel', author: null, model, score, result });
    }
    move(w, a, error ? 'prelabel_failed' : 'prelabelled', 'annotate');
    return { assignment, ...answer(a, null) };
}

const WORK = {
    draft(w, a, user, body) {
        a.draft = { result: body.result, saved_at: now() };
        return { saved_at: a.draft.saved_at };
    },
    submit(w, a, user, body) {
        const p = find(w.projects, a.task.project);
        a.task.head = addLabel(w, a.task, 'submission', user.id, body.result);
        a.task.first ??= user.id;
        move(w, a, 'submit', p.workflow.review.mode === 'none' ? afterReview(p) : 'review', { excluded: [user.id] });
        return answer(a, a.task.head);
    },
    verdict(w, a, user, body) {
        const p = find(w.projects, a.task.project);
        const qa = a.stage === 'qa';
        for (const c of body.comments ?? [])
            a.task.comments.push({ author: user.id, region: c.region ?? null, text: c.text, created_at: now() });
        const label = body.verdict === 'fix' ? (a.task.head = addLabel(w, a.task, qa ? 'qa_fix' : 'review_fix', user.id, body.result)) : null;
        const to = body.verdict === 'reject' ? (qa ? 'review' : 'annotate') : qa ? 'done' : afterReview(p);
        const action = qa ? { accept: 'pass', fix: 'fix', reject: 'fail' }[body.verdict] : body.verdict;
        move(w, a, action, to, to === 'annotate' ? { reserved: a.task.first } : { excluded: [user.id, a.task.first] });
        return answer(a, label);
    },
    skip(w, a, user) {
        const gone = ++a.task.skips >= 3;
        move(w, a, 'skip', gone ? 'skipped' : 'annotate', { excluded: [user.id, ...a.excluded] });
        return answer(a, null);
    },
    release(w, a) {
        a.state = 'open';
        w.wake();
        return { id: a.id, version: a.version };
    },
    heartbeat(w, a) {
        a.expires = Date.now() + (find(w.projects, a.task.project).workflow.lease_s[a.stage] ?? 600) * 1000;
        return { id: a.id, version: a.version, lease_expires_at: new Date(a.expires).toISOString() };
    },
};

function member(w, user, id, roles) {
    const p = find(w.projects, id);
    const role = p.members.get(user.id);
    if (!role && !user.admin)
        throw new Fail(404, 'There is no such project.');
    if (roles && !roles.includes(role) && !user.admin)
        throw new Fail(403, `This needs one of: ${roles.join(', ')}.`);
    return [p, role ?? (user.admin ? 'manager' : null)];
}

function progress(w, p) {
    const tasks = Object.fromEntries(STATES.map((s) => [s, 0]));
    for (const t of w.tasks)
        if (t.project === p.id)
            tasks[t.state]++;
    return { tasks, labels: p.labels, actions: p.actions, total: Object.values(tasks).reduce((a, b) => a + b, 0) };
}

function cut(w, p, name) {
    const done = w.tasks.filter((t) => t.project === p.id && t.state === 'done');
    const r = { id: w.next(), project: p.id, name, state: 'building', items: null, root: null, splits: null, created_at: now(), error: null };
    r.tasks = done.map((t) => ({ id: t.id, data: t.data, annotations: [{ result: t.head.result }] }));
    w.releases.push(r);
    setTimeout(() => Object.assign(r, { state: 'ready', items: done.length, root: createHash('sha256').update(JSON.stringify(r.tasks)).digest('hex'), splits: { train: done.length, val: 0, test: 0 } }), 1500).unref();
    return r;
}

const bare = ({ tasks: _, ...r }) => r;

// [method, path, (context) -> [status, body]]
const ROUTES = [
    ['GET', /^\/v1\/me$/, ({ user }) => [200, { id: user.id, email: user.email, name: user.name, admin: user.admin }]],
    ['POST', /^\/v1\/users$/, ({ w, body }) => [201, pick(addUser(w, body.email, body.password, body.name, body.admin ?? false))]],
    ['GET', /^\/v1\/projects$/, ({ w, user }) => [200, { projects: w.projects.filter((p) => user.admin || p.members.has(user.id)).map((p) => ({ id: p.id, name: p.name, role: p.members.get(user.id) ?? 'manager', paused: p.paused })), next: null }]],
    ['POST', /^\/v1\/projects$/, ({ w, user, body }) => [201, { ...seen(addProject(w, body, user.id)), role: 'manager' }]],
    ['GET', /^\/v1\/projects\/(\d+)$/, ({ w, user, args }) => { const [p, role] = member(w, user, args[0]); return [200, { ...seen(p), role }]; }],
    ['GET', /^\/v1\/projects\/(\d+)\/members$/, ({ w, user, args }) => [200, { members: [...member(w, user, args[0])[0].members].map(([id, role]) => { const u = find(w.users, id); return { user: id, email: u.email, name: u.name, role }; }) }]],
    ['PUT', /^\/v1\/projects\/(\d+)\/members\/(\d+)$/, ({ w, user, args, body }) => { member(w, user, args[0], ['manager'])[0].members.set(Number(args[1]), body.role); return [200, { user: Number(args[1]), role: body.role }]; }],
    ['GET', /^\/v1\/projects\/(\d+)\/progress$/, ({ w, user, args }) => [200, progress(w, member(w, user, args[0])[0])]],
    ['POST', /^\/v1\/projects\/(\d+)\/tasks$/, ({ w, user, args, body }) => { const made = body.map((i) => addTask(w, member(w, user, args[0], ['manager'])[0], i)); w.wake(); return [201, { created: made.length, skipped: 0, first_id: made[0]?.id, last_id: made.at(-1)?.id }]; }],
    ['POST', /^\/v1\/projects\/(\d+)\/claims$/, async ({ w, user, args, body, gone }) => {
        const [p] = member(w, user, args[0], ROLES[body.stage]);
        for (const end = Date.now() + (body.wait_s ?? 0) * 1000; ; await w.woken(end - Date.now())) {
            const assignments = gone() ? [] : claim(w, p, user, body);
            if (assignments.length || Date.now() >= end || gone())
                return [200, { assignments }];
        }
    }],
    ['POST', /^\/v1\/heartbeats$/, ({ w, user, body }) => [200, { results: body.assignments.map(({ id, version }) => {
        try {
            return WORK.heartbeat(w, held(w, id, user, version));
        } catch {
            return { id, error: 'lease-lost' };
        }
    }) }]],
    ['POST', /^\/v1\/projects\/\d+\/predictions$/, ({ w, user, body }) => [200, { results: body.predictions.map((said) => predict(w, user, said)) }]],
    ['*', /^\/v1\/assignments\/(\d+)\/(draft|submit|verdict|skip|release|heartbeat)$/, ({ w, user, args, body, version, key }) => {
        const told = key && w.once.get(key);
        if (told)
            return told;
        const keeps = args[1] === 'submit' || (args[1] === 'verdict' && body.verdict === 'fix');
        const reply = [200, WORK[args[1]](w, held(w, args[0], user, version, keeps ? body.result : null), user, body)];
        if (key)
            w.once.set(key, reply);
        return reply;
    }],
    ['POST', /^\/v1\/projects\/(\d+)\/releases$/, ({ w, user, args, body }) => [202, bare(cut(w, member(w, user, args[0], ['manager'])[0], body.name))]],
    ['GET', /^\/v1\/projects\/(\d+)\/releases$/, ({ w, user, args }) => [200, { releases: w.releases.filter((r) => r.project === member(w, user, args[0])[0].id).map(bare) }]],
    ['GET', /^\/v1\/releases\/(\d+)$/, ({ w, args }) => [200, bare(find(w.releases, args[0]))]],
    ['GET', /^\/v1\/releases\/(\d+)\/export$/, ({ w, args, query }) => { const { tasks } = find(w.releases, args[0]); return [200, Buffer.from(query.get('format') === 'jsonl' ? tasks.map((t) => JSON.stringify(t) + '\n').join('') : JSON.stringify(tasks)), 'application/octet-stream']; }],
    ['POST', /^\/v1\/assets$/, ({ w, raw }) => { const sha256 = addAsset(w, raw); return [201, { sha256, bytes: raw.length, media_type: 'image/png', width: raw.readUInt32BE(16), height: raw.readUInt32BE(20), url: `/v1/assets/${sha256}` }]; }],
    ['GET', /^\/v1\/assets\/([0-9a-f]{64})$/, ({ w, args }) => { const a = w.assets.get(args[0]); if (!a) throw new Fail(404, 'No such asset.'); return [200, a, 'image/png']; }],
];

const pick = ({ id, email, name, admin }) => ({ id, email, name, admin });

export function addAsset(w, bytes) {
    const sha256 = createHash('sha256').update(bytes).digest('hex');
    w.assets.set(sha256, bytes);
    return sha256;
}

function login(w, body) {
    const u = w.users.find((x) => x.email === body.email && x.password === body.password);
    if (!u)
        throw new Fail(401, 'The e-mail or the password is wrong.');
    const token = randomBytes(18).toString('base64url');
    w.tokens.set(token, u);
    return [200, { token, expires_at: new Date(Date.now() + 3600_000).toISOString(), user: pick(u) }];
}

async function serve(w, req, url) {
    const chunks = [];
    for await (const c of req)
        chunks.push(c);
    const raw = Buffer.concat(chunks);
    const json = (req.headers['content-type'] ?? '').includes('json');
    const body = json && raw.length ? JSON.parse(raw) : {};
    if (url.pathname === '/v1/login')
        return login(w, body);
    const user = w.tokens.get((req.headers.authorization ?? '').replace('Bearer ', ''));
    if (!user)
        throw new Fail(401, 'Sign in first.');
    const match = /^"(\d+)"$/.exec(req.headers['if-match'] ?? '');
    for (const [method, path, handler] of ROUTES) {
        const m = path.exec(url.pathname);
        if (m && (method === '*' || method === req.method))
            return handler({ w, user, args: m.slice(1), body, raw, query: url.searchParams, version: match ? Number(match[1]) : null, key: req.headers['idempotency-key'], gone: () => req.socket.destroyed });
    }
    throw new Fail(404, 'There is no such route.');
}

function file(res, path) {
    const name = normalize(path === '/' ? '/index.html' : path);
    try {
        const bytes = readFileSync(join(DIST, name));
        res.writeHead(200, { ...HEADERS, 'Content-Type': TYPES[extname(name)] ?? 'application/octet-stream', 'Cache-Control': name === '/index.html' ? 'no-cache' : 'max-age=31536000, immutable' });
        res.end(bytes);
    } catch {
        res.writeHead(404, HEADERS).end();
    }
}

// → { url, world, close }. `delay` milliseconds are added to every API answer.
export async function start({ port = 0, delay = 0 } = {}) {
    const w = world();
    let waiters = [];
    w.wake = () => { const all = waiters; waiters = []; for (const f of all) f(); };
    w.woken = (ms) => new Promise((done) => { const t = setTimeout(done, Math.max(0, ms)); waiters.push(() => { clearTimeout(t); done(); }); });
    const server = createServer(async (req, res) => {
        const url = new URL(req.url, 'http://localhost');
        if (!url.pathname.startsWith('/v1/'))
            return file(res, url.pathname);
        let [status, body, type] = await serve(w, req, url).catch((e) => {
            const s = e instanceof Fail ? e.status : 500;
            return [s, { type: `/errors/${SLUGS[s] ?? 'internal'}`, title: TITLES[s] ?? 'Internal error', status: s, detail: e.message, ...(e.extra ?? {}) }, 'application/problem+json'];
        });
        if (delay)
            await new Promise((d) => setTimeout(d, delay));
        res.writeHead(status, { ...HEADERS, 'Content-Type': type ?? 'application/json', 'Cache-Control': 'no-store' });
        res.end(Buffer.isBuffer(body) ? body : JSON.stringify(body));
    });
    await new Promise((done) => server.listen(port, '127.0.0.1', done));
    return { url: `http://127.0.0.1:${server.address().port}`, world: w, close: () => { server.closeAllConnections(); server.close(); } };
}
