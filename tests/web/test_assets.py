"""The built styles and scripts: found by their source's name, cached for good, and nothing foreign in them."""

import gzip
import json
import re
import subprocess
from pathlib import Path

import pytest
from flask import Flask

from newsletter.rendering.palette import contrast
from newsletter.web import assets, brand
from newsletter.web.markup import install_templates

from .component_app import make_app

ROOT = Path(__file__).parents[2]
FRONTEND = ROOT / "newsletter" / "frontend"

needs_build = pytest.mark.skipif(
    not assets.manifest.names, reason="the front end has not been built (pip install -e . builds it)"
)


@pytest.fixture
def app() -> Flask:
    return make_app()


@needs_build
def test_each_source_has_an_address_that_is_cached_for_good(app: Flask) -> None:
    with app.test_request_context():
        addresses = {source: assets.asset(source) for source in ("site.css", "site.js", "editor.js")}
    client = app.test_client()
    for source, address in addresses.items():
        stem, suffix = source.split(".")
        assert re.fullmatch(rf"/assets/{stem}-[A-Z0-9]{{8}}\.{suffix}", str(address))
        answer = client.get(str(address))
        assert answer.status_code == 200
        assert answer.cache_control.immutable
        assert answer.cache_control.max_age == assets.A_YEAR
        assert "charset=utf-8" in answer.headers["Content-Type"]
        small = client.get(str(address), headers={"Accept-Encoding": "br, gzip"})
        assert small.content_encoding == "gzip"
        assert gzip.decompress(small.data) == answer.data
        parts = re.findall(rb'(?:from|import)"\./(part-[A-Z0-9]{8}\.js)"', answer.data)
        brought = sum(len(gzip.compress((assets.DIST / part.decode()).read_bytes())) for part in set(parts))
        assert len(small.data) + brought < 25_000


def test_an_address_follows_the_content_under_a_sub_path() -> None:
    app = make_app()
    if not assets.manifest.names:
        pytest.skip("the front end has not been built")
    page = app.test_client().get("/", base_url="https://example.org/bulletin").text
    assert 'href="/bulletin/assets/site-' in page


@pytest.mark.parametrize("name", ["manifest.json", ".stamp", "THIRD-PARTY-NOTICES.txt", "site.css", "../brand.py"])
def test_nothing_else_is_served(app: Flask, name: str) -> None:
    assert app.test_client().get(f"/assets/{name}").status_code == 404


@needs_build
def test_an_unknown_source_is_a_mistake_of_ours(app: Flask) -> None:
    with app.test_request_context(), pytest.raises(KeyError):
        assets.asset("charts.js")


