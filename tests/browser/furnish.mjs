// The world of the browser test: people, projects, pictures and tasks, made through the API alone, so that it is the same on
// the real server and on its stand-in. Names carry a tag, so that it can be made again on a server that has it already.
import { car, street } from './scene.mjs';

export const TAG = `${Date.now().toString(36)}${process.pid}`;
const CONFIG = `<View>
  <Image name="image" value="$image"/>
  <Header value="What is in the street?"/>
  <RectangleLabels name="box" toName="image"><Label value="Car" background="#d9480f"/><Label value="Person" background="#1c7ed6"/><Label value="Sign" background="#5f3dc4"/></RectangleLabels>
  <Header value="Weather"/>
  <Choices name="weather" toName="image" required="true" requiredMessage="Say what the weather is."><Choice value="Clear"/><Choice value="Cloudy"/><Choice value="Rain"/></Choices>
</View>`;
const TEXT_CONFIG = `<View>
  <Labels name="ner" toName="text"><Label value="PER" background="#1c7ed6"/><Label value="ORG" background="#d9480f"/></Labels>
  <Text name="text" value="$text"/>
  <Choices name="tone" toName="text" choice="multiple"><Choice value="Factual"/><Choice value="Opinion"/></Choices>
</View>`;
const STORY = 'Zoë 👩‍🚀 met Ada Lovelace in London, where the Royal Astronomical Society had asked her to speak.';

export async function call(base, token, method, path, body, type = 'application/json') {
    const headers = { ...(token && { Authorization: `Bearer ${token}` }), ...(body !== undefined && { 'Content-Type': type }) };
    const r = await fetch(base + path, { method, headers, body: body === undefined ? undefined : Buffer.isBuffer(body) ? body : JSON.stringify(body) });
    if (!r.ok)
        throw new Error(`${method} ${path}: ${r.status} ${await r.text()}`);
    return r.status === 204 ? null : r.json();
}

// What a model's worker does. It knows the pictures 1 and 4, and fails on the others; one after the other, so that the
// order of the tasks stays.
async function prelabel(base, { email, password }, project) {
    const { token } = await call(base, null, 'POST', '/v1/login', { email, password });
    const { assignments } = await call(base, token, 'POST', `/v1/projects/${project}/claims`, { stage: 'prelabel', count: 5, wait_s: 5 });
    const size = { original_width: 960, original_height: 600, image_rotation: 0 };
    for (const [n, { id: assignment, version }] of assignments.sort((a, b) => a.task.id - b.task.id).entries()) {
        const guess = { score: 0.91, result: [
            { id: `guess${n}`, type: 'rectanglelabels', from_name: 'box', to_name: 'image', score: 0.88, ...size, value: { ...car(n), rotation: 0, rectanglelabels: ['Car'] } },
            { id: `sky${n}`, type: 'choices', from_name: 'weather', to_name: 'image', score: 0.93, value: { choices: ['Clear'] } }] };
        const said = n === 1 || n === 4 ? guess : { error: 'decode' };
        await call(base, token, 'POST', `/v1/projects/${project}/predictions`, { predictions: [{ assignment, version, model: 'street-v2', ...said }] });
    }
}

// → { people: by role, projects: { street, text }, token: the administrator's }
export async function furnish(base, admin) {
    const { token } = await call(base, null, 'POST', '/v1/login', admin);
    const people = {};
    for (const [role, name] of [['annotator', 'Ana Duarte'], ['reviewer', 'Ravi Menon'], ['qa', 'Quinn Abel'], ['manager', 'Mara Lind'], ['model', 'Street model']]) {
        const person = { email: `${role}.${TAG}@example.org`, password: `pass-word-${TAG}-${role}`, name };
        const { id } = await call(base, token, 'POST', '/v1/users', person);
        people[role] = { ...person, id };
    }
    const projects = {};
    for (const [key, name, label_config, workflow] of [['street', `Street scenes ${TAG}`, CONFIG, { prelabel: true }], ['text', `Names in the news ${TAG}`, TEXT_CONFIG, { lease_s: { annotate: 5 } }]]) {
        const p = await call(base, token, 'POST', '/v1/projects', { name, label_config, workflow: { qa: { percent: 100 }, ...workflow } });
        for (const [role, { id }] of Object.entries(people))
            await call(base, token, 'PUT', `/v1/projects/${p.id}/members/${id}`, { role });
        projects[key] = p.id;
    }
    const tasks = [];
    for (let n = 0; n < 5; n++) {
        const { url } = await call(base, token, 'POST', '/v1/assets', street(n), 'image/png');
        tasks.push({ data: { image: url } });
    }
    await call(base, token, 'POST', `/v1/projects/${projects.street}/tasks`, tasks);
    await prelabel(base, people.model, projects.street);
    await call(base, token, 'POST', `/v1/projects/${projects.text}/tasks`, [{ data: { text: STORY } }]);
    return { people, projects, token };
}
