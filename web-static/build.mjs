// Builds the front end: src/ into dist/ (hashed names, one HTML page), or the unit tests into .tests/.
import * as esbuild from 'esbuild';
import { cpSync, mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { basename } from 'node:path';

const mode = process.argv[2] ?? '';
const common = { bundle: true, target: 'es2022', jsx: 'automatic', jsxImportSource: 'preact', logLevel: 'warning' };

async function tests() {
    rmSync('.tests', { recursive: true, force: true });
    const entryPoints = readdirSync('tests').filter((f) => f.endsWith('.test.ts')).map((f) => `tests/${f}`);
    await esbuild.build({ ...common, entryPoints, outdir: '.tests', platform: 'node', format: 'esm', packages: 'external', outExtension: { '.js': '.mjs' } });
}

// The page names the hashed files, so that they can be cached for ever and the page itself never is.
function writePage(meta) {
    const made = Object.keys(meta.outputs).map((f) => f.replace(/^dist\//, ''));
    const find = (test) => made.find((f) => test(basename(f))) ?? '';
    const page = readFileSync('src/index.html', 'utf8')
        .replace('{script}', find((f) => /^main-.*\.js$/.test(f)))
        .replace('{style}', find((f) => /^main-.*\.css$/.test(f)))
        .replace('{font}', find((f) => /^inter-latin-wght.*\.woff2$/.test(f)));
    writeFileSync('dist/index.html', page);
}

// What is shipped inside the bundle asks for its notice to go along.
function writeNotices() {
    const parts = ['preact', '@fontsource-variable/inter'].map((p) => `${p}\n\n${readFileSync(`node_modules/${p}/LICENSE`, 'utf8')}`);
    writeFileSync('dist/licenses.txt', parts.join('\n\n'));
}

const page = { name: 'page', setup: (b) => b.onEnd((r) => { if (r.metafile) writePage(r.metafile); }) };

async function site() {
    rmSync('dist', { recursive: true, force: true });
    mkdirSync('dist');
    cpSync('public', 'dist', { recursive: true });
    writeNotices();
    const watch = mode === '--watch';
    const options = {
        ...common, entryPoints: ['src/main.tsx'], outdir: 'dist/assets', format: 'esm', minify: !watch, sourcemap: watch && 'linked',
        entryNames: '[name]-[hash]', assetNames: '[name]-[hash]', loader: { '.woff2': 'file' }, metafile: true, plugins: [page],
    };
    if (!watch)
        return void (await esbuild.build(options));
    await (await esbuild.context({ ...options, entryNames: '[name]-dev' })).watch();
}

await (mode === '--tests' ? tests() : site());
