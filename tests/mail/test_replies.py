"""Replies that mail servers really give, and what each must mean for us."""

import pytest

from newsletter.errors import RelayBusy, RelayDown, RelayError, RelayRefused, RelayRejectsUs
from newsletter.mail.replies import RULES, Reply, Stage, error_for

GREETING, HELLO, AUTH = Stage.GREETING, Stage.HELLO, Stage.AUTH
MAIL, RCPT, DATA, DOT = Stage.MAIL, Stage.RCPT, Stage.DATA, Stage.DOT

#: (provider, step, reply, what it means)
REPLIES: list[tuple[str, Stage, str, type[RelayError]]] = [
    ("Gmail", GREETING, "421 4.7.0 Try again later, closing connection.", RelayDown),
    ("Gmail", MAIL, "421 4.3.0 Temporary System Problem. Try again later", RelayDown),
    ("Gmail", RCPT, "421 4.4.5 Server busy, try again later.", RelayDown),
    ("Gmail", DOT, "421 4.7.28 Our system has detected an unusual rate of unsolicited mail", RelayDown),
    ("Gmail", DOT, "421 4.7.26 Your email has been rate limited because it is unauthenticated", RelayDown),
    ("Gmail", RCPT, "450 4.2.1 The user you are trying to contact is receiving mail too quickly.", RelayBusy),
    ("Gmail", MAIL, "450 4.2.1 Peak SMTP relay limit exceeded for customer.", RelayBusy),
    ("Gmail", RCPT, "452 4.2.2 The recipient's inbox is out of storage space.", RelayBusy),
    ("Gmail", RCPT, "452 4.5.3 Your message has too many recipients.", RelayBusy),
    ("Gmail", DOT, "451 4.3.0 Mail server temporarily rejected message.", RelayBusy),
    ("Gmail", AUTH, "454 4.7.0 Cannot authenticate due to a temporary system problem. Try again later.", RelayDown),
    ("Gmail", AUTH, "454 4.7.0 Too many login attempts, please try again later.", RelayDown),
    ("Gmail", AUTH, "535 5.7.8 Username and Password not accepted.", RelayRejectsUs),
    ("Gmail", AUTH, "534 5.7.9 Application-specific password required.", RelayRejectsUs),
    ("Gmail", MAIL, "530 5.7.0 Must issue a STARTTLS command first.", RelayRejectsUs),
    ("Gmail", MAIL, "530 5.5.1 Authentication Required.", RelayRejectsUs),
    ("Gmail", RCPT, "550 5.1.1 The email account that you tried to reach does not exist.", RelayRefused),
    ("Gmail", RCPT, "550 5.2.1 The email account that you tried to reach is disabled.", RelayRefused),
    ("Gmail", RCPT, "552 5.2.2 The recipient's inbox is out of storage space and inactive.", RelayRefused),
    ("Gmail", MAIL, "550 5.4.5 Daily SMTP relay limit exceeded for customer.", RelayRejectsUs),
    ("Gmail", DOT, "550 5.4.5 Daily user sending limit exceeded.", RelayRejectsUs),
    ("Gmail", RCPT, "553 5.1.2 We weren't able to find the recipient domain.", RelayRefused),
    ("Gmail", MAIL, "552 5.3.4 Your message exceeded Google's message size limits.", RelayRejectsUs),
    ("Gmail", DOT, "552 5.3.4 Your message exceeded Google's message size limits.", RelayRejectsUs),
    ("Gmail", DOT, "552 5.7.0 This message was blocked because its content presents a potential issue", RelayRejectsUs),
    ("Gmail", DOT, "550 5.7.1 The user or domain that you are sending to (or from) has a policy", RelayRefused),
    ("Gmail", DOT, "550 5.7.1 The IP you're using to send mail is not authorized to send email", RelayRejectsUs),
    ("Gmail", DOT, "550 5.7.1 Our system has detected that this message is likely unsolicited mail.", RelayRejectsUs),
    ("Gmail", DOT, "550 5.7.25 The IP address sending this message does not have a PTR record", RelayRejectsUs),
    ("Gmail", DOT, "550 5.7.26 This mail has been blocked because the sender is unauthenticated.", RelayRejectsUs),
    ("Gmail", DOT, "550 5.7.27 Your email has been blocked: SPF did not pass", RelayRejectsUs),
    ("Gmail", DOT, "550 5.7.28 There is an unusual rate of unsolicited mail", RelayRejectsUs),
    ("Gmail", DOT, "550 5.7.29 This email has been blocked because it was not sent over TLS", RelayRejectsUs),
    ("Gmail", DOT, "550 5.7.30 This email has been blocked because DKIM authentication didn't pass.", RelayRejectsUs),
    ("Gmail", RCPT, "550 5.7.1 Invalid credentials for relay. The IP you've registered doesn't match", RelayRejectsUs),
    ("Gmail", DOT, "554 5.6.0 Mail message is malformed. Not accepted.", RelayRejectsUs),
    ("Microsoft", DOT, "550 5.7.515 Access denied, sending domain does not meet the required level", RelayRejectsUs),
    ("Microsoft", RCPT, "550 5.7.606 Access denied, banned sending IP [192.0.2.1].", RelayRejectsUs),
    ("Microsoft", RCPT, "550 5.7.511 Access denied, banned sender[192.0.2.1].", RelayRejectsUs),
    ("Microsoft", DOT, "550 5.7.509 Access denied, sending domain does not pass DMARC", RelayRejectsUs),
    ("Microsoft", MAIL, "530 5.7.57 Client not authenticated to send mail.", RelayRejectsUs),
    ("Microsoft", DOT, "554 5.2.252 SendAsDenied; not allowed to send as the sender", RelayRejectsUs),
    ("Microsoft", RCPT, "550 5.7.64 TenantAttribution; Relay Access Denied", RelayRejectsUs),
    ("Microsoft", DOT, "550 5.7.708 Service unavailable. Access denied, traffic not accepted", RelayRejectsUs),
    ("Microsoft", DOT, "550 5.7.750 Service unavailable. Client blocked from sending", RelayRejectsUs),
    ("Microsoft", AUTH, "535 5.7.139 Authentication unsuccessful, basic authentication is disabled.", RelayRejectsUs),
    ("Microsoft", AUTH, "535 5.7.3 Authentication unsuccessful", RelayRejectsUs),
    ("Microsoft", DOT, "432 4.3.2 Concurrent connections limit exceeded.", RelayBusy),
    ("Microsoft", RCPT, "451 4.7.500 Server busy. Please try again later", RelayBusy),
    ("Microsoft", RCPT, "451 4.7.650 The mail server has been temporarily rate limited", RelayBusy),
    ("Microsoft", RCPT, "550 5.4.1 Recipient address rejected: Access denied.", RelayRefused),
    ("Microsoft", RCPT, "550 5.5.0 Requested action not taken: mailbox unavailable", RelayRefused),
    ("Microsoft", MAIL, "550 5.7.1 Unfortunately, messages from [192.0.2.1] weren't sent (S3140).", RelayRejectsUs),
    ("Microsoft", RCPT, "550 5.7.1 Unfortunately, part of their network is on our block list (S3150).", RelayRejectsUs),
    ("Exchange", RCPT, "550 5.1.10 RESOLVER.ADR.RecipientNotFound; Recipient not found by SMTP lookup", RelayRefused),
    ("Exchange", RCPT, "550 5.7.133 RESOLVER.RST.SenderNotAuthenticatedForGroup", RelayRefused),
    ("Exchange", RCPT, "550 5.7.124 Sender not in allowed-senders list", RelayRefused),
    ("Exchange", RCPT, "550 5.7.1 Unable to relay for asha@example.org", RelayRejectsUs),
    ("Exchange", MAIL, "550 5.1.0 Sender denied", RelayRejectsUs),
    (
        "Exchange",
        DOT,
        "554 5.6.211 Invalid MIME Content: Single text value size exceeded allowed maximum",
        RelayRejectsUs,
    ),
    ("Microsoft", DOT, "550 5.1.8 Access denied, bad outbound sender", RelayRejectsUs),
    ("Microsoft", DOT, "550 5.1.90 Your message can't be sent because you've reached your daily limit", RelayRejectsUs),
    ("Microsoft", DOT, "554 5.2.0 STOREDRV.Submission.Exception:SubmissionQuotaExceededException", RelayRejectsUs),
    ("Microsoft", DOT, "550 5.7.233 Your message can't be sent because your tenant exceeded its limit", RelayRejectsUs),
    ("Microsoft", DOT, "550 5.7.705 Access denied, tenant has exceeded threshold", RelayRejectsUs),
    ("Microsoft", DOT, "550 5.7.60 SMTP; Client does not have permissions to send as this sender", RelayRejectsUs),
    ("Microsoft", RCPT, "452 4.5.3 Too many recipients (AS780090)", RelayBusy),
    ("Microsoft", RCPT, "550 5.4.310 DNS domain example.invalid does not exist", RelayRefused),
    ("Exchange", RCPT, "452 4.3.1 Insufficient system resources", RelayBusy),
    ("Exchange", RCPT, "550 5.2.2 Mailbox full; the recipient's quota is exceeded", RelayRefused),
    ("Exchange", DATA, "451 4.7.0 Temporary server error. Please try again later. PRX2", RelayBusy),
    ("Exchange", RCPT, "550 5.4.1 Relay Access Denied", RelayRejectsUs),
    ("Gmail", RCPT, "452 4.2.2 The email account that you tried to reach is over quota.", RelayBusy),
    ("Gmail", DOT, "550 5.7.40 This mail has been blocked because the sending domain has no DMARC", RelayRejectsUs),
    ("Gmail", RCPT, "555 5.5.2 Syntax error, goodbye.", RelayRejectsUs),
    ("Yahoo", RCPT, "554 30 Sorry, your message cannot be delivered. This mailbox is disabled (554.30)", RelayRefused),
    ("Yahoo", MAIL, "553 5.7.2 [TSS09] All messages from 192.0.2.1 will be permanently deferred", RelayRejectsUs),
    ("Postfix", RCPT, "450 4.1.8 <b@example.org>: Sender address rejected: Domain not found", RelayBusy),
    ("Postfix", RCPT, "550 5.1.0 <b@example.org>: Sender address rejected: User unknown", RelayRejectsUs),
    ("Postfix", RCPT, "452 4.5.3 Error: too many recipients", RelayBusy),
    ("Amazon", DOT, "554 Message rejected: Sending suspended for this account.", RelayRejectsUs),
    ("SendGrid", DOT, "550 The from address does not match a verified Sender Identity.", RelayRejectsUs),
    ("Mimecast", RCPT, "550 Invalid Recipient", RelayRefused),
    ("Mimecast", DOT, "550 Poor Reputation Sender", RelayRejectsUs),
    ("Yahoo", GREETING, "421 4.7.0 [TSS04] Messages from 192.0.2.1 temporarily deferred", RelayDown),
    ("Yahoo", MAIL, "421 4.7.1 [TS03] All messages from 192.0.2.1 permanently deferred", RelayDown),
    ("Yahoo", DOT, "451 4.3.2 Internal server error", RelayBusy),
    ("Yahoo", RCPT, "554 delivery error: dd This user doesn't have a yahoo.com account (a@example.org)", RelayRefused),
    ("Yahoo", RCPT, "550 Requested action not taken: mailbox unavailable", RelayRefused),
    ("Yahoo", GREETING, "553 5.7.1 [BL21] Connections will not be accepted from 192.0.2.1", RelayRejectsUs),
    ("Yahoo", DOT, "554 5.7.9 Message not accepted for policy reasons.", RelayRejectsUs),
    ("Yahoo", DOT, "554 Message not allowed - [PH01] Email not accepted for policy reasons.", RelayRejectsUs),
    ("Postfix", RCPT, "450 4.2.0 <a@example.org>: Recipient address rejected: Greylisted", RelayBusy),
    ("Postfix", RCPT, "450 4.7.1 Client host rejected: cannot find your reverse hostname", RelayBusy),
    ("Postfix", RCPT, "454 4.7.1 <a@example.org>: Relay access denied", RelayBusy),
    ("Postfix", MAIL, "452 4.3.1 Insufficient system storage", RelayBusy),
    ("Postfix", RCPT, "550 5.1.1 <a@example.org>: Recipient address rejected: User unknown", RelayRefused),
    ("Postfix", RCPT, "554 5.7.1 <a@example.org>: Relay access denied", RelayRejectsUs),
    ("Postfix", RCPT, "554 5.7.1 <a@example.org>: Recipient address rejected: Access denied", RelayRefused),
    ("Postfix", RCPT, "554 5.7.1 Service unavailable; Client host [192.0.2.1] blocked using zen", RelayRejectsUs),
    ("Postfix", RCPT, "553 5.7.1 <b@example.org>: Sender address rejected: not owned by user x", RelayRejectsUs),
    ("Postfix", MAIL, "552 5.3.4 Message size exceeds fixed limit", RelayRejectsUs),
    ("Postfix", DOT, "552 5.3.4 Error: message file too big", RelayRejectsUs),
    (
        "Postfix",
        RCPT,
        "556 5.1.10 <a@example.org>: Recipient address rejected: Domain does not accept mail",
        RelayRefused,
    ),
    ("Postfix", RCPT, "501 5.1.3 Bad recipient address syntax", RelayRefused),
    ("Postfix", DATA, "554 5.5.1 Error: no valid recipients", RelayRefused),
    ("Postfix", GREETING, "521 5.7.1 Blocked by DNSBL", RelayRejectsUs),
    ("Postfix", DOT, "550 5.7.1 Command rejected", RelayRejectsUs),
    ("Exim", RCPT, "451 Temporary local problem - please try later", RelayBusy),
    ("Exim", RCPT, "550 Unrouteable address", RelayRefused),
    ("Exim", RCPT, "550 No Such User Here", RelayRefused),
    ("Exim", RCPT, "550 relay not permitted", RelayRejectsUs),
    ("Exim", RCPT, "550 Sender verify failed", RelayRejectsUs),
    ("Exim", DOT, "550 This message was classified as SPAM and may not be delivered", RelayRejectsUs),
    ("Exim", DOT, "552 Message size exceeds maximum permitted", RelayRejectsUs),
    ("Exim", HELLO, "550 Access denied - Invalid HELO name", RelayRejectsUs),
    ("qmail", RCPT, "550 sorry, no mailbox here by that name. (#5.1.1)", RelayRefused),
    ("Amazon", MAIL, "454 Throttling failure: Maximum sending rate exceeded.", RelayBusy),
    ("Amazon", DOT, "554 Message rejected: Email address is not verified.", RelayRejectsUs),
    ("any", DOT, "554 Transaction failed", RelayRefused),
    ("any", RCPT, "503 5.5.1 Bad sequence of commands", RelayRejectsUs),
    ("any", MAIL, "555 5.5.4 Unsupported option: RET=HDRS", RelayRejectsUs),
    ("any", AUTH, "432 4.7.12 A password transition is needed", RelayRejectsUs),
]


