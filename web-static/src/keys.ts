// Keyboard: one listener a page, and what the help sheet says of it. Single keys are off while somebody types.
import { useEffect, useRef } from 'preact/hooks';

export type Keymap = Record<string, (() => void) | undefined>;

const TYPING = 'input:not([type=radio]):not([type=checkbox]), textarea, select, [contenteditable]';

// "ctrl+shift+z", "delete", "?", "enter", "ctrl+space"
export function combo(e: KeyboardEvent): string {
    const key = e.key === ' ' ? 'space' : e.key.toLowerCase();
    const shift = e.shiftKey && (key.length > 1 || e.ctrlKey || e.metaKey);
    return [(e.ctrlKey || e.metaKey) && 'ctrl', e.altKey && 'alt', shift && 'shift', key].filter(Boolean).join('+');
}

function meant(e: KeyboardEvent, what: string): boolean {
    const target = e.target instanceof Element ? e.target : null;
    if (target?.closest('dialog') || document.querySelector('dialog[open]'))
        return false;
    if (target?.matches(TYPING))
        return what === 'ctrl+enter' || what === 'escape';
    return !(what === 'enter' && target?.closest('button, a, summary, [role=button]'));
}

export function useKeys(map: Keymap): void {
    const latest = useRef(map);
    latest.current = map;
    useEffect(() => {
        const down = (e: KeyboardEvent) => {
            const what = combo(e);
            const act = latest.current[what];
            if (!act || e.defaultPrevented || !meant(e, what))
                return;
            e.preventDefault();
            act();
        };
        addEventListener('keydown', down);
        return () => removeEventListener('keydown', down);
    }, []);
}

export const SHEET: { title: string; rows: [string[], string][] }[] = [
    {
        title: 'Annotate',
        rows: [
            [['1', '…', '9'], 'Choose the answer or label with that key'],
            [['Enter'], 'Take over what the model suggests'],
            [['Ctrl', 'Enter'], 'Submit, and go to the next task'],
            [['Ctrl', 'Space'], 'Skip this task'],
        ],
    },
    {
        title: 'Review and QA',
        rows: [
            [['A'], 'Accept the label as it is'],
            [['F'], 'Accept it with your corrections'],
            [['R'], 'Send it back, with a comment'],
            [['M'], 'Show or hide what the model said'],
        ],
    },
    {
        title: 'Boxes and spans',
        rows: [
            [['Drag'], 'Draw a box; select text for a span'],
            [['N'], 'New box in the middle, without a mouse'],
            [['←', '↑', '→', '↓'], 'Move the selected box; with Shift, resize it'],
            [['Alt', '.'], 'Select the next region'],
            [['Delete'], 'Delete the selected region'],
            [['Ctrl', 'D'], 'Duplicate the selected box'],
            [['Esc'], 'Let go of the selection'],
            [['Ctrl', 'Z'], 'Undo; with Shift, redo'],
            [['+', '−', '0'], 'Zoom in, out, fit'],
        ],
    },
];
