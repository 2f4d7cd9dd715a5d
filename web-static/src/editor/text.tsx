// A text and its spans. The words are text nodes only, so the selection's length is the offset; overlapping spans nest as
// marks over the same pieces. Offsets in the document are code points.
import { useRef } from 'preact/hooks';
import { isSpan, labelsOf, newSpan, toCodePoints, toUnits, type Item } from '../result.ts';
import { colorOf, type Bench } from './bench.ts';

interface Piece {
    text: string;
    over: { item: Item; ghost: boolean }[];
    last: boolean; // of its topmost span: carries the label
}

function pieces(text: string, spans: { item: Item; ghost: boolean }[]): Piece[] {
    const at = spans.map((s) => ({ ...s, from: toUnits(text, s.item.value!.start as number), to: toUnits(text, s.item.value!.end as number) }));
    const cuts = [...new Set([0, text.length, ...at.flatMap((s) => [s.from, s.to])])].sort((a, b) => a - b);
    return cuts.slice(0, -1).map((from, i) => {
        const to = cuts[i + 1]!;
        const over = at.filter((s) => s.from <= from && s.to >= to).sort((a, b) => b.to - b.from - (a.to - a.from));
        return { text: text.slice(from, to), over, last: over.at(-1)?.to === to };
    });
}

export function TextEditor({ bench, text, to }: { bench: Bench; text: string; to: string }) {
    const ref = useRef<HTMLParagraphElement>(null);
    const tool = bench.active?.control.kind === 'labels' ? bench.active : null;
    const spans = [
        ...bench.items.filter((i) => isSpan(i) && i.to_name === to).map((item) => ({ item, ghost: false })),
        ...bench.ghosts.filter((i) => isSpan(i) && i.to_name === to).map((item) => ({ item, ghost: true })),
    ];
    const units = (node: Node, offset: number) => {
        const r = document.createRange();
        r.setStart(ref.current!, 0);
        r.setEnd(node, offset);
        return r.toString().length;
    };
    const picked = () => {
        const s = getSelection();
        if (!s || s.isCollapsed || !tool || bench.locked)
            return;
        const r = s.getRangeAt(0);
        if (!ref.current!.contains(r.startContainer) || !ref.current!.contains(r.endContainer))
            return;
        let [from, end] = [units(r.startContainer, r.startOffset), units(r.endContainer, r.endOffset)];
        while (from < end && /\s/.test(text[from]!))
            from++;
        while (end > from && /\s/.test(text[end - 1]!))
            end--;
        s.removeAllRanges();
        if (end > from)
            bench.add(newSpan(tool.control.name, to, tool.option.value, toCodePoints(text, from), toCodePoints(text, end), tool.control.keepText ? text.slice(from, end) : null));
    };
    return (
        <div class="stage reading">
            <p ref={ref} class="text" onPointerUp={picked}>
                {pieces(text, spans).map((p, i) => <Marked key={i} piece={p} bench={bench} />)}
            </p>
        </div>
    );
}

function Marked({ piece, bench }: { piece: Piece; bench: Bench }) {
    const top = piece.over.at(-1);
    if (!top)
        return <>{piece.text}</>;
    const { item, ghost } = top;
    const act = () => (ghost ? bench.take(item) : getSelection()?.isCollapsed !== false && bench.select(item.id ?? null));
    const key = (e: KeyboardEvent) => {
        if (e.key !== 'Enter' && e.key !== ' ')
            return;
        e.preventDefault();
        act();
    };
    const name = labelsOf(item).join(', ');
    return (
        <mark class={`${item.id === bench.selected && !ghost ? 'selected ' : ''}${ghost ? 'ghostly' : ''}`} data-label={piece.last ? name : undefined} role="button" tabIndex={0}
            aria-label={`${name}: ${piece.text}${ghost ? '. The model\'s; take it over' : ''}`} style={{ '--c': colorOf(bench.config, item) }} onClick={act} onKeyDown={key}>
            {piece.text}
        </mark>
    );
}
