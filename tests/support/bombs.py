"""Files that cost far more than they weigh, or are two things at once. Deterministic."""

import io
import random
import struct
import zipfile
import zlib

from PIL import Image

from . import images

MEGABYTE = 1 << 20


def deflated_zeros(size):
    packer = zlib.compressobj(9)
    packed = [packer.compress(bytes(MEGABYTE)) for _ in range(size // MEGABYTE)]
    return b"".join(packed) + packer.compress(bytes(size % MEGABYTE)) + packer.flush()


def png(width, height, depth, colour, data, chunks=()):
    head = struct.pack(">IIBBBBB", width, height, depth, colour, 0, 0, 0)
    body = b"".join(images.png_chunk(kind, content) for kind, content in chunks)
    return (b"\x89PNG\r\n\x1a\n" + images.png_chunk(b"IHDR", head) + body +
            images.png_chunk(b"IDAT", data) + images.png_chunk(b"IEND", b""))


def blank_png(width, height):
    """One bit a pixel on disk and next to nothing of that; 8 bytes a pixel once decoded."""
    return png(width, height, 1, 0, deflated_zeros((1 + (width + 7) // 8) * height))


def png_with_texts(count, size):
    packed = b"comment\0\0" + deflated_zeros(size)
    return png(8, 8, 8, 2, zlib.compress(bytes(25 * 8)), [(b"zTXt", packed)] * count)


def png_with_profile(size):
    return png(8, 8, 8, 2, zlib.compress(bytes(25 * 8)), [(b"iCCP", b"p\0\0" + deflated_zeros(size))])


def blank_gif(width, height, frames=1):
    """Every frame covers the canvas in one colour; the animation never ends."""
    whole = images.encode(Image.new("P", (width, height)), "GIF")
    start = 13 + 3 * 2 ** (whole[10] % 8 + 1)  # behind the palette
    forever = b"\x21\xff\x0bNETSCAPE2.0\x03\x01\x00\x00\x00"
    return whole[:start] + forever + whole[start:-1] * frames + b"\x3b"


def gif_claiming(width, height):
    whole = blank_gif(16, 16)
    return whole[:6] + struct.pack("<HH", width, height) + whole[10:]


def jpeg_of_many_scans(width, height, scans):
    """A progressive JPEG whose last scan comes again and again: each costs a pass over the picture."""
    whole = images.encode(Image.new("RGB", (width, height), (90, 90, 90)), "JPEG", progressive=True)
    last = whole.rindex(b"\xff\xda")
    return whole[:last] + whole[last:-2] * scans + whole[-2:]


def jpeg_claiming(width, height):
    """A whole small JPEG whose frame header lies."""
    whole = bytearray(images.jpeg(64, 48))
    at = whole.index(b"\xff\xc0")
    whole[at + 5:at + 9] = struct.pack(">HH", height, width)
    return bytes(whole)


def webp_claiming(width, height):
    """34 bytes: a lossless WebP of one colour, all codes of length zero."""
    bits = 0x2f | (width - 1) << 8 | (height - 1) << 22
    data = struct.pack("<Q", bits)[:5] + b"\x88\x88\x08" + b"\0" * 6
    return b"RIFF" + struct.pack("<I", len(data) + 12) + b"WEBPVP8L" + struct.pack("<I", len(data)) + data


def blank(kind, width, height, **options):
    return images.encode(Image.new("L" if kind == "TIFF" else "RGB", (width, height)), kind, **options)


def jpeg_and_zip():
    archive = io.BytesIO(images.jpeg(seed=31))
    with zipfile.ZipFile(archive, "a") as file:
        file.writestr("evil.sh", "rm -rf /")
    return archive.getvalue()


def gif_and_script():
    """GIF89a/*...*/=1;alert(...): the width is written with the characters that open a comment."""
    whole = blank_gif(int.from_bytes(b"/*", "little"), 40)
    assert whole[6:8] == b"/*"
    return whole + b"*/=1;alert(document.domain);//"


def png_and_html():
    html = b"<html><script>alert(1)</script></html>"
    whole = images.encode(images.picture(64, 48, random.Random(7)), "PNG")
    return whole[:33] + images.png_chunk(b"tEXt", b"Title\0" + html) + whole[33:] + html


def flipped(content, rng):
    """One to eight bits, in the head or anywhere."""
    damaged = bytearray(content)
    reach = len(damaged) if rng.random() < 0.5 else min(len(damaged), 256)
    for _ in range(rng.randint(1, 8)):
        damaged[rng.randrange(reach)] ^= 1 << rng.randrange(8)
    return bytes(damaged)
