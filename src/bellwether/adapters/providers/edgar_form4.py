"""Form 4, what insiders did with their company's shares, as sentences.

Read from the XML that is filed (sec.gov, EDGAR Ownership XML Technical Specification).
"""

import re
from collections.abc import Iterable
from math import isfinite
from typing import TYPE_CHECKING

from msgspec import Struct

if TYPE_CHECKING:
    from xml.etree.ElementTree import Element

LARGEST = 2_000_000
_ROOT = re.compile(r"<ownershipDocument\b.*?</ownershipDocument\s*>", re.DOTALL)
_PLAN = re.compile(r"10b5-?\s?1", re.IGNORECASE)
_MOST_LINES = 12

CODES = {
    "A": "grant or award",
    "C": "conversion of a derivative",
    "D": "disposition to the issuer",
    "E": "expiration of a short derivative position",
    "F": "shares withheld for tax or an exercise price",
    "G": "gift",
    "H": "expiration of a long derivative position",
    "I": "discretionary transaction of a plan",
    "J": "other",
    "K": "equity swap",
    "L": "small acquisition",
    "M": "exercise or conversion of a derivative",
    "O": "exercise of an out-of-the-money derivative",
    "P": "open-market or private purchase",
    "S": "open-market or private sale",
    "U": "tender of shares",
    "V": "reported early",
    "W": "will or inheritance",
    "X": "exercise of an in-the-money derivative",
    "Z": "voting trust",
}
"""General transaction codes of Forms 3, 4 and 5 (sec.gov/edgar/searchedgar/ownershipformcodes.html)."""


class Unreadable(ValueError):
    """The document is no Form 4, or one that is refused."""


class Form4(Struct, frozen=True, kw_only=True):
    """A form in words."""

    issuer: str
    symbol: str
    title: str
    text: str


class _Trade(Struct, frozen=True, kw_only=True):
    """Transactions of one kind together; `cost` in dollars of the `priced` ones among the `shares`."""

    code: str
    acquired: bool
    security: str
    derivative: bool
    shares: float = 0.0
    priced: float = 0.0
    cost: float = 0.0
    count: int = 0
    days: tuple[str, ...] = ()

    @property
    def rank(self) -> tuple[bool, bool, float]:
        """What is told first: purchases and sales, then shares before derivatives, then the most."""
        return self.code in "PS", not self.derivative, self.shares

    @property
    def verb(self) -> str:
        plain = {"P": "bought", "S": "sold", "G": "gave away"}
        if self.code == "G" and self.acquired:
            return "was given"
        return plain.get(self.code) or ("acquired" if self.acquired else "disposed of")


def read_form4(text: str, symbol: str) -> Form4:
    """The form in words. `symbol` stands in when it names none. Raises `Unreadable`."""
    if len(text) > LARGEST:
        raise Unreadable("the form is too large")
    head = text.lower()
    if "<!doctype" in head or "<!entity" in head:
        raise Unreadable("the form declares entities")
    found = _ROOT.search(text)
    if found is None:
        raise Unreadable("there is no ownership document")
    root = _root(found.group())
    issuer = _text(root, "issuer/issuerName") or "the issuer"
    own = _text(root, "issuer/issuerTradingSymbol").upper()
    symbol = own if re.fullmatch(r"[A-Z][A-Z0-9.\-]{0,9}", own) else symbol
    owners = [_owner(node) for node in root.findall("reportingOwner")] or ["An insider"]
    trades = sorted(_trades(root), key=lambda trade: trade.rank, reverse=True)
    return Form4(
        issuer=issuer,
        symbol=symbol,
        title=_title(issuer, symbol, owners, trades),
        text="\n".join(_sentences(root, f"{issuer} (${symbol})", owners, trades)),
    )


def _root(document: str) -> "Element":
    # imported here: hardly any start of a function reads a form
    from xml.etree import ElementTree as ET

    try:
        return ET.fromstring(document)  # noqa: S314  without a DTD there are no entities to expand
    except (ET.ParseError, ValueError, RecursionError):
        raise Unreadable("the ownership document is not well-formed") from None


def _title(issuer: str, symbol: str, owners: list[str], trades: list[_Trade]) -> str:
    who = owners[0] + (f" and {len(owners) - 1} more" if len(owners) > 1 else "")
    what = f"{trades[0].verb} {_amount(trades[0])}" if trades else "reports holdings, no transaction"
    return f"{issuer} (${symbol}): {who} {what} (Form 4)"


