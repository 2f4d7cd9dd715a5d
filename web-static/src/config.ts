// Reads a Label Studio label config into what the page can show. What it cannot draw is named, never dropped silently.

export interface Option {
    value: string; // what goes into the label
    text: string; // what is shown
    hint: string;
    color: string;
    key: string; // "" when keys have run out
}

export type ControlKind = 'choices' | 'rectanglelabels' | 'labels' | 'textarea' | 'rating';

export interface Control {
    kind: ControlKind;
    name: string;
    to: string;
    options: Option[];
    multiple: boolean;
    required: boolean;
    message: string; // when required and missing
    optionsFrom: string; // a task data field that holds the options, or ""
    placeholder: string;
    max: number; // rating
    keepText: boolean; // labels: the span's text goes into the item
    title: string; // the header written before it
}

export interface Medium {
    kind: 'image' | 'text';
    name: string;
    field: string;
}

export interface Config {
    media: Medium[];
    controls: Control[];
    unsupported: string[]; // tag names
}

export class ConfigError extends Error {}

const KINDS: Record<string, ControlKind> = {
    Choices: 'choices', RectangleLabels: 'rectanglelabels', Labels: 'labels', TextArea: 'textarea', Rating: 'rating',
};
const MEDIA: Record<string, Medium['kind']> = { Image: 'image', Text: 'text' };
const CHILDREN: Record<string, string> = { Choices: 'Choice', RectangleLabels: 'Label', Labels: 'Label' };
const PALETTE = ['#4263eb', '#e8590c', '#2b8a3e', '#c2255c', '#0b7285', '#9c36b5', '#a07900', '#d6336c', '#1971c2', '#5c940d'];

// 1 to 9, then the letters that no command of a page uses.
const KEYS = [...'123456789', ...'qwetyiopghjklzxcvb'];

const isElement = (n: Node): n is Element => n.nodeType === 1;
const elements = (e: Element) => Array.from(e.childNodes).filter(isElement);
const attr = (e: Element, name: string) => e.getAttribute(name) ?? '';

function optionsOf(e: Element): Option[] {
    return elements(e)
        .filter((c) => c.tagName === CHILDREN[e.tagName])
        .map((c) => ({
            value: attr(c, 'alias') || attr(c, 'value'), text: attr(c, 'html') ? attr(c, 'value') : attr(c, 'value') || attr(c, 'alias'),
            hint: attr(c, 'hint'), color: attr(c, 'background'), key: attr(c, 'hotkey'),
        }))
        .filter((o) => o.value !== '');
}

// Tags whose results hang on something this page does not show yet.
function beyond(e: Element): boolean {
    const nested = elements(e).some((c) => c.tagName === 'Choice' && elements(c).some((d) => d.tagName === 'Choice'));
    return nested || attr(e, 'perRegion') === 'true' || attr(e, 'perItem') === 'true';
}

function controlOf(e: Element, kind: ControlKind, title: string): Control {
    const from = attr(e, 'value');
    const number = Number(attr(e, 'maxRating'));
    return {
        kind, title, name: attr(e, 'name'), to: attr(e, 'toName').split(',')[0] ?? '', options: optionsOf(e),
        multiple: attr(e, 'choice') === 'multiple', required: attr(e, 'required') === 'true' && !attr(e, 'visibleWhen'),
        message: attr(e, 'requiredMessage'), optionsFrom: from.startsWith('$') && e.tagName in CHILDREN ? from.slice(1) : '',
        placeholder: attr(e, 'placeholder'), max: number > 0 && number <= 10 ? number : 5, keepText: attr(e, 'saveTextResult') !== 'no',
    };
}

function walk(e: Element, out: Config, header: { text: string }): void {
    for (const c of elements(e)) {
        const kind = KINDS[c.tagName];
        const medium = MEDIA[c.tagName];
        if (c.tagName === 'Header') {
            header.text = attr(c, 'value').startsWith('$') ? '' : attr(c, 'value');
        } else if (medium && attr(c, 'value').startsWith('$') && attr(c, 'valueType') !== 'url') {
            out.media.push({ kind: medium, name: attr(c, 'name'), field: attr(c, 'value').slice(1) });
        } else if (kind && attr(c, 'toName') && !beyond(c)) {
            out.controls.push(controlOf(c, kind, header.text));
            header.text = '';
        } else if (attr(c, 'name') && (attr(c, 'toName') || attr(c, 'value').startsWith('$'))) {
            out.unsupported.push(c.tagName);
        } else {
            walk(c, out, header);
        }
    }
}

// Keys written in the config first, then the free ones in the order of the page; colours likewise.
function dress(controls: Control[]): void {
    const options = controls.flatMap((c) => c.options);
    const taken = new Set(options.map((o) => o.key.toLowerCase()).filter(Boolean));
    const free = KEYS.filter((k) => !taken.has(k));
    for (const o of options)
        o.key = o.key ? o.key.toLowerCase() : (free.shift() ?? '');
    for (const c of controls)
        c.options.forEach((o, i) => (o.color ||= PALETTE[i % PALETTE.length]!));
}

// Where the browser enforces Trusted Types a parser takes no plain string. XML is only read here, never put into the page.
type Policy = { createHTML(s: string): string };
const factory = (globalThis as { trustedTypes?: { createPolicy(n: string, p: Policy): Policy } }).trustedTypes;
const policy = factory?.createPolicy('label-config', { createHTML: (s) => s });

export function parseConfig(xml: string, parser: Pick<DOMParser, 'parseFromString'> = new DOMParser()): Config {
    const doc = parser.parseFromString(policy ? policy.createHTML(xml) : xml, 'text/xml');
    const root = doc.documentElement as Element | null;
    if (!root || root.tagName !== 'View' || doc.getElementsByTagName('parsererror').length > 0)
        throw new ConfigError('The label config of this project is not well-formed XML with a <View> at its root.');
    const out: Config = { media: [], controls: [], unsupported: [] };
    walk(root, out, { text: '' });
    dress(out.controls);
    return out;
}

// A task's own options, for controls that say value="$field".
export function withTaskOptions(config: Config, data: Record<string, unknown>): Config {
    if (!config.controls.some((c) => c.optionsFrom))
        return config;
    const controls = config.controls.map((c) => ({ ...c, options: [...c.options, ...taskOptions(data[c.optionsFrom])].map((o) => ({ ...o })) }));
    dress(controls);
    return { ...config, controls };
}

function taskOptions(list: unknown): Option[] {
    if (!Array.isArray(list))
        return [];
    return list.map((v: unknown) => {
        const o = (typeof v === 'object' && v ? v : { value: v }) as Record<string, unknown>;
        const value = String(o.alias ?? o.value ?? '');
        return { value, text: String(o.value ?? value), hint: '', color: String(o.background ?? ''), key: '' };
    }).filter((o) => o.value !== '');
}
