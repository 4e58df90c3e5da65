"""Working days: neither a weekend nor a bank holiday of the region that a list keeps.

A region is a code of ISO 3166-2 ("GB-ENG": England and Wales), or "" where only weekends count. The days are those of
the `holidays` library; a holiday that a government proclaims later is known after an update.
"""

import re
from collections.abc import Mapping
from datetime import date, timedelta
from functools import lru_cache

from ...db import db
from ...i18n import gettext as _
from ...models import CadenceRule, MailingList

#: Whose bank holidays count where nobody has said otherwise.
USUAL_REGION = "GB-ENG"
#: What people choose among; every other region that the library knows can be written.
REGIONS: Mapping[str, str] = {
    "GB-ENG": _("England and Wales"),
    "GB-SCT": _("Scotland"),
    "GB-NIR": _("Northern Ireland"),
    "": _("Weekends only"),
}
_CODE = re.compile(r"[A-Z]{2}(?:-[A-Z0-9]{1,3})?")
_OBSERVED = " (observed)"


def region_of(mailing_list: MailingList) -> str:
    """The region of the list's rhythm; the usual one for a list without."""
    rule = db.session.get(CadenceRule, mailing_list.id)
    return rule.region if rule is not None else USUAL_REGION


def is_known(region: str) -> bool:
    """Whether the holidays of this region can be told."""
    try:
        _holidays(region, 2026)
    except ValueError:
        return False
    return True


def is_working_day(day: date, region: str) -> bool:
    """Whether people are at work on `day`. Raises ValueError for a region that nobody knows."""
    return day.weekday() < 5 and day not in _holidays(region, day.year)


def holiday(day: date, region: str) -> str:
    """The name of the bank holiday on `day`, or ""."""
    name = _holidays(region, day.year).get(day, "")
    if name.endswith(_OBSERVED):
        return _("the bank holiday for {name}").format(name=name.removesuffix(_OBSERVED))
    return name


def bank_holidays(year: int, region: str) -> list[date]:
    """The bank holidays of the year that would else be working days, in order."""
    return sorted(day for day in _holidays(region, year) if day.weekday() < 5)


def on_or_before(day: date, region: str) -> date:
    """`day`, or the last working day before it."""
    while not is_working_day(day, region):
        day -= timedelta(days=1)
    return day


def working_days_before(day: date, number: int, region: str = USUAL_REGION) -> date:
    """The day `number` working days before `day`; `day` itself for 0."""
    while number > 0:
        day = on_or_before(day - timedelta(days=1), region)
        number -= 1
    return day


@lru_cache(maxsize=128)
def _holidays(region: str, year: int) -> Mapping[date, str]:
    if not region:
        return {}
    unknown = ValueError(_("Nobody here knows the bank holidays of “{region}”.").format(region=region))
    if not _CODE.fullmatch(region):
        raise unknown
    # Half a second to import, which no command and no page needs that asks for no day.
    from holidays import country_holidays

    country, _dash, part = region.partition("-")
    try:
        # In English wherever the library can: the sentences around the names are.
        known = country_holidays(country, subdiv=part or None, years=year, language="en_GB")
        return {day: known[day] for day in known if day.year == year}
    except NotImplementedError:
        raise unknown from None
