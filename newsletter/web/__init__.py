"""The doors on the web. Views are thin: form, verb, redirect."""

from flask import Flask


def install_web(app: Flask) -> None:
    """Give the application its pages, its sessions and its manners."""
    from . import errors, headers, health, large_files, links, markup, metrics, requests, sessions, signing_in, tracing
    from .admin.views import blueprint as admin
    from .archive.views import blueprint as archive
    from .contribute.views import blueprint as contribute
    from .editor.views import blueprint as editor
    from .public.views import blueprint as public

    tracing.install_tracing(app)
    requests.install_requests(app)
    markup.install_templates(app)
    sessions.install_sessions(app)
    large_files.install_large_files(app)
    signing_in.install_signing_in(app)
    headers.install_headers(app)
    errors.install_errors(app)
    links.install_links(app)
    for blueprint in (public, contribute, editor, admin, archive, health.blueprint, metrics.blueprint):
        app.register_blueprint(blueprint)
