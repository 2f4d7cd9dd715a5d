// The image with its boxes: draw, select, move, resize; the model's boxes dashed beside them. The picture's pixels are
// the drawing's units; labels keep percent. It changes items only at the end of a gesture, so each is one undo step.
import { useEffect, useLayoutEffect, useRef, useState } from 'preact/hooks';
import { picture, type Picture } from '../media.ts';
import { boxFromPixels, boxOf, isBox, labelsOf, moveBox, newBox, resizeBox, same, setValue, type Box, type Item } from '../result.ts';
import { Blank, Icon, percent } from '../ui.tsx';
import { colorOf, type Bench } from './bench.ts';

const EDGES = ['nw', 'n', 'ne', 'e', 'se', 's', 'sw', 'w'];
const SMALL = 560; // a small picture is enlarged to this many CSS pixels
const SLOP = 4; // CSS pixels before a press becomes a drag
const MIN = 3; // CSS pixels: a smaller box was a slip

type Gesture =
    | { kind: 'press'; x0: number; y0: number; hit: string | null }
    | { kind: 'draw'; x0: number; y0: number; x: number; y: number }
    | { kind: 'change'; x0: number; y0: number; id: string; edge: string; from: Box; box: Box }; // edge "": the whole box moves

export function ImageEditor({ bench, path, to }: { bench: Bench; path: string; to: string }) {
    const [image, setImage] = useState<Picture | null>(null);
    const [error, setError] = useState('');
    useEffect(() => {
        let current = true;
        setImage(null);
        setError('');
        picture(path).then((p) => current && setImage(p), (e: Error) => current && setError(e.message));
        return () => void (current = false);
    }, [path]);
    if (error)
        return <div class="stage"><Blank icon="alert" title="The image cannot be shown"><p>{error}</p></Blank></div>;
    return <Stage key={path} bench={bench} image={image} to={to} />;
}

function useSize() {
    const ref = useRef<HTMLDivElement>(null);
    const [size, setSize] = useState({ width: 0, height: 0 });
    useLayoutEffect(() => {
        const e = ref.current!;
        const measure = () => setSize({ width: e.clientWidth, height: e.clientHeight });
        measure();
        const o = new ResizeObserver(measure);
        o.observe(e);
        return () => o.disconnect();
    }, []);
    return [ref, size] as const;
}

function Stage({ bench, image, to }: { bench: Bench; image: Picture | null; to: string }) {
    const [ref, room] = useSize();
    const [zoom, setZoom] = useState(1);
    const by = (f: number) => setZoom((z) => Math.min(16, Math.max(1, z * f)));
    bench.keys.current['+'] = bench.keys.current['='] = () => by(1.25);
    bench.keys.current['-'] = () => by(0.8);
    bench.keys.current['0'] = () => setZoom(1);
    const wheel = (e: WheelEvent) => {
        if (!e.ctrlKey && !e.metaKey)
            return;
        e.preventDefault();
        by(Math.exp(-e.deltaY / 300));
    };
    const fit = image ? Math.min((room.width - 32) / image.width, (room.height - 32) / image.height, Math.max(1, SMALL / Math.max(image.width, image.height))) : 0;
    const scale = Math.max(fit, 0) * zoom;
    return (
        <div class="stage">
            <div class="canvas" ref={ref} onWheel={wheel}>
                {image && scale > 0 ? <Drawing bench={bench} image={image} scale={scale} to={to} /> : <div class="skeleton" role="status" aria-label="Loading the image" />}
            </div>
            <div class="zoom" role="group" aria-label="Zoom">
                <button class="ghost square" aria-label="Zoom out" title="Zoom out (−)" onClick={() => by(0.8)}><Icon name="minus" /></button>
                <output>{scale ? percent(scale) : '–'}</output>
                <button class="ghost square" aria-label="Zoom in" title="Zoom in (+)" onClick={() => by(1.25)}><Icon name="plus" /></button>
                <button class="ghost square" aria-label="Fit to the window" title="Fit (0)" onClick={() => setZoom(1)}><Icon name="fit" /></button>
            </div>
        </div>
    );
}

