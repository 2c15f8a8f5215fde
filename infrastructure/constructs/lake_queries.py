"""Queries an owner starts from, by name: what each is for, and its text.

`{lake}` stands for the bucket. Instants are text in the catalogue: `from_iso8601_timestamp` makes them times.
"""

from collections.abc import Mapping

LAKE_QUERIES: Mapping[str, tuple[str, str]] = {
    "signals-by-agent": (
        "How many signals each agent gave in a retired month, and how many of them abstained",
        "SELECT agent_id, agent_version, count(*) AS signals, count_if(abstained) AS abstained,\n"
        "       round(avg(p_up), 4) AS mean_p_up\n"
        "FROM signals WHERE month = '202501' GROUP BY 1, 2 ORDER BY 3 DESC",
    ),
    "signals-to-parquet": (
        "A retired month as Parquet, for tools that read columns",
        "UNLOAD (SELECT * FROM signals WHERE month = '202501')\n"
        "TO 's3://{lake}/curated-data/signals-parquet/202501/'\n"
        "WITH (format = 'PARQUET', compression = 'ZSTD')",
    ),
    "scores-of-an-asset": (
        "What was believed of an asset, day by day, and how much stood behind it",
        "SELECT from_iso8601_timestamp(as_of) AS at, horizon, p_up, base_rate, edge, n_eff, disagreement\n"
        "FROM scores WHERE day BETWEEN '2026/01/01' AND '2026/12/31' AND asset = 'ACME' ORDER BY 1",
    ),
    "closes": (
        "Daily closes as rows",
        'SELECT symbol, date(d) AS "date", c AS close, a AS adj_close, v AS volume\n'
        "FROM prices CROSS JOIN UNNEST(dates, close, adj_close, volume) AS t (d, c, a, v)\n"
        "WHERE symbol = 'ACME' ORDER BY 2",
    ),
    "decisions": (
        "Who decided what, and why, in the order of the ledger",
        "SELECT sequence, from_iso8601_timestamp(at) AS at, subject,\n"
        "       json_extract_scalar(body, '$.decided_by') AS decided_by,\n"
        "       json_extract_scalar(body, '$.action') AS action,\n"
        "       json_extract_scalar(body, '$.reason') AS reason\n"
        "FROM ledger WHERE kind = 'decision' ORDER BY sequence",
    ),
    "items-by-source": (
        "What came in, by source and hour",
        "SELECT hour, i.source, count(*) AS items, count(DISTINCT i.cluster_id) AS clusters\n"
        "FROM items CROSS JOIN UNNEST(items) AS t (i)\n"
        "WHERE hour BETWEEN '2026/11/01/00' AND '2026/11/30/23' GROUP BY 1, 2 ORDER BY 1, 2",
    ),
    "calibration": (
        "Each evaluation's figures: were the probabilities right",
        "SELECT from_iso8601_timestamp(at) AS at, resolved, hit_rate, brier, calibration.ece AS ece\n"
        "FROM evaluations WHERE day >= '2026/01/01' ORDER BY 1",
    ),
}
