"""Files as people upload them: photographs with all that a phone writes into them, drawings, and what is none."""

import io
import struct
import zlib
from typing import Any

from PIL import Image, ImageCms


def photograph(width: int = 2400, height: int = 1600, *, left: str = "red", **more: Any) -> bytes:
    """A JPEG; its left half has one colour, its right half is blue."""
    picture = Image.new("RGB", (width, height), "blue")
    picture.paste(left, (0, 0, width // 2, height))
    return written(picture, "JPEG", quality=90, **more)


def from_a_phone(width: int = 2400, height: int = 1600) -> bytes:
    """A photograph lying on its side, with where it was taken, by which camera, and a profile of colours."""
    exif = Image.Exif()
    exif[0x0112] = 6  # held upright: the left of the file is the top of the picture
    exif[0x010F] = "Larkmere Cameras"
    exif.get_ifd(0x8825).update({1: "N", 2: (54.0, 30.0, 12.0), 3: "W", 4: (3.0, 10.0, 5.0)})
    profile = ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes()
    return photograph(width, height, exif=exif, icc_profile=profile, comment=b"Ruth's garden")


def drawing(width: int = 300, height: int = 200, mode: str = "RGB", colour: Any = "navy") -> bytes:
    return written(Image.new(mode, (width, height), colour), "PNG")


def moving(form: str = "GIF") -> bytes:
    frames = [Image.new("RGB", (40, 40), colour) for colour in ("red", "blue")]
    return written(frames[0], form, save_all=True, append_images=frames[1:])


def bomb(width: int = 20_000, height: int = 20_000) -> bytes:
    """A PNG of 400 million pixels that says so, and holds none of them."""
    head = struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)
    parts = ((b"IHDR", head), (b"IDAT", zlib.compress(b"\0" * 100)), (b"IEND", b""))
    body = b"\x89PNG\r\n\x1a\n"
    for name, data in parts:
        body += struct.pack(">I", len(data)) + name + data + struct.pack(">I", zlib.crc32(name + data))
    return body


def written(picture: Image.Image, form: str, **more: Any) -> bytes:
    file = io.BytesIO()
    picture.save(file, form, **more)
    return file.getvalue()


def opened(body: bytes) -> Image.Image:
    picture = Image.open(io.BytesIO(body))
    picture.load()
    return picture
