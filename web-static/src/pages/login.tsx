// Signing in, at the start or again when the session has run out.
import { useEffect, useRef, useState } from 'preact/hooks';
import { api, type ApiError } from '../api.ts';
import { asApiError } from '../desk.ts';
import { session, signIn, signOut } from '../session.ts';
import { Dialog, Problem } from '../ui.tsx';

function Form({ email: known }: { email?: string }) {
    const [email, setEmail] = useState(known ?? '');
    const [password, setPassword] = useState('');
    const [error, setError] = useState<ApiError | null>(null);
    const [busy, setBusy] = useState(false);
    const submit = async (e: Event) => {
        e.preventDefault();
        setBusy(true);
        setError(null);
        try {
            signIn(await api.login(email.trim(), password));
        } catch (err) {
            setError(asApiError(err));
        }
        setBusy(false);
    };
    const first = useRef<HTMLInputElement>(null);
    useEffect(() => first.current?.focus(), []);
    const field = (set: (s: string) => void) => (e: Event) => set((e.currentTarget as HTMLInputElement).value);
    return (
        <form class="form" onSubmit={submit}>
            <label>E-mail<input type="email" ref={known === undefined ? first : null} name="email" autocomplete="username" required readOnly={known !== undefined} value={email} onInput={field(setEmail)} /></label>
            <label>Password<input type="password" autofocus={known !== undefined} ref={known === undefined ? null : first} name="password" autocomplete="current-password" required value={password} onInput={field(setPassword)} /></label>
            {error && <Problem error={error} />}
            <button class="primary wide" disabled={busy}>{busy ? 'Signing in…' : 'Sign in'}</button>
        </form>
    );
}

export function Mark() {
    return <span class="brand"><img src="icon.svg" alt="" width="24" height="24" />Annotate</span>;
}

export function Login() {
    return (
        <main class="login">
            <div class="card">
                <Mark />
                <h1>Sign in</h1>
                <Form />
            </div>
        </main>
    );
}

export function SignInAgain() {
    return (
        <Dialog title="Sign in again" onClose={null}>
            <p class="quiet">Your session has run out. Everything on the page is still there.</p>
            <Form email={session.state.who?.user.email ?? ''} />
            <button class="ghost wide" onClick={signOut}>Leave, as somebody else</button>
        </Dialog>
    );
}
