"""How tests read findings: by state, and by words that their sentences hold."""

from collections.abc import Iterable

from newsletter.doctor.findings import Finding, Health


def said(findings: Iterable[Finding], state: Health) -> str:
    """The sentences of one state, one a line."""
    return "\n".join(finding.sentence for finding in findings if finding.state is state)


def wrong(findings: Iterable[Finding]) -> str:
    return said(findings, Health.WRONG)


def warned(findings: Iterable[Finding]) -> str:
    return said(findings, Health.WARNING)


def good(findings: Iterable[Finding]) -> str:
    return said(findings, Health.GOOD)


def unknown(findings: Iterable[Finding]) -> str:
    return said(findings, Health.UNKNOWN)
