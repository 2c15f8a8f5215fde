"""SEC EDGAR: what tracked companies report (8-K) and what their insiders trade (Form 4).

For each company its list of filings is read (data.sec.gov/submissions), then each new filing itself: the
complete submission, which has the exact time and all documents in one, or of very large ones the main
document. The SEC wants to know who asks: the `User-Agent` has to name a person and an e-mail address, and
who is too quick is not answered for about ten minutes. https://www.sec.gov/os/accessing-edgar-data
"""

from datetime import datetime, timedelta

from msgspec.structs import replace

from bellwether.adapters.providers.api_item import Told, api_item
from bellwether.adapters.providers.api_target import ApiTarget, Got, digest
from bellwether.adapters.providers.asset_names import american_symbols
from bellwether.adapters.providers.calling import Calls, Waiting
from bellwether.adapters.providers.edgar_filings import Company, Filing, filings_of
from bellwether.adapters.providers.edgar_form4 import Unreadable, read_form4
from bellwether.adapters.providers.edgar_submission import read_submission, report_words, words_of
from bellwether.adapters.providers.edgar_tickers import Numbers, Tickers
from bellwether.adapters.providers.feed_encoding import document_text
from bellwether.adapters.providers.guarded_http import Refused, Response
from bellwether.adapters.providers.json_answer import read_json
from bellwether.adapters.providers.provider import Cursor, Provider
from bellwether.adapters.providers.sources import Sources
from bellwether.domain.items import Item

TITLE = "SEC EDGAR"
DATA, ARCHIVES = "https://data.sec.gov", "https://www.sec.gov"
EVERY = timedelta(minutes=14, seconds=30)
FIRST_DAYS = timedelta(days=3)
OVERLAP = timedelta(days=2)
LONGEST_AWAY = timedelta(days=30)
MOST_FILINGS = 8
"""Filings one read takes; the others are taken by the next."""
LARGEST_SUBMISSION = 2_000_000
RETRY_FOR = timedelta(hours=1)
"""How long a filing that is listed but cannot be read yet is tried again before its listing has to do."""
BLOCKED_FOR = timedelta(minutes=11)
_REFUSALS = (b"undeclared automated tool", b"request rate threshold exceeded")
_TICKERS = Tickers()


def targets(sources: Sources) -> list[Provider]:
    """A target for each tracked symbol of an American market; none without a contact to introduce with."""
    contact = sources.key("edgar", "user_agent")
    if contact is None:
        return []
    client = sources.client("edgar", judge)
    data, archives = sources.address("edgar", DATA), sources.address("edgar", ARCHIVES)
    return [
        ApiTarget(
            client,
            _Filings(symbol, data, archives, contact, _TICKERS.cik).read,
            target=symbol,
            kind="news",
            every=EVERY,
        )
        for symbol in american_symbols(sources.entities.assets())
    ]


def judge(response: Response, _at: datetime) -> timedelta | None:
    """Refuses what is no document; a refusal can be a page with status 200."""
    begin = response.content[:8_192].lower()
    if response.status == 403 or any(words in begin for words in _REFUSALS):
        detail = "the SEC refuses to answer for now: asked too often, or without a name and an e-mail address"
        raise Refused("blocked", detail, wait=BLOCKED_FOR)
    if response.status == 429:
        return None
    if response.status != 200:
        raise Refused(f"http_{response.status}", f"{TITLE} answered {response.status}", about_all=False)
    return None


