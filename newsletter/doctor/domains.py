"""What the DNS says of the domains that our mail comes from: SPF, DMARC, and whether bounces find their way back."""

from collections.abc import Callable, Iterable

from ..mail.names import Names, NamesUnavailable
from . import dmarc, spf
from .findings import Area, Notes

#: Providers of personal mailboxes: nobody but they may sign for these names, so DMARC fails for whoever else does.
PERSONAL_MAIL = frozenset(
    (
        *("gmail.com", "googlemail.com", "outlook.com", "hotmail.com", "hotmail.co.uk", "live.com", "live.co.uk"),
        *("msn.com", "yahoo.com", "yahoo.co.uk", "ymail.com", "rocketmail.com", "aol.com", "aol.co.uk", "icloud.com"),
        *("me.com", "mac.com", "proton.me", "protonmail.com", "gmx.com", "gmx.co.uk", "gmx.net", "mail.com"),
        *("btinternet.com", "sky.com", "talktalk.net", "virginmedia.com", "ntlworld.com", "blueyonder.co.uk"),
    )
)


def examine_domains(senders: Iterable[str], bounce_domain: str | None, names: Names) -> Notes:
    """The domains of these sender addresses, and the one that bounces come back to (None: the sender's own)."""
    notes = Notes(Area.NAMES)
    domains = list(dict.fromkeys(address.rpartition("@")[2].lower() for address in senders))
    if not domains:
        notes.unknown("There is no list yet, so no sender's domain to look up.")
    for domain in domains:
        if domain in PERSONAL_MAIL:
            notes.wrong(
                f"{domain} is a provider of personal mailboxes: mail in its name from anywhere else is refused.",
                "Send from an address of your own domain (the list's settings).",
            )
            continue
        if "." not in domain:
            notes.wrong(f"{domain} is no domain that mail can come from.", "Set the list's sender address.")
            continue
        _carefully(notes, _mail_exchange, domain, "replies", names)
        _carefully(notes, _dmarc, domain, bounce_domain or domain, names)
    usable = [domain for domain in domains if domain not in PERSONAL_MAIL and "." in domain]
    for domain in [bounce_domain] if bounce_domain else usable:
        _carefully(notes, _spf, domain, names)
    if bounce_domain and bounce_domain not in domains:
        _carefully(notes, _mail_exchange, bounce_domain, "bounces", names)
    return notes


def _carefully(notes: Notes, check: Callable[..., None], *words: object) -> None:
    """A check that asks the DNS: no answer is no finding about the domain."""
    try:
        check(notes, *words)
    except NamesUnavailable as why:
        if not any(str(why) in finding.sentence for finding in notes):
            notes.unknown(f"{why}.")


def _spf(notes: Notes, domain: str, names: Names) -> None:
    mend = f"Mend the TXT record of {domain}."
    found = spf.records_of(domain, names)
    if len(found) != 1:
        how_many = "no SPF record" if not found else f"{len(found)} SPF records, which counts as none that can be read"
        notes.wrong(
            f"{domain}, the domain of the return path, has {how_many}: many receivers refuse or mark such mail.",
            f"Publish one TXT record at {domain}: v=spf1, then what your mail server's operator names, then -all.",
        )
        return
    try:
        record = spf.parse(found[0])
        total = spf.count(domain, record, names)
    except spf.SpfBroken as why:
        notes.wrong(f"The SPF record of {domain} is broken: {why}.", mend)
        return
    if total.lookups > spf.MOST_LOOKUPS or total.void > spf.MOST_VOID:
        many = f"{total.lookups} lookups, and receivers give up after {spf.MOST_LOOKUPS}"
        void = f"{total.void} lookups that find nothing, and receivers give up after {spf.MOST_VOID}"
        notes.wrong(
            f"The SPF record of {domain} needs {many if total.lookups > spf.MOST_LOOKUPS else void}.",
            "Take out “include:” of services that are not used any more.",
        )
    if total.ending == "+":
        notes.wrong(f"The SPF record of {domain} ends in +all: anybody may send in its name.", mend)
    elif total.ending not in ("-", "~"):
        notes.warning(f"The SPF record of {domain} does not end in -all or ~all: it forbids nobody anything.", mend)
    elif total.lookups <= spf.MOST_LOOKUPS and total.void <= spf.MOST_VOID:
        notes.good(
            f"{domain} has one SPF record, which ends in {total.ending}all and needs {total.lookups} of "
            f"{spf.MOST_LOOKUPS} lookups. Whether it names your mail server, a probe shows."
        )


