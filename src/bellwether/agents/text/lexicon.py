"""Word classes of financial English, written for this project by hand, not counted from a data set.

They let a word the training sets never showed act like its kind, and they make short the sequences the model
learns composition from: `profit falls` and `margin shrinks` are both (gain, down).
"""

from bellwether.agents.text.tokens import ENTITY

_WORDS = {
    # moves up
    "up": """
        accelerate accelerated accelerates advance advanced advances advancing appreciate appreciated
        appreciates ascend bounce bounced bounces bouncing breaches buoyant buoyed climb climbed
        climbing climbs crossed crosses double doubled doubles doubling expand expanded expanding
        expands extend extends firm firmed firming firms fold gain gained gainer gainers gaining gains
        grew grow growing grown grows higher improve improved improvement improves improving inch inches
        increase increased increases increasing jump jumped jumping jumps leap leaped leaps leapt
        multifold outpace outpaces peak peaks pop popped popping pops quadruple quadruples rallied
        rallies rally rallying rebound rebounded rebounding rebounds reclaim reclaimed reclaims recover
        recovered recovering recovers recovery regain regained regains resume resumes rise risen rises
        rising rocket rocketed rocketing rockets rose scale scaled scales shoot shoots shot skyrocket
        skyrocketed skyrockets soar soared soaring soars spike spiked spikes spiking spurt spurted
        spurts strengthen strengthened strengthening strengthens surge surged surges surging swell
        swelled swells threefold triple tripled triples twofold up upmove upswing uptick uptrend
        uptrending upward upwards vault vaults zoom zoomed zooming zooms
    """,
    # moves down
    "down": """
        bleed bleeding bleeds collapse collapsed collapses collapsing contract contracted contraction
        contracts correct corrected correction corrects crack cracked cracks crash crashed crashes
        crashing crater cratered craters crumble crumbles decline declined declines declining decrease
        decreased decreases decreasing depreciate depreciated depreciates depreciation deteriorate
        deteriorated deteriorates dip dipped dipping dips dive dived dives dove down downmove downswing
        downtrend downward downwards drift drifted drifts drop dropped dropping drops ease eased eases
        easing erode eroded erodes erosion fall fallen falling falls fell halve halved halves lag lagged
        lagging lags languish languishes languishing lose loser losers loses losing lost lower lows
        nosedive nosedived nosedives pare pared pares plummet plummeted plummeting plummets plunge
        plunged plunges plunging reel reeling reels retreat retreated retreating retreats sank sell-off
        selloff shed shedding sheds shrank shrink shrinking shrinks shrunk sink sinking sinks skid
        skidded skids slid slide slides sliding slip slipped slipping slips slow slowdown slowed slowing
        slows slump slumped slumping slumps snap snapped snaps soften softened softening softens stumble
        stumbled stumbles stumbling sunk swoon tank tanked tanking tanks trim trimmed trims tumble
        tumbled tumbles tumbling wane waned wanes weaken weakened weakening weakens wilt wipe wiped
        wipes wobble wobbles worsen worsened worsening worsens
    """,
    # is good for its subject
    "good": """
        accumulate accumulates add adding adds approval approvals approve approved approves attract
        attractive attracts award awarded awards bag bagged bags bargain beat beaten beating beats
        benefit benefited benefits best bet bets better bonus boost boosted boosting boosts bought
        breakout breakthrough bull bullish bulls buy buyback buybacks buying cheap cheer cheered cheers
        clearance cleared clears comfortable confidence confident delight delights dividend encouraging
        exceed exceeded exceeds favorable favourable favourite glitter glitters good great healthy hike
        hiked hikes hope hopeful hopes impressive invest lift lifted lifting lifts like likes love loves
        lucrative multibagger multibaggers nod opportunities opportunity optimism optimistic outperform
        outperformed outperformer outperforming outperforms overweight pick picks positive positives
        potential prefer preferred prefers profitable promising raise raised raises record relief
        relieved revival revive revives reward rewarded rewards robust rosy safe shine shines shining
        solid sparkle sparkles strength strong stronger strongest success successful surpass surpassed
        surpasses tailwind tailwinds top topped topping tops turnaround undervalued upbeat upgrade
        upgraded upgrades upgrading upside value win winner winners winning wins won
    """,
    # is bad for its subject
    "bad": """
        abandon accuse accused allegation allegations arrest arrested arrests avoid avoids bad ban
        bankrupt bankruptcy banned bans bear bearish bears bleak block blocked blocks blow book bubble
        bust cancel cancelled cancels caution cautious challenge challenges challenging cheat cheating
        cheats closure concern concerned concerns coronavirus crisis curb curbs cut cuts cutting damage
        damages default defaulted defaulter defaults delay delayed delays dent dented dents difficult
        disappoint disappointed disappointing disappointment disappoints dismal dispute distress
        distressed downgrade downgraded downgrades downgrading downside drag dragged dragging drags dull
        dump dumped dumps exit exits expensive fail failed failing fails failure failures fear feared
        fears fine fined fines flat fraud frauds gloom gloomy glut grim guilty halt halted halts hamper
        headwind headwinds hit hits hurt hurting hurts insolvency insolvent investigate investigation
        jitters jittery lackluster lacklustre lawsuit lawsuits layoff layoffs miss missed misses missing
        muted negative negatives negativity offload offloading offloads oppose opposes outbreak
        overbought overvalued pain painful pandemic panic penalise penalised penalties penalty poor
        pressure pressured probe probed probes profit-booking quit quits raid raids recall recalled
        recalls recession reject rejected rejection rejects resign resignation resigned resigns risk
        risks risky scam scandal sell selling setback setbacks short shut shutdown shuts shutting slash
        slashed slashes sluggish sold stagnant stop stopped stops stress stressed strike strikes
        struggle struggles struggling subdued sue sued sues suffer suffered suffering suffers suspend
        suspended suspends suspension tension tensions tepid threat threaten threatens threats tough
        trouble troubled troubles turmoil unable uncertain uncertainty underperform underperformed
        underperformer underperforms underweight violation violations virus volatile volatility war warn
        warned warning warnings warns weak weaker weakest weakness weigh weighed weighs woe woes worried
        worries worrisome worry worrying worse worst
    """,
    # a quantity whose rise is good
    "gain": """
        assets bookings bottomline collections deliveries demand earnings ebitda eps estimates
        expectations exports forecast forecasts growth guidance income index inflows margin margins
        market markets net order orders outlook output pat price prices production profit profits rating
        ratings results revenue revenues sale sales scrip share shares stock stocks target targets
        topline traffic turnover view views volumes
    """,
    # a quantity whose rise is bad
    "burden": """
        arrears burden claims cost costs crude debt debts deficit dues duties duty expense expenses
        imports inflation jobless liabilities liability loans loss losses npa npas outflow outflows
        provision provisioning provisions redemption slippages tax taxes unemployment
    """,
    # turns the sense round
    "not": """
        aren't can't cannot denied denies deny despite didn't doesn't don't hardly isn't lack lacks less
        little neither never no none nor not refuses unlikely wasn't without won't
    """,
    # a corporate event or speech act that is news but not a direction
    "event": """
        acquire acquired acquires acquisition agm agrees aims allotment announce announced announces
        appoint appointed appoints begins board bonds buys call ceo cfo chairman conference consider
        considers could declares director elevates expects eyes files fund funds held hires hold holds
        inc invests ipo joins launch launched launches likely may md meeting merger might mulls named
        names opens plan planning plans presents raise-funds report reports review reviews said say says
        seek seeks sees sets should sign signed signs stake starts talks transcript unveils will would
    """,
    # who is quoted: analysts, brokers, funds
    "analyst": """
        advisers advisors advisory amc analyst analysts angel asset barclays bofa-ml brokerage brokers
        broking capital citi citigroup clsa crisil deutsche edelweiss emkay equities expert experts
        financial fitch goldman hsbc icra iifl investment investments jefferies jpmorgan kotak macquarie
        mf moody's morgan motilal nomura prabhudas religare research s&p sachs securities services
        sharekhan stanley strategist suisse ubs wealth
    """,
    # who decides: governments, regulators, courts
    "authority": """
        boe boj cabinet cbi cci court dot ecb ed eu fda fed government govt icai imf irda ministry nclt
        pmo rbi sat sebi sec supreme trai tribunal usfda
    """,
    # an index, commodity, currency or sector
    "market": """
        auto bank banks bse commodities commodity copper dax dollar dow euro ftse gold indices it metal
        midcap nasdaq nifty nikkei nse oil pharma realty rupee sensex silver smallcap street wall yen
        yuan
    """,
    # a percentage
    "percent": """
        % bps cent pct per percent points pts
    """,
    # how high
    "high": """
        00-week all-time fresh high highs lifetime month multi-year new week year
    """,
    # how low
    "low": """
        bottom low support
    """,
    # when
    "time": """
        annual friday fy mom monday monthly q0 quarter thursday today tuesday wednesday weekly yoy
    """,
    # joins two clauses
    "join": """
        after against ahead amid as before but due following on post since vs while
    """,
    # preposition
    "preposition": """
        at by for from in into of over than that to under via with
    """,
    # possibility
    "modal": """
        can must
    """,
}