def _sentences(root: "Element", issuer: str, owners: list[str], trades: list[_Trade]) -> Iterable[str]:
    yield f"Insider of {issuer}: {'; '.join(owners)}."
    yield from map(_sentence, trades[:_MOST_LINES])
    if len(trades) > _MOST_LINES:
        yield f"And {len(trades) - _MOST_LINES} more kinds of transaction."
    if plan := _plan(root):
        yield plan
    last = next(reversed(root.findall("nonDerivativeTable/nonDerivativeTransaction")), None)
    held = (
        _number(_text(last, "postTransactionAmounts/sharesOwnedFollowingTransaction/value"))
        if last is not None
        else None
    )
    if last is not None and held is not None:
        how = _text(last, "ownershipNature/directOrIndirectOwnership/value")
        way = {"D": " directly", "I": " indirectly"}.get(how, "")
        yield f"Holds {held:,.0f} shares of {_text(last, 'securityTitle/value') or 'it'}{way} afterwards."


def _sentence(trade: _Trade) -> str:
    price = f" at {trade.cost / trade.priced:,.2f} dollars a share" if trade.cost > 0 else ""
    if price and trade.count > 1:
        price += " on average"
    day = f" on {trade.days[0]}" if trade.days else ""
    if len(trade.days) > 1:
        day = f" from {min(trade.days)} to {max(trade.days)}"
    total = f", {trade.cost:,.0f} dollars in all" if trade.code in "PS" and trade.cost > 0 else ""
    meaning = CODES.get(trade.code, "a transaction")
    what = f"{trade.verb.capitalize()} {_amount(trade)}{price}{day}{total}"
    return f"{what} ({meaning}, code {trade.code})."


def _plan(root: "Element") -> str | None:
    told = _text(root, "aff10b5One").lower()
    if told in {"1", "true"}:
        return "Under a Rule 10b5-1 trading plan."
    notes = " ".join("".join(node.itertext()) for node in root.iter("footnote"))
    if _PLAN.search(notes):
        return "A footnote mentions a Rule 10b5-1 trading plan."
    return "Not under a Rule 10b5-1 trading plan." if told in {"0", "false"} else None


def _amount(trade: _Trade) -> str:
    shares = f"{trade.shares:,.0f}" if trade.shares >= 1 else f"{trade.shares:g}"
    return f"{shares} of {trade.security}" if trade.derivative else f"{shares} shares of {trade.security}"


def _owner(node: "Element") -> str:
    roles = node.find("reportingOwnerRelationship")
    name = _text(node, "reportingOwnerId/rptOwnerName") or "An insider"
    if roles is None:
        return name
    told = [
        "director" if _yes(roles, "isDirector") else "",
        (_text(roles, "officerTitle") or "officer") if _yes(roles, "isOfficer") else "",
        "10% owner" if _yes(roles, "isTenPercentOwner") else "",
        _text(roles, "otherText") if _yes(roles, "isOther") else "",
    ]
    known = ", ".join(role for role in told if role)
    return f"{name} ({known})" if known else name


def _trades(root: "Element") -> list[_Trade]:
    """Transactions of a code, direction and security added up."""
    found: dict[tuple[str, bool, str, bool], _Trade] = {}
    for path, derivative in (
        ("nonDerivativeTable/nonDerivativeTransaction", False),
        ("derivativeTable/derivativeTransaction", True),
    ):
        for node in root.findall(path):
            amounts = "transactionAmounts"
            shares = _number(_text(node, f"{amounts}/transactionShares/value"))
            if shares is None or shares <= 0:
                continue
            code = _text(node, "transactionCoding/transactionCode")[:2] or "J"
            acquired = _text(node, f"{amounts}/transactionAcquiredDisposedCode/value") != "D"
            security = _text(node, "securityTitle/value")[:100] or "securities"
            key = (code, acquired, security, derivative)
            before = found.get(key) or _Trade(
                code=code, acquired=acquired, security=security, derivative=derivative
            )
            price = _number(_text(node, f"{amounts}/transactionPricePerShare/value")) or 0.0
            day = _text(node, "transactionDate/value")[:10]
            found[key] = _Trade(
                code=code,
                acquired=acquired,
                security=security,
                derivative=derivative,
                shares=before.shares + shares,
                priced=before.priced + (shares if price > 0 else 0),
                cost=before.cost + shares * max(price, 0.0),
                count=before.count + 1,
                days=tuple(dict.fromkeys((*before.days, *([day] if day else [])))),
            )
    return list(found.values())


def _text(node: "Element", path: str) -> str:
    return " ".join((node.findtext(path) or "").split())[:300]


def _yes(node: "Element", path: str) -> bool:
    return _text(node, path).lower() in {"1", "true"}


def _number(text: str) -> float | None:
    try:
        value = float(text.replace(",", ""))
    except ValueError:
        return None
    return value if isfinite(value) and abs(value) < 1e13 else None
