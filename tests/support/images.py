"""Images of many kinds, made by Pillow: valid ones of every format we take, and broken ones.

Deterministic: the same seed gives the same bytes, so that a failure can be had again.
"""

import dataclasses
import io
import random
import struct
import zlib

from PIL import Image, ImageDraw

ORIENTATION = 0x0112


@dataclasses.dataclass(frozen=True)
class Sample:
    name: str
    content: bytes
    # True: must be accepted and completed. False: may be refused with 4xx, or end as failed or
    # completed (decoders forgive much), but never vanish.
    valid: bool
    thumbnail: tuple = None  # the size that the thumbnail must have; None: not fixed


def picture(width, height, rng, mode="RGB"):
    """Something to look at: a gradient with shapes, different for each rng."""
    horizontal = Image.linear_gradient("L").resize((width, height))
    vertical = Image.linear_gradient("L").rotate(90).resize((width, height))
    flat = Image.new("L", (width, height), rng.randrange(256))
    image = Image.merge("RGB", (horizontal, vertical, flat))
    draw = ImageDraw.Draw(image)
    for _ in range(6):
        corner = rng.randrange(width), rng.randrange(height)
        far = corner[0] + width // 4, corner[1] + height // 4
        draw.ellipse([corner, far], fill=tuple(rng.randrange(256) for _ in range(3)))
    if mode == "RGBA":
        image.putalpha(horizontal)
        return image
    return image if mode == "RGB" else image.convert(mode)


def encode(image, kind, **options):
    out = io.BytesIO()
    image.save(out, kind, **options)
    return out.getvalue()


def jpeg(width=320, height=240, seed=1, **options):
    return encode(picture(width, height, random.Random(seed)), "JPEG", **options)


def oriented_jpeg(width, height, orientation, seed=1):
    exif = Image.Exif()
    exif[ORIENTATION] = orientation
    return jpeg(width, height, seed, exif=exif)


def fitted(width, height, box=100):
    """Inside the box, aspect kept, never enlarged, at least one pixel."""
    scale = min(1.0, box / width, box / height)
    return max(1, round(width * scale)), max(1, round(height * scale))


def png_chunk(kind, content):
    return (struct.pack(">I", len(content)) + kind + content +
            struct.pack(">I", zlib.crc32(kind + content)))


def png(width, height, data):
    """A PNG whose chunks are in order, whatever stands in them."""
    head = struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)
    return (b"\x89PNG\r\n\x1a\n" + png_chunk(b"IHDR", head) + png_chunk(b"IDAT", data) +
            png_chunk(b"IEND", b""))


def undecodable_png(seed=1):
    """Whole by its structure; that its pixels are no zlib stream only decoding can tell."""
    return png(64, 64, random.Random(seed).randbytes(900))


def _jpegs(rng):
    for orientation in range(1, 9):
        size = (240, 160)
        upright = size if orientation < 5 else size[::-1]
        yield Sample(f"jpeg-orientation-{orientation}",
                     oriented_jpeg(*size, orientation, rng.random()), True, fitted(*upright))
    for mode in ("L", "CMYK", "RGB"):
        image = picture(300, 200, rng, mode)
        yield Sample(f"jpeg-{mode}", encode(image, "JPEG"), True, fitted(300, 200))
        yield Sample(f"jpeg-{mode}-progressive", encode(image, "JPEG", progressive=True), True,
                     fitted(300, 200))
    for quality in (5, 50, 100):
        yield Sample(f"jpeg-q{quality}", jpeg(400, 100, rng.random(), quality=quality), True,
                     fitted(400, 100))
    for sampling in (0, 1, 2):
        yield Sample(f"jpeg-sampling-{sampling}", jpeg(101, 97, rng.random(), subsampling=sampling),
                     True, fitted(101, 97))


def _pngs(rng):
    for mode in ("RGB", "RGBA", "L", "P", "1"):
        yield Sample(f"png-{mode}", encode(picture(210, 140, rng, mode), "PNG"), True,
                     fitted(210, 140))
    grey = picture(128, 128, rng, "L")
    yield Sample("png-LA", encode(grey.convert("LA"), "PNG"), True, (100, 100))
    yield Sample("png-16-bit", encode(grey.convert("I").point(lambda v: v * 257).convert("I;16"), "PNG"),
                 True, (100, 100))
    palette = picture(128, 64, rng, "P")
    yield Sample("png-P-transparent", encode(palette, "PNG", transparency=0), True, (100, 50))


def _others(rng):
    frames = [picture(150, 90, rng, "P") for _ in range(3)]
    yield Sample("gif", encode(frames[0], "GIF"), True, fitted(150, 90))
    yield Sample("gif-animated", encode(frames[0], "GIF", save_all=True, append_images=frames[1:]),
                 True, fitted(150, 90))
    yield Sample("gif-transparent", encode(frames[1], "GIF", transparency=0), True, fitted(150, 90))
    yield Sample("webp", encode(picture(200, 300, rng), "WEBP"), True, fitted(200, 300))
    yield Sample("webp-lossless", encode(picture(90, 300, rng), "WEBP", lossless=True), True,
                 fitted(90, 300))
    yield Sample("webp-alpha", encode(picture(300, 90, rng, "RGBA"), "WEBP"), True, fitted(300, 90))


def _odd_sizes(rng):
    for width, height in ((1, 1), (1, 500), (900, 2), (100, 100), (99, 101), (1600, 1200)):
        image = picture(width, height, rng)
        yield Sample(f"jpeg-{width}x{height}", encode(image, "JPEG"), True, fitted(width, height))
        yield Sample(f"png-{width}x{height}", encode(image, "PNG"), True, fitted(width, height))


def _scrambled(content, rng, start):
    broken = bytearray(content)
    for _ in range(40):
        broken[rng.randrange(start, len(broken))] = rng.randrange(256)
    return bytes(broken)


def _broken(rng):
    good = {"jpeg": jpeg(300, 200, rng.random()), "png": encode(picture(300, 200, rng), "PNG"),
            "gif": encode(picture(300, 200, rng, "P"), "GIF"),
            "webp": encode(picture(300, 200, rng), "WEBP")}
    for kind, content in good.items():
        yield Sample(f"{kind}-half", content[:len(content) // 2], False)
        yield Sample(f"{kind}-head-only", content[:40], False)
        yield Sample(f"{kind}-scrambled", _scrambled(content, rng, 30), False)
        yield Sample(f"{kind}-trailing-garbage", content + rng.randbytes(500), False)
    yield Sample("jpeg-as-noise", b"\xff\xd8\xff\xe0" + rng.randbytes(2000), False)
    yield Sample("text", b"this is no image at all", False)


def many(count, seed):
    """`count` samples of all kinds, in a shuffled order; no two have the same bytes."""
    rng = random.Random(seed)
    samples, seen = [], set()
    while len(samples) < count:
        for make in (_jpegs, _pngs, _others, _odd_sizes, _broken):
            for sample in make(rng):
                # Tiny pictures come out equal now and then; a repeat would prove nothing.
                if sample.content not in seen or len(sample.content) < 1000:
                    seen.add(sample.content)
                    samples.append(sample)
    rng.shuffle(samples)
    return samples[:count]
