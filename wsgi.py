"""For a WSGI server: `gunicorn wsgi:app`, `waitress-serve wsgi:app`."""

from newsletter.app import create_app

app = create_app()
