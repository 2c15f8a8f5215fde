"""The filings of a company as EDGAR lists them: columns, and times that are not what they say.

`acceptanceDateTime` ends in Z. For about a quarter of the companies it is the clock of New York all the
same: for each company one or the other, and nothing in the text tells which (measured over 64,936 filings of
808 companies, 2026-09). But EDGAR takes filings between 6 and 22 o'clock in New York and at no other time,
so a company's own list tells: one of the two readings puts filings where there can be none.
"""

import re
from collections.abc import Iterable
from datetime import UTC, datetime
from typing import Any

from msgspec import Struct

from bellwether.adapters.providers.eastern_time import from_eastern, to_eastern

FORMS = frozenset({"8-K", "8-K/A", "4", "4/A"})
OPENS, CLOSES = 6, 22
"""Hours in New York between which EDGAR takes filings."""
_ACCESSION = re.compile(r"\d{10}-\d{2}-\d{6}")
_DOCUMENT = re.compile(r"[\w-][\w.-]*(?:/[\w-][\w.-]*)?")

ITEMS = {
    "1.01": "Entry into a Material Definitive Agreement",
    "1.02": "Termination of a Material Definitive Agreement",
    "1.03": "Bankruptcy or Receivership",
    "1.04": "Mine Safety: Reporting of Shutdowns and Patterns of Violations",
    "1.05": "Material Cybersecurity Incidents",
    "2.01": "Completion of Acquisition or Disposition of Assets",
    "2.02": "Results of Operations and Financial Condition",
    "2.03": "Creation of a Direct Financial Obligation",
    "2.04": "Triggering Events That Accelerate or Increase a Financial Obligation",
    "2.05": "Costs Associated with Exit or Disposal Activities",
    "2.06": "Material Impairments",
    "3.01": "Notice of Delisting or Failure to Satisfy a Listing Rule; Transfer of Listing",
    "3.02": "Unregistered Sales of Equity Securities",
    "3.03": "Material Modification to Rights of Security Holders",
    "4.01": "Changes in Certifying Accountant",
    "4.02": "Non-Reliance on Previously Issued Financial Statements",
    "5.01": "Changes in Control",
    "5.02": "Departure, Election or Appointment of Directors or Officers; Compensatory Arrangements",
    "5.03": "Amendments to Articles of Incorporation or Bylaws; Change in Fiscal Year",
    "5.04": "Temporary Suspension of Trading Under Employee Benefit Plans",
    "5.05": "Amendments to or Waiver of the Code of Ethics",
    "5.06": "Change in Shell Company Status",
    "5.07": "Submission of Matters to a Vote of Security Holders",
    "5.08": "Shareholder Director Nominations",
    "6.01": "Asset-Backed Securities: Informational and Computational Material",
    "6.02": "Asset-Backed Securities: Change of Servicer or Trustee",
    "6.03": "Asset-Backed Securities: Change in Credit Enhancement",
    "6.04": "Asset-Backed Securities: Failure to Make a Required Distribution",
    "6.05": "Asset-Backed Securities: Updating Disclosure",
    "6.06": "Asset-Backed Securities: Static Pool",
    "7.01": "Regulation FD Disclosure",
    "8.01": "Other Events",
    "9.01": "Financial Statements and Exhibits",
}
"""Items of Form 8-K (17 CFR 249.308; sec.gov/files/form8-k.pdf), some titles shortened."""


class Recent(Struct, frozen=True, rename="camel"):
    """The columns of `filings.recent`; whatever stands in them."""

    accession_number: list[Any] = []
    form: list[Any] = []
    acceptance_date_time: list[Any] = []
    items: list[Any] = []
    primary_document: list[Any] = []
    size: list[Any] = []


class Filings(Struct, frozen=True):
    recent: Recent = Recent()


class Company(Struct, frozen=True):
    """`submissions/CIK….json`, as far as it is needed."""

    name: str = ""
    filings: Filings = Filings()


class Filing(Struct, frozen=True, kw_only=True):
    """One filing. `size` in bytes, all its documents together; `items` are numbers of Form 8-K."""

    accession: str
    form: str
    accepted: datetime
    items: tuple[str, ...] = ()
    document: str = ""
    size: int = 0

    @property
    def subjects(self) -> list[str]:
        """The items in words; exhibits only when there is nothing else."""
        known = [ITEMS[number] for number in self.items if number in ITEMS and number != "9.01"]
        return known or [ITEMS[number] for number in self.items if number in ITEMS]


def filings_of(recent: Recent) -> tuple[list[Filing], int]:
    """The filings of the forms that are read, oldest first, and how many rows cannot be read."""
    told = [_time(text) for text in recent.acceptance_date_time]
    eastern = in_eastern_time(at for at in told if at is not None)
    found: list[Filing] = []
    refused = 0
    for row, form in enumerate(recent.form):
        if form not in FORMS:
            continue
        accession, at = _cell(recent.accession_number, row), told[row] if row < len(told) else None
        if at is None or not _ACCESSION.fullmatch(accession):
            refused += 1
            continue
        document, size = _cell(recent.primary_document, row), _cell(recent.size, row)
        found.append(
            Filing(
                accession=accession,
                form=form,
                accepted=from_eastern(at) if eastern else at,
                items=tuple(part.strip() for part in _cell(recent.items, row).split(",") if part.strip()),
                document=document if _DOCUMENT.fullmatch(document) else "",
                size=int(size) if size.isdigit() else 0,
            )
        )
    return sorted(found, key=lambda filing: filing.accepted), refused


def in_eastern_time(times: Iterable[datetime]) -> bool:
    """Whether times that say they are UTC are New York's: that reading explains more of them. When both
    explain all, the later one is taken, which is this: a filing must not be known before it was."""
    eastern = utc = 0
    for at in times:
        as_eastern = OPENS <= at.hour < CLOSES
        as_utc = OPENS <= to_eastern(at).hour < CLOSES
        eastern += as_eastern and not as_utc
        utc += as_utc and not as_eastern
    return eastern >= utc


def _time(text: Any) -> datetime | None:
    try:
        at = datetime.fromisoformat(str(text))
        return (at if at.tzinfo else at.replace(tzinfo=UTC)).astimezone(UTC)
    except (ValueError, OverflowError):
        return None


def _cell(column: list[Any], row: int) -> str:
    return str(column[row]) if row < len(column) and isinstance(column[row], str | int) else ""
