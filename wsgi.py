"""For a WSGI server: `gunicorn wsgi:app`, `waitress-serve wsgi:app`."""

from newsletter import logs
from newsletter.app import create_app
from newsletter.config import Settings

settings = Settings.from_environment()
logs.configure(settings.log_format, settings.log_level)
app = create_app(settings)
