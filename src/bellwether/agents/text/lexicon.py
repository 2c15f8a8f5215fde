"""Word classes of financial English, written for this project by hand, not counted from a data set.

They let a word the training sets never showed act like its kind, and they make short the sequences the model
learns composition from: `profit falls` and `margin shrinks` are both (gain, down).
"""

from bellwether.agents.text.tokens import ENTITY

_WORDS = {
    # moves up
    "up": """
        above accelerate accelerated accelerates advance advanced advances advancing appreciate
        appreciated appreciates ascend ascending balloon ballooned balloons bigger bounce bounced
        bounces bouncing breaches broaden broadened broadens buoyant buoyed climb climbed climbing
        climbs crossed crosses double doubled doubles doubling elevated expand expanded expanding
        expands extend extends firm firmed firming firms fold fourfold gain gained gainer gainers
        gaining gains greater grew grow growing grown grows heightened higher improve improved
        improvement improves improving inch inches increase increased increases increasing jump
        jumped jumping jumps larger leap leaped leaps leapt mount mounted mounts multifold outpace
        outpaces peak peaks pop popped popping pops quadruple quadruples rallied rallies rally
        rallying rebound rebounded rebounding rebounds reclaim reclaimed reclaims recover recovered
        recovering recovers recovery regain regained regains resume resumes rise risen rises rising
        rocket rocketed rocketing rockets rose scale scaled scales shoot shoots shot skyrocket
        skyrocketed skyrockets soar soared soaring soars spike spiked spikes spiking spurt spurted
        spurts strengthen strengthened strengthening strengthens surge surged surges surging swell
        swelled swelling swells threefold triple tripled triples twofold up uplift upmove upped ups
        upswing uptick uptrend uptrending upward upwards vault vaults widen widened widening widens
        wider zoom zoomed zooming zooms
    """,
    # moves down
    "down": """
        below beneath bleed bleeding bleeds bloodbath collapse collapsed collapses collapsing
        contracted contraction correct corrected correction corrects crack cracked cracks crash
        crashed crashes crashing crater cratered craters crumble crumbles cutback cutbacks decline
        declined declines declining decrease decreased decreases decreasing deepen deepened deepens
        depreciate depreciated depreciates depreciation deteriorate deteriorated deteriorates dip
        dipped dipping dips dive dived dives dove down downmove downswing downtrend downward
        downwards drift drifted drifts drop dropped dropping drops ease eased eases easing erode
        eroded erodes erosion fall fallen falling falls fell fewer freefall halve halved halves lag
        lagged lagging lags languish languishes languishing lose loser losers loses losing lost
        lower lowered lowering lowers lows meltdown narrow narrowed narrower narrowing narrows
        nosedive nosedived nosedives pare pared pares plummet plummeted plummeting plummets plunge
        plunged plunges plunging reduce reduced reduces reducing reduction reductions reel reeling
        reels retreat retreated retreating retreats rout sank sell-off selloff sells-off shed
        shedding sheds shrank shrink shrinkage shrinking shrinks shrunk sink sinking sinks skid
        skidded skids slashing slid slide slides sliding slip slipped slipping slips slow slowdown
        slowed slowing slows slump slumped slumping slumps smaller snap snapped snaps soften
        softened softening softens stumble stumbled stumbles stumbling sunk swoon swoons tank tanked
        tanking tanks trim trimmed trims tumble tumbled tumbles tumbling wane waned wanes weaken
        weakened weakening weakens wilt wipe wiped wipes wobble wobbles worsen worsened worsening
        worsens
    """,
    # is good for its subject
    "good": """
        accretive accumulate accumulates acquitted add adding adds applauded applauds approval
        approvals approve approved approves attract attractive attracts award award-winning awarded
        awards bag bagged bags bailout bargain beat beaten beating beats benefit benefited benefits
        best bet bets better bonus boost boosted boosting boosts bought breakeven breakout
        breakthrough bright brightens brighter bull bullish bulls buy buyback buybacks buying
        catalysts cheap cheer cheered cheers clearance cleared clears comfortable commercialise
        competitive confidence confident delight delights dividend dominant efficiencies efficiency
        efficient encouraging exceed exceeded exceeding exceeds exclusive expansion expansions
        favorable favourable favourite flourish flourishing glitter glitters good great
        growth-driven healthy hike hiked hikes hope hopeful hopes impressive innovative invest
        landmark leading lift lifted lifting lifts like likes love loves lucrative milestone
        modernise modernises multibagger multibaggers nod opportunities opportunity optimism
        optimistic outpacing outperform outperformed outperformer outperforming outperforms
        outstripped outstrips overcome overcomes oversubscribed overweight pick picks positive
        positives potential praise praised praises prefer preferred prefers premium profit-making
        profitability profitable promising raise raised raises record recruit recruiting recruits
        reinstated relief relieved reopen reopening reopens rescue rescued resolved resolves revival
        revive revives reward rewarded rewards robust rosy safe savings secure secured secures
        settled settles shine shines shining solid sparkle sparkles stellar stimulus strength strong
        stronger strongest success successful successfully surpass surpassed surpasses surpassing
        sustainable synergies synergy tailwind tailwinds thrive thrives thriving top top-rated
        topped topping tops turnaround undervalued undisputed upbeat upgrade upgraded upgrades
        upgrading upside value win winner winners winning wins won
    """,
    # is bad for its subject
    "bad": """
        abandon accident accidents accuse accused allegation allegations arrest arrested arrests
        avoid avoids axe axed axes bad ban bankrupt bankruptcy banned bans bear bearish bearishness
        bears blaze bleak block blocked blocks blow book boycott breach breached bribery bubble
        burdened bust cancel cancelled cancels caution cautious challenge challenges challenging
        charged cheat cheating cheats closes closing closure closures clueless concern concerned
        concerns convicted convicts coronavirus corruption crisis curb curbs cut cuts cutting damage
        damages deadly death deaths default defaulted defaulter defaults defect defective defects
        delay delayed delays dent dented dents destroyed destroys difficult dilution dilutive
        disappoint disappointed disappointing disappointment disappoints disaster dismal dismissal
        dismissals dispute distress distressed downgrade downgraded downgrades downgrading downside
        drag dragged dragging drags dull dump dumped dumps embezzlement evacuate evict exit exits
        exodus expensive explosion fail failed failing fails failure failures faulty fear feared
        fears fine fined fines fire flat flaw flaws flop flops fraud frauds furlough furloughs
        glitch glitches gloom gloomy glut grim guilty hack hacked halt halted halts hamper headwind
        headwinds hit hits hurt hurting hurts idle idled impairment impairments inadequate indicted
        indictment infected infections insolvency insolvent investigate investigation jailed jitters
        jittery junk lackluster lacklustre lawsuit lawsuits lay-offs layoff layoffs leak leaks
        liquidated liquidation lockdown lockdowns loss-making lossmaking malfunction mismanagement
        miss missed misses missing muted negative negatives negativity negligence obsolete offload
        offloading offloads omit omits omitted oppose opposes outage outages outbreak overbought
        overdue overhang overvalued pain painful pandemic panic penalise penalised penalties penalty
        pessimism pessimistic plague plagued poor postpone postponed postpones pressure pressured
        probe probed probes profit-booking prosecutors protest protests puts quarantine quit quits
        raid raids recall recalled recalls recession redundancies redundancy reject rejected
        rejection rejects resign resignation resigned resigns restructuring risk risks risky
        sanction sanctions scam scandal sceptical scrap scrapped scraps sell selling setback
        setbacks shelve shelved shelves short shortage shortages shortfall shortfalls shut shutdown
        shuts shutting skeptical slack slash slashed slashes sluggish sluggishness sold spill
        squeezed stagnant stall stalled stalls stop stoppage stoppages stopped stops strained
        stranded stress stressed strike strikes struggle struggles struggling subdued subpoena sue
        sued sues suffer suffered suffering suffers suspend suspended suspends suspension tariff
        tariffs tarnished tension tensions tepid terminate terminated terminates termination theft
        threat threaten threatens threats tough trouble troubled troubles turmoil ugly uncertain
        uncertainty underperform underperformed underperformer underperforming underperforms
        underweight underwhelming unprofitable unrest violation violations virus volatile volatility
        war warn warned warning warnings warns wary weak weaker weakest weakness weigh weighed
        weighs withdraw withdrawal withdrawn withdraws woe woes worried worries worrisome worry
        worrying worse worst write-down write-downs write-off writedown writedowns
    """,
    # a quantity whose rise is good
    "gain": """
        assets backlog bookings bottomline capacity cash cashflow circulation collections comps
        customers deliveries demand dividends earnings ebit ebitda eps estimates expectations
        exports footfall forecast forecasts growth guidance income index inflows liquidity margin
        margins market markets net occupancy operating order orders outlook output passengers pat
        premiums price prices production productivity profit profits pt rating ratings receipts
        results revenue revenues sale sales scrip share shares shipments stock stocks subscribers
        target targets tonnage topline traffic turnover users utilisation utilization view views
        volume volumes yields
    """,
    # a quantity whose rise is bad
    "burden": """
        arrears attrition burden cases charges churn claims cost costs crude debt debts deficit
        deficits delinquencies delinquency downtime dues duties duty expenditure expenditures
        expense expenses fatalities imports inflation jobless leverage liabilities liability loans
        loss losses npa npas outflow outflows outgoings overhead overheads provision provisioning
        provisions redemption slippages tax taxes unemployment vacancies wage wages writeoffs
    """,
    # turns the sense round
    "not": """
        aren't can't cannot couldn't denied denies deny despite didn't doesn't doesnt don't dont
        hardly hasn't haven't isn't isnt lack lacks less little neither never no none nor not
        refuses unable unlikely wasn't weren't without won't wouldn't
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
        yuan eur
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
    # an agreement between companies
    "deal": """
        accord agreement agreements commission contract contracts deal deals framework letter memorandum
        mou partnership tender tenders
    """,
    # what a company is, has or is due to do
    "fact": """
        available based branch branches comprises consists customer elected employees employs
        established founded general headquartered include includes including incorporated interim
        listed located manufactures member members metres office offices operates owns product products
        provider publish published square subsidiaries subsidiary supplier tonnes unit units voting votes
    """,
    # a part of a phrase
    "turn": """
        off
    """,
    # possibility
    "modal": """
        can must
    """,
}

_LISTS = {
    # turn round what follows them
    "negation": """
        aren't can't cannot couldn't didn't doesn't doesnt don't dont hardly hasn't haven't isn't
        isnt little neither never no nor not unable unlikely wasn't weren't without won't wouldn't
    """,
    # turn it round before `to`
    "failing": """
        fail failed failing fails
    """,
    # name a standard after `than` or `as`
    "standard": """
        fear feared fears worried
    """,
    # negated, say that there is no news
    "impact": """
        affect affected affects change changed changes comment comments disclose disclosed
        disclosing effect effects impact impacts influence material materially plan plans reveal
        revealed significant significantly specified
    """,
    # are good only when they are not negated
    "attain": """
        achieve achieves attain attains increase materialise materialize meet meets pay pays propose
        reach reaches
    """,
    # make a burden heavier
    "widening": """
        balloon ballooned balloons bigger deepen deepened deepening deepens larger mount mounted
        mounting mounts record swell swelled swelling swells widen widened widening widens wider
        worsen worsened worsening worsens
    """,
    # make a burden lighter
    "shrinking": """
        curb curbed curbs cut cuts cutting halve halved halves narrower pare pared pares recoup
        recouped recoups slash slashed slashes slashing smaller trim trimming trims
    """,
    # are burdens for some and business for others
    "ambiguous burden": """
        cases crude dues duty imports jobless leverage loan loans provision redemption tax taxes
    """,
    # are burdens when they are sour
    "soured": """
        assets debt debts loan loans receivables
    """,
    "sour": """
        bad delinquent non-performing nonperforming sour stressed
    """,
    # are a company's own when they stand before `at` and its name
    "performance": """
        cost costs deliveries demand earnings expenses income loss losses margin margins orders
        output production profit profits results revenue revenues sales turnover volumes
    """,
}
"""Words that rules look for besides the classes."""

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


def word_list(name: str) -> frozenset[str]:
    """The words of one class, or of one of the lists that no class uses."""
    return frozenset((_WORDS | _LISTS)[name].split())


CLASS_OF: dict[str, str] = {word: name for name, words in _WORDS.items() for word in words.split()}
"""Class of a token of `tokens.tokenise`: a word class, `#` for a number, a mark for itself."""
CLASS_OF |= {mark: mark for mark in ";:?!|-,"} | {"$x": "ticker"} | dict.fromkeys(_NUMBERS, "#")
CLASS_OF[ENTITY] = ENTITY
