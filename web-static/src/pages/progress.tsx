// How far the project is, by itself every two seconds while somebody looks; and its releases.
import { useEffect, useRef, useState } from 'preact/hooks';
import { api, type ApiError, type Progress as Figures, type Project, type Release } from '../api.ts';
import { asApiError } from '../desk.ts';
import { ago, Blank, count, Icon, percent, Problem, toast } from '../ui.tsx';
import { manages } from './projects.tsx';

const EVERY_MS = 2000;
const STATES = ['prelabel', 'annotate', 'review', 'qa', 'done', 'skipped', 'archived'] as const;
const NAMES: Record<string, string> = {
    prelabel: 'Pre-label', annotate: 'Annotate', review: 'Review', qa: 'QA', done: 'Done', skipped: 'Skipped', archived: 'Archived', submission: 'Submitted', review_fix: 'Fixed in review',
    qa_fix: 'Fixed in QA', merge: 'Merged', late: 'Late', import: 'Imported', restore: 'Restored', submit: 'Submitted', skip: 'Skipped', accept: 'Accepted', fix: 'Fixed',
    reject: 'Sent back', pass: 'QA passed', fail: 'QA failed', prelabelled: 'Pre-labelled', prelabel_failed: 'Pre-label failed', reopen: 'Reopened', archive: 'Archived', claim: 'Claims',
    release: 'Given back', expire: 'Lease expired',
};
const nameOf = (k: string) => NAMES[k] ?? k.replaceAll('_', ' ');

// Calls at once and then every so often while the page is visible; a slow answer delays the next call, never doubles it.
function usePoll(ask: (signal: AbortSignal) => Promise<void>, ms: number, on = true): void {
    const latest = useRef(ask);
    latest.current = ask;
    useEffect(() => {
        if (!on)
            return;
        const stop = new AbortController();
        let timer: ReturnType<typeof setTimeout> | undefined;
        const round = async () => {
            clearTimeout(timer);
            if (!document.hidden)
                await latest.current(stop.signal);
            if (!stop.signal.aborted && !document.hidden)
                timer = setTimeout(() => void round(), ms);
        };
        const seen = () => !document.hidden && void round();
        document.addEventListener('visibilitychange', seen);
        void round();
        return () => {
            stop.abort();
            clearTimeout(timer);
            document.removeEventListener('visibilitychange', seen);
        };
    }, [ms, on]);
}

export function Progress({ project }: { project: Project }) {
    const [figures, setFigures] = useState<Figures | null>(null);
    const [error, setError] = useState<ApiError | null>(null);
    usePoll(async (signal) => {
        try {
            setFigures(await api.progress(project.id, signal));
            setError(null);
        } catch (e) {
            if (!signal.aborted)
                setError(asApiError(e));
        }
    }, EVERY_MS);
    return (
        <main class="page">
            <header class="title">
                <h1>Progress</h1>
                <span class={error ? 'live off' : 'live'} role="status">{error ? 'Not up to date' : 'Live'}</span>
            </header>
            {error && <Problem error={error} />}
            <Overview f={figures} />
            <div class="columns">
                <Bars title="Label versions" of={figures?.labels ?? null} />
                <Bars title="Actions" of={figures?.actions ?? null} />
            </div>
            {manages(project.role) && <Releases project={project} />}
        </main>
    );
}

function Overview({ f }: { f: Figures | null }) {
    const n = (s: string) => f?.tasks[s] ?? 0;
    const open = STATES.filter((s) => s !== 'archived' || n(s) > 0);
    const total = f?.total ?? 0;
    const live = total - n('archived');
    return (
        <section class="card overview" aria-label="Tasks by state">
            <p class="headline"><strong class="num">{f ? (live > 0 ? percent(n('done') / live) : '–') : '…'}</strong> <span class="quiet">{f ? `${count(n('done'))} of ${count(live)} tasks done` : 'Loading'}</span></p>
            <div class="stack" role="img" aria-label={open.map((s) => `${nameOf(s)} ${n(s)}`).join(', ')}>
                {open.map((s) => <span key={s} class={`s-${s}`} style={{ flexGrow: total ? n(s) / total : 0 }} />)}
            </div>
            <dl class="states">
                {open.map((s) => (
                    <div key={s}>
                        <dt><span class={`swatch s-${s}`} />{nameOf(s)}</dt>
                        <dd class="num" data-state={s}>{count(n(s))}</dd>
                    </div>
                ))}
            </dl>
        </section>
    );
}

