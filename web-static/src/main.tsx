// The page's frame: who is signed in, which project, which page of it.
import { render } from 'preact';
import { useEffect, useMemo, useState } from 'preact/hooks';
import { api, type ApiError, type Project } from './api.ts';
import { ConfigError, parseConfig, type Config } from './config.ts';
import { asApiError } from './desk.ts';
import { useKeys } from './keys.ts';
import { Annotate } from './pages/annotate.tsx';
import { Login, Mark, SignInAgain } from './pages/login.tsx';
import { pagesFor, Projects, TITLES } from './pages/projects.tsx';
import { Progress } from './pages/progress.tsx';
import { Review } from './pages/review.tsx';
import { href, useRoute, type Page, type Route } from './route.ts';
import { session, signOut, type Session } from './session.ts';
import { useStore } from './store.ts';
import { Blank, Help, Notice, Problem, Toast } from './ui.tsx';
import './style.css';

function useProject(id: number | undefined): { project: Project | null; error: ApiError | null } {
    const [project, setProject] = useState<Project | null>(null);
    const [error, setError] = useState<ApiError | null>(null);
    useEffect(() => {
        let current = true;
        setProject(null);
        setError(null);
        if (id !== undefined)
            api.project(id).then((p) => current && setProject(p), (e) => current && setError(asApiError(e)));
        return () => void (current = false);
    }, [id]);
    return { project: project?.id === id ? project : null, error };
}

function Bar({ who, route, project, onHelp }: { who: Session; route: Route; project: Project | null; onHelp: () => void }) {
    return (
        <header class="bar">
            <a href="#/" class="home" aria-label="Annotate: all projects"><Mark /></a>
            {project && route && (
                <>
                    <span class="name" title={project.name}>{project.name}</span>
                    <nav aria-label="Pages">
                        {pagesFor(project.role).map((p) => <a key={p} href={href(project.id, p)} aria-current={p === route.page ? 'page' : undefined}>{TITLES[p]}</a>)}
                    </nav>
                </>
            )}
            <span class="space" />
            <button class="ghost square help-button" aria-label="Keyboard help" title="Keyboard (?)" onClick={onHelp}>?</button>
            <span class="who" title={who.user.email}>{who.user.name || who.user.email}</span>
            <button class="ghost" onClick={signOut}>Sign out</button>
        </header>
    );
}

function config(project: Project): Config | string {
    try {
        return parseConfig(project.label_config);
    } catch (e) {
        if (e instanceof ConfigError)
            return e.message;
        throw e;
    }
}

function ProjectPage({ project, page }: { project: Project; page: Page }) {
    const parsed = useMemo(() => config(project), [project]);
    if (page === 'progress')
        return <Progress key={project.id} project={project} />;
    if (typeof parsed === 'string')
        return <main class="page"><Notice tone="bad" title="This project cannot be labelled"><p>{parsed}</p></Notice></main>;
    if (project.paused)
        return <main class="page"><Blank icon="inbox" title="This project is paused"><p>A manager can let it go on.</p></Blank></main>;
    return page === 'annotate' ? <Annotate key={project.id} project={project} config={parsed} /> : <Review key={`${project.id} ${page}`} project={project} config={parsed} stage={page} />;
}

function Signed({ who }: { who: Session }) {
    const route = useRoute();
    const { project, error } = useProject(route?.project);
    const [help, setHelp] = useState(false);
    useKeys({ '?': () => setHelp(true) });
    useEffect(() => {
        document.title = project && route ? `${TITLES[route.page]} · ${project.name}` : 'Annotate';
    }, [project, route?.page]);
    return (
        <>
            <Bar who={who} route={route} project={project} onHelp={() => setHelp(true)} />
            {!route && <Projects />}
            {route && error && <main class="page"><Problem error={error} /><p><a href="#/">All projects</a></p></main>}
            {route && project && <ProjectPage project={project} page={route.page} />}
            {help && <Help onClose={() => setHelp(false)} />}
        </>
    );
}

function App() {
    const { who, expired } = useStore(session);
    return (
        <>
            {who ? <Signed key={who.user.id} who={who} /> : <Login />}
            {who && expired && <SignInAgain />}
            <Toast />
        </>
    );
}

render(<App />, document.getElementById('app')!);
