// One person's work at one stage of one project: takes tasks, keeps their leases alive, saves drafts, sends the result,
// and has the next task ready. It owns the items being edited and never throws away what was typed: only an accepted
// answer of the server, or the person, moves on from a task.
import { api, ApiError, type Assignment, type Done, type NewComment, type Project, type Stage, type Verdict } from './api.ts';
import { changed, redone, started, undone, type History } from './history.ts';
import { newId, same, type Item } from './result.ts';
import { beforeSignOut } from './session.ts';
import { Store } from './store.ts';

export interface DeskState {
    phase: 'claiming' | 'waiting' | 'working' | 'failed';
    job: Assignment | null;
    history: History<Item[]>;
    draft: 'none' | 'pending' | 'saving' | 'saved' | 'failed';
    lost: boolean; // the lease is gone: the work may still count, or be kept as a late version
    sending: boolean;
    problem: ApiError | null; // of the last claim, submit, verdict or skip
    finished: number; // tasks done since the page was opened
}

const DRAFT_MS = 700;
const WAIT_S = 25;
const IDLE_MS = 15 * 60_000;
const DEFAULT_LEASE_S = 600;

function isLost(e: ApiError): boolean {
    return e.status === 412 || e.status === 409 || e.status === 404;
}

// The label a task starts from. A model's word is a suggestion to an annotator, not a label yet.
function ownLabel(a: Assignment): Item[] {
    return a.stage === 'annotate' && a.label?.kind === 'prelabel' ? [] : (a.label?.result ?? []);
}

function unreadable(a: Assignment): boolean {
    return a.label !== null && !Array.isArray(a.label.result);
}

export class Desk extends Store<DeskState> {
    private ahead: Assignment | null = null; // claimed, not shown yet
    private stopped = false;
    private waiting: AbortController | null = null;
    private beat: ReturnType<typeof setInterval> | undefined;
    private timer: ReturnType<typeof setTimeout> | undefined;
    private lastSaved: Item[] = [];
    private saving: Promise<unknown> = Promise.resolve();
    private sent = { body: '', key: '' };
    private activeMs = 0;
    private activeSince = 0;
    private lastTouch = Date.now();

    constructor(
        private readonly project: Project,
        readonly stage: Stage,
        private readonly prepare: (a: Assignment) => void, // warms what the task shows
    ) {
        super({ phase: 'claiming', job: null, history: started<Item[]>([]), draft: 'none', lost: false, sending: false, problem: null, finished: 0 });
    }

    get items(): Item[] {
        return this.state.history.now;
    }

    get allowSkip(): boolean {
        return this.project.workflow.allow_skip ?? true;
    }

    private get leaseMs(): number {
        return (this.project.workflow.lease_s?.[this.stage] ?? DEFAULT_LEASE_S) * 1000;
    }

    start(): () => void {
        const touch = () => (this.lastTouch = Date.now());
        const hidden = () => this.visibility();
        const gone = () => this.giveBack(true);
        const stop = () => this.stop();
        const leave = (e: BeforeUnloadEvent) => this.unsaved && e.preventDefault();
        addEventListener('pointerdown', touch);
        addEventListener('keydown', touch);
        addEventListener('beforeunload', leave);
        document.addEventListener('visibilitychange', hidden);
        addEventListener('pagehide', gone);
        beforeSignOut.add(stop);
        this.beat = setInterval(() => void this.heartbeat(), Math.max(1000, this.leaseMs / 3));
        void this.next();
        return () => {
            removeEventListener('pointerdown', touch);
            removeEventListener('keydown', touch);
            removeEventListener('beforeunload', leave);
            document.removeEventListener('visibilitychange', hidden);
            removeEventListener('pagehide', gone);
            beforeSignOut.delete(stop);
            this.stop();
        };
    }

    private stop(): void {
        if (this.stopped)
            return;
        this.stopped = true;
        clearInterval(this.beat);
        this.waiting?.abort();
        this.giveBack(false);
    }