function Drawing({ bench, image, scale, to }: { bench: Bench; image: Picture; scale: number; to: string }) {
    const svg = useRef<SVGSVGElement>(null);
    const [g, setG] = useState<Gesture | null>(null);
    const boxes = bench.items.filter((i) => isBox(i) && i.to_name === to);
    const ghosts = bench.ghosts.filter((i) => isBox(i) && i.to_name === to);
    const tool = bench.active?.control.kind === 'rectanglelabels' ? bench.active : null;
    bench.image.current = { image, to };

    const at = (e: PointerEvent) => {
        const r = svg.current!.getBoundingClientRect();
        return { x: (e.clientX - r.left) / scale, y: (e.clientY - r.top) / scale };
    };
    const down = (e: PointerEvent) => {
        if (e.button !== 0 || !(e.target instanceof Element))
            return;
        svg.current!.setPointerCapture(e.pointerId);
        const { x, y } = at(e);
        const hit = e.target.closest('[data-id]')?.getAttribute('data-id') ?? null;
        const edge = e.target.getAttribute('data-edge') ?? '';
        const own = boxes.find((b) => b.id === hit && b.id === bench.selected);
        const from = own ? boxOf(own) : null;
        if (from && hit && !bench.locked)
            setG({ kind: 'change', x0: x, y0: y, id: hit, edge, from, box: from });
        else
            setG({ kind: 'press', x0: x, y0: y, hit });
    };
    const drag = (e: PointerEvent) => {
        if (!g)
            return;
        const { x, y } = at(e);
        const [dx, dy] = [((x - g.x0) / image.width) * 100, ((y - g.y0) / image.height) * 100];
        if (g.kind === 'change')
            setG({ ...g, box: g.edge ? resizeBox(g.from, g.edge, dx, dy) : moveBox(g.from, dx, dy) });
        else if (g.kind === 'draw' || (tool && !bench.locked && Math.hypot(x - g.x0, y - g.y0) * scale > SLOP))
            setG({ kind: 'draw', x0: g.x0, y0: g.y0, x, y });
    };
    const press = (hit: string | null) => {
        const ghost = ghosts.find((i) => `model:${i.id}` === hit);
        if (ghost)
            bench.locked || bench.take(ghost);
        else
            bench.select(hit);
    };
    const up = () => {
        setG(null);
        if (!g)
            return;
        if (g.kind === 'press')
            return press(g.hit);
        if (g.kind === 'draw') {
            const b = boxFromPixels(g.x0, g.y0, g.x, g.y, image);
            if (tool && (b.width / 100) * image.width * scale >= MIN && (b.height / 100) * image.height * scale >= MIN)
                bench.add(newBox(tool.control.name, to, tool.option.value, b, image));
            return;
        }
        if (!same(g.box, g.from))
            bench.change(setValue(bench.items, g.id, { x: g.box.x, y: g.box.y, width: g.box.width, height: g.box.height }));
    };

    const shape = (i: Item) => (g?.kind === 'change' && g.id === i.id ? g.box : boxOf(i)!);
    const drawn = g?.kind === 'draw' ? boxFromPixels(g.x0, g.y0, g.x, g.y, image) : null;
    // The selected box comes last: on top, so that its handles can be reached.
    const order = [...boxes].sort((a, b) => Number(a.id === bench.selected) - Number(b.id === bench.selected));
    return (
        <div class="picture" style={{ width: `${image.width * scale}px`, height: `${image.height * scale}px` }}>
            <img class={scale >= 4 ? 'pixels' : ''} src={image.url} alt="The picture to label" draggable={false} />
            <svg ref={svg} class={tool && !bench.locked ? 'drawing' : ''} viewBox={`0 0 ${image.width} ${image.height}`} onPointerDown={down} onPointerMove={drag}
                onPointerUp={up} onPointerCancel={() => setG(null)} role="group" aria-label="Boxes on the picture">
                {ghosts.map((i) => <Rect key={`model-${i.id}`} bench={bench} item={i} box={boxOf(i)!} image={image} scale={scale} ghost />)}
                {order.map((i) => <Rect key={i.id} bench={bench} item={i} box={shape(i)} image={image} scale={scale} />)}
                {drawn && <rect class="fresh" {...pixels(drawn, image)} style={{ '--c': tool?.option.color ?? '' }} />}
            </svg>
            {ghosts.map((i) => <Tag key={`model-${i.id}`} item={i} box={boxOf(i)!} bench={bench} ghost />)}
            {order.map((i) => <Tag key={i.id} item={i} box={shape(i)} bench={bench} />)}
        </div>
    );
}

const pixels = (b: Box, image: Picture) => ({
    x: (b.x / 100) * image.width, y: (b.y / 100) * image.height, width: (b.width / 100) * image.width, height: (b.height / 100) * image.height,
});

interface RectProps {
    bench: Bench;
    item: Item;
    box: Box;
    image: Picture;
    scale: number;
    ghost?: boolean;
}

function Rect({ bench, item, box, image, scale, ghost = false }: RectProps) {
    const p = pixels(box, image);
    const selected = !ghost && item.id === bench.selected;
    const size = 9 / scale;
    const handle = (edge: string) => {
        const cx = p.x + (edge.includes('w') ? 0 : edge.includes('e') ? p.width : p.width / 2);
        const cy = p.y + (edge.includes('n') ? 0 : edge.includes('s') ? p.height : p.height / 2);
        return <rect key={edge} class={`handle ${edge}`} data-edge={edge} x={cx - size / 2} y={cy - size / 2} width={size} height={size} rx={size / 4} />;
    };
    const act = () => (ghost ? bench.take(item) : bench.select(item.id ?? null));
    const key = (e: KeyboardEvent) => {
        if (e.key !== 'Enter' && e.key !== ' ')
            return;
        e.preventDefault();
        act();
    };
    const name = labelsOf(item).join(', ') || 'Box';
    return (
        <g class={`region${selected ? ' selected' : ''}${ghost ? ' ghostly' : ''}`} data-id={ghost ? `model:${item.id}` : item.id} role="button" tabIndex={0}
            aria-label={ghost ? `The model's box: ${name}. Take it over` : `Box: ${name}`} aria-pressed={ghost ? undefined : selected} onKeyDown={key}
            style={{ '--c': colorOf(bench.config, item) }}
            transform={box.rotation ? `rotate(${box.rotation} ${p.x} ${p.y})` : undefined}>
            <rect class="body" {...p} />
            {selected && !bench.locked && !box.rotation && EDGES.map(handle)}
        </g>
    );
}

function Tag({ item, box, bench, ghost = false }: { item: Item; box: Box; bench: Bench; ghost?: boolean }) {
    const inside = box.y < 4;
    const score = item.origin !== 'manual' && typeof item.score === 'number' ? ` ${percent(item.score)}` : '';
    return (
        <span class={`tag${inside ? ' inside' : ''}${ghost ? ' ghostly' : ''}${item.id === bench.selected ? ' selected' : ''}`} aria-hidden="true"
            style={{ left: `${box.x}%`, top: `${box.y}%`, '--c': colorOf(bench.config, item) }}>
            {ghost && <Icon name="spark" />}
            {labelsOf(item).join(', ') || 'Box'}{ghost && score}
            {bench.comments.some((c) => c.region && c.region === item.id) && <Icon name="pin" />}
        </span>
    );
}
