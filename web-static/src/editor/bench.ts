// What the editors of one task share: the items, the selection, the label in hand, and the few ways to change them.
import { useEffect, useMemo, useRef, useState } from 'preact/hooks';
import type { Comment } from '../api.ts';
import type { Config, Control, Option } from '../config.ts';
import type { Desk } from '../desk.ts';
import { useKeys, type Keymap } from '../keys.ts';
import {
    acceptPrediction, boxOf, formItem, isBox, isRegion, labelsOf, missing, moveBox, newBox, newId, removeRegion, resizeBox, setForm, setLabel, setValue,
    type Item, type Size,
} from '../result.ts';

export interface Active {
    control: Control;
    option: Option;
}

export interface Bench {
    config: Config;
    items: Item[];
    ghosts: Item[]; // the model's regions that are not in the label
    model: Item[]; // all that the model said; empty when hidden
    comments: Comment[];
    locked: boolean;
    selected: string | null;
    active: Active | null;
    keys: { current: Keymap };
    image: { current: { image: Size; to: string } | null };
    select(id: string | null): void;
    change(items: Item[]): void;
    add(item: Item): void;
    take(ghost: Item): void;
    remove(id: string): void;
    pick(control: Control, option: Option): void;
}

const DRAWS: Record<string, boolean> = { rectanglelabels: true, labels: true };
const NUDGE = 0.5; // percent an arrow key

export function colorOf(config: Config, item: Item): string {
    const options = config.controls.find((c) => c.name === item.from_name)?.options ?? [];
    return options.find((o) => labelsOf(item).includes(o.value))?.color ?? '#868e96';
}

// A choice clicked or keyed: single controls switch, multiple ones toggle; the last answer taken back leaves no item.
function choose(items: Item[], c: Control, value: string): Item[] {
    const item = formItem(items, c.name);
    const now = item ? labelsOf(item) : [];
    const on = now.includes(value);
    const next = c.multiple ? c.options.map((o) => o.value).filter((v) => (v === value ? !on : now.includes(v))) : on ? [] : [value];
    return setForm(items, c.name, c.to, 'choices', next.length ? next : undefined);
}

export function useBench(desk: Desk, config: Config, model: Item[], comments: Comment[], extra: Keymap): Bench {
    const job = desk.state.job;
    const items = desk.items;
    const [selected, setSelected] = useState<string | null>(null);
    const firstTool = useMemo(() => config.controls.filter((c) => DRAWS[c.kind] && c.options[0]), [config])[0];
    const [active, setActive] = useState<Active | null>(null);
    const keys = useRef<Keymap>({});
    const image = useRef<{ image: Size; to: string } | null>(null);
    useEffect(() => setSelected(null), [job?.id]);
    useEffect(() => setActive(firstTool ? { control: firstTool, option: firstTool.options[0]! } : null), [firstTool?.name]);

    const regions = items.filter(isRegion);
    const alive = regions.some((i) => i.id === selected) ? selected : null;
    const bench: Bench = {
        config, items, model, comments, keys, image, selected: alive,
        active, ghosts: missing(items, model), locked: desk.state.sending,
        select: setSelected,
        change: (next) => desk.change(next),
        add: (item) => {
            desk.change([...items, item]);
            setSelected(item.id ?? null);
        },
        take: (ghost) => {
            desk.change(acceptPrediction(items, [ghost]));
            setSelected(ghost.id ?? null);
        },
        remove: (id) => desk.change(removeRegion(items, id)),
        pick: (c, o) => {
            if (c.kind === 'choices')
                return desk.change(choose(items, c, o.value));
            const on = regions.find((i) => i.id === alive);
            if (on && on.type === c.kind && !labelsOf(on).includes(o.value))
                desk.change(setLabel(items, on.id!, c.name, c.kind, o.value));
            setActive({ control: c, option: o });
        },
    };
    useKeys({ ...optionKeys(bench), ...regionKeys(bench, regions), ...keys.current, 'ctrl+z': () => desk.undo(), 'ctrl+shift+z': () => desk.redo(), 'ctrl+y': () => desk.redo(), ...extra });
    return bench;
}

function optionKeys(b: Bench): Keymap {
    const map: Keymap = {};
    for (const c of b.config.controls)
        for (const o of c.options)
            if (o.key)
                map[o.key] = () => b.pick(c, o);
    return map;
}

function regionKeys(b: Bench, regions: Item[]): Keymap {
    const on = regions.find((i) => i.id === b.selected);
    const map: Keymap = {
        escape: () => b.select(null),
        'alt+.': () => b.select(regions[(regions.findIndex((i) => i === on) + 1) % regions.length]?.id ?? null),
        n: () => fresh(b),
    };
    if (!on?.id)
        return map;
    map.delete = map.backspace = () => b.remove(on.id!);
    const box = boxOf(on);
    if (!box || !isBox(on))
        return map;
    map['ctrl+d'] = () => b.add({ ...on, id: newId(), origin: 'manual', value: { ...on.value, ...moveBox(box, 2, 2) } });
    for (const [key, dx, dy] of [['arrowleft', -NUDGE, 0], ['arrowright', NUDGE, 0], ['arrowup', 0, -NUDGE], ['arrowdown', 0, NUDGE]] as const) {
        map[key] = () => b.change(setValue(b.items, on.id!, { ...moveBox(box, dx, dy) }));
        map[`shift+${key}`] = () => b.change(setValue(b.items, on.id!, { ...resizeBox(box, 'se', dx, dy) }));
    }
    return map;
}

function fresh(b: Bench): void {
    const at = b.image.current;
    if (at && b.active?.control.kind === 'rectanglelabels')
        b.add(newBox(b.active.control.name, at.to, b.active.option.value, { x: 40, y: 40, width: 20, height: 20, rotation: 0 }, at.image));
}