    // What was only held ready goes back, and so does a task left untouched; one with work in it stays leased (it comes
    // back first), its draft saved. A page that is only reloaded keeps its task.
    private giveBack(reloading: boolean): void {
        const { job, history, draft, lost } = this.state;
        const untouched = job && draft === 'none' && history.past.length === 0 && history.future.length === 0;
        void this.saveDraft(true);
        for (const a of [this.ahead, untouched && !reloading && !lost ? job : null])
            if (a)
                api.release(a).catch(() => undefined);
        this.ahead = null;
    }

    private get unsaved(): boolean {
        return this.state.job !== null && this.items !== this.lastSaved;
    }

    // Nobody takes work while the page is hidden; time away does not count as time on the task.
    private visibility(): void {
        if (document.hidden) {
            this.countTime();
            void this.saveDraft(true);
            this.waiting?.abort();
        } else {
            this.lastTouch = this.activeSince = Date.now();
            if (!this.state.job && this.state.phase !== 'failed')
                void this.next();
        }
    }

    private countTime(): void {
        this.activeMs += this.activeSince ? Date.now() - this.activeSince : 0;
        this.activeSince = 0;
    }

    private leadTime(): number {
        this.countTime();
        this.activeSince = Date.now();
        return Math.round(this.activeMs) / 1000;
    }

    // Takes the task held ready, or asks for one, and goes on asking while there is none.
    async next(): Promise<void> {
        const ready = this.ahead;
        this.ahead = null;
        if (ready)
            return this.show(ready);
        this.set({ phase: 'claiming', job: null, problem: null });
        this.waiting?.abort();
        const waiting = (this.waiting = new AbortController());
        try {
            for (let wait_s = 0; !this.stopped; wait_s = WAIT_S) {
                const { assignments } = await api.claim(this.project.id, { stage: this.stage, count: 1, wait_s }, waiting.signal);
                if (assignments[0])
                    return this.show(assignments[0]);
                this.set({ phase: 'waiting' });
            }
        } catch (e) {
            if (!waiting.signal.aborted)
                this.set({ phase: 'failed', problem: asApiError(e) });
        }
    }

    private show(job: Assignment): void {
        if (this.stopped)
            return;
        const items = job.draft?.result ?? ownLabel(job);
        this.ahead = this.ahead?.id === job.id ? null : this.ahead;
        this.lastSaved = items;
        this.activeMs = 0;
        this.activeSince = Date.now();
        this.prepare(job);
        this.set({
            phase: 'working', job, history: started(items), draft: job.draft ? 'saved' : 'none', lost: false, sending: false,
            problem: unreadable(job) ? new ApiError(-1, 'unreadable', 'The label cannot be read right now', 'Skip or leave this task; somebody should look at the storage.') : null,
        });
        void this.lookAhead(job);
    }

    private async lookAhead(job: Assignment): Promise<void> {
        try {
            const { assignments } = await api.claim(this.project.id, { stage: this.stage, count: 2, wait_s: 0 });
            const other = assignments.find((a) => a.id !== job.id) ?? null;
            if (this.stopped || this.state.job !== job)
                return void (other && other.id !== this.state.job?.id && !this.ahead && this.hold(other));
            if (other)
                this.hold(other);
        } catch {
            // Only a convenience: next() asks again and tells what is wrong.
        }
    }

    private hold(a: Assignment): void {
        if (this.stopped)
            return void api.release(a).catch(() => undefined);
        this.ahead = a;
        this.prepare(a);
    }

    private async heartbeat(): Promise<void> {
        const { job, lost } = this.state;
        const held = [job, this.ahead].filter((a): a is Assignment => a !== null);
        if (held.length === 0 || Date.now() - this.lastTouch > Math.max(IDLE_MS, this.leaseMs))
            return;
        try {
            const { results } = await api.heartbeats(held.map(({ id, version }) => ({ id, version })));
            const gone = new Set(results.filter((r) => r.error).map((r) => r.id));
            if (this.ahead && gone.has(this.ahead.id))
                this.ahead = null;
            if (job && job === this.state.job && gone.has(job.id) !== lost)
                this.set({ lost: gone.has(job.id) });
        } catch {
            // The next beat tries again; three fit into a lease.
        }
    }

