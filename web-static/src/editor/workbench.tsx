// The frame of a task: its media on one side, the panel on the other, the actions at the panel's foot. Annotating and
// reviewing differ only in the panel's head and foot.
import type { ComponentChildren } from 'preact';
import type { Assignment } from '../api.ts';
import type { Desk } from '../desk.ts';
import { Blank, Icon, Notice } from '../ui.tsx';
import type { Bench } from './bench.ts';
import { Controls, Regions } from './choices.tsx';
import { ImageEditor } from './image.tsx';
import { TextEditor } from './text.tsx';

// "$a.b" reaches into the task's data.
export function field(data: Record<string, unknown>, path: string): unknown {
    return path in data ? data[path] : path.split('.').reduce<unknown>((v, k) => (typeof v === 'object' && v ? (v as Record<string, unknown>)[k] : undefined), data);
}

function Media({ bench, job }: { bench: Bench; job: Assignment }) {
    if (bench.config.media.length === 0)
        return <div class="stage"><Blank icon="alert" title="Nothing to show"><p>The label config has no Image or Text this page can show.</p></Blank></div>;
    return (
        <>
            {bench.config.media.map((m) => {
                const v = field(job.task.data, m.field);
                if (typeof v !== 'string' && typeof v !== 'number')
                    return <div key={m.name} class="stage"><Blank icon="alert" title="Nothing to show"><p>This task has no <code>{m.field}</code>.</p></Blank></div>;
                return m.kind === 'image' ? <ImageEditor key={m.name} bench={bench} path={String(v)} to={m.name} /> : <TextEditor key={m.name} bench={bench} text={String(v)} to={m.name} />;
            })}
        </>
    );
}

const DRAFTS = { none: '', pending: 'Editing…', saving: 'Saving…', saved: 'Draft saved', failed: 'Draft not saved' };

export function Workbench({ desk, bench, job, head, foot }: { desk: Desk; bench: Bench; job: Assignment; head: ComponentChildren; foot: ComponentChildren }) {
    const { history, draft, sending } = desk.state;
    return (
        <main class={`work${sending ? ' sending' : ''}`} aria-busy={sending}>
            <section class="media" aria-label="Task">
                <Media bench={bench} job={job} />
            </section>
            <aside class="panel" aria-label="Label">
                <header class="task">
                    <h1>Task {job.task.id}</h1>
                    <span class={`draft ${draft}`} role="status">{DRAFTS[draft]}</span>
                    <span class="tools">
                        <button class="ghost square" aria-label="Undo" title="Undo (Ctrl+Z)" disabled={!history.past.length || sending} onClick={() => desk.undo()}><Icon name="undo" /></button>
                        <button class="ghost square" aria-label="Redo" title="Redo (Ctrl+Shift+Z)" disabled={!history.future.length || sending} onClick={() => desk.redo()}><Icon name="redo" /></button>
                    </span>
                </header>
                <div class="scroll">
                    {head}
                    <Controls bench={bench} />
                    <Regions bench={bench} />
                    {bench.config.unsupported.length > 0 && (
                        <Notice tone="info" title="Not everything can be drawn here">
                            <p>{[...new Set(bench.config.unsupported)].join(', ')}: what labels hold of these is kept as it is.</p>
                        </Notice>
                    )}
                </div>
                <footer class="actions">{foot}</footer>
            </aside>
        </main>
    );
}
