// The review and QA desk: accept, fix, or send back with comments.
import { useEffect, useRef, useState } from 'preact/hooks';
import type { NewComment, Project, Stage } from '../api.ts';
import type { Config } from '../config.ts';
import { useBench, type Bench } from '../editor/bench.ts';
import { NoTask, Trouble, useDesk, useModel, useNames, useTaskConfig } from '../editor/task.tsx';
import { Workbench } from '../editor/workbench.tsx';
import { isRegion, labelsOf } from '../result.ts';
import { Icon, Keys, percent, toast } from '../ui.tsx';

const KINDS: Record<string, string> = {
    submission: 'Labelled by', review_fix: 'Corrected by', qa_fix: 'Corrected by', prelabel: 'Pre-labelled by', import: 'Imported by', merge: 'Merged from several by', late: 'Sent late by', restore: 'Restored by',
};
const SENT = { accept: ['Accepted', 'Passed'], fix: ['Fixed', 'Fixed'], reject: ['Sent back', 'Failed'] } as const;

export function Review({ project, config: base, stage }: { project: Project; config: Config; stage: Stage }) {
    const [desk, state] = useDesk(project, stage, base);
    const config = useTaskConfig(base, state.job);
    const model = useModel(state.job);
    const names = useNames(project);
    const [showModel, setShowModel] = useState(true);
    const [rejecting, setRejecting] = useState(false);
    const label = state.job?.label ?? null;
    const edited = desk.edited;
    const qa = stage === 'qa';

    useEffect(() => setRejecting(false), [state.job?.id]);
    const decide = async (verdict: 'accept' | 'fix' | 'reject', comments: NewComment[] = []) => {
        if (await desk.verdict(verdict, comments))
            toast(SENT[verdict][qa ? 1 : 0]);
    };
    const accept = () => (edited ? toast('You have changed it: fix (F), or undo first') : void decide('accept'));
    const fix = () => (edited ? void decide('fix') : toast('Nothing has been changed yet'));
    const bench = useBench(desk, config, showModel ? model.items : [], state.job?.comments ?? [], {
        a: rejecting ? undefined : accept, f: rejecting ? undefined : fix, r: () => setRejecting(true), m: () => setShowModel((on) => !on),
    });
    if (!state.job)
        return <NoTask desk={desk} state={state} />;
    const head = (
        <>
            <Trouble desk={desk} state={state} />
            <section class="about" aria-label="About this label">
                <p>{KINDS[label?.kind ?? ''] ?? 'Label by'} <strong>{label?.model ?? names(label?.author ?? null)}</strong>{edited && <span class="chip warn">changed by you</span>}</p>
                {model.items.length > 0 && (
                    <label class="switch"><input type="checkbox" checked={showModel} onChange={() => setShowModel(!showModel)} />
                        <span><Icon name="spark" />{model.name}{model.score !== null && ` ${percent(model.score)}`}</span><kbd aria-hidden="true">M</kbd></label>
                )}
            </section>
            {bench.comments.length > 0 && <Earlier bench={bench} names={names} />}
        </>
    );
    const foot = rejecting
        ? <Reject key={state.job.id} bench={bench} busy={state.sending} onCancel={() => setRejecting(false)} onSend={(c) => void decide('reject', c)} />
        : (
            <>
                <button class="bad" disabled={state.sending} onClick={() => setRejecting(true)}><Icon name="cross" />{qa ? 'Fail' : 'Reject'}<Keys of={['R']} /></button>
                <button disabled={state.sending || !edited} onClick={fix}><Icon name="pencil" />Fix<Keys of={['F']} /></button>
                <button class="good grow" disabled={state.sending || edited || label?.result === null} onClick={accept}><Icon name="check" />{qa ? 'Pass' : 'Accept'}<Keys of={['A']} /></button>
            </>
        );
    return <Workbench desk={desk} bench={bench} job={state.job} head={head} foot={foot} />;
}

function Earlier({ bench, names }: { bench: Bench; names: (a: number | string | null) => string }) {
    return (
        <section class="comments past" aria-label="Earlier comments">
            <h3>Earlier comments</h3>
            {bench.comments.map((c, i) => <blockquote key={i}><p>{c.text}</p><footer>{names(c.author)}</footer></blockquote>)}
        </section>
    );
}

// One comment a remark; a remark made while a region is selected is pinned to it.
function Reject({ bench, busy, onCancel, onSend }: { bench: Bench; busy: boolean; onCancel: () => void; onSend: (c: NewComment[]) => void }) {
    const [list, setList] = useState<NewComment[]>([]);
    const [text, setText] = useState('');
    const [pinned, setPinned] = useState(true);
    const area = useRef<HTMLTextAreaElement>(null);
    useEffect(() => area.current?.focus(), []);
    const region = bench.items.find((i) => i.id === bench.selected && isRegion(i));
    const typed = (): NewComment[] => (text.trim() ? [{ text: text.trim(), ...(region && pinned && { region: region.id! }) }] : []);
    const all = [...list, ...typed()];
    const more = () => {
        setList(all);
        setText('');
        area.current?.focus();
    };
    const key = (e: KeyboardEvent) => {
        if (e.key === 'Escape')
            onCancel();
        if (e.key === 'Enter' && (e.ctrlKey || e.metaKey) && all.length) {
            e.preventDefault();
            onSend(all);
        }
    };
    return (
        <div class="reject">
            {list.length > 0 && <ul>{list.map((c, i) => (
                <li key={i}>{c.region && <Icon name="pin" />}<span>{c.text}</span><button class="ghost square" aria-label="Remove" onClick={() => setList(list.filter((x) => x !== c))}><Icon name="cross" /></button></li>
            ))}</ul>}
            <textarea ref={area} rows={3} aria-label="What should be different?" placeholder="What should be different?" value={text} onKeyDown={key} onInput={(e) => setText(e.currentTarget.value)} />
            <p class="pinning">
                {region
                    ? <label class="switch"><input type="checkbox" checked={pinned} onChange={() => setPinned(!pinned)} /><span><Icon name="pin" />about “{labelsOf(region).join(', ')}”</span></label>
                    : <span class="quiet">Select a region to pin the comment to it.</span>}
                <button class="link" disabled={!text.trim()} onClick={more}><Icon name="plus" />another</button>
            </p>
            <div class="row">
                <button onClick={onCancel}>Cancel</button>
                <button class="bad grow" disabled={busy || all.length === 0} onClick={() => onSend(all)}>Send back<Keys of={['Ctrl', 'Enter']} /></button>
            </div>
        </div>
    );
}