class _Filings:
    """Reads one company's filings, the oldest first."""

    def __init__(self, symbol: str, data: str, archives: str, contact: str, cik: Numbers) -> None:
        self._symbol = symbol
        self._data = data
        self._archives = archives
        self._headers = {"User-Agent": contact}
        self._cik = cik

    def read(self, calls: Calls, cursor: Cursor, at: datetime) -> Got:
        """Reads filings accepted since the last one read that have not been handed on."""
        if "@" not in self._headers["User-Agent"]:
            detail = "user_agent in the secret providers has to name an e-mail address; the SEC asks for it"
            raise Refused("no_contact", detail, about_all=False, wait=timedelta(hours=1))
        numbers = f"{self._archives}/files/company_tickers.json"
        cik = self._cik(self._symbol, lambda: calls.get(numbers, self._headers), numbers, at)
        answer = calls.get(f"{self._data}/submissions/CIK{cik:010d}.json", self._headers)
        company = read_json(answer.content, Company, TITLE)
        listed, refused = filings_of(company.filings.recent)
        start, note = begin(cursor, at)
        handed_on = set(cursor.seen)
        new = [
            filing
            for filing in listed
            if filing.accepted >= start and digest(filing.accession) not in handed_on
        ]
        items, left, fault = self._items(calls, company.name, cik, new, at)
        since = min([filing.accepted for filing in left], default=at)
        return Got(
            items=items,
            cursor=replace(cursor, since=min(since, at), page="more" if left and fault is None else None),
            refused=refused,
            fault=fault,
            note=note,
        )

    def _items(
        self, calls: Calls, name: str, cik: int, new: list[Filing], at: datetime
    ) -> tuple[list[Item], list[Filing], Refused | None]:
        """The items of the first filings, the filings left for the next read, and what went wrong."""
        items: list[Item] = []
        left = new[MOST_FILINGS:]
        fault: Refused | None = None
        for number, filing in enumerate(new[:MOST_FILINGS]):
            try:
                told = self._told(calls, name, cik, filing)
            except Refused as found:
                if found.about_all or isinstance(found, Waiting):
                    waits = isinstance(found, Waiting) and bool(items)
                    return items, new[number:], None if waits else found
                if at - filing.accepted < RETRY_FOR:
                    left, fault = [*left, filing], found
                    continue
                told = self._listed(name, cik, filing)
            if item := api_item(told, "edgar", at):
                items.append(item)
        return items, left, fault

    def _told(self, calls: Calls, name: str, cik: int, filing: Filing) -> Told:
        folder = f"{self._archives}/Archives/edgar/data/{cik}"
        listed = self._listed(name, cik, filing)
        if filing.size <= LARGEST_SUBMISSION:
            answer = calls.get(f"{folder}/{filing.accession}.txt", self._headers)
            found = read_submission(answer.content)
            if not found.documents or not found.whole:
                raise Refused("cut_short", f"{TITLE} answered with half of a filing", about_all=False)
            published = found.accepted or listed.published
            if filing.form.startswith("4"):
                return _of_form4(listed, published, found.documents[0].source, self._symbol)
            return replace(listed, published=published, text=words_of(found.documents))
        if not filing.document:
            return listed
        whole = f"{folder}/{filing.accession.replace('-', '')}/{filing.document}"
        page = calls.get(whole, self._headers)
        return replace(listed, text=report_words(document_text(page.content)))

    def _listed(self, name: str, cik: int, filing: Filing) -> Told:
        """What the list alone tells of a filing."""
        about = "; ".join(filing.subjects)
        what = "Form 4, insider transactions" if filing.form.startswith("4") else f"{filing.form} report"
        folder = f"{ARCHIVES}/Archives/edgar/data/{cik}/{filing.accession.replace('-', '')}"
        return Told(
            source_id=filing.accession,
            published=filing.accepted,
            title=f"{name or self._symbol} (${self._symbol}): {what}{f': {about}' if about else ''}",
            url=f"{folder}/{filing.accession}-index.htm",
            author=TITLE,
            lang="en",
        )


def begin(cursor: Cursor, at: datetime) -> tuple[datetime, str | None]:
    """From when on filings are read, and what is left out before."""
    if cursor.since is None:
        return at - FIRST_DAYS, None
    start, earliest = cursor.since - OVERLAP, at - LONGEST_AWAY
    if start >= earliest:
        return start, None
    return earliest, f"filings before {earliest:%Y-%m-%d} are left out"


def _of_form4(listed: Told, published: datetime | None, source: str, symbol: str) -> Told:
    try:
        form = read_form4(source, symbol)
    except Unreadable as fault:
        return replace(listed, published=published, text=f"The form cannot be read: {fault}.")
    return replace(listed, published=published, title=form.title, text=form.text)
