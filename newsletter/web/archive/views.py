"""The public pages: the front page, past issues, one issue, the feed, pictures."""

from flask import Blueprint, Response, abort, redirect, render_template, request, url_for
from sqlalchemy import select
from werkzeug.wrappers import Response as AnyResponse

from newsletter import clock
from newsletter.config import current_settings
from newsletter.db import db
from newsletter.domain.issues.content import web_address
from newsletter.domain.issues.correcting import last_changed
from newsletter.domain.issues.publishing import published_issue, published_issues
from newsletter.errors import NotFound
from newsletter.i18n import gettext as _
from newsletter.models import Media, Organisation
from newsletter.rendering import characters
from newsletter.web.access import public

from . import reading
from .calendar import event_file
from .corrections import plain_corrections, with_corrections

blueprint = Blueprint("archive", __name__)

_A_YEAR = 365 * 24 * 3600
_PICTURES = {"image/png": "png", "image/jpeg": "jpg", "image/gif": "gif", "image/webp": "webp"}
_ON_THE_FRONT_PAGE = 4
_IN_THE_FEED = 20


@blueprint.get("/")
@public
def home() -> str:
    issues, lists = published_issues(limit=_ON_THE_FRONT_PAGE + 1), reading.public_lists()
    return render_template(
        "archive/home.html",
        organisation=db.session.get(Organisation, 1),
        lists=lists,
        latest=issues[0] if issues else None,
        past=issues[1:],
        calls=reading.open_calls(clock.now()),
        summary=reading.summary,
        sign_up_url=reading.sign_up_url(),
    )


@blueprint.get("/news")
@public
def issues() -> str:
    lists = reading.public_lists()
    asked = next((each for each in lists if each.slug == request.args.get("list")), None)
    shown = published_issues(asked)
    zone = lists[0].timezone if lists else current_settings().timezone
    return render_template(
        "archive/issues.html",
        years=reading.by_year(shown, zone),
        first=shown[-1] if shown else None,
        lists=lists,
        asked=asked,
        calls=reading.open_calls(clock.now()),
        summary=reading.summary,
        sign_up_url=reading.sign_up_url(),
    )


@blueprint.get("/news/<slug>")
@public
def issue(slug: str) -> str | AnyResponse:
    found = published_issue(characters.one_line(slug))
    if found.slug != slug:
        return redirect(url_for("archive.issue", slug=found.slug), 301)
    mailing_list = found.mailing_list
    return render_template(
        "archive/issue.html",
        issue=found,
        article=with_corrections(found, reading.article(found, clock.now())),
        canonical=web_address(found),
        publication=mailing_list.name,
        accent=mailing_list.accent,
        timezone=mailing_list.timezone,
        contact_email=mailing_list.contact_address,
        language=found.language,
        summary=reading.summary(found),
    )


@blueprint.get("/news/<slug>/events/<int:number>.ics")
@public
def event(slug: str, number: int) -> AnyResponse:
    """One event of a published issue, for a calendar."""
    found = published_issue(characters.one_line(slug))
    if found.slug != slug:
        return redirect(url_for("archive.event", slug=found.slug, number=number), 301)
    response = Response(event_file(found, number), mimetype="text/calendar")
    response.headers["Content-Disposition"] = f'attachment; filename="{found.slug}-event-{number}.ics"'
    return response


@blueprint.get("/feed.atom")
@public
def feed() -> Response:
    """Published issues as an Atom feed (RFC 4287)."""
    # An issue of the past is no news, whenever it is put in the archive.
    shown = [each for each in published_issues() if not each.archive_only][:_IN_THE_FEED]
    organisation = db.session.get(Organisation, 1)
    lists = reading.public_lists()
    if organisation is None:
        abort(404)
    content = render_template(
        "archive/feed.atom",
        title=reading.feed_title(lists, organisation.name),
        author=organisation.name,
        base=current_settings().public_url,
        updated=max((changed for each in shown if (changed := last_changed(each))), default=organisation.created_at),
        entries=[
            (each, web_address(each), reading.summary(each), last_changed(each), str(plain_corrections(each)))
            for each in shown
        ],
    )
    return Response(content, mimetype="application/atom+xml")


@blueprint.get("/media/<name>")
@public
def media(name: str) -> AnyResponse:
    """One picture. Its name is random and its bytes never change, so it is cached for good."""
    found = db.session.scalar(select(Media).where(Media.name == characters.one_line(name)))
    if found is None or found.content_type not in _PICTURES:
        raise NotFound(_("There is no picture here."))
    response = Response(found.body, mimetype=found.content_type)
    response.set_etag(found.sha256.hex())
    response.cache_control.public = True
    response.cache_control.immutable = True
    response.cache_control.max_age = _A_YEAR
    response.headers["Content-Disposition"] = f'inline; filename="picture.{_PICTURES[found.content_type]}"'
    # Mail programs and web mailers fetch it from elsewhere.
    response.headers["Cross-Origin-Resource-Policy"] = "cross-origin"
    response.headers["Content-Security-Policy"] = "default-src 'none'; sandbox"
    return response.make_conditional(request)
