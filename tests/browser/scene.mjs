// Pictures for the tests: a street drawn pixel by pixel, written as PNG. The same number gives the same bytes.
import { deflateSync } from 'node:zlib';

const CRC = Array.from({ length: 256 }, (_, n) => { let c = n; for (let k = 0; k < 8; k++) c = c & 1 ? 0xedb88320 ^ (c >>> 1) : c >>> 1; return c >>> 0; });
const crc = (b) => { let c = 0xffffffff; for (const x of b) c = CRC[(c ^ x) & 255] ^ (c >>> 8); return (c ^ 0xffffffff) >>> 0; };

function chunk(type, data) {
    const out = Buffer.alloc(12 + data.length);
    out.writeUInt32BE(data.length);
    out.write(type, 4, 'latin1');
    data.copy(out, 8);
    out.writeUInt32BE(crc(out.subarray(4, 8 + data.length)), 8 + data.length);
    return out;
}

export function png(width, height, color) {
    const raw = Buffer.alloc((width * 3 + 1) * height);
    for (let y = 0; y < height; y++)
        for (let x = 0; x < width; x++)
            raw.set(color(x, y), y * (width * 3 + 1) + 1 + x * 3);
    const head = Buffer.alloc(13);
    head.writeUInt32BE(width);
    head.writeUInt32BE(height, 4);
    head.set([8, 2, 0, 0, 0], 8);
    return Buffer.concat([Buffer.from('89504e470d0a1a0a', 'hex'), chunk('IHDR', head), chunk('IDAT', deflateSync(raw)), chunk('IEND', Buffer.alloc(0))]);
}

// Where the car of scene n stands, in percent.
export const car = (n) => ({ x: 12 + ((n * 17) % 40), y: 62, width: 26, height: 20 });

export function street(n, width = 960, height = 600) {
    const tall = [0.35, 0.5, 0.28, 0.44, 0.38, 0.55, 0.3].map((_, i, a) => a[(i + n) % a.length]);
    const c = car(n);
    const paint = [[196, 62, 52], [38, 98, 160], [232, 178, 62], [70, 128, 96]][n % 4];
    return png(width, height, (px, py) => {
        const [x, y] = [(px / width) * 100, (py / height) * 100];
        const [u, v] = [(x - c.x) / c.width, (y - c.y) / c.height];
        if ([0.22, 0.78].some((wx) => Math.hypot((u - wx) * c.width * 1.6, (v - 0.84) * c.height) < 3.4))
            return [28, 28, 32];
        if (u > 0.26 && u < 0.74 && v > 0.1 && v < 0.4)
            return (u > 0.48 && u < 0.52) ? paint : [188, 214, 226];
        if ((u > 0 && u < 1 && v > 0.4 && v < 0.86) || (u > 0.18 && u < 0.82 && v > 0 && v <= 0.4 && u - 0.18 > (0.4 - v) * 0.3 && 0.82 - u > (0.4 - v) * 0.3))
            return paint;
        if (y > 72)
            return y > 85 && y < 86.4 && Math.floor(x / 6) % 2 ? [222, 216, 196] : [92, 94, 100];
        if (y > 68)
            return [168, 164, 156];
        const b = Math.floor(x / 14.3);
        const top = 68 - tall[b % 7] * 100;
        if (y > top) {
            const [wx, wy] = [((x % 14.3) / 14.3) * 5, (y - top) / 6];
            const shade = 150 + ((b * 37 + n * 11) % 60);
            return wx % 1 > 0.3 && wx % 1 < 0.75 && wy % 1 > 0.35 && wy % 1 < 0.8 ? [96, 112, 132] : [shade, shade - 14, shade - 30];
        }
        return [164 + y * 0.9, 196 + y * 0.55, 226];
    });
}