function Bars({ title, of }: { title: string; of: Record<string, number> | null }) {
    const rows = Object.entries(of ?? {}).filter(([, v]) => v > 0).sort((a, b) => b[1] - a[1]);
    const most = rows[0]?.[1] ?? 1;
    return (
        <section class="card bars">
            <h2>{title}</h2>
            {of && rows.length === 0 && <p class="quiet">None yet.</p>}
            <table>
                <tbody>
                    {rows.map(([k, v]) => (
                        <tr key={k}>
                            <th scope="row">{nameOf(k)}</th>
                            <td class="meter" aria-hidden="true"><span style={{ width: `${(v / most) * 100}%` }} /></td>
                            <td class="num">{count(v)}</td>
                        </tr>
                    ))}
                </tbody>
            </table>
        </section>
    );
}

function Releases({ project }: { project: Project }) {
    const [list, setList] = useState<Release[] | null>(null);
    const [error, setError] = useState<ApiError | null>(null);
    const [name, setName] = useState('');
    const [busy, setBusy] = useState(false);
    const load = async () => {
        try {
            setList((await api.releases(project.id)).releases);
            setError(null);
        } catch (e) {
            setError(asApiError(e));
        }
    };
    const building = list?.some((r) => r.state === 'building') ?? false;
    useEffect(() => void load(), [project.id]);
    usePoll(load, 1000, building);
    const cut = async (e: Event) => {
        e.preventDefault();
        setBusy(true);
        try {
            await api.cut(project.id, name.trim());
            setName('');
            await load();
        } catch (err) {
            setError(asApiError(err));
        }
        setBusy(false);
    };
    return (
        <section class="card releases">
            <h2>Releases</h2>
            <p class="quiet">A release freezes the finished labels as they are now. It never changes afterwards.</p>
            <form onSubmit={cut}>
                <input aria-label="Name of the release" placeholder="Name, such as 2026-11" required maxLength={100} value={name} onInput={(e) => setName(e.currentTarget.value)} />
                <button class="primary" disabled={busy || !name.trim()}>Create release</button>
            </form>
            {error && <Problem error={error} />}
            {list?.length === 0 && <Blank icon="box" title="No releases yet" />}
            <ul>{[...(list ?? [])].sort((a, b) => b.id - a.id).map((r) => <ReleaseRow key={r.id} r={r} onError={setError} />)}</ul>
        </section>
    );
}

const FORMATS = [['jsonl', 'JSONL', 'jsonl'], ['label-studio', 'Label Studio', 'json']] as const;

function ReleaseRow({ r, onError }: { r: Release; onError: (e: ApiError | null) => void }) {
    const save = async (format: string, ending: string) => {
        try {
            const url = URL.createObjectURL(await api.exported(r.id, format));
            const a = document.createElement('a');
            a.href = url;
            a.download = `${r.name.replace(/[^\w.-]+/g, '-')}-${format}.${ending}`;
            a.click();
            setTimeout(() => URL.revokeObjectURL(url), 60_000);
            toast(`Downloaded ${a.download}`);
        } catch (e) {
            onError(asApiError(e));
        }
    };
    const splits = Object.entries(r.splits ?? {}).map(([k, v]) => `${k} ${count(v)}`).join(' · ');
    return (
        <li class="release">
            <div>
                <strong>{r.name}</strong>
                <span class={`chip ${r.state}`} role="status">{r.state}</span>
                <p class="quiet">
                    {r.state === 'failed' ? r.error : `${r.items === null ? '' : `${count(r.items)} ${r.items === 1 ? 'task' : 'tasks'}`}${splits && ` (${splits})`} · ${ago(r.created_at)}`}
                    {r.root && <> · <code title={r.root}>{r.root.slice(0, 12)}</code></>}
                </p>
            </div>
            {r.state === 'ready' && (
                <p class="ways">{FORMATS.map(([f, text, ending]) => <button key={f} onClick={() => void save(f, ending)}><Icon name="download" />{text}</button>)}</p>
            )}
        </li>
    );
}
