"""The images that both sides get: photographic JPEGs of 1200x1800 and about 0.2 MB, always the same."""

import io
import pathlib
import random

from PIL import Image

ROOT = pathlib.Path(__file__).resolve().parents[1]
COUNT = 24
SIZE = (1200, 1800)
QUALITY = 80
NOISE = 0.06  # the photo is enlarged: without grain its JPEGs would be far smaller than a camera's


def grain(rng):
    """Grey noise from a seeded source: Pillow's own takes no seed."""
    tile = Image.frombytes("L", (300, 450), rng.randbytes(300 * 450))
    return tile.resize(SIZE, Image.BICUBIC).convert("RGB")


def make(photo, rng):
    """A crop of the photo, some way turned, with grain."""
    width, height = photo.size
    side = rng.uniform(0.6, 1.0) * height
    left, top = rng.uniform(0, width - side * 2 / 3), rng.uniform(0, height - side)
    crop = photo.crop([int(edge) for edge in (left, top, left + side * 2 / 3, top + side)])
    if rng.random() < 0.5:
        crop = crop.transpose(Image.FLIP_LEFT_RIGHT)
    picture = Image.blend(crop.resize(SIZE, Image.BICUBIC), grain(rng), NOISE)
    out = io.BytesIO()
    picture.save(out, "JPEG", quality=QUALITY)
    return out.getvalue()


def write_all(folder):
    """Fills the folder once; returns it."""
    folder = pathlib.Path(folder)
    folder.mkdir(parents=True, exist_ok=True)
    with Image.open(ROOT / "examples/photo.jpg") as photo:
        for number in range(COUNT):
            path = folder / f"{number:02}.jpg"
            if not path.exists():
                path.write_bytes(make(photo.convert("RGB"), random.Random(number)))
    return folder
