"""A document becomes blocks: read first, shown to a person, then imported. Nothing of its words is lost."""

from .importing import import_document
from .picturing import remade
from .proposing import KeyDate, ProposedBlock
from .reading import Document, read_document, read_text, with_stored_pictures

__all__ = [
    "Document",
    "KeyDate",
    "ProposedBlock",
    "import_document",
    "read_document",
    "read_text",
    "remade",
    "with_stored_pictures",
]
