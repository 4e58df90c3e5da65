"""TLS to the servers that take our mail and keep it: always verified, never older than 1.2."""

import ssl
from pathlib import Path

from newsletter.errors import SettingError


def verified_context(ca_file: Path | None) -> ssl.SSLContext:
    """Chain and host name verified, TLS 1.2 at least (ASVS 12.1.1, 12.3.2); `ca_file` is a private authority's.

    Raises SettingError for a file without certificates.
    """
    try:
        context = ssl.create_default_context(cafile=ca_file)
    except (OSError, ssl.SSLError):
        raise SettingError(f"NEWSLETTER_RELAY_CA_FILE: {ca_file} holds no certificates that can be read") from None
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    return context
