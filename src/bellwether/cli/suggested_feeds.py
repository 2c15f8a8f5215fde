"""Public feeds of authorities, central banks and exchanges that a desk may want. None is read by itself.

Addresses were looked up, not tried: `seen` says what is known of them. Terms are a hint, not advice; what an
authority of the United States publishes is in the public domain (17 U.S.C. § 105).
"""

from msgspec import Struct

LOOKED_UP = "2026-11"
WORKS = "others report that it works"
_USED = "others use the address; nobody was found who reports that it works"
_PUBLIC = "public domain (US federal government)"
_CITE = "free with the source named; read the site's terms"
_READ = "copyrighted; read the site's terms before passing anything on"


class Suggestion(Struct, frozen=True, kw_only=True):
    """One feed. `country` by ISO 3166, EU for the European Union, INT for international bodies."""

    name: str
    title: str
    country: str
    url: str
    brings: str
    terms: str
    seen: str = WORKS
    note: str | None = None


_CONTACT = "sec.gov refuses clients without a contact: set user_agent in the secret providers"
_SEC = "https://www.sec.gov/enforcement-litigation"
_DATELESS = "its entries have no dates: they count as published when they are first read"
_FDA = "https://www.fda.gov/about-fda/contact-fda/stay-informed/rss-feeds"
_TREASURY = "https://www.treasurydirect.gov/TA_WS/securities"

