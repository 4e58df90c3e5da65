"""Every timed duty, in one table. docs/operate.md lists the same.

A tick only rings: it says "look now". What is due stands in rows, so a tick that is missed, or comes twice, or from
two schedulers, changes nothing but the moment.
"""

from dataclasses import dataclass


@dataclass(frozen=True)
class Tick:
    """Ring for `job` every `seconds`, to do `what_for`."""

    name: str
    seconds: int
    job: str
    what_for: str
    #: Each worker does it for itself: it has to do with its own machine, or nobody shall wait for another to do it.
    everywhere: bool = False


TICKS = (
    Tick("launch", 2, "launch_due_issues", "begin to send the issues whose time has come"),
    Tick("sending", 5, "continue_sending", "settle what a dead program left, and join in what is being sent", True),
    Tick("notices", 5, "deliver_notices", "send the mails to one person that wait or were put off", True),
    Tick("unapproved", 300, "hold_unapproved_issues", "tell people of an issue whose date came without approval"),
    Tick("approvals", 900, "remind_approvers", "on the day of approval, tell who should approve"),
    Tick("calls", 300, "chase_calls", "remind whoever has sent no news yet, and tell of calls that have closed"),
    Tick("digests", 900, "send_digests", "in the morning, tell editors what came in"),
    Tick("links", 60, "check_links", "ask whether the links of drafts lead anywhere"),
    Tick("reports", 60, "refresh_reports", "make the reports of issues that were sent, and make them anew"),
    Tick("aggregate", 86_400, "aggregate_deliveries", "give up the deliveries of old issues for their totals"),
    Tick("inbound", 60, "read_inbound", "read what came to our mailbox: bounces, complaints, news"),
    Tick("bins", 86_400, "empty_bins", "empty the bins of issues of what lay in them for 30 days"),
    Tick("seals", 300, "seal_consent", "chain what people agreed to, so that no change of it goes unseen"),
    Tick("watch", 60, "watch_over", "look whether all that should run does, and tell the administrators of trouble"),
    Tick("imports", 60, "continue_imports", "go on with imports of subscribers that were interrupted", True),
    Tick("logs", 300, "keep_logs", "note on this machine, too, who left or was erased, for a restore", True),
    Tick("together", 60, "continue_bulk_actions", "go on with acts on many subscribers that were interrupted"),
    Tick("words", 60, "index_subscribers", "let those who came with an import be found by a few letters"),
    Tick("sign_ups", 900, "remind_sign_ups", "remind whoever has not confirmed after a day, once"),
    Tick("domains", 60, "look_up_domains", "ask whether the domains of those who have just signed up take mail"),
    Tick("renewals", 3_600, "renew_subscriptions", "ask who was silent for long whether they still want a list"),
    Tick("purge", 21_600, "purge_unconfirmed", "forget sign-ups that nobody confirmed in time"),
)
