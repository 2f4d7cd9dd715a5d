// Drives the pages in Chromium through the whole loop: label, skip, reject, rework, fix, QA, release, and watches the
// progress move. Against a real server: ANNOTATE_URL=http://… ANNOTATE_ADMIN=email:password; else against mock.mjs.
// SHOTS=<folder> also writes a picture of every page, light, dark and narrow.
import { createRequire } from 'node:module';
import { mkdirSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { isDeepStrictEqual } from 'node:util';
import { call, furnish, TAG } from './furnish.mjs';
import { addUser, CSP, start } from './mock.mjs';

const { chromium } = createRequire(new URL('../../web-static/package.json', import.meta.url))('playwright-core');
const FLAGS = ['--no-sandbox', '--disable-gpu', '--disable-quic', '--no-first-run', '--disable-background-networking', '--disable-component-update', '--disable-sync'];
const SHOTS = process.env.SHOTS;

let passed = 0;
const failures = [];
function check(name, ok, why = '') {
    if (ok)
        passed++;
    else
        failures.push(name);
    console.log(`${ok ? 'ok  ' : 'FAIL'} ${name}${ok || !why ? '' : `: ${typeof why === 'string' ? why : JSON.stringify(why)}`}`);
}
const near = (a, b, by) => Math.abs(a - b) <= by;

const noise = [];
async function open(browser, base, options = {}) {
    const context = await browser.newContext({ viewport: { width: 1280, height: 800 }, ...options });
    const page = await context.newPage();
    // The browser reports every refused answer in the console; a test that provokes one says so.
    page.expected = [];
    page.on('console', (m) => { if (['error', 'warning'].includes(m.type()) && !page.expected.some((e) => m.text().includes(e))) noise.push(`console: ${m.text()}`); });
    page.on('pageerror', (e) => noise.push(`page: ${e.message}`));
    page.on('request', (r) => { if (!r.url().startsWith(base) && !/^(blob|data):/.test(r.url())) noise.push(`other host: ${r.url()}`); });
    await page.addInitScript(() => addEventListener('securitypolicyviolation', (e) => console.error(`CSP ${e.violatedDirective} ${e.blockedURI} ${e.sourceFile}:${e.lineNumber}`)));
    page.setDefaultTimeout(8000);
    await page.goto(base);
    return page;
}

async function signIn(page, { email, password }) {
    await page.getByLabel('E-mail').fill(email);
    await page.getByLabel('Password').fill(password);
    await page.getByRole('button', { name: 'Sign in' }).click();
    await page.getByRole('heading', { name: 'Projects' }).waitFor();
}

async function goTo(page, base, project, what) {
    await page.goto(`${base}/#/p/${project}/${what}`);
    await page.getByRole('navigation', { name: 'Pages' }).waitFor();
}

const shots = [];
async function shoot(page, name) {
    if (!SHOTS)
        return;
    const size = page.viewportSize();
    for (const [look, colorScheme, width, height] of [['light', 'light', size.width, size.height], ['dark', 'dark', size.width, size.height], ['narrow', 'light', 390, 844]]) {
        await page.emulateMedia({ colorScheme });
        await page.setViewportSize({ width, height });
        await page.waitForTimeout(150);
        await page.screenshot({ path: join(SHOTS, `${name}-${look}.png`) });
        const over = await page.evaluate(() => document.documentElement.scrollWidth - innerWidth);
        shots.push([`${name} ${look}`, over]);
    }
    await page.emulateMedia({ colorScheme: 'light' });
    await page.setViewportSize(size);
    await page.waitForTimeout(100);
}

const taskOf = async (page) => Number((await page.locator('.task h1').textContent()).replace(/\D/g, ''));
const nextTask = (page, old) => page.waitForFunction((n) => { const h = document.querySelector('.task h1'); return !h || h.textContent !== `Task ${n}`; }, old);
const ready = (page) => page.locator('.picture img').waitFor();

// In percent of the picture, through the real mouse.
async function drag(page, from, to) {
    const b = await page.locator('.picture').boundingBox();
    const at = ([x, y]) => [b.x + (x / 100) * b.width, b.y + (y / 100) * b.height];
    await page.mouse.move(...at(from));
    await page.mouse.down();
    await page.mouse.move(...at([(from[0] + to[0]) / 2, (from[1] + to[1]) / 2]), { steps: 4 });
    await page.mouse.move(...at(to), { steps: 4 });
    await page.mouse.up();
}

async function clickAt(page, [x, y]) {
    const b = await page.locator('.picture').boundingBox();
    await page.mouse.click(b.x + (x / 100) * b.width, b.y + (y / 100) * b.height);
}

const sentBody = (page, what) => page.waitForRequest((r) => r.method() === 'POST' && r.url().endsWith(`/${what}`)).then((r) => r.postDataJSON());
const regions = (page) => page.locator('.regions li').count();

async function signInTests(browser, base, w) {
    const page = await open(browser, base);
    await page.getByRole('heading', { name: 'Sign in' }).waitFor();
    await shoot(page, 'login');
    page.expected = ['401'];
    await page.getByLabel('E-mail').fill(w.people.annotator.email);
    await page.getByLabel('Password').fill('not it at all');
    await page.getByRole('button', { name: 'Sign in' }).click();
    check('a wrong password is told, not swallowed', await page.getByRole('alert').isVisible().catch(() => false) || (await page.getByRole('alert').waitFor().then(() => true, () => false)));
    await signIn(page, w.people.annotator);
    await page.locator('.projects h2').nth(1).waitFor();
    check('the projects are listed', (await page.locator('.projects h2').count()) === 2);
    await shoot(page, 'projects');
    await page.context().close();
}

async function annotateTests(page) {
    await ready(page);
    const first = await taskOf(page);
    await page.keyboard.press('Control+Enter');
    check('a required answer is asked for', await page.getByText('Say what the weather is.').isVisible());

    await drag(page, [20, 30], [50, 60]);
    check('a drag draws a box', (await regions(page)) === 1);
    await drag(page, [35, 45], [40, 50]);
    await drag(page, [55, 65], [65, 75]);
    await page.keyboard.press('2');
    await page.keyboard.press('5');
    check('a key picks the choice', (await page.getByRole('radio', { name: 'Cloudy' }).getAttribute('aria-checked')) === 'true');
    await drag(page, [70, 10], [80, 20]);
    check('a second box', (await regions(page)) === 2);
    await page.keyboard.press('Delete');
    check('Delete removes the selected box', (await regions(page)) === 1);
    await page.keyboard.press('Control+z');
    check('Ctrl+Z brings it back', (await regions(page)) === 2);
    await page.keyboard.press('Control+Shift+z');
    check('Ctrl+Shift+Z removes it again', (await regions(page)) === 1);
    await page.getByText('Draft saved').waitFor();
    await page.reload();
    await ready(page);
    check('the draft comes back after a reload', (await taskOf(page)) === first && (await regions(page)) === 1);
    await shoot(page, 'annotate');

    const [body] = await Promise.all([sentBody(page, 'submit'), page.keyboard.press('Control+Enter')]);
    const box = body.result.find((i) => i.type === 'rectanglelabels');
    const v = box?.value ?? {};
    check('the box is where it was drawn, moved and resized to', near(v.x, 25, 0.3) && near(v.y, 35, 0.3) && near(v.width, 40, 0.3) && near(v.height, 40, 0.3), v);
    check('the item is Label Studio\'s', /^[\w-]+$/.test(box.id) && box.origin === 'manual' && box.original_width === 960 && box.original_height === 600 && box.image_rotation === 0 && isDeepStrictEqual(v.rectanglelabels, ['Person']), box);
    const choice = body.result.find((i) => i.type === 'choices');
    check('the choice is Label Studio\'s', choice?.from_name === 'weather' && choice.to_name === 'image' && isDeepStrictEqual(choice.value, { choices: ['Cloudy'] }), choice);
    check('lead time is told', body.lead_time > 0);
    await nextTask(page, first);
    await ready(page);
    check('the next task opens at once', (await taskOf(page)) !== first);
    return first;
}

async function predictionTests(page) {
    const task = await taskOf(page);
    check('the model\'s box is dashed', (await page.locator('.region.ghostly').count()) === 1);
    await shoot(page, 'prediction');
    await page.keyboard.press('Enter');
    check('Enter takes it over', (await regions(page)) === 1 && (await page.locator('.region.ghostly').count()) === 0);
    await page.keyboard.press('6');
    const [body] = await Promise.all([sentBody(page, 'submit'), page.keyboard.press('Control+Enter')]);
    const by = Object.fromEntries(body.result.map((i) => [i.type, i]));
    check('what was accepted keeps its id, score and origin', by.rectanglelabels?.id === 'guess1' && by.rectanglelabels.score === 0.88 && by.rectanglelabels.origin === 'prediction', by.rectanglelabels);
    check('what was changed says so', by.choices?.id === 'sky1' && by.choices.origin === 'prediction-changed' && isDeepStrictEqual(by.choices.value.choices, ['Rain']), by.choices);
    await nextTask(page, task);
    return task;
}

async function textTests(browser, base, w) {
    const page = await open(browser, base);
    await signIn(page, w.people.annotator);
    await goTo(page, base, w.projects.text, 'annotate');
    await page.locator('.text').waitFor();
    const ends = await page.locator('.text').evaluate((p) => {
        const at = (units) => { const r = document.createRange(); r.setStart(p.firstChild, units); r.setEnd(p.firstChild, units + 1); return r.getBoundingClientRect(); };
        const from = p.textContent.indexOf('Ada');
        const [a, b] = [at(from), at(from + 'Ada Lovelace'.length - 1)];
        return [[a.left + 1, a.top + a.height / 2], [b.right - 0.5, b.top + b.height / 2]];
    });
    await page.mouse.move(...ends[0]);
    await page.mouse.down();
    await page.mouse.move(...ends[1], { steps: 6 });
    await page.mouse.up();
    await page.locator('mark').waitFor();
    await page.keyboard.press('3');
    await page.keyboard.press('Escape');
    await shoot(page, 'text');
    const beat = await page.waitForResponse((r) => r.url().endsWith('/v1/heartbeats'));
    const [held] = (await beat.json()).results;
    check('the lease is kept alive in the background', Date.parse(held.lease_expires_at) > Date.now() + 2000, held);
    const [body] = await Promise.all([sentBody(page, 'submit'), page.keyboard.press('Control+Enter')]);
    const span = body.result.find((i) => i.type === 'labels');
    check('a span counts code points', isDeepStrictEqual(span?.value, { start: 12, end: 24, text: 'Ada Lovelace', labels: ['PER'] }), span);
    await page.getByRole('heading', { name: 'No tasks to label' }).waitFor();
    check('no work left is told', true);
    await shoot(page, 'empty');
    await page.context().close();
}

async function reviewTests(browser, base, w, tasks) {
    const page = await open(browser, base);
    await signIn(page, w.people.reviewer);
    await goTo(page, base, w.projects.street, 'review');
    await ready(page);
    check('the reviewer sees whose label it is', await page.getByText('Ana Duarte').isVisible());
    check('first in, first reviewed', (await taskOf(page)) === tasks[0], await taskOf(page));
    await clickAt(page, [45, 55]);
    await page.keyboard.press('r');
    await page.getByLabel('What should be different?').fill('The box is far too large.');
    await shoot(page, 'reject');
    const [no] = await Promise.all([sentBody(page, 'verdict'), page.keyboard.press('Control+Enter')]);
    check('a rejection carries its pinned comment', no.verdict === 'reject' && no.comments[0].text === 'The box is far too large.' && /^[\w-]+$/.test(no.comments[0].region), no);
    await nextTask(page, tasks[0]);
    await ready(page);
    await shoot(page, 'review');
    await page.keyboard.press('4');
    await page.getByText('changed by you').waitFor();
    const [fix] = await Promise.all([sentBody(page, 'verdict'), page.keyboard.press('f')]);
    check('a fix carries the corrected label', fix.verdict === 'fix' && fix.result.find((i) => i.type === 'choices').value.choices[0] === 'Clear', fix);
    await nextTask(page, tasks[1]);
    return page;
}

async function reworkTests(page, w, first) {
    // The annotator holds other tasks; give what is left back by finishing it, until the returned one comes.
    for (let i = 0; i < 5 && (await taskOf(page)) !== first; i++) {
        const task = await taskOf(page);
        await ready(page);
        await page.keyboard.press('4');
        await page.keyboard.press('Control+Enter');
        await nextTask(page, task);
        await page.locator('.task h1').waitFor();
    }
    check('rejected work comes back to its annotator', (await taskOf(page)) === first);
    check('with the reviewer\'s comment', await page.getByText('The box is far too large.').isVisible());
    check('and with the label as it was', (await regions(page)) === 1);
    await page.getByRole('button', { name: 'show the region' }).click();
    check('the comment shows its region', (await page.locator('.region.selected').count()) === 1);
    await shoot(page, 'rework');
    await page.keyboard.press('Shift+ArrowLeft');
    await networkTest(page);
    await nextTask(page, first);
}

// The answer to a submit is lost on the way: told, nothing typed lost, and the repeated request is the same request.
async function networkTest(page) {
    const sent = [];
    page.expected = ['ERR_INTERNET_DISCONNECTED'];
    page.on('request', (r) => { if (r.url().endsWith('/submit')) sent.push([r.headers()['idempotency-key'], r.postData()]); });
    await page.route('**/submit', async (route) => {
        await route.fetch();
        await route.abort('internetdisconnected');
    });
    await page.keyboard.press('Control+Enter');
    await page.getByText('The server cannot be reached').waitFor();
    check('a lost connection is told, the label stays', (await regions(page)) === 1);
    await page.unroute('**/submit');
    await Promise.all([page.waitForResponse((r) => r.url().endsWith('/submit') && r.ok()), page.keyboard.press('Control+Enter')]);
    check('sending again repeats the same request, and counts once', sent.length === 2 && isDeepStrictEqual(sent[0], sent[1]), sent);
    page.expected = [];
}

async function skipTest(page) {
    await ready(page);
    const task = await taskOf(page);
    await page.keyboard.press('Control+Space');
    await nextTask(page, task);
    await page.locator('.task h1').waitFor();
    check('skip goes on to another task', (await taskOf(page)) !== task);
}

async function qaTests(browser, base, w) {
    const page = await open(browser, base);
    await signIn(page, w.people.qa);
    await goTo(page, base, w.projects.street, 'qa');
    await ready(page);
    const task = await taskOf(page);
    const [body] = await Promise.all([sentBody(page, 'verdict'), page.keyboard.press('a')]);
    check('QA passes with A', body.verdict === 'accept' && !('result' in body), body);
    await nextTask(page, task);
    await page.context().close();
}

const figure = (page, s) => page.locator(`[data-state=${s}]`).textContent().then((t) => Number(t.replace(/\D/g, '')));

async function watch(browser, base, w) {
    const page = await open(browser, base);
    await signIn(page, w.people.manager);
    await goTo(page, base, w.projects.street, 'progress');
    await page.locator('[data-state=annotate]').waitFor();
    await page.waitForFunction(() => document.querySelector('[data-state=annotate]')?.textContent !== '0');
    return page;
}

async function releaseTests(page) {
    await page.getByLabel('Name of the release').fill(`first-${TAG}`);
    await page.getByRole('button', { name: 'Create release' }).click();
    await page.locator('.chip.ready').first().waitFor({ timeout: 30000 });
    check('a release becomes ready by itself', true);
    const [download] = await Promise.all([page.waitForEvent('download'), page.getByRole('button', { name: 'JSONL' }).first().click()]);
    const rows = readFileSync(await download.path(), 'utf8').trim().split('\n').map((l) => JSON.parse(l));
    check('its export can be downloaded', rows.length === 1, rows);
    await page.getByText('Downloaded').waitFor({ state: 'hidden' });
    await shoot(page, 'progress');
}

// Somebody else takes the task while it is being labelled: told, kept, nothing typed lost. Mock only: it needs the lease to end now.
async function lostTest(browser, base, w, mock) {
    const page = await open(browser, base);
    page.expected = ['412'];
    await signIn(page, w.people.manager);
    await goTo(page, base, w.projects.street, 'annotate');
    await ready(page);
    const task = await taskOf(page);
    await page.keyboard.press('4');
    await page.getByText('Draft saved').waitFor();
    const a = mock.world.assignments.findLast((x) => x.task.id === task && x.stage === 'annotate');
    Object.assign(a, { holder: w.people.annotator.id, version: a.version + 1 });
    await page.keyboard.press('Control+Enter');
    await page.getByText('Somebody else has taken this task since').first().waitFor();
    check('late work is told to be kept', await page.getByText(/kept as label version \d+/).isVisible());
    check('and stays on the page', (await page.getByRole('radio', { name: 'Clear' }).getAttribute('aria-checked')) === 'true');
    await shoot(page, 'lost');
    await page.getByRole('button', { name: 'Next task' }).click();
    await nextTask(page, task);
    await page.context().close();
}

async function expiredTest(browser, base, w, mock) {
    const page = await open(browser, base);
    page.expected = ['401'];
    await signIn(page, w.people.manager);
    await goTo(page, base, w.projects.street, 'annotate');
    await ready(page);
    mock.world.tokens.clear();
    await page.keyboard.press('5');
    await page.getByRole('heading', { name: 'Sign in again' }).waitFor();
    await shoot(page, 'again');
    await page.getByLabel('Password').fill(w.people.manager.password);
    await page.getByRole('button', { name: 'Sign in' }).click();
    await page.getByRole('dialog').waitFor({ state: 'hidden' });
    check('a session that ran out loses nothing', (await page.getByRole('radio', { name: 'Cloudy' }).getAttribute('aria-checked')) === 'true');
    await page.context().close();
}

// A box without a mouse, and the zoom that must not move it.
async function keyboardTest(page) {
    await ready(page);
    await page.keyboard.press('n');
    await page.keyboard.press('ArrowRight');
    await page.keyboard.press('Shift+ArrowDown');
    const before = await page.locator('.region .body').evaluate((r) => ['x', 'y', 'width', 'height'].map((k) => Number(r.getAttribute(k))));
    check('N and the arrows make a box', isDeepStrictEqual(before.map(Math.round), [389, 240, 192, 123]), before);
    await page.keyboard.press('+');
    await page.keyboard.press('+');
    await drag(page, [32, 32], [38, 38]);
    const drawn = await page.locator('.region.selected .body').evaluate((r) => ['x', 'y', 'width', 'height'].map((k) => Number(r.getAttribute(k))));
    check('drawing is exact when zoomed in', [307, 192, 58, 36].every((v, i) => near(drawn[i], v, 2)), drawn);
    await page.keyboard.press('Control+z');
    await page.keyboard.press('Control+z');
    await page.keyboard.press('Control+z');
    await page.keyboard.press('Control+z');
    check('undo goes all the way back', (await regions(page)) === 0);
    await page.keyboard.press('0');
}

async function helpTest(page) {
    await page.keyboard.press('?');
    await page.getByRole('dialog', { name: 'Keyboard' }).waitFor();
    await shoot(page, 'help');
    await page.keyboard.press('Escape');
    await page.getByRole('dialog').waitFor({ state: 'hidden' });
    check('? opens the key sheet, Escape closes it', true);
}

async function loop(browser, base, w, mock) {
    await signInTests(browser, base, w);
    const manager = await watch(browser, base, w);
    const before = { annotate: await figure(manager, 'annotate'), done: await figure(manager, 'done') };
    check('progress starts with the five tasks', before.annotate === 5 && before.done === 0, before);
    const page = await open(browser, base);
    await signIn(page, w.people.annotator);
    await goTo(page, base, w.projects.street, 'annotate');
    const first = await annotateTests(page);
    const second = await predictionTests(page);
    await page.locator('.task h1').waitFor();
    await skipTest(page);
    await keyboardTest(page);
    await helpTest(page);
    await textTests(browser, base, w);
    await manager.waitForFunction(() => document.querySelector('[data-state=review]')?.textContent === '2', null, { timeout: 6000 });
    check('progress has moved by itself', (await figure(manager, 'annotate')) === 3);
    const reviewer = await reviewTests(browser, base, w, [first, second]);
    await reworkTests(page, w, first);
    await ready(reviewer);
    const task = await taskOf(reviewer);
    const [yes] = await Promise.all([sentBody(reviewer, 'verdict'), reviewer.keyboard.press('a')]);
    check('a review is accepted with A', yes.verdict === 'accept', yes);
    await nextTask(reviewer, task);
    await qaTests(browser, base, w);
    await manager.waitForFunction(() => document.querySelector('[data-state=done]')?.textContent === '1', null, { timeout: 6000 });
    check('done is counted', true);
    await releaseTests(manager);
    await Promise.all(browser.contexts().map((c) => c.close()));
    if (mock) {
        mock.world.projects.find((p) => p.id === w.projects.street).workflow.prelabel = false;
        const again = Array.from({ length: 2 }, (_, n) => ({ data: { image: `/v1/assets/${[...mock.world.assets.keys()][n]}` } }));
        await call(base, w.token, 'POST', `/v1/projects/${w.projects.street}/tasks`, again);
        await lostTest(browser, base, w, mock);
        await expiredTest(browser, base, w, mock);
    }
}

async function main() {
    const mock = process.env.ANNOTATE_URL ? null : await start();
    const base = process.env.ANNOTATE_URL?.replace(/\/$/, '') ?? mock.url;
    const [email, password] = (process.env.ANNOTATE_ADMIN ?? 'admin@example.org:only-in-this-process').split(/:(.*)/s);
    if (mock)
        addUser(mock.world, email, password, 'Admin', true);
    if (SHOTS)
        mkdirSync(SHOTS, { recursive: true });
    const profile = mkdtempSync(join(tmpdir(), 'annotate-browser-'));
    const browser = await chromium.launch({ executablePath: process.env.CHROMIUM ?? '/usr/bin/chromium', headless: true, args: FLAGS, env: { ...process.env, HOME: profile } });
    try {
        const policy = (await fetch(base)).headers.get('content-security-policy') ?? '';
        check('the page comes with a strict policy', policy.includes("default-src 'none'") && !policy.includes('unsafe') && (!mock || policy === CSP), policy);
        await loop(browser, base, await furnish(base, { email, password }), mock);
    } catch (e) {
        check('the loop runs to its end', false, e.stack);
        if (SHOTS)
            for (const [i, p] of browser.contexts().flatMap((c) => c.pages()).entries())
                await p.screenshot({ path: join(SHOTS, `failed-${i}.png`) });
    }
    for (const [name, over] of shots)
        if (over > 0)
            check(`${name} fits its width`, false, `${over} px too wide`);
    check('no console error, page error, policy violation or other host', noise.length === 0, noise.join('\n     '));
    await browser.close();
    mock?.close();
    rmSync(profile, { recursive: true, force: true });
    console.log(`${passed} passed, ${failures.length} failed`);
    process.exit(failures.length ? 1 : 0);
}

await main();
