"""The process that reads one picture and writes it anew. Run by path, so that it loads nothing but Pillow.

Standard input is the picture; its format is the only argument. Standard output is one line of JSON and, where that
says "width", the new picture. It decodes what strangers made: so it has limits of its own on memory and time, and
ends after one.
"""

import io
import json
import resource
import sys
import warnings
from typing import Any, BinaryIO

MEMORY = 1024 * 1024 * 1024
SECONDS = 15
MOST_PIXELS = 40_000_000
WIDEST, HIGHEST = 1200, 2400
_QUALITY = 82
#: A drawing is sharper as PNG, and often smaller; a photograph as PNG is many times as large.
_PNG_MAY_BE = 1.3


def remade(source: BinaryIO, form: str) -> tuple[dict[str, Any], bytes]:
    """What became of the picture, and its bytes. Without "width" it is refused, and "refused" says why."""
    from PIL import Image, ImageOps, UnidentifiedImageError

    Image.MAX_IMAGE_PIXELS = MOST_PIXELS
    warnings.simplefilter("error", Image.DecompressionBombWarning)
    try:
        picture = Image.open(source, formats=[form])
        if picture.width * picture.height > MOST_PIXELS:
            return {"refused": "pixels"}, b""
        if form != "JPEG" and getattr(picture, "is_animated", False):
            return {"refused": "moving"}, b""
        if form == "JPEG":
            picture.draft("RGB", (WIDEST, WIDEST))  # decodes a large photograph at half its size or less
        upright = ImageOps.exif_transpose(picture)
        small = _smaller(_in_plain_colours(upright))
    except (Image.DecompressionBombError, Image.DecompressionBombWarning):
        return {"refused": "pixels"}, b""
    except (UnidentifiedImageError, OSError, SyntaxError, ValueError, EOFError):
        return {"refused": "broken"}, b""
    body, kind = _written(small, photograph=form == "JPEG")
    return {"width": small.width, "height": small.height, "type": kind}, body


def _in_plain_colours(picture: Any) -> Any:
    """The picture as sRGB, with transparency only where there is some, and with nothing attached to it."""
    from PIL import Image, ImageCms

    profile = picture.info.get("icc_profile")
    clear = picture.mode in ("RGBA", "LA", "PA", "La", "RGBa") or "transparency" in picture.info
    if profile and picture.mode in ("RGB", "RGBA", "CMYK", "L"):
        try:
            theirs = ImageCms.ImageCmsProfile(io.BytesIO(profile))
            wanted = "RGBA" if picture.mode == "RGBA" else "RGB"
            picture = ImageCms.profileToProfile(picture, theirs, ImageCms.createProfile("sRGB"), outputMode=wanted)
        except (ImageCms.PyCMSError, OSError, ValueError):
            pass  # a profile that cannot be used is left out: the colours are a little off
    if picture.mode in ("I", "F") or picture.mode.startswith("I;16"):
        picture = picture.point(lambda value: value * (1 / 256)).convert("L")
    picture = picture.convert("RGBA" if clear else "RGB")
    if clear and picture.getchannel("A").getextrema() == (255, 255):
        picture = picture.convert("RGB")
    return Image.frombytes(picture.mode, picture.size, picture.tobytes())


def _smaller(picture: Any) -> Any:
    from PIL import Image

    share = min(1.0, WIDEST / picture.width, HIGHEST / picture.height)
    if share == 1.0:
        return picture
    size = (max(1, round(picture.width * share)), max(1, round(picture.height * share)))
    return picture.resize(size, Image.Resampling.LANCZOS, reducing_gap=2.0)


def _written(picture: Any, *, photograph: bool) -> tuple[bytes, str]:
    """The bytes and their type. JPEG has no transparency."""
    if picture.mode == "RGBA":
        return _as_png(picture), "image/png"
    jpeg = io.BytesIO()
    picture.save(jpeg, "JPEG", quality=_QUALITY, optimize=True, progressive=True)
    if not photograph:
        png = _as_png(picture)
        if len(png) <= len(jpeg.getvalue()) * _PNG_MAY_BE:
            return png, "image/png"
    return jpeg.getvalue(), "image/jpeg"


def _as_png(picture: Any) -> bytes:
    png = io.BytesIO()
    picture.save(png, "PNG", optimize=True)
    return png.getvalue()


def main() -> None:
    """Set the limits, then read, remake and write one picture."""
    resource.setrlimit(resource.RLIMIT_AS, (MEMORY, MEMORY))
    resource.setrlimit(resource.RLIMIT_CPU, (SECONDS, SECONDS))
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    try:
        said, body = remade(io.BytesIO(sys.stdin.buffer.read()), sys.argv[1])
    except MemoryError:
        said, body = {"refused": "pixels"}, b""
    except Exception:  # whatever a decoder raises at what strangers made
        said, body = {"refused": "broken"}, b""
    sys.stdout.buffer.write(json.dumps(said).encode() + b"\n" + body)


if __name__ == "__main__":
    main()
