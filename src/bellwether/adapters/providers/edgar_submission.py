"""A complete submission of EDGAR (`….txt`): a header in SGML, then each document as it was filed."""

import re
from datetime import datetime

from msgspec import Struct

from bellwether.adapters.providers.eastern_time import from_eastern
from bellwether.adapters.providers.feed_encoding import document_text
from bellwether.adapters.providers.plain_text import plain_text

LONGEST_TEXT = 20_000
"""Characters of a filing's words that are kept."""
_ACCEPTED = re.compile(r"<ACCEPTANCE-DATETIME>\s*(\d{14})")
_DOCUMENT = re.compile(r"<DOCUMENT>\s*<TYPE>([^\r\n<]+)(.*?)(?:</DOCUMENT>|\Z)", re.DOTALL)
_TEXT = re.compile(r"<TEXT>(.*?)(?:</TEXT>|\Z)", re.DOTALL)
_ITEM = re.compile(r"^\s*item\s+\d\s?\.\s?\d\d", re.IGNORECASE | re.MULTILINE)
_SIGNATURE = re.compile(r"^\s*signatures?\s*$", re.IGNORECASE | re.MULTILINE)


class Document(Struct, frozen=True):
    """A document of a submission: its type (`8-K`, `EX-99.1`, `4`) and its source."""

    type: str
    source: str


class Submission(Struct, frozen=True, kw_only=True):
    """`accepted` is when EDGAR took it (UTC), `whole` whether the end is there."""

    documents: list[Document]
    accepted: datetime | None = None
    whole: bool = True


def read_submission(content: bytes) -> Submission:
    """Takes a submission apart; without documents when it is none."""
    text = document_text(content)
    told = _ACCEPTED.search(text[:20_000])
    documents = []
    for found in _DOCUMENT.finditer(text):
        source = _TEXT.search(found[2])
        documents.append(Document(type=found[1].strip().upper(), source=source[1] if source else ""))
    return Submission(
        documents=documents,
        accepted=_accepted(told[1]) if told else None,
        whole=text.rstrip().endswith(("</SEC-DOCUMENT>", "-----END PRIVACY-ENHANCED MESSAGE-----")),
    )


def words_of(documents: list[Document]) -> str | None:
    """The words of a report: what it says under its items, then its press releases (exhibits 99)."""
    parts = [report_words(one.source) for one in documents if not one.type.startswith("EX-")][:1]
    parts += [
        plain_text(one.source, longest=LONGEST_TEXT) for one in documents if one.type.startswith("EX-99")
    ]
    return "\n".join(part for part in parts if part)[:LONGEST_TEXT].strip() or None


def report_words(source: str) -> str | None:
    """The words between the first item and the signatures of a report, all of them when it has no items."""
    words = plain_text(source, longest=10 * LONGEST_TEXT)
    if words is None:
        return None
    begin = _ITEM.search(words)
    words = words[begin.start() if begin else 0 :]
    end = _SIGNATURE.search(words)
    return words[: end.start() if end else None].strip()[:LONGEST_TEXT] or None


def _accepted(stamp: str) -> datetime | None:
    try:
        return from_eastern(datetime.strptime(stamp, "%Y%m%d%H%M%S"))  # noqa: DTZ007  a clock on a wall
    except ValueError:
        return None
