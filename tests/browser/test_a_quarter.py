"""One quarter, played in a browser against real processes: from the set-up link to the reader who leaves.

Nobody in it has a mouse: every button, link and field is come to by Tab. Every page met on the way is looked at:
axe, no sideways scroll at three widths, no script error, no breach of the pages' own policy.
"""

import re
import sqlite3
from datetime import date, datetime, timedelta

import pytest
from passlib.totp import TOTP
from playwright.sync_api import Page, expect

from .conftest import Installation, Serve, Visitor

pytestmark = pytest.mark.browser

ORGANISATION = "Larkmere Safeguarding Children Partnership"
DOCUMENT = """Winter issue

What partners need to know this quarter.

Attendance practice week

We read 24 records with practitioners from eight agencies. Thank you to every team that made time to talk.

Findings from the week

Absence was counted but not explored

Registers were accurate, and letters went out on time. Few records said why the child was away.

The child's own words were hard to find

Only seven records quoted the child. A single sentence, with a date, tells readers more than a page of summary.

Our priorities

In the coming year we want to:

  • help families early, before worry becomes harm
  • notice and act on absence from school
  • support practitioners with time to think

If you would like to join the reading group, please email:
"""


def in_days(number: int) -> str:
    day = date.today() + timedelta(days=number)
    return f"{day.day} {day:%B %Y}"


def test_from_the_set_up_link_to_the_reader_who_leaves(serve: Serve, visitor: "type[Visitor]") -> None:
    installation = serve()
    ruth, tom = visitor(), visitor()
    set_up(ruth, installation)
    begin_an_issue(ruth, installation)
    bring_in_the_document(ruth)
    mend_what_stops_it(ruth, installation)
    sign_up(tom, installation)
    confirm_from_the_mailbox(ruth, tom, installation)
    finish_the_frame(ruth, installation)
    send_a_test_and_approve(ruth, installation)
    schedule_and_watch(ruth, installation)
    read_the_archive(tom, installation)
    leave(ruth, tom, installation)
    look_at_the_rest(ruth, installation)
    assert ruth.complaints == []
    assert tom.complaints == []


def set_up(ruth: Visitor, installation: Installation) -> None:
    link = re.search(r"http\S+/set-up/\S+", installation.said)
    assert link is not None
    page = ruth.page
    page.goto(link.group())
    ruth.look("set-up")
    ruth.press("Set it up")
    expect(page.get_by_role("heading", name="There is a problem")).to_be_visible()
    ruth.look("set-up-with-problems")
    ruth.write(page.get_by_label("Name of your organisation or partnership"), ORGANISATION)
    ruth.write(page.get_by_label("Postal address"), "Millrace House, 4 Weir Street, Larkmere")
    ruth.write(page.get_by_label("Email address for questions"), "newsletter@example.org")
    ruth.write(page.get_by_label("Name of the newsletter"), "Safeguarding news")
    expect(page.get_by_label("Four times a year")).to_be_checked()
    ruth.write(page.get_by_label("Address it is sent from"), "newsletter@example.org")
    ruth.write(page.get_by_label("Privacy notice"), "We use your address to send what you tick, and for nothing else.")
    ruth.write(page.get_by_label("Your name"), "Ruth Adeyemi")
    ruth.write(page.get_by_label("Your email address"), "ruth@example.org")
    ruth.write(page.get_by_label("Choose a password"), "three quiet otters")
    ruth.press("Set it up")
    ruth.look("connect-an-app")
    ruth.go_to(page.locator("summary").filter(has_text="I cannot point a camera at it"))
    page.keyboard.press("Enter")
    secret = re.search(r"(?:[A-Z2-7]{4} ?){8}", page.inner_text("details"))
    assert secret is not None
    code = TOTP(key=secret.group().replace(" ", "")).generate().token
    ruth.write(page.get_by_label("Code from the app"), code)
    ruth.press("Connect and sign in")
    ruth.look("paper-codes")
    ruth.follow("I have kept them")
    expect(page.get_by_role("heading", name="No issue is under way")).to_be_visible()
    ruth.look("first-desk")
    assert ruth.page.goto(link.group()).status in (404, 410)
    ruth.look("set-up-link-used")


def begin_an_issue(ruth: Visitor, installation: Installation) -> None:
    page = ruth.page
    page.goto(f"{installation.address}/desk/issues")
    ruth.follow("Begin an issue")
    ruth.write(page.get_by_label("Title"), "Winter issue")
    ruth.write(page.get_by_label("Date").first, "soon")
    ruth.press("Begin the issue")
    ruth.write(page.get_by_label("Date").first, in_days(30))
    ruth.write(page.get_by_label("Time").first, "10am")
    ruth.write(page.get_by_label("Date").last, in_days(10))
    ruth.write(page.get_by_label("Time").last, "5pm")
    ruth.press("Begin the issue")
    expect(page).to_have_title(re.compile("Winter issue"))


