"""A QR code as a picture of its own, so that the page needs no inline image."""

import io

import qrcode
from flask import Response
from qrcode.image.svg import SvgPathFillImage


def qr_response(text: str) -> Response:
    """`text` as an SVG picture on white, kept by nobody."""
    drawn = io.BytesIO()
    qrcode.make(text, image_factory=SvgPathFillImage, box_size=12, border=4).save(drawn)
    response = Response(drawn.getvalue(), mimetype="image/svg+xml")
    response.headers["Cache-Control"] = "no-store"
    return response