POLAR = frozenset({"up", "down", "good", "bad", "gain", "burden", "not"})
"""Classes that carry or turn a direction."""

SKELETON = POLAR | {"join", "analyst", ";", ":"}
"""Classes kept in the shortest sketch of a sentence: directions, and what separates or attributes them."""

CLAUSE_BREAKS = frozenset(
    {
        ";",
        ":",
        "?",
        "!",
        "|",
        "-",
        "(",
        ")",
        '"',
        ",",
        "and",
        "vs",
        "while",
        "but",
        "as",
        "after",
        "on",
        "post",
    }
    | {"despite", "amid"}
)
"""Tokens at which the clause around the entity ends."""

_NUMBERS = [
    whole + fraction
    for whole in ("0", "00", "000", "0000", "00000", "000000", "0,000", "00,000", "000,000", "0,000,000")
    for fraction in ("", ".0", ".00", ".000", ".0000")
]

CLASS_OF: dict[str, str] = {word: name for name, words in _WORDS.items() for word in words.split()}
"""Class of a token of `tokens.tokenise`: a word class, `#` for a number, a mark for itself."""
CLASS_OF |= {mark: mark for mark in ";:?!|-,"} | {"$x": "ticker"} | dict.fromkeys(_NUMBERS, "#")
CLASS_OF[ENTITY] = ENTITY