def _dmarc(notes: Notes, domain: str, return_path: str, names: Names) -> None:
    found = dmarc.discover(domain, names)
    if found.several:
        notes.wrong(
            f"_dmarc.{found.several} has more than one DMARC record, so receivers pass over all of them.",
            "Leave one.",
        )
    record = found.record
    if record is None:
        if not found.several:
            notes.wrong(
                f"{domain} has no DMARC record: large providers want one from whoever sends newsletters.",
                f"Publish a TXT record at _dmarc.{domain}: v=DMARC1; p=none; rua=mailto:… (an address for reports).",
            )
        return
    _policy(notes, domain, found, record)
    _old_tags(notes, found.at, record)
    _alignment(notes, domain, return_path, record, names)


def _policy(notes: Notes, domain: str, found: dmarc.Discovery, record: dmarc.DmarcRecord) -> None:
    policy = record.policy if found.at == domain else record.policy_below
    where = "" if found.at == domain else f" (from _dmarc.{found.at})"
    meaning = {
        "none": "nothing is asked of receivers but reports",
        "quarantine": "what fails goes to the junk folder",
        "reject": "what fails is refused",
    }[policy]
    milder = "; as a test, so one step milder" if record.testing and policy != "none" else ""
    notes.good(f"DMARC for {domain}{where}: {policy}, so {meaning}{milder}.")
    if "p" not in record.tags:
        notes.warning(
            f"The DMARC record at _dmarc.{found.at} has no “p”. It counts as “none” (RFC 9989), and receivers that "
            "follow the older standard do not take the record at all.",
            "Write p=none, p=quarantine or p=reject.",
        )
    if "rua" not in record.tags:
        notes.warning(
            f"The DMARC record at _dmarc.{found.at} asks for no reports.", "Add rua=mailto:… to see who sends."
        )


def _old_tags(notes: Notes, at: str, record: dmarc.DmarcRecord) -> None:
    if record.removed:
        instead = " Say t=y instead of a pct below 100." if "pct" in record.removed else ""
        notes.warning(
            f"The DMARC record at _dmarc.{at} holds {', '.join(record.removed)}, which RFC 9989 (2026) took out of the "
            "standard.",
            f"Take them out; nothing replaces rf and ri.{instead}",
        )
    if record.ignored:
        shown = ", ".join(f"“{part[:40]}”" for part in record.ignored[:5])
        notes.warning(f"Receivers pass over {shown} in the DMARC record at _dmarc.{at}.", "Mend or remove it.")


def _alignment(notes: Notes, domain: str, return_path: str, record: dmarc.DmarcRecord, names: Names) -> None:
    """Whether SPF's pass for the return path counts for the domain that readers see (RFC 9989 §4.4)."""
    wanted = f"exactly {domain}" if record.strict("adkim") else f"{domain} or a domain of the same organisation"
    signature = f"A signature counts if its d= is {wanted}; a probe shows it."
    if return_path == domain:
        notes.good(f"Return path and sender share the domain {domain}, so SPF counts for DMARC. {signature}")
        return
    same = dmarc.discover(return_path, names).organisation == dmarc.discover(domain, names).organisation
    if record.strict("aspf") or not same:
        why = "DMARC asks for the very same one (aspf=s)" if same else "the two belong to different organisations"
        notes.warning(
            f"SPF's answer about {return_path} does not count for {domain}: {why}. Only a signature can. {signature}",
            f"Use a bounce domain below {domain}." if not same else "Take aspf=s out, or rely on the signature.",
        )
    else:
        notes.good(f"{return_path} and {domain} are of one organisation, so SPF counts for DMARC. {signature}")


def _mail_exchange(notes: Notes, domain: str, what: str, names: Names) -> None:
    found = names.mail_servers(domain)
    mend = f"Publish an MX record for {domain} that names the mail server for it."
    if not found:
        if names.addresses(domain):
            notes.warning(f"{domain} has no MX record; mail for it goes to the host of that name itself.", mend)
        else:
            notes.wrong(f"{domain} has no mail server (MX): {what} to it are lost, and receivers distrust it.", mend)
        return
    hosts = [host for _, host in found]
    if "" in hosts:
        notes.wrong(f"{domain} says that it takes no mail at all (a null MX): {what} to it are lost.", mend)
        return
    homeless = [host for host in hosts if not names.addresses(host)]
    if len(homeless) == len(hosts):
        notes.wrong(f"The mail server of {domain}, {homeless[0]}, has no address: {what} to it are lost.", mend)
    elif homeless:
        notes.warning(f"One of the mail servers of {domain}, {homeless[0]}, has no address.", mend)
    else:
        notes.good(f"Mail for {domain} goes to {hosts[0]}.")
