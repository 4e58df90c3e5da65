"""What pages of staff say about a subscriber beside the name: the sector, and what is worth knowing of the address."""

from newsletter import clock
from newsletter.domain.subscribers import address_advice, mail_domains, sectors
from newsletter.domain.subscribers.address_advice import Flag
from newsletter.i18n import gettext as _
from newsletter.models import Subscriber

from .room import blueprint

_WORDS = {
    Flag.ROLE: _("A shared mailbox, by its name: several people may read it."),
    Flag.DISPOSABLE: _("A throwaway address, by its domain: it may not be read for long."),
}


@blueprint.app_template_global("sector_of")
def sector_of(person: Subscriber) -> str:
    """The sector's name, "" for none."""
    return sectors.names().get(person.sector, person.sector) if person.sector else ""


@blueprint.app_template_global("remarks_on")
def remarks_on(person: Subscriber) -> list[str]:
    """Sentences about the address: a likely slip, a shared mailbox, a throwaway one, a domain without mail."""
    said = [_WORDS[flag] for flag in address_advice.flags(person.address)]
    if address_advice.suggestion(person.address):
        said.append(_("The domain looks misspelt."))
    if mail_domains.takes_no_mail(person.address, clock.now()):
        said.append(_("The domain takes no mail, or there is none of that name."))
    return said
