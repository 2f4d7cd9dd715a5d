// The panel's controls: choices, labels to draw with, free text, stars; and the list of regions.
import type { Control, Option } from '../config.ts';
import { boxOf, formItem, isRegion, labelsOf, setForm, type Item } from '../result.ts';
import { Icon, percent } from '../ui.tsx';
import { colorOf, type Bench } from './bench.ts';

const TITLES: Record<string, string> = { choices: 'Choose one', rectanglelabels: 'Boxes', labels: 'Spans', textarea: 'Note', rating: 'Rating' };

export function Controls({ bench }: { bench: Bench }) {
    return <>{bench.config.controls.map((c) => <ControlView key={c.name} bench={bench} c={c} />)}</>;
}

function ControlView({ bench, c }: { bench: Bench; c: Control }) {
    const title = c.title || (c.multiple ? 'Choose any' : TITLES[c.kind]!);
    return (
        <fieldset class={`control ${c.kind}`} disabled={bench.locked} data-control={c.name}>
            <legend>{title}{c.required && <span class="need">required</span>}</legend>
            {c.kind === 'choices' && <Choices bench={bench} c={c} />}
            {(c.kind === 'rectanglelabels' || c.kind === 'labels') && <Labels bench={bench} c={c} />}
            {c.kind === 'textarea' && <Note bench={bench} c={c} title={title} />}
            {c.kind === 'rating' && <Stars bench={bench} c={c} />}
        </fieldset>
    );
}

function Choices({ bench, c }: { bench: Bench; c: Control }) {
    const item = formItem(bench.items, c.name);
    const on = item ? labelsOf(item) : [];
    const said = bench.model.find((i) => i.from_name === c.name);
    const model = said ? labelsOf(said) : [];
    return (
        <div class="options" role={c.multiple ? 'group' : 'radiogroup'}>
            {c.options.map((o) => (
                <button key={o.value} type="button" role={c.multiple ? 'checkbox' : 'radio'} aria-checked={on.includes(o.value)} title={o.hint || undefined}
                    class={`option${on.includes(o.value) ? ' on' : ''}${model.includes(o.value) ? ' said' : ''}`} onClick={() => bench.pick(c, o)}>
                    <span class={c.multiple ? 'mark check' : 'mark'}>{c.multiple && <Icon name="check" />}</span>
                    <span class="name">{o.text}</span>
                    {model.includes(o.value) && <span class="model" title="The model's answer"><Icon name="spark" />{typeof said?.score === 'number' ? percent(said.score) : 'model'}</span>}
                    <KeyCap o={o} />
                </button>
            ))}
        </div>
    );
}

function KeyCap({ o }: { o: Option }) {
    return o.key ? <kbd aria-hidden="true">{o.key.toUpperCase()}</kbd> : null;
}

function Labels({ bench, c }: { bench: Bench; c: Control }) {
    const on = (o: Option) => bench.active?.control.name === c.name && bench.active.option.value === o.value;
    return (
        <div class="labels" role="radiogroup" aria-label="Label in hand">
            {c.options.map((o) => (
                <button key={o.value} type="button" role="radio" aria-checked={on(o)} class={on(o) ? 'label on' : 'label'} title={o.hint || undefined} style={{ '--c': o.color }} onClick={() => bench.pick(c, o)}>
                    <span class="dot" />{o.text}<KeyCap o={o} />
                </button>
            ))}
        </div>
    );
}

function Note({ bench, c, title }: { bench: Bench; c: Control; title: string }) {
    const v = formItem(bench.items, c.name)?.value?.text;
    const text = Array.isArray(v) ? v.join('\n') : '';
    const type = (e: Event) => {
        const t = (e.currentTarget as HTMLTextAreaElement).value;
        bench.change(setForm(bench.items, c.name, c.to, 'textarea', undefined).concat(textItem(bench, c, t)));
    };
    return <textarea rows={2} aria-label={title} placeholder={c.placeholder || 'Anything worth saying'} value={text} onInput={type} />;
}

// A textarea's value key is "text", not its type.
function textItem(bench: Bench, c: Control, text: string): Item[] {
    if (text === '')
        return [];
    const old = formItem(bench.items, c.name);
    const made = setForm([], c.name, c.to, 'textarea', [text])[0]!;
    const origin = old?.origin === 'prediction' ? 'prediction-changed' : (old?.origin ?? 'manual');
    return [{ ...made, ...old, origin, value: { ...old?.value, text: [text] } }];
}

function Stars({ bench, c }: { bench: Bench; c: Control }) {
    const v = formItem(bench.items, c.name)?.value?.rating;
    const now = typeof v === 'number' ? v : 0;
    return (
        <div class="stars" role="radiogroup">
            {Array.from({ length: c.max }, (_, i) => i + 1).map((n) => (
                <button key={n} type="button" role="radio" class={n <= now ? 'star on' : 'star'} aria-checked={n === now} aria-label={`${n} of ${c.max}`}
                    onClick={() => bench.change(setForm(bench.items, c.name, c.to, 'rating', n === now ? undefined : n))}>★</button>
            ))}
        </div>
    );
}

const ORIGINS: Record<string, string> = { prediction: 'model', 'prediction-changed': 'model, changed' };

export function Regions({ bench }: { bench: Bench }) {
    const regions = bench.items.filter(isRegion);
    if (!bench.config.controls.some((c) => c.kind === 'rectanglelabels' || c.kind === 'labels'))
        return null;
    return (
        <section class="regions" aria-label="Regions">
            <h3>Regions <span class="num">{regions.length}</span></h3>
            {regions.length === 0 && <p class="quiet">{bench.ghosts.length ? 'None yet. Dashed ones are the model’s: click one to take it over.' : 'None yet. Drag to make one.'}</p>}
            <ul>
                {regions.map((i) => (
                    <li key={i.id} class={i.id === bench.selected ? 'on' : ''} style={{ '--c': colorOf(bench.config, i) }}>
                        <button type="button" class="row" aria-pressed={i.id === bench.selected} onClick={() => bench.select(i.id ?? null)}>
                            <span class="dot" />
                            <span class="name">{labelsOf(i).join(', ') || i.type}</span>
                            <span class="quiet">{where(i)}</span>
                            {ORIGINS[i.origin ?? ''] && <span class="model"><Icon name="spark" />{ORIGINS[i.origin!]}</span>}
                        </button>
                        <button type="button" class="ghost square" aria-label={`Delete ${labelsOf(i).join(', ')}`} title="Delete (Del)" disabled={bench.locked} onClick={() => bench.remove(i.id!)}><Icon name="trash" /></button>
                    </li>
                ))}
            </ul>
        </section>
    );
}

function where(i: Item): string {
    const b = boxOf(i);
    if (!b)
        return typeof i.value?.text === 'string' ? `“${i.value.text}”` : `${i.value?.start}–${i.value?.end}`;
    const { original_width: w, original_height: h } = i;
    return w && h ? `${Math.round((b.width / 100) * w)} × ${Math.round((b.height / 100) * h)}` : '';
}
