"""Fashion-MNIST's test set (Debian: dataset-fashion-mnist) as PNG files with their true classes."""
import gzip
import pathlib
import struct
import zlib

CLASSES = ("T-shirt/top", "Trouser", "Pullover", "Dress", "Coat",
           "Sandal", "Shirt", "Sneaker", "Bag", "Ankle boot")


def _idx(path, dimensions):
    """The sizes and the bytes of an IDX file of unsigned bytes."""
    data = gzip.decompress(path.read_bytes())
    kind, = struct.unpack_from(">I", data)
    if kind != 0x0800 + dimensions:
        raise ValueError(f"{path} is no IDX file of {dimensions} dimensions")
    head = 4 + 4 * dimensions
    return struct.unpack_from(f">{dimensions}I", data, 4), data[head:]


def _png_chunk(name, data):
    return struct.pack(">I", len(data)) + name + data + struct.pack(">I", zlib.crc32(name + data))


def png(pixels, width, height):
    """A greyscale PNG, one byte a pixel."""
    rows = b"".join(b"\0" + pixels[y * width:(y + 1) * width] for y in range(height))
    return (b"\x89PNG\r\n\x1a\n"
            + _png_chunk(b"IHDR", struct.pack(">IIBBBBB", width, height, 8, 0, 0, 0, 0))
            + _png_chunk(b"IDAT", zlib.compress(rows, 6))
            + _png_chunk(b"IEND", b""))


def load(directory, count):
    """The first `count` images: [(png bytes, class name)]."""
    directory = pathlib.Path(directory)
    (n, height, width), pixels = _idx(directory / "t10k-images-idx3-ubyte.gz", 3)
    (m,), labels = _idx(directory / "t10k-labels-idx1-ubyte.gz", 1)
    if n != m or not 0 < count <= n:
        raise ValueError(f"the test set has {n} images and {m} labels; {count} were asked for")
    size = width * height
    return [(png(pixels[i * size:(i + 1) * size], width, height), CLASSES[labels[i]])
            for i in range(count)]
