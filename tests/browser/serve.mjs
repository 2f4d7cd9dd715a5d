// For work on the pages: the stand-in server with the test's people and projects, on port 8099. Build with
// `npm run dev` in web-static beside it.
import { furnish } from './furnish.mjs';
import { addUser, start } from './mock.mjs';

const mock = await start({ port: Number(process.env.PORT ?? 8099), delay: Number(process.env.DELAY ?? 0) });
const admin = { email: 'admin@example.org', password: 'admin-here-only' };
addUser(mock.world, admin.email, admin.password, 'Admin', true);
const { people } = await furnish(mock.url, admin);
console.log(mock.url);
for (const { email, password } of [admin, ...Object.values(people)])
    console.log(`  ${email}  ${password}`);