def test_an_installation_without_the_bundles_works_and_says_so(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr(assets.manifest, "_path", tmp_path / "manifest.json")
    app = make_app()
    answer = app.test_client().get("/")
    assert answer.status_code == 200
    assert "have not been built" in answer.text
    assert "/assets/" not in answer.text


def test_a_new_build_is_noticed(tmp_path: Path) -> None:
    manifest = assets.Manifest(tmp_path)
    assert manifest.name("site.css") is None
    (tmp_path / "manifest.json").write_text(json.dumps({"site.css": "site-A.css"}))
    assert manifest.name("site.css") == "site-A.css"


@needs_build
def test_the_bundles_hold_no_font_no_crest_and_no_foreign_address() -> None:
    for path in assets.DIST.iterdir():
        if path.suffix not in (".css", ".js"):
            continue
        text = path.read_text(encoding="utf-8")
        assert "@font-face" not in text
        assert "GDS Transport" not in text
        assert not re.search(r"url\(\s*[\"']?(?!data:)", text), path.name
        # The words of an error in the editor's library; nothing is asked of that address.
        text = text.replace("(see https://prosemirror.net/docs/guide/#generatable)", "")
        foreign = set(re.findall(r"https?://([a-z0-9.-]+)", text)) - {"www.w3.org"}
        assert not foreign, (path.name, foreign)
    sheet = next(assets.DIST.glob("site-*.css")).read_text(encoding="utf-8")
    assert not re.search(r"url\(", sheet)


@needs_build
def test_every_package_in_the_bundles_has_its_licence_beside_them() -> None:
    notices = (assets.DIST / "THIRD-PARTY-NOTICES.txt").read_text(encoding="utf-8")
    assert "== govuk-frontend 6." in notices and "== htmx.org 2." in notices
    assert "Permission is hereby granted" in notices and "Zero-Clause BSD" in notices


def test_the_lock_names_no_host() -> None:
    for name in ("package-lock.json", "package.json", ".npmrc"):
        text = (FRONTEND / name).read_text(encoding="utf-8")
        assert "://" not in text and '"resolved"' not in text, name
    locked = json.loads((FRONTEND / "package-lock.json").read_text(encoding="utf-8"))["packages"]
    assert all("integrity" in package for name, package in locked.items() if name)


def test_no_foreign_code_and_nothing_built_is_kept_in_git() -> None:
    if not (ROOT / ".git").exists():
        pytest.skip("not a checkout")
    kept = subprocess.run(
        ["git", "ls-files", "newsletter/frontend", "newsletter/web/static"],
        cwd=ROOT, capture_output=True, text=True, check=True,
    ).stdout.splitlines()  # fmt: skip
    assert kept
    assert not [name for name in kept if "node_modules" in name or "/dist/" in name]


def test_templates_hold_no_inline_style_and_no_inline_script() -> None:
    for path in (ROOT / "newsletter" / "web" / "templates").rglob("*.html"):
        text = path.read_text(encoding="utf-8")
        assert not re.search(r"\sstyle\s*=", text), path
        assert not re.search(r"\son[a-z]+\s*=\s*[\"']", text), path
        assert not re.search(r"<style|<script(?![^>]*\bsrc=)", text), path


class TestAccentColour:
    @pytest.mark.parametrize("accent", ["#0e5a63", "#ffd04a", "#ffffff", "#00ff00", "#7fb0b4", "#000000", "#808080"])
    def test_any_colour_becomes_readable(self, accent: str) -> None:
        colours = brand.palette(accent)
        assert contrast(colours["accent"], "#ffffff") >= 4.5
        assert contrast(colours["accent"], colours["tint"]) >= 4.5
        assert contrast(colours["deep"], "#ffffff") >= contrast(colours["accent"], "#ffffff")

    def test_a_readable_colour_stays_as_it_is(self) -> None:
        assert brand.palette("#0E5A63")["accent"] == "#0e5a63"

    def test_contrast_is_that_of_the_standard(self) -> None:
        assert contrast("#000000", "#ffffff") == pytest.approx(21)
        assert contrast("#767676", "#ffffff") == pytest.approx(4.54, abs=0.005)

    @pytest.mark.parametrize("accent", ["", "red", "#12345", "#0e5a63;}body{display:none", "#0e5a6g"])
    def test_what_is_no_colour_is_refused(self, accent: str) -> None:
        with pytest.raises(ValueError, match="six digits"):
            brand.brand_css(accent)

    def test_the_page_links_a_sheet_that_is_served_and_cached(self) -> None:
        app = make_app(accent="#B03060")
        client = app.test_client()
        address = re.search(r'href="(/brand-[^"]+\.css)"', client.get("/").text)
        if not address:
            assert not assets.manifest.names
            pytest.skip("the front end has not been built")
        answer = client.get(address.group(1))
        assert answer.text.startswith(":root{--accent:#")
        assert answer.mimetype == "text/css" and answer.cache_control.immutable

    @pytest.mark.parametrize("path", ["/brand-0e5a63-0000000000.css", "/brand-zzzzzz-0.css", "/brand-0e5a63-0.txt"])
    def test_an_address_nobody_gave_out_is_not_found(self, path: str) -> None:
        assert make_app().test_client().get(path).status_code == 404


def test_a_second_app_has_templates_of_its_own() -> None:
    app = Flask("another")
    install_templates(app)
    assert app.jinja_env.from_string("{{ 4218 | number }}").render() == "4,218"
