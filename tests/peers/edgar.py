"""SEC EDGAR on loopback: the list of companies, filings in columns, submissions in SGML, and its temper.

Written from https://www.sec.gov/search-filings/edgar-application-programming-interfaces and
https://www.sec.gov/os/accessing-edgar-data; the forms are small ones of our own making.
"""

import json
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

from tests.peers.web import Asked, Said, Site

CONTACT = "Example Desk desk@example.com"
CIK = 1234567
UNDECLARED = (
    b"<!DOCTYPE html><html><title>SEC.gov | Your Request Originates from an Undeclared Automated Tool</title>"
)
TOO_QUICK = b"<!DOCTYPE html><html><title>SEC.gov | Request Rate Threshold Exceeded</title></html>"
FORM4 = """<?xml version="1.0"?>
<ownershipDocument>
  <schemaVersion>X0508</schemaVersion><documentType>4</documentType>
  <issuer><issuerCik>0001234567</issuerCik><issuerName>Acme &amp; Sons Inc.</issuerName>
    <issuerTradingSymbol>acme</issuerTradingSymbol></issuer>
  <reportingOwner><reportingOwnerId><rptOwnerName>Doe Jane</rptOwnerName></reportingOwnerId>
    <reportingOwnerRelationship><isDirector>true</isDirector><isOfficer>1</isOfficer>
      <officerTitle>Chief Executive Officer</officerTitle></reportingOwnerRelationship></reportingOwner>
  <aff10b5One>{plan}</aff10b5One>
  <nonDerivativeTable>{trades}</nonDerivativeTable>
  <footnotes><footnote id="F1">{note}</footnote></footnotes>
</ownershipDocument>"""
TRADE = """<nonDerivativeTransaction><securityTitle><value>Common Stock</value></securityTitle>
  <transactionDate><value>{day}</value></transactionDate>
  <transactionCoding><transactionCode>{code}</transactionCode></transactionCoding>
  <transactionAmounts><transactionShares><value>{shares}</value></transactionShares>
    <transactionPricePerShare><value>{price}</value></transactionPricePerShare>
    <transactionAcquiredDisposedCode><value>{way}</value></transactionAcquiredDisposedCode>
  </transactionAmounts>
  <postTransactionAmounts><sharesOwnedFollowingTransaction><value>{after}</value>
  </sharesOwnedFollowingTransaction></postTransactionAmounts>
  <ownershipNature><directOrIndirectOwnership><value>D</value></directOrIndirectOwnership></ownershipNature>
</nonDerivativeTransaction>"""
REPORT = """<html><body><div style="display:none">dei:EntityName 0001234567</div>
<p>UNITED STATES SECURITIES AND EXCHANGE COMMISSION</p><p>FORM 8-K</p>
<p>Item&nbsp;2.02 Results of Operations and Financial Condition.</p>
<p>On Monday Acme released its results &#8212; see Exhibit 99.1.</p><p>SIGNATURES</p><p>/s/ J. D.</p>
</body></html>"""
RELEASE = "<html><body><p>Acme beats estimates; profit rises 12%.</p></body></html>"


def form4(*trades: str, plan: str = "0", note: str = "None.") -> str:
    return FORM4.format(trades="".join(trades), plan=plan, note=note)


def trade(
    code: str = "S",
    shares: str = "1000",
    price: str = "20.50",
    way: str = "D",
    day: str = "2026-11-20",
    after: str = "5000",
) -> str:
    return TRADE.format(code=code, shares=shares, price=price, way=way, day=day, after=after)


def submission(accession: str, wall: datetime, *documents: tuple[str, str]) -> bytes:
    """A complete submission; `wall` is the clock of New York, as the header has it."""
    parts = "".join(
        f"<DOCUMENT>\n<TYPE>{kind}\n<SEQUENCE>{n}\n<FILENAME>d{n}.htm\n<TEXT>\n{source}\n</TEXT>\n</DOCUMENT>\n"
        for n, (kind, source) in enumerate(documents, start=1)
    )
    return (
        f"<SEC-DOCUMENT>{accession}.txt : {wall:%Y%m%d}\n<SEC-HEADER>{accession}.hdr.sgml : {wall:%Y%m%d}\n"
        f"<ACCEPTANCE-DATETIME>{wall:%Y%m%d%H%M%S}\nACCESSION NUMBER:\t\t{accession}\n</SEC-HEADER>\n"
        f"{parts}</SEC-DOCUMENT>\n"
    ).encode()


@dataclass
class Edgar:
    """The service, with one company. Times in its list are New York's with a Z, as of many companies."""

    site: Site
    clock: Callable[[], datetime]
    symbol: str = "ACME"
    rows: list[dict[str, Any]] = field(default_factory=list)
    filed: dict[str, bytes] = field(default_factory=dict)
    _recent: deque[datetime] = field(default_factory=deque)

    def __post_init__(self) -> None:
        self.site.route("GET", "/files/company_tickers.json", self._of(self._companies))
        self.site.route("GET", f"/submissions/CIK{CIK:010d}.json", self._of(self._company))
        self.site.route("GET", f"/Archives/edgar/data/{CIK}/*", self._of(self._archive))

    def file(self, number: int, form: str, wall: datetime, source: bytes, **columns: Any) -> str:
        """Adds a filing, newest first, and gives its accession number."""
        accession = f"0001234567-26-{number:06d}"
        row = {
            "accessionNumber": accession,
            "filingDate": f"{wall:%Y-%m-%d}",
            "acceptanceDateTime": f"{wall:%Y-%m-%dT%H:%M:%S}.000Z",
            "form": form,
            "items": "",
            "primaryDocument": "main.htm",
            "size": len(source),
        }
        self.rows.insert(0, {**row, **columns})
        self.filed[f"{accession}.txt"] = source
        return accession

    def _of(self, answer: Callable[[Asked], Said]) -> Callable[[Asked], Said]:
        def guarded(asked: Asked) -> Said:
            if "@" not in asked.headers.get("user-agent", ""):
                return Said(403, UNDECLARED, {"Content-Type": "text/html"})
            now = self.clock()
            self._recent.append(now)
            while self._recent and now - self._recent[0] > timedelta(seconds=1):
                self._recent.popleft()
            if len(self._recent) > 10:
                return Said(429, TOO_QUICK, {"Content-Type": "text/html"})
            return answer(asked)

        return guarded

    def _companies(self, _: Asked) -> Said:
        listed = {
            "0": {"cik_str": CIK, "ticker": self.symbol, "title": "ACME INC"},
            "1": {"cik_str": 1067983, "ticker": "BRK-B", "title": "BERKSHIRE HATHAWAY INC"},
            "2": {"cik_str": "?", "ticker": None},
        }
        return Said(200, json.dumps(listed).encode(), {"Content-Type": "application/json"})

    def _company(self, _: Asked) -> Said:
        names = (
            "accessionNumber",
            "filingDate",
            "acceptanceDateTime",
            "form",
            "items",
            "primaryDocument",
            "size",
        )
        columns = {name: [row[name] for row in self.rows] for name in names}
        told = {"cik": str(CIK), "name": "Acme & Sons Inc.", "filings": {"recent": columns, "files": []}}
        return Said(200, json.dumps(told).encode(), {"Content-Type": "application/json"})

    def _archive(self, asked: Asked) -> Said:
        name = asked.path.removeprefix(f"/Archives/edgar/data/{CIK}/")
        return Said(200, self.filed[name]) if name in self.filed else Said(404)