    change(items: Item[]): void {
        this.move(changed(this.state.history, items));
    }

    undo(): void {
        this.move(undone(this.state.history));
    }

    redo(): void {
        this.move(redone(this.state.history));
    }

    private move(history: History<Item[]>): void {
        if (history === this.state.history || this.state.sending)
            return;
        this.set({ history, draft: this.state.lost ? this.state.draft : 'pending', problem: null });
        clearTimeout(this.timer);
        this.timer = setTimeout(() => void this.saveDraft(), DRAFT_MS);
    }

    private async saveDraft(leaving = false): Promise<void> {
        const { job, lost, sending } = this.state;
        const items = this.items;
        clearTimeout(this.timer);
        if (!job || lost || sending || items === this.lastSaved)
            return;
        this.set({ draft: 'saving' });
        this.saving = api.draft(job, items, leaving);
        try {
            await this.saving;
            if (this.state.job !== job)
                return;
            this.lastSaved = items;
            if (this.items === items)
                this.set({ draft: 'saved' });
        } catch (e) {
            this.draftFailed(job, asApiError(e));
        }
    }

    private draftFailed(job: Assignment, e: ApiError): void {
        if (this.state.job !== job)
            return;
        this.set({ draft: 'failed', lost: this.state.lost || isLost(e) });
        if ((e.passing || e.status === 401) && !this.stopped)
            this.timer = setTimeout(() => void this.saveDraft(), 5000);
    }

    submit(): Promise<Done | null> {
        return this.finish('submit', { result: this.items }, (job, key, lead_time) => api.submit(job, { result: this.items, lead_time }, key));
    }

    verdict(verdict: Verdict, comments: NewComment[] = []): Promise<Done | null> {
        const body = { verdict, ...(verdict === 'fix' && { result: this.items }), ...(comments.length > 0 && { comments }) };
        return this.finish('verdict', body, (job, key, lead_time) => api.verdict(job, { ...body, lead_time }, key));
    }

    skip(reason = ''): Promise<Done | null> {
        return this.finish('skip', { reason }, (job, key) => api.skip(job, reason, key));
    }

    // The same words sent again keep their key and their lead time, so that a repeated request is the same request.
    private keyFor(job: Assignment, what: string, body: unknown): { key: string; lead: number } {
        const text = JSON.stringify([job.id, job.version, what, body]);
        if (this.sent.body !== text) {
            this.sent = { body: text, key: newId(24) };
            this.sentLead = this.leadTime();
        }
        return { key: this.sent.key, lead: this.sentLead };
    }
    private sentLead = 0;

    private async finish(what: string, body: unknown, send: (job: Assignment, key: string, lead: number) => Promise<Done>): Promise<Done | null> {
        const { job, sending } = this.state;
        if (!job || sending)
            return null;
        clearTimeout(this.timer);
        const { key, lead } = this.keyFor(job, what, body);
        this.set({ sending: true, problem: null });
        await this.saving.catch(() => undefined); // a draft under way must not arrive after the label
        try {
            const done = await send(job, key, lead);
            this.lastSaved = this.items;
            this.set({ sending: false, finished: this.state.finished + 1 });
            void this.next();
            return done;
        } catch (e) {
            const problem = asApiError(e);
            this.set({ sending: false, problem, lost: this.state.lost || isLost(problem) });
            return null;
        }
    }

    // By the person's own choice, from a task that cannot be sent any more.
    abandon(): void {
        this.lastSaved = this.items;
        void this.next();
    }

    get edited(): boolean {
        return this.state.job !== null && !same(this.items, ownLabel(this.state.job));
    }
}

export function asApiError(e: unknown): ApiError {
    return e instanceof ApiError ? e : new ApiError(-1, 'page', 'Something went wrong on this page', e instanceof Error ? e.message : String(e));
}