def bring_in_the_document(ruth: Visitor) -> None:
    page = ruth.page
    ruth.follow("Bring in a document")
    ruth.write(page.get_by_role("textbox"), DOCUMENT)
    ruth.press("Show what is in it")
    ruth.press(re.compile(r"Import \d+ sections"))
    ruth.look("composer")


def mend_what_stops_it(ruth: Visitor, installation: Installation) -> None:
    page = ruth.page
    page.goto(f"{installation.address}/desk/issues/winter-issue/checks")
    expect(page.get_by_role("heading", level=1)).to_contain_text("2 things stop this issue")
    ruth.follow(re.compile(r"Go to it\s*: An email address is missing"))
    text = page.get_by_role("textbox", name="Text", exact=True)
    ruth.go_to(text)
    page.keyboard.press("Control+End")
    page.keyboard.insert_text(" reading.group@example.org.")
    ruth.press("Save")
    expect(page.locator(".app-saved")).to_contain_text("Saved at")
    page.goto(f"{installation.address}/desk/issues/winter-issue/checks")
    expect(page.get_by_role("heading", level=1)).to_have_text("1 thing stops this issue")
    expect(page.get_by_role("heading", name="The next issue has no deadline yet.")).to_be_visible()


def sign_up(tom: Visitor, installation: Installation) -> None:
    page = tom.page
    page.goto(f"{installation.address}/")
    tom.look("front-page")
    page.goto(f"{installation.address}/subscribe")
    tom.look("subscribe")
    page.wait_for_timeout(3500)  # nobody fills a form in less: the form's own least time
    tom.write(page.get_by_label("Email address"), "Tom.Example@Example.ORG")
    tom.go_to(page.get_by_label("Safeguarding news", exact=True))
    page.keyboard.press("Space")
    tom.press("Subscribe")
    expect(page.get_by_role("heading", level=1)).to_contain_text("Check your inbox")
    tom.look("check-inbox")


def mail_to(reader: Visitor, installation: Installation, recipient: str, subject: str) -> Page:
    """The newest mail to somebody in the built-in mailbox, opened; it may still be on its way."""
    page = reader.page
    for _ in range(60):
        page.goto(f"{installation.address}/desk/mailbox")
        row = page.locator("tr, li").filter(has_text=recipient).filter(has_text=subject)
        if row.count():
            page.goto(installation.address + str(row.first.get_by_role("link").first.get_attribute("href")))
            reader.follow("Plain text")
            return page
        page.wait_for_timeout(500)
    raise AssertionError(f"No mail “{subject}” came to {recipient}:\n{page.inner_text('main')}")


def link_in_mail(page: Page, path: str) -> str:
    """The address of the link to `path` in the text of the mail that is open."""
    found = re.search(rf"https?://[^\s\"<>]+{path}[A-Za-z0-9_-]+", page.content())
    assert found is not None, page.inner_text("main")
    return found.group()


def confirm_from_the_mailbox(ruth: Visitor, tom: Visitor, installation: Installation) -> None:
    mail = mail_to(ruth, installation, "om.Example@example.org", "Confirm")
    ruth.look("mailbox-message")
    link = link_in_mail(mail, "/confirm/")
    for _ in range(3):
        tom.page.request.get(link)  # a mail filter looks at it first
    tom.page.goto(link)
    expect(tom.page.get_by_role("heading", level=1)).to_have_text("1 step left")
    tom.look("confirm")
    tom.press("Confirm my subscription")
    tom.look("confirmed")
    tom.page.goto(link)
    tom.look("already-confirmed")
    tom.page.goto(link + "x")
    tom.look("link-that-never-was")


def finish_the_frame(ruth: Visitor, installation: Installation) -> None:
    page = ruth.page
    page.goto(f"{installation.address}/desk/issues/winter-issue/frame")
    ruth.write(page.get_by_label("Subject"), "Winter issue: what our practice week found")
    ruth.write(
        page.get_by_label("Preview text"), "Two findings to take back to your team, and three priorities for the year."
    )
    ruth.write(page.get_by_label("Title of the next issue"), "Spring issue")
    ruth.write(page.get_by_label("Date").last, in_days(100))
    ruth.write(page.get_by_label("Time").last, "5pm")
    ruth.press("Save")
    expect(page.get_by_role("heading", name="There is a problem")).to_have_count(0)
    page.goto(f"{installation.address}/desk")
    ruth.look("this-quarter")