def reply_of(text: str) -> Reply:
    return Reply(int(text[:3]), (text[4:],))


@pytest.mark.parametrize(("provider", "stage", "text", "expected"), REPLIES)
def test_each_reply_has_one_consequence(provider: str, stage: Stage, text: str, expected: type[RelayError]) -> None:
    error = error_for(stage, reply_of(text))
    assert type(error) is expected
    assert error.code == int(text[:3])
    assert error.reply == text


def test_there_is_a_row_for_every_refusal() -> None:
    codes = [*range(400, 600)]
    found = [error_for(stage, Reply(code, ("",))) for stage in Stage for code in codes]
    assert {type(error) for error in found} == {RelayBusy, RelayDown, RelayRefused, RelayRejectsUs}
    assert all(type(error_for(stage, Reply(421, ("5.1.1 no",)))) is RelayDown for stage in Stage)


def test_no_row_is_without_effect() -> None:
    """Each row decides something, here or for all codes: a row that never does is a mistake in the order."""
    tried = [(stage, reply_of(text)) for _, stage, text, _ in REPLIES]
    tried += [
        (stage, Reply(code, (words,))) for stage in Stage for code in range(400, 600) for words in ("", "too big")
    ]
    deciding = {next(rule for rule in RULES if rule.holds(stage, reply)) for stage, reply in tried}
    assert [rule for rule in RULES if rule not in deciding] == []


def test_a_reply_that_is_no_refusal_has_no_error() -> None:
    with pytest.raises(ValueError, match="not a refusal"):
        error_for(DOT, Reply(250, ("ok",)))


def test_a_reply_of_several_lines_is_one_line_for_people() -> None:
    reply = Reply(
        550, ("5.7.26 This mail has been blocked", "5.7.26 because\tit is", "5.7.26 unauthenticated \x1b[31m")
    )
    assert reply.enhanced == "5.7.26"
    assert reply.text == "550 5.7.26 This mail has been blocked because it is unauthenticated �[31m"
    assert len(Reply(550, ("x" * 5000,)).text) < 500


def test_a_number_that_only_looks_like_a_status_is_none() -> None:
    assert Reply(550, ("5.7.1.2 not a status",)).enhanced == ""
    assert Reply(554, ("4.16.55.1; see",)).enhanced == ""
