// The projects one belongs to.
import { useEffect, useState } from 'preact/hooks';
import { api, type ApiError, type ProjectRow, type Role } from '../api.ts';
import { asApiError } from '../desk.ts';
import { href, type Page } from '../route.ts';
import { session } from '../session.ts';
import { Blank, Icon, Problem } from '../ui.tsx';

// What each role may do (the server decides); its own work comes first.
const PAGES: Record<Role, Page[]> = {
    viewer: ['progress'], model: ['progress'], annotator: ['annotate', 'progress'], reviewer: ['review', 'annotate', 'progress'],
    qa: ['qa', 'review', 'annotate', 'progress'],
    manager: ['annotate', 'review', 'qa', 'progress'],
};
export const TITLES: Record<Page, string> = { annotate: 'Annotate', review: 'Review', qa: 'QA', progress: 'Progress' };

export function manages(role: Role | null): boolean {
    return role === 'manager' || session.state.who?.user.admin === true;
}

export function pagesFor(role: Role | null): Page[] {
    return PAGES[manages(role) ? 'manager' : (role ?? 'viewer')];
}

async function all(): Promise<ProjectRow[]> {
    const rows: ProjectRow[] = [];
    for (let after: number | undefined; ; ) {
        const { projects, next } = await api.projects(after);
        rows.push(...projects);
        if (!next)
            return rows;
        after = next;
    }
}

export function Projects() {
    const [rows, setRows] = useState<ProjectRow[] | null>(null);
    const [error, setError] = useState<ApiError | null>(null);
    useEffect(() => void all().then(setRows, (e) => setError(asApiError(e))), []);
    return (
        <main class="page">
            <h1>Projects</h1>
            {error && <Problem error={error} />}
            {!rows && !error && <ul class="projects">{[1, 2, 3].map((n) => <li key={n} class="card skeleton" />)}</ul>}
            {rows?.length === 0 && <Blank icon="inbox" title="No projects yet"><p>Ask a manager to add you to one.</p></Blank>}
            <ul class="projects">
                {rows?.map((p) => {
                    const pages = pagesFor(p.role);
                    return (
                        <li key={p.id} class="card">
                            <a class="cover" href={href(p.id, pages[0]!)}>
                                <h2>{p.name}</h2>
                                <span class="go"><Icon name="arrow" /></span>
                            </a>
                            <p>
                                <span class="chip">{p.role ?? 'administrator'}</span>
                                {p.paused && <span class="chip warn">paused</span>}
                            </p>
                            <nav aria-label={`Pages of ${p.name}`}>{pages.map((page) => <a key={page} href={href(p.id, page)}>{TITLES[page]}</a>)}</nav>
                        </li>
                    );
                })}
            </ul>
        </main>
    );
}