def send_a_test_and_approve(ruth: Visitor, installation: Installation) -> None:
    page = ruth.page
    page.goto(f"{installation.address}/desk/issues/winter-issue/test")
    ruth.press(re.compile("^Send"))
    mail_to(ruth, installation, "ruth@example.org", "practice week")
    ruth.look("test-email-as-it-came")
    page.goto(f"{installation.address}/desk/issues/winter-issue/approval")
    ruth.press(re.compile("^Approve"))


def schedule_and_watch(ruth: Visitor, installation: Installation) -> None:
    page = ruth.page
    page.goto(f"{installation.address}/desk/issues/winter-issue/schedule")
    expect(page.get_by_role("heading", level=1)).to_contain_text("1 person")
    ruth.press(re.compile("^Send now"))
    ten_minutes_pass(installation)
    page.goto(f"{installation.address}/desk/issues/winter-issue/sending")
    expect(page.get_by_role("heading", level=1)).to_contain_text(re.compile("1 of 1|1 person|accepted"), timeout=60_000)
    wait_until_sent(ruth, installation)
    page.reload()
    ruth.look("report")
    verified = installation.command("issues", "verify", "winter-issue")
    assert verified.returncode == 0, verified.stderr


def ten_minutes_pass(installation: Installation) -> None:
    """The page leaves ten minutes to think again; the test does not wait for them."""
    with sqlite3.connect(installation.database, timeout=30) as database:
        [(at,)] = database.execute("SELECT scheduled_at FROM issue WHERE slug = 'winter-issue'")
        assert 8 * 60 < at / 1_000_000 - datetime.now().timestamp() <= 10 * 60
        database.execute("UPDATE issue SET scheduled_at = scheduled_at - 600 * 1000000 WHERE slug = 'winter-issue'")
    database.close()


def wait_until_sent(ruth: Visitor, installation: Installation) -> None:
    for _ in range(120):
        status = installation.command("issues", "status", "winter-issue", "--json").stdout
        if '"sent"' in status:
            assert '"accepted": 1' in status
            return
        ruth.page.wait_for_timeout(500)
    raise AssertionError(status)


def read_the_archive(tom: Visitor, installation: Installation) -> None:
    page = tom.page
    page.goto(f"{installation.address}/news")
    tom.look("past-issues")
    tom.follow("Winter issue")
    expect(page.get_by_role("heading", name="Findings from the week")).to_be_visible()
    expect(page.get_by_text("notice and act on absence from school")).to_be_visible()
    tom.look("issue-on-the-web")
    assert page.request.get(f"{installation.address}/feed.atom").status == 200
    assert page.request.get(f"{installation.address}/news/spring-issue").status == 404
    page.goto(f"{installation.address}/contribute")
    tom.look("open-calls")
    page.goto(f"{installation.address}/contribute/spring-issue")
    tom.look("call-for-contributions")
    for name in ("privacy", "accessibility"):
        page.goto(f"{installation.address}/{name}")
        tom.look(name)
    page.goto(f"{installation.address}/no-such-page")
    tom.look("not-found")


def leave(ruth: Visitor, tom: Visitor, installation: Installation) -> None:
    mail = mail_to(ruth, installation, "om.Example@example.org", "practice week")
    link, choices = link_in_mail(mail, "/u/"), link_in_mail(mail, "/preferences/")
    page = tom.page
    page.goto(choices)
    tom.look("preferences")
    page.request.get(link)
    page.goto(link)
    expect(page.get_by_role("button", name="Unsubscribe")).to_be_visible()
    tom.look("unsubscribe")
    tom.press("Unsubscribe")
    expect(page.get_by_role("heading", level=1)).to_contain_text("You have left")
    tom.look("unsubscribed")


def look_at_the_rest(ruth: Visitor, installation: Installation) -> None:
    """Staff pages that the story did not come by."""
    for name, path in {
        "mailbox": "/desk/mailbox",
        "subscribers": "/desk/subscribers",
        "contributions": "/desk/contributions",
        "settings": "/desk/settings",
        "staff": "/desk/staff",
        "invite": "/desk/staff/invite",
        "lists": "/desk/lists",
        "list": "/desk/lists/safeguarding-news",
        "notices": "/desk/notices",
        "activity": "/desk/activity",
        "account": "/desk/account",
        "palette": "/desk/issues/spring-issue/write/add",
        "issues": "/desk/issues",
    }.items():
        answer = ruth.page.goto(f"{installation.address}{path}")
        assert answer is not None
        assert answer.status == 200, name
        ruth.look(name)
    ruth.press("Sign out")
    ruth.page.goto(f"{installation.address}/sign-in")
    ruth.look("sign-in")
