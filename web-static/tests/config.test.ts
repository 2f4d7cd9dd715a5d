import assert from 'node:assert/strict';
import { test } from 'node:test';
import { DOMParser as XmlParser } from '@xmldom/xmldom';
import { ConfigError, parseConfig, withTaskOptions } from '../src/config.ts';

// The browser's parser reports broken XML inside the document; this one throws. Both must end as a ConfigError.
const parser = {
    parseFromString(xml: string, type: DOMParserSupportedType) {
        try {
            return new XmlParser({ onError: () => undefined }).parseFromString(xml, type) as unknown as Document;
        } catch {
            return new XmlParser().parseFromString('<parsererror/>', type) as unknown as Document;
        }
    },
};
const parse = (xml: string) => parseConfig(xml, parser);

test('objects, controls, headers, keys and colours', () => {
    const c = parse(`<View><View><Image name="img" value="$image"/></View><Header value="Find things"/>
        <RectangleLabels name="box" toName="img"><Label value="Car" background="red"/><Label value="Person" hotkey="P"/></RectangleLabels>
        <Choices name="w" toName="img" choice="multiple" required="true"><Choice value="Very clear" alias="clear"/><Choice value="Rain"/></Choices>
        <TextArea name="n" toName="img" placeholder="Say"/><Rating name="r" toName="img" maxRating="7"/></View>`);
    assert.deepEqual(c.media, [{ kind: 'image', name: 'img', field: 'image' }]);
    assert.deepEqual(c.controls.map((x) => [x.kind, x.name, x.to, x.title, x.multiple, x.required]), [
        ['rectanglelabels', 'box', 'img', 'Find things', false, false], ['choices', 'w', 'img', '', true, true], ['textarea', 'n', 'img', '', false, false], ['rating', 'r', 'img', '', false, false]]);
    const [car, person] = c.controls[0]!.options;
    assert.equal(car!.color, 'red');
    assert.equal(car!.key, '1');
    assert.equal(person!.key, 'p');
    assert.match(person!.color, /^#/);
    assert.deepEqual(c.controls[1]!.options.map((o) => [o.value, o.text, o.key]), [['clear', 'Very clear', '2'], ['Rain', 'Rain', '3']]);
    assert.equal(c.controls[3]!.max, 7);
    assert.deepEqual(c.unsupported, []);
});

test('keys are unique and run out quietly', () => {
    const c = parse(`<View><Text name="t" value="$text"/><Choices name="c" toName="t">${Array.from({ length: 60 }, (_, i) => `<Choice value="v${i}"/>`).join('')}</Choices></View>`);
    const keys = c.controls[0]!.options.map((o) => o.key).filter(Boolean);
    assert.equal(new Set(keys).size, keys.length);
    assert.ok(keys.length >= 20 && keys.length < 60);
    assert.ok(!['a', 'f', 'r', 'n', 'm', '?'].some((k) => keys.includes(k)));
});

test('what cannot be drawn is named', () => {
    const c = parse(`<View><Image name="i" value="$image"/><PolygonLabels name="p" toName="i"><Label value="A"/></PolygonLabels><Audio name="a" value="$audio"/>
        <Choices name="c" toName="i" perRegion="true"><Choice value="x"/></Choices><Choices name="d" toName="i"><Choice value="x"><Choice value="y"/></Choice></Choices></View>`);
    assert.deepEqual(c.unsupported, ['PolygonLabels', 'Audio', 'Choices', 'Choices']);
    assert.equal(c.controls.length, 0);
});

test('a required control that may be hidden is not asked for here', () => {
    const c = parse('<View><Text name="t" value="$t"/><Choices name="c" toName="t" required="true" visibleWhen="choice-selected" whenTagName="d"><Choice value="x"/></Choices></View>');
    assert.equal(c.controls[0]!.required, false);
});

test('options from the task', () => {
    const c = parse('<View><Text name="t" value="$t"/><Choices name="c" toName="t" value="$opts"/></View>');
    const used = withTaskOptions(c, { opts: ['One', { value: 'Two', alias: 'two' }, ''] });
    assert.deepEqual(used.controls[0]!.options.map((o) => [o.value, o.text, o.key]), [['One', 'One', '1'], ['two', 'Two', '2']]);
    assert.deepEqual(withTaskOptions(c, { opts: 'no list' }).controls[0]!.options, []);
    assert.deepEqual(c.controls[0]!.options, []);
});

test('broken or foreign XML is refused in words', () => {
    for (const xml of ['', 'hello', '<View><Image', '<html/>', '<View></Vew>'])
        assert.throws(() => parse(xml), ConfigError, xml);
});