_ROWS = (
    Suggestion(name="sec-press", title="SEC press releases", country="US",
               url="https://www.sec.gov/news/pressreleases.rss", terms=_PUBLIC, seen=_USED, note=_CONTACT,
               brings="rules, charges and settlements, often against named companies"),
    Suggestion(name="sec-litigation", title="SEC litigation releases", country="US",
               url=f"{_SEC}/litigation-releases/rss", terms=_PUBLIC, seen=_USED, note=_CONTACT,
               brings="civil actions in federal courts"),
    Suggestion(name="sec-admin", title="SEC administrative proceedings", country="US",
               url=f"{_SEC}/administrative-proceedings/rss", terms=_PUBLIC, seen=_USED, note=_CONTACT,
               brings="orders against companies, brokers and accountants"),
    Suggestion(name="sec-suspensions", title="SEC trading suspensions", country="US",
               url=f"{_SEC}/trading-suspensions/rss", terms=_PUBLIC, note=_CONTACT, seen=_USED,
               brings="securities whose trading is suspended, and why"),
    Suggestion(name="fed-press", title="Federal Reserve press releases", country="US",
               url="https://www.federalreserve.gov/feeds/press_all.xml", terms=_PUBLIC,
               brings="everything the Board announces, monetary policy included"),
    Suggestion(name="fed-monetary", title="Federal Reserve monetary policy", country="US",
               url="https://www.federalreserve.gov/feeds/press_monetary.xml", terms=_PUBLIC, seen=_USED,
               brings="statements and minutes of the FOMC; a part of fed-press"),
    Suggestion(name="fed-speeches", title="Federal Reserve speeches", country="US",
               url="https://www.federalreserve.gov/feeds/speeches.xml", terms=_PUBLIC,
               brings="what governors say"),
    Suggestion(name="treasury-auctions", title="US Treasury auctions announced", country="US",
               url=f"{_TREASURY}/announced/rss", terms=_PUBLIC, seen=_USED,
               brings="offerings of bills, notes and bonds",
               note="no working feed of the Treasury's press releases was found"),
    Suggestion(name="treasury-results", title="US Treasury auction results", country="US",
               url=f"{_TREASURY}/auctioned/rss", terms=_PUBLIC, seen=_USED,
               brings="yields and demand of auctions"),
    Suggestion(name="bls", title="Bureau of Labor Statistics, latest numbers", country="US",
               url="https://www.bls.gov/feed/bls_latest.rss", terms=_PUBLIC, seen=_USED,
               brings="inflation, employment and wages as they are released",
               note="bls.gov gives some clients nothing"),
    Suggestion(name="bea", title="Bureau of Economic Analysis releases", country="US",
               url="https://apps.bea.gov/rss/rss.xml", terms=_PUBLIC,
               brings="national accounts, income, spending and trade"),
    Suggestion(name="fda-press", title="FDA press announcements", country="US",
               url=f"{_FDA}/press-releases/rss.xml", terms=_PUBLIC, seen=_USED,
               brings="approvals, recalls and warnings of drugs, devices and food"),
    Suggestion(name="cftc-press", title="CFTC press releases", country="US",
               url="https://www.cftc.gov/RSS/RSSGP/rssgp.xml", terms=_PUBLIC, seen=_USED,
               brings="derivatives regulation"),
    Suggestion(name="cftc-enforcement", title="CFTC enforcement", country="US",
               url="https://www.cftc.gov/RSS/RSSENF/rssenf.xml", terms=_PUBLIC, seen=_USED,
               brings="charges and orders in derivatives markets"),
    Suggestion(name="ftc-press", title="FTC press releases", country="US",
               url="https://www.ftc.gov/feeds/press-release.xml", terms=_PUBLIC, seen=_USED,
               brings="antitrust cases and challenged mergers"),
    Suggestion(name="nasdaq-halts", title="Trading halts of US exchanges", country="US",
               url="https://www.nasdaqtrader.com/rss.aspx?feed=tradehalts", terms=_READ,
               brings="halts and resumptions of single stocks with reason codes, other exchanges' included",
               note="no feed of the NYSE's own was found; its halts are in this one"),
    Suggestion(name="ecb-press", title="European Central Bank press", country="EU",
               url="https://www.ecb.europa.eu/rss/press.html", terms=_CITE,
               brings="decisions, speeches and publications, titles only"),
    Suggestion(name="esma", title="European Securities and Markets Authority", country="EU",
               url="https://www.esma.europa.eu/rss.xml", terms=_CITE, note=_DATELESS,
               brings="market regulation, sanctions and warnings"),
    Suggestion(name="boe-news", title="Bank of England news", country="GB",
               url="https://www.bankofengland.co.uk/rss/news", terms=_READ,
               brings="monetary policy, supervision and speeches"),
    Suggestion(name="fca-news", title="Financial Conduct Authority news", country="GB",
               url="https://www.fca.org.uk/news/rss.xml", terms=_READ,
               brings="fines, warnings and rules"),
    Suggestion(name="snb-news", title="Swiss National Bank news", country="CH",
               url="https://www.snb.ch/public/en/rss/news", terms=_READ, note=_DATELESS,
               brings="policy decisions, statistics and speeches, titles only"),
    Suggestion(name="snb-policy", title="Swiss National Bank monetary policy", country="CH",
               url="https://www.snb.ch/public/en/rss/mopo", terms=_READ, seen=_USED,
               brings="policy decisions alone"),
    Suggestion(name="finma-news", title="FINMA news and sanctions", country="CH",
               url="https://www.finma.ch/en/rss/news/", terms=_READ,
               brings="supervision and proceedings against Swiss institutions, some of it in German"),
    Suggestion(name="bis-press", title="Bank for International Settlements press", country="INT",
               url="https://www.bis.org/doclist/all_pressrels.rss", terms=_CITE,
               brings="banking rules and statistics"),
    Suggestion(name="bis-speeches", title="Speeches of central bankers (BIS)", country="INT",
               url="https://www.bis.org/doclist/cbspeeches.rss", terms=_CITE, seen=_USED,
               brings="speeches from central banks of all countries"),
    Suggestion(name="boj-news", title="Bank of Japan, what's new", country="JP",
               url="https://www.boj.or.jp/en/rss/whatsnew.xml", terms=_READ,
               brings="policy decisions, statistics and speeches"),
    Suggestion(name="rba-media", title="Reserve Bank of Australia media releases", country="AU",
               url="https://www.rba.gov.au/rss/rss-cb-media-releases.xml", terms=_READ,
               brings="policy decisions and announcements"),
)  # fmt: skip

SUGGESTED = {row.name: row for row in _ROWS}


def of_country(country: str | None) -> list[Suggestion]:
    """The suggestions of a country, all without one."""
    return [row for row in _ROWS if country is None or row.country == country.strip().upper()]
