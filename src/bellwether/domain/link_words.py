"""The words entity linking goes by: what a ticker or a name may mean instead, and what makes it a company."""


def _words(text: str) -> frozenset[str]:
    return frozenset(text.split())


COMMON_WORDS = _words("""
    a ab act add ag ago agri aim ain air aka al alaska all alot alphabet am amazon american amp an ante
    any aon app apple appreciate apps ar arch are aren arena arm array as ash atlantic au aurora b ba back
    ball band bar base bc be beat best beyond big bill bio bird bit bite block blue bn boil bold booking
    boom boot both box bro by c calm camp can canopy capital car card care carnival cars case cash cast
    cat catalyst caterpillar cc cent central charter chase cheer chef citizens city cl clear coach coffee
    coin cold comfort comp compass concord conduit constellation construction cook cool core corn corner
    cost cr crane crown crypto cube cue customers cuz d dan day db de deck defense delta digital discovery
    dish dma do dollar dominion door drop drug duke dull dynamics e ea eagle earn eastern eat echo eclipse
    eco edge eg eh el element else em emerald energy eod es ese esp esta et eve ever exp express eye f
    farm fast fat fate federal financial first fit five fix flex fly fold for ford fork form fossil four
    free freedom freight fro frontier frontline fun fund g gain game gap garrison gate gear gen gene
    general genesis genius glad glimpse global gm go gold good grab grid group grow gt guess gulf gut h ha
    haha harmony harvest has he health healthcare hear heat hello heritage hero hes hi home honest hope
    horizon hour hp hr hub huge hunter ibex ice icon if imo imperial independence industries inn innovate
    insight integrity intelligent interface intersect iron it jack jan job joint journey joy june k key
    keys kids kind kraft l lab lake lamb lancaster land landmark lands law le lee leg legacy liberty life
    limelight lincoln link live ll loan loop lot love low lung m ma main man maps marathon marine mark mas
    mass match math matter max me med medallion meds merchants mercury meridian met meta mi min mind mo
    mod mojo momo monarch monster mosaic move mtg na national ne net news next nice nine northern note
    nova now nuance nxt o oasis ocean odd oil om omega on one onto op open opp opt or oracle orange origin
    orion out pace pacific pack paid palace pandora par para paragon park path patriot pay pays pct peak
    pegasus pen perfect pets phoenix pilot pinnacle pioneer plains planet play plug plus pm pool popular
    por port post power pr pre precision preferred premier prime principal pro progress progressive prop
    pros prudential pt pump pure quad quantum quest r race rail rally ramp ran range ranger rapid rare
    rave raven reach reading ready real regal regions reliability reliance renew rent repay republic res
    resolute resources rev rich rig road rock royal ruby run rush ryder s sa safe safeguard sag saga sage
    sapphire save say science scores scripps se sea sealed sears seat see seed self seneca service ses
    shake shell shift ship shop shot sierra signature signet silver simply site sits six skin sky slam
    smart snap snow snowflake so soar solar son song sonic sound source southern southwest sparks spec
    spectrum spirit spot spring sprint spy square st stag standard star stellar stem step sterling stk
    stks stone su sum summit sun sunrise sup superior supreme surge swan sync t talk tandem tap tapestry
    target team tech tell tempo terra tgt th tho thor tide tiger til toast top tops total tour track trade
    travelers tree trex tribune trinity trip triumph true trust tu turn tv twin twist two tx u union unit
    united unity universal university up ups urban us v vale valley value vanguard vector venture veritas
    vertex very via victory view viking virtu visa visionary vista vital voyager vs w walker warm wash
    water waters wave weed well wells western wh when whirlpool win windstream winners wish wk wolf wonder
    wor world worlds wow wrap www x yield you z za zest zone zoom
""")
"""Everyday words that are also tickers or company names: alone they mean the word, not the company.

Words written in lower case at least three times in news and posts that are also a ticker or the whole
one-word name of a company on the SEC's list, and a few more of the kind added by hand.
"""

ABBREVIATIONS = _words("""
    ai api ath atm bid bps bull call ceo cfo cio cnbc coo cpi cto ecb eod eps er etf eu eur fbi fda fed
    fomc fx gaap gbp gdp hft hq imf imho inc ipo irs it jpy llc lol ltd ma macd mtd nasa nfl nyc nyse opec
    otc pc pe pmi pr put qe qoq rip roi rsi rt sec spx tbh tv uk un usa usd vix wsj wti yoy ytd
""")
"""Capitals that are finance talk or proper names of something else before they are a ticker."""

SUFFIXES = _words("""
    inc incorporated corp corporation co company companies ltd limited plc llc lp nv sa ag se ab asa oyj
    spa kgaa group holding holdings adr ads reit stores
""")
LEGAL_FORMS = (("p.l.c.", "plc"), ("l.p.", "lp"), ("n.v.", "nv"), ("s.a.", "sa"), ("l.l.c.", "llc"))

SHARE_WORDS = _words("""
    share shares stock stocks inc corp corporation plc ltd earnings revenue revenues profit profits sales
    ceo cfo dividend results calls puts bulls bears investors shareholders holders options guidance
    forecast ipo bonds estimates quarterly quarter valuation chart
""")
"""Next to an ambiguous name they make it a company: `Apple shares`."""

COMPANY_VERBS = _words("""
    says said reports reported posts posted announces announced unveils unveiled launches launched beats
    misses acquires acquired buys sells sues sued hires plans expects raises raised cuts cut names
    appoints upgraded downgraded falls fell rises rose jumps jumped surges surged slumps slumped slides
    slid drops dropped gains gained tumbles tumbled rallies rallied climbs soars soared plunges plunged
    trades trading agrees recalls recalled warns warned wins won faces seeks eyes shuts files settles pays
    invests partners lifts lifted halts halted sold bought slashes slashed delays delayed
""")
"""What a company does: after a capitalised ambiguous name they make it one."""

FINANCE = SHARE_WORDS | _words("""
    nasdaq nyse market markets trader traders trading analyst analysts upgrade downgrade upgraded
    downgraded buy sell bullish bearish q1 q2 q3 q4 eps rating outperform underperform billion million
    company merger takeover acquisition deal stake smartphone chip chips oil bank banks barclays goldman
    citi jpmorgan credit
""")
