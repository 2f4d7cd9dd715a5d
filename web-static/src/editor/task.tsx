// What annotating and reviewing show alike: comments, the model's suggestion, a lost lease, refusals, waiting.
import { useEffect, useMemo, useState } from 'preact/hooks';
import { api, type Assignment, type Comment, type Member, type Project, type Stage } from '../api.ts';
import { withTaskOptions, type Config } from '../config.ts';
import { Desk, type DeskState } from '../desk.ts';
import { picture } from '../media.ts';
import { fromPrediction, type Item } from '../result.ts';
import { useStore } from '../store.ts';
import { ago, Blank, Icon, Notice, Problem, toast } from '../ui.tsx';
import type { Bench } from './bench.ts';
import { field } from './workbench.tsx';

export function useDesk(project: Project, stage: Stage, config: Config): [Desk, DeskState] {
    const desk = useMemo(() => new Desk(project, stage, (a) => warm(config, a)), [project.id, stage]);
    useEffect(() => desk.start(), [desk]);
    const state = useStore(desk);
    useEffect(() => {
        if (document.activeElement instanceof HTMLElement)
            document.activeElement.blur();
    }, [state.job?.id]);
    return [desk, state];
}

function warm(config: Config, a: Assignment): void {
    for (const m of config.media) {
        const v = field(a.task.data, m.field);
        if (m.kind === 'image' && typeof v === 'string')
            picture(v).catch(() => undefined);
    }
}

export function useTaskConfig(config: Config, job: Assignment | null): Config {
    return useMemo(() => (job ? withTaskOptions(config, job.task.data) : config), [config, job?.id]);
}

// The model's newest items under stable ids, and who said it.
export function useModel(job: Assignment | null): { items: Item[]; name: string; score: number | null } {
    return useMemo(() => {
        const said = [...(job?.predictions ?? [])].sort((a, b) => (b.id ?? 0) - (a.id ?? 0));
        const p = said[0] ?? (job?.label?.kind === 'prelabel' ? job.label : undefined);
        return { items: fromPrediction(p?.result ?? []), name: p?.model ?? 'The model', score: p?.score ?? null };
    }, [job?.id]);
}

export function useNames(project: Project): (author: number | string | null) => string {
    const [members, setMembers] = useState<Member[]>([]);
    useEffect(() => void api.members(project.id).then((m) => setMembers(m.members), () => undefined), [project.id]);
    return (author) => {
        const m = members.find((x) => x.user === author);
        return m ? m.name || m.email : typeof author === 'number' ? `Person ${author}` : (author ?? 'Somebody');
    };
}

export function Comments({ bench, names }: { bench: Bench; names: (a: Comment['author']) => string }) {
    if (bench.comments.length === 0)
        return null;
    return (
        <section class="comments" aria-label="Comments">
            <h3>Sent back with</h3>
            {bench.comments.map((c, i) => (
                <blockquote key={i}>
                    <p>{c.text}</p>
                    <footer>
                        {names(c.author)} · {ago(c.created_at)}
                        {c.region && bench.items.some((x) => x.id === c.region) && (
                            <button class="link" onClick={() => bench.select(c.region)}><Icon name="pin" />show the region</button>
                        )}
                    </footer>
                </blockquote>
            ))}
        </section>
    );
}

export function Trouble({ desk, state }: { desk: Desk; state: DeskState }) {
    const { problem, lost } = state;
    const copy = () =>
        navigator.clipboard ? navigator.clipboard.writeText(JSON.stringify(desk.items, null, 1)).then(() => toast('Copied')) : toast('The browser does not allow copying here');
    const ways = (
        <p class="ways">
            <button onClick={() => void copy()}><Icon name="copy" />Copy my work</button>
            <button onClick={() => desk.abandon()}><Icon name="arrow" />Next task</button>
        </p>
    );
    if (problem?.lateLabel)
        return <Notice tone="warn" title="Somebody else has taken this task since"><p>Your work is not lost: it is kept as label version {problem.lateLabel}, marked late.</p>{ways}</Notice>;
    if (problem?.status === 412 || problem?.status === 409)
        return <Notice tone="warn" title="This task has moved on"><p>{problem.detail || 'It is no longer yours to decide.'} What you made is still on this page.</p>{ways}</Notice>;
    return (
        <>
            {lost && <Notice tone="warn" title="Your hold on this task has ended"><p>Nothing is lost. Send it: if nobody has taken the task since, it counts as usual; otherwise it is kept as a late version.</p>{ways}</Notice>}
            {problem && <Problem error={problem} />}
        </>
    );
}

const WAITING: Record<Stage, string> = { annotate: 'No tasks to label right now', review: 'Nothing to review right now', qa: 'Nothing to check right now' };

export function NoTask({ desk, state }: { desk: Desk; state: DeskState }) {
    if (state.phase === 'failed' && state.problem) {
        return (
            <main class="work empty">
                <div class="middle">
                    <Problem error={state.problem} />
                    <button class="primary" onClick={() => void desk.next()}>Try again</button>
                </div>
            </main>
        );
    }
    if (state.phase === 'waiting') {
        return (
            <main class="work empty">
                <Blank icon="inbox" title={WAITING[desk.stage]} busy>
                    <p>The next one opens here as soon as it is there.{state.finished > 0 && ` You have done ${state.finished}.`}</p>
                </Blank>
            </main>
        );
    }
    return (
        <main class="work" aria-busy="true">
            <section class="media"><div class="stage"><div class="canvas"><div class="skeleton" role="status" aria-label="Taking the next task" /></div></div></section>
            <aside class="panel" />
        </main>
    );
}
