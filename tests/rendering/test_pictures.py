"""What becomes of an uploaded file: a picture fit for mail with nothing else in it, or a sentence."""

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from PIL import Image

from newsletter.errors import Invalid
from newsletter.rendering.picture_names import new_name, size_of
from newsletter.rendering.pictures import MOST_BYTES, remake
from tests.pictures import bomb, drawing, from_a_phone, moving, opened, photograph, written


def test_a_photograph_becomes_as_wide_as_a_mail_needs_and_stays_one() -> None:
    made = remake(photograph(2400, 1600))
    assert (made.width, made.height, made.content_type, made.suffix) == (1200, 800, "image/jpeg", "jpg")
    seen = opened(made.body)
    assert (seen.format, seen.size) == ("JPEG", (1200, 800))
    assert made == remake(photograph(2400, 1600))


def test_a_small_picture_is_not_blown_up() -> None:
    made = remake(photograph(640, 400))
    assert (made.width, made.height) == (640, 400)


def test_a_tall_one_is_no_longer_than_two_screens() -> None:
    made = remake(photograph(1000, 5000))
    assert (made.width, made.height) == (480, 2400)


def test_what_a_phone_writes_into_a_photograph_is_gone_and_it_stands_upright() -> None:
    source = from_a_phone()
    assert opened(source).getexif().get_ifd(0x8825)  # the file does say where it was taken
    made = remake(source)
    assert (made.width, made.height) == (1200, 1800)
    seen = opened(made.body)
    assert not seen.getexif()
    assert set(seen.info) <= {"jfif", "jfif_version", "jfif_unit", "jfif_density", "progressive", "progression"}
    for told in (b"Larkmere Cameras", b"garden", b"Exif", b"ICC_PROFILE"):
        assert told in source
        assert told not in made.body
    top, bottom = seen.getpixel((600, 100)), seen.getpixel((600, 1700))
    assert isinstance(top, tuple)
    assert isinstance(bottom, tuple)
    assert (top[0] > 200, bottom[2] > 200) == (True, True)  # red was on the left of the file


def test_a_drawing_stays_sharp_and_keeps_its_transparency() -> None:
    plain = remake(drawing())
    assert plain.content_type == "image/png"
    clear = opened(remake(drawing(mode="RGBA", colour=(0, 0, 128, 100))).body)
    assert (clear.mode, clear.getpixel((5, 5))) == ("RGBA", (0, 0, 128, 100))
    opaque = opened(remake(drawing(mode="RGBA", colour=(0, 0, 128, 255))).body)
    assert opaque.mode == "RGB"


def test_a_photograph_saved_as_png_becomes_a_jpeg() -> None:
    noise = Image.effect_noise((500, 400), 80).convert("RGB")
    made = remake(written(noise, "PNG"))
    assert made.content_type == "image/jpeg"
    assert len(made.body) < len(written(noise, "PNG"))


@pytest.mark.parametrize("mode", ["1", "L", "LA", "P", "I;16", "CMYK", "RGB"])
def test_every_way_to_store_colours_can_be_read(mode: str) -> None:
    form = "JPEG" if mode == "CMYK" else "PNG"
    made = remake(written(Image.new(mode, (30, 20), 1 if mode in "1LPI;16" else None), form))
    assert (made.width, made.height) == (30, 20)


@pytest.mark.parametrize("form", ["GIF", "WEBP"])
def test_other_formats_are_written_anew_as_png_or_jpeg(form: str) -> None:
    made = remake(written(Image.new("RGB", (30, 20), "green"), form))
    assert opened(made.body).format in ("PNG", "JPEG")


@pytest.mark.parametrize(
    ("content", "sentence"),
    [
        (b"", "Choose a file."),
        (b"x" * (MOST_BYTES + 1), "The file has 10 MB; a picture may have 10 MB at most."),
        (b"hello", "This is not a picture that mail programs show. Use PNG, JPEG, WebP or GIF."),
        (b"<?xml version='1.0'?><svg onload='x()'/>",
         "This is an SVG drawing, which mail programs do not show. Save it as PNG and choose that."),
        (b"\n <svg xmlns='http://www.w3.org/2000/svg'/>",
         "This is an SVG drawing, which mail programs do not show. Save it as PNG and choose that."),
        (b"\0\0\0\x18ftypheic" + b"\0" * 50,
         "This is a HEIC or AVIF picture, as phones make them. Save it as JPEG and choose that."),
        (b"%PDF-1.7 ...", "This is a PDF. Save the page as a PNG or JPEG picture, or link to the PDF."),
        (b"II*\0" + b"\0" * 90, "This is not a picture that mail programs show. Use PNG, JPEG, WebP or GIF."),
        (b"\x89PNG\r\n\x1a\n" + b"\0" * 90, "The file is damaged or not complete: no picture can be read from it."),
        (photograph(800, 600)[:5000], "The file is damaged or not complete: no picture can be read from it."),
        (bomb(), "The picture has too many pixels: 40 million at most. Save it smaller and choose that."),
        (bomb(6_400, 6_400), "The picture has too many pixels: 40 million at most. Save it smaller and choose that."),
        (moving("GIF"), "The picture moves, which distracts from reading. Choose a still one."),
        (moving("PNG"), "The picture moves, which distracts from reading. Choose a still one."),
        (moving("WEBP"), "The picture moves, which distracts from reading. Choose a still one."),
    ],
    ids=lambda value: "" if isinstance(value, str) else repr(value[:12]),
)  # fmt: skip
def test_what_cannot_be_used_is_refused_in_a_sentence(content: bytes, sentence: str) -> None:
    with pytest.raises(Invalid) as refused:
        remake(content)
    assert [(each.field, each.sentence) for each in refused.value.problems] == [("file", sentence)]


@settings(max_examples=12, suppress_health_check=[HealthCheck.too_slow])
@given(st.binary(max_size=300), st.integers(0, 4000), st.binary(min_size=1, max_size=60))
def test_a_file_that_was_tampered_with_is_a_picture_or_refused(tail: bytes, at: int, patch: bytes) -> None:
    source = bytearray(photograph(80, 60))
    source[at : at + len(patch)] = patch
    try:
        made = remake(bytes(source) + tail)
    except Invalid:
        return
    assert opened(made.body).size == (made.width, made.height)


def test_a_name_says_the_size_and_nothing_else_that_can_be_guessed() -> None:
    names = {new_name(1200, 2400, "jpg") for _ in range(100)}
    assert len(names) == 100
    assert all(len(name) == 40 and size_of(name) == (1200, 2400) for name in names)
    for unknown in ("boathouse-1200.png", "k3f9x2.png", "", "x-0x5.png", "x-12x12.svg", "x-1x1.png.exe"):
        assert size_of(unknown) is None
