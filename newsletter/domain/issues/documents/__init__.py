"""A document becomes blocks: read first, shown to a person, then imported. Nothing of its words is lost."""

from .importing import import_document
from .proposing import KeyDate, ProposedBlock
from .reading import Document, read_document, read_text

__all__ = ["Document", "KeyDate", "ProposedBlock", "import_document", "read_document", "read_text"]
