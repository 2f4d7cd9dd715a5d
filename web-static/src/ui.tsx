// Small shared pieces: icons, key caps, notices, dialogs, toasts, people's names. No page logic.
import type { ComponentChildren } from 'preact';
import { useEffect, useRef } from 'preact/hooks';
import type { ApiError } from './api.ts';
import { SHEET } from './keys.ts';
import { Store, useStore } from './store.ts';

const PATHS = {
    check: 'M4 10.5l4 4 8-9',
    cross: 'M5 5l10 10M15 5L5 15',
    undo: 'M4 8h8a4 4 0 0 1 0 8H8M4 8l3.5-3.5M4 8l3.5 3.5',
    redo: 'M16 8H8a4 4 0 0 0 0 8h4M16 8l-3.5-3.5M16 8l-3.5 3.5',
    trash: 'M4 6h12M8 6V4h4v2M6 6l.7 10h6.6L14 6M8.5 9v4.5M11.5 9v4.5',
    plus: 'M10 4v12M4 10h12',
    minus: 'M4 10h12',
    fit: 'M4 8V4h4M12 4h4v4M16 12v4h-4M8 16H4v-4',
    spark: 'M10 3l1.7 5.3L17 10l-5.3 1.7L10 17l-1.7-5.3L3 10l5.3-1.7z',
    pin: 'M4 5h12v8H9l-3.5 3v-3H4z',
    alert: 'M10 3l7.5 13h-15zM10 8.2v3.6M10 13.9v.1',
    arrow: 'M4 10h12M11 5l5 5-5 5',
    back: 'M16 10H4M9 5l-5 5 5 5',
    download: 'M10 3v9M6 9l4 4 4-4M4 16h12',
    pencil: 'M4 16l.8-3.4L13 4.4l2.6 2.6-8.2 8.2z',
    skip: 'M5 5l6 5-6 5zM14 5v10',
    box: 'M4 4h12v12H4z',
    inbox: 'M3 11l2.5-7h9l2.5 7v5H3zM3 11h4l1 2h4l1-2h4',
    copy: 'M7 7h9v9H7zM4 13V4h9',
};
export type IconName = keyof typeof PATHS;

export function Icon({ name }: { name: IconName }) {
    return (
        <svg class="icon" viewBox="0 0 20 20" aria-hidden="true">
            <path d={PATHS[name]} />
        </svg>
    );
}

export function Keys({ of }: { of: string[] }) {
    return (
        <span class="keys" aria-hidden="true">
            {of.map((k) => <kbd key={k}>{k}</kbd>)}
        </span>
    );
}

export function Notice({ tone, title, children, icon = 'alert' }: { tone: 'bad' | 'warn' | 'info'; title: string; children?: ComponentChildren; icon?: IconName }) {
    return (
        <div class={`notice ${tone}`} role={tone === 'info' ? 'note' : 'alert'}>
            <Icon name={icon} />
            <div>
                <strong>{title}</strong>
                {children}
            </div>
        </div>
    );
}

export function Problem({ error }: { error: ApiError }) {
    return (
        <Notice tone="bad" title={error.title}>
            {error.detail && <p>{error.detail}</p>}
            {error.pointer && <p>Field: <code>{error.pointer}</code></p>}
        </Notice>
    );
}

export function Blank({ icon, title, children, busy }: { icon: IconName; title: string; children?: ComponentChildren; busy?: boolean }) {
    return (
        <div class="blank" role="status">
            <span class={busy ? 'badge busy' : 'badge'}><Icon name={icon} /></span>
            <h2>{title}</h2>
            {children}
        </div>
    );
}

export function Dialog({ title, onClose, children }: { title: string; onClose: (() => void) | null; children: ComponentChildren }) {
    const ref = useRef<HTMLDialogElement>(null);
    useEffect(() => {
        ref.current?.showModal();
        return () => ref.current?.close();
    }, []);
    const cancel = (e: Event) => {
        e.preventDefault();
        onClose?.();
    };
    // A browser lets a second Escape close any dialog; one that must be answered comes back.
    const closed = () => !onClose && ref.current?.isConnected && ref.current.showModal();
    return (
        <dialog ref={ref} aria-label={title} onCancel={cancel} onClose={closed} onClick={(e) => e.target === ref.current && onClose?.()}>
            <div class="sheet">
                <header>
                    <h2>{title}</h2>
                    {onClose && <button class="ghost square" aria-label="Close" onClick={onClose}><Icon name="cross" /></button>}
                </header>
                {children}
            </div>
        </dialog>
    );
}

export function Help({ onClose }: { onClose: () => void }) {
    return (
        <Dialog title="Keyboard" onClose={onClose}>
            <div class="help">
                {SHEET.map((part) => (
                    <section key={part.title}>
                        <h3>{part.title}</h3>
                        <dl>
                            {part.rows.map(([keys, what]) => (
                                <div key={what}>
                                    <dt><span class="keys">{keys.map((k) => <kbd key={k}>{k}</kbd>)}</span></dt>
                                    <dd>{what}</dd>
                                </div>
                            ))}
                        </dl>
                    </section>
                ))}
            </div>
        </Dialog>
    );
}

const toasts = new Store<{ text: string; n: number }>({ text: '', n: 0 });
let fading: ReturnType<typeof setTimeout> | undefined;

export function toast(text: string): void {
    clearTimeout(fading);
    toasts.set({ text, n: toasts.state.n + 1 });
    fading = setTimeout(() => toasts.set({ text: '' }), 3500);
}

export function Toast() {
    const { text, n } = useStore(toasts);
    return <div class="toasts" role="status" aria-live="polite">{text && <span key={n} class="toast">{text}</span>}</div>;
}

const number = new Intl.NumberFormat();
export const count = (n: number) => number.format(n);

export function ago(time: string): string {
    const s = Math.max(0, (Date.now() - Date.parse(time)) / 1000);
    const [n, unit] = s < 60 ? [0, 'now'] : s < 3600 ? [s / 60, 'min'] : s < 86400 ? [s / 3600, 'h'] : [s / 86400, 'd'];
    return unit === 'now' ? 'just now' : `${Math.floor(n)} ${unit} ago`;
}

export const percent = (v: number) => `${Math.round(v * 100)}%`;
