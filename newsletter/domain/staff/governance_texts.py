"""What the published texts say until an organisation has written its own. `{…}` is filled from its settings."""

from collections.abc import Mapping

from ...states import GovernanceText

DEFAULTS: Mapping[GovernanceText, str] = {
    GovernanceText.ACCESSIBILITY: """\
These pages and emails are made to be used by everybody: by keyboard, by voice, with a screen reader, magnified, \
in high contrast, on a small screen, without scripts and without pictures.

They aim at the Web Content Accessibility Guidelines 2.2, level AA. We know of nothing that falls short of them; \
nobody outside the makers of the program has audited them for us yet.

If something does not work for you, tell us what it is and which format you need: {email}. We answer within five \
working days and send it to you in that format.

If you are not content with our answer, contact the Equality Advisory and Support Service, or in Northern Ireland \
the Equality Commission. The Public Sector Bodies (Websites and Mobile Applications) (No. 2) Accessibility \
Regulations 2018 apply to us.""",
    GovernanceText.PROCESSING: """\
Record of processing (UK GDPR article 30) of {name}.

Controller: {name}, {address}; {email}. Where several bodies run the newsletter together, name them here with what \
each answers for (article 26), and the data protection officer of each.

What for: to send a newsletter to those who asked for it; to collect news from partner organisations; to prove \
consent; to keep the newsletter as sent as a public record.

Whose data: readers (email address; name, organisation and sector if given; what they agreed to, when and how; \
which issues were sent and whether mail servers took them); contributors (name, address, phone, agency, what they \
sent); colleagues (name, address, role, what they did here). No opens and no clicks are recorded. No special \
categories are asked for.

Lawful basis: consent, for each list that says so; for other lists the basis set there. Everybody may object at \
any time.

Who gets it: the mail server that we use (a processor: name it, its region and its contract here); whoever hosts \
this program; nobody else. Transfers outside the United Kingdom: none, or name them and the safeguard.

How long: sign-ups that nobody confirmed 30 days; where a sign-up came from 90 days; mails to one person 90 days; \
who got which issue two issues, then totals; subscriptions until the person leaves or is erased; a keyed hash of \
addresses that must not be written to, for as long as we send.

How it is protected: two-step sign-in, roles, an unchangeable record of what colleagues do, encrypted transport, a \
database readable by its owner alone, backups kept under the same rules.""",
    GovernanceText.IMPACT: """\
Data protection impact assessment (UK GDPR article 35).

1. What we do and why: a newsletter by email to people who asked for it. See the record of processing.

2. Is it needed, and no more than needed? Only an address is required. Nothing measures who opens or clicks.

3. Risks to people, with how likely and how severe each is, and what lowers it:
That a list of people who work in safeguarding is stolen: two-step sign-in; viewers see masked addresses; only \
administrators export; no address in any link.
That somebody is written to who did not agree: double opt-in; suppressions overrule every import; consent is \
chained, so that a change of it is seen.
That a forwarded email gives a reader's data away: its links show a masked address and can only leave or pause.
That personal data of a child or family stand in a contribution: checks before approval, a second person approves, \
words can be taken down from everywhere.
That erased people come back with a backup: erasures are logged outside the database and replayed.

4. What remains, and who accepts it: …

5. Whom we asked: the data protection officer, people who read the newsletter, partner agencies. On: …

Look at this again when the purpose, the list, the mail server or the law changes, and at least once a year.""",
    GovernanceText.BREACH: """\
What we do when personal data are lost, seen by the wrong people or changed.

At once: the person who notices tells the administrator of this newsletter and the data protection officer. Pause \
what is being sent (Issues, the issue, Pause). Set "Who gets mail" to "Nobody" (Settings). Switch off accounts \
that may be in the wrong hands; that ends their sessions. Do not delete anything: keep the activity page and the \
logs.

Within 24 hours: write down what happened, when, whose data, how many people, what may follow for them. The \
activity page says who exported, imported, sent and changed what; "newsletter staff access --since" and the day, typed \
where this program runs, says who could see people's data. "The record of consent" shows whether it was changed.

Within 72 hours of noticing (UK GDPR article 33): unless harm to people is unlikely, report it to the Information \
Commissioner (ico.org.uk, 0303 123 1113), with what is known; more can follow.

Without delay, where the risk to people is high (article 34): tell them in plain words what happened, what it may \
mean, what we do, whom to ask.

After: change keys and passwords that may be known, mend the cause, note it in the register of breaches even where \
nobody had to be told, and look at the impact assessment again.""",
    GovernanceText.COMPLAINTS: """\
If you think that we have used your data wrongly, tell us with the form below, by email to {email}, or by post to \
{address}.

We confirm within 30 days that we have your complaint. We look into it without undue delay, tell you how it goes \
where it takes longer, and tell you the outcome in writing.

If you are not content with the outcome you can complain to the Information Commissioner: \
ico.org.uk/make-a-complaint, 0303 123 1113, Wycliffe House, Water Lane, Wilmslow, Cheshire SK9 5AF. You do not \
need to wait for our answer.""",
}
