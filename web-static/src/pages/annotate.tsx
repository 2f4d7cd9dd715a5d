// Labeling: one task after the other.
import { useState } from 'preact/hooks';
import type { Project } from '../api.ts';
import type { Config } from '../config.ts';
import { useBench, type Bench } from '../editor/bench.ts';
import { Comments, NoTask, Trouble, useDesk, useModel, useNames, useTaskConfig } from '../editor/task.tsx';
import { Workbench } from '../editor/workbench.tsx';
import { acceptPrediction, formItem, isRegion, same } from '../result.ts';
import { Icon, Keys, Notice, percent, toast } from '../ui.tsx';

// The first required control without an answer, in words.
export function unanswered(config: Config, bench: Bench): string {
    const c = config.controls.find((x) => x.required && !formItem(bench.items, x.name) && !bench.items.some((i) => i.from_name === x.name && isRegion(i)));
    return c ? c.message || `${c.title || c.name} needs an answer.` : '';
}

export function Annotate({ project, config: base }: { project: Project; config: Config }) {
    const [desk, state] = useDesk(project, 'annotate', base);
    const config = useTaskConfig(base, state.job);
    const model = useModel(state.job);
    const names = useNames(project);
    const [asked, setAsked] = useState('');
    const left = model.items.length > 0 && !same(acceptPrediction(desk.items, model.items), desk.items);

    const accept = () => desk.change(acceptPrediction(desk.items, model.items));
    const submit = async () => {
        const missing = unanswered(config, bench);
        setAsked(missing);
        if (!missing && (await desk.submit()))
            toast('Submitted');
    };
    const skip = async () => {
        setAsked('');
        if (desk.allowSkip && (await desk.skip()))
            toast('Skipped');
    };
    const bench = useBench(desk, config, model.items, state.job?.comments ?? [], {
        'ctrl+enter': () => void submit(), 'ctrl+space': () => void skip(), enter: left ? accept : undefined,
    });
    if (!state.job)
        return <NoTask desk={desk} state={state} />;
    const head = (
        <>
            <Trouble desk={desk} state={state} />
            <Comments bench={bench} names={names} />
            {model.items.length > 0 && (
                <section class={left ? 'suggestion' : 'suggestion taken'} aria-label="The model's suggestion">
                    <Icon name="spark" />
                    <p><strong>{model.name}</strong>{model.score !== null && <span class="num">{percent(model.score)}</span>}<br /><span class="quiet">{left ? 'has a suggestion' : 'suggestion taken over'}</span></p>
                    <button disabled={!left || state.sending} onClick={accept}>Accept<Keys of={['Enter']} /></button>
                </section>
            )}
            {asked && <Notice tone="warn" title={asked} />}
        </>
    );
    const foot = (
        <>
            <button disabled={state.sending || !desk.allowSkip} onClick={() => void skip()}>Skip<Keys of={['Ctrl', 'Space']} /></button>
            <button class="primary grow" disabled={state.sending} onClick={() => void submit()}>{state.sending ? 'Sending…' : 'Submit'}<Keys of={['Ctrl', 'Enter']} /></button>
        </>
    );
    return <Workbench desk={desk} bench={bench} job={state.job} head={head} foot={foot} />;
}
