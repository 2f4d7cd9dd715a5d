// Who is signed in. The token lives in sessionStorage: it ends with the tab. When it runs out the page stays
// as it is and asks for the password again, so that nothing typed is lost.
import { Store } from './store.ts';

export interface User {
    id: number;
    email: string;
    name: string;
    admin: boolean;
}

export interface Session {
    token: string;
    expires_at: string;
    user: User;
}

const KEY = 'annotate.session';

function stored(): Session | null {
    try {
        return JSON.parse(sessionStorage.getItem(KEY) ?? 'null') as Session | null;
    } catch {
        return null;
    }
}

export const session = new Store<{ who: Session | null; expired: boolean }>({ who: stored(), expired: false });

export function signIn(who: Session): void {
    sessionStorage.setItem(KEY, JSON.stringify(who));
    session.set({ who, expired: false });
}

// Runs while the token still counts: to give back what is held.
export const beforeSignOut = new Set<() => void>();

export function signOut(): void {
    for (const f of [...beforeSignOut])
        f();
    sessionStorage.removeItem(KEY);
    session.set({ who: null, expired: false });
}

export function sessionExpired(): void {
    if (session.state.who)
        session.set({ expired: true });
}

export function token(): string | null {
    return session.state.who?.token ?? null;
}
