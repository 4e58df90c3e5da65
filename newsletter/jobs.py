"""Every background entry: ids in, one call. They may be rung twice or late; the rows say what is to be done."""

from . import clock
from .db import clear_log, transaction
from .delivery import launch
from .delivery.notices import looking_up, outbox
from .delivery.reports import aggregating, report
from .delivery.returns import inbox
from .delivery.run import engine
from .domain.calls.asking_views import views
from .domain.calls.partners import contributor_sessions, proving
from .domain.calls.reminding import chasing, digest
from .domain.calls.texts import item_pictures
from .domain.issues import binned, pictures, reviewing, scheduling, versions
from .domain.issues.checking import asking
from .domain.issues.documents import keeping
from .domain.staff import browser_sessions
from .domain.subscribers import (
    bulk_actions,
    erasure_log,
    import_runs,
    indexing,
    log_keeping,
    mail_domains,
    reminding,
    renewing,
    retaining,
    sealing,
)
from .models import Issue, MailingList
from .operations import watching
from .work.queue import ring_here
from .work.registry import Lane, job, job_in


@job_in(Lane.NOTICES)
def deliver_notices() -> None:
    """Send the mails to one person that wait."""
    outbox.deliver_notices(clock.now())


@job_in(Lane.LAUNCHING)
def launch_due_issues() -> None:
    """Begin to send what is due."""
    launch.launch_due(clock.now())


@job_in(Lane.SENDING)
def send_issue(issue_id: int) -> None:
    """Send what is queued of one issue, or due again."""
    engine.send_issue(issue_id)


@job_in(Lane.LAUNCHING)
def continue_sending() -> None:
    """Settle what dead programs of this machine left, and go on here with every issue that has something to send."""
    for issue_id in engine.continue_sending(clock.now()):
        ring_here("send_issue", issue_id)


@job
def hold_unapproved_issues() -> None:
    """Tell people of issues whose planned date came without approval."""
    with transaction():
        scheduling.hold_unapproved(clock.now())


@job
def remind_approvers() -> None:
    """On the day of approval, tell once who should approve, or who should ask."""
    with transaction():
        reviewing.remind(clock.now())


@job
def chase_calls() -> None:
    """Remind whoever has sent no news yet, and tell of calls and of people's own time that end."""
    now = clock.now()
    for number in chasing.open_issues():
        with transaction() as session:
            chasing.chase(session.get_one(Issue, number), now)


@job
def send_digests() -> None:
    """In the morning, tell the editors of each list what came in."""
    now = clock.now()
    for number in digest.lists_to_look_at():
        with transaction() as session:
            digest.send_digest(session.get_one(MailingList, number), now)


@job
def check_links() -> None:
    """Ask whether the links of drafts lead anywhere."""
    asking.check_due_links(clock.now())


@job
def refresh_reports() -> None:
    """Make the reports of issues that were sent, and make them anew while there is news."""
    report.refresh_due(clock.now())


@job
def aggregate_deliveries() -> None:
    """Give up the deliveries of old issues for their totals and their report."""
    aggregating.aggregate_due(clock.now())


@job
def read_inbound() -> None:
    """Take in what came to our mailbox: bounces, complaints, news."""
    inbox.read_inbound()


@job
def empty_bins() -> None:
    """Empty out what has lain in an issue's bin for 30 days, and give up the versions kept before small acts."""
    now = clock.now()
    with transaction():
        versions.thin(now)
        binned.empty(now)


@job
def seal_consent() -> None:
    """Chain the consent events that came since."""
    sealing.seal_all(clock.now())


@job
def watch_over() -> None:
    """Look whether all that should run does, and tell the administrators of what does not."""
    watching.watch(clock.now())


@job
def run_import(import_id: int) -> None:
    """Go on with one import of subscribers."""
    import_runs.perform(import_id, clock.now())


@job
def continue_imports() -> None:
    """Go on with every import that should be running: whoever did may have died."""
    for number in import_runs.running():
        run_import(number)


@job
def keep_logs() -> None:
    """Add what other machines wrote down to the logs that a restore needs."""
    log_keeping.catch_up()


@job
def run_bulk_action(action_id: int) -> None:
    """Go on with one act on many subscribers."""
    bulk_actions.perform(action_id, clock.now())


@job
def continue_bulk_actions() -> None:
    """Go on with every act on many subscribers that is not over."""
    for number in bulk_actions.unfinished():
        run_bulk_action(number)


@job
def index_subscribers() -> None:
    """Give those who came with an import the words by which they are found."""
    indexing.index_wanted()


@job
def remind_sign_ups() -> None:
    """Remind whoever has not confirmed after a day, once; each in a transaction of its own."""
    now = clock.now()
    for number in reminding.due(now):
        with transaction():
            reminding.remind(number, now)


@job
def look_up_domains() -> None:
    """Ask the DNS whether the domains of those who have just signed up take mail at all."""
    looking_up.look_up_due(clock.now())


@job
def renew_subscriptions() -> None:
    """Ask whoever was not heard from for long whether they still want a list, and go on with those who were asked."""
    now = clock.now()
    for number in renewing.lists_to_ask():
        renewing.run(number, now)


@job
def purge_unconfirmed() -> None:
    """Forget sign-ups that nobody confirmed in time, what else is kept for a time only, and sessions that ended."""
    now = clock.now()
    with transaction():
        retaining.purge_unconfirmed(now)
        browser_sessions.forget_ended(now)
        contributor_sessions.forget_ended(now)
        proving.forget_old(now)
        item_pictures.forget_unused(now)
        pictures.forget_deleted(now)
        keeping.forget_old(now)
        views.purge_due(now)
        import_runs.forget_old(now)
        bulk_actions.forget_old(now)
        mail_domains.forget_old(now)
    erasure_log.catch_up()
    clear_log()
