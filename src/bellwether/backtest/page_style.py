"""How `report.html` looks: readable on a wide screen, on a phone and on paper."""

STYLE = """
:root{color-scheme:light}
*{box-sizing:border-box}
body{font:16px/1.55 system-ui,sans-serif;color:#1b1f24;background:#fff;margin:0 auto;max-width:860px;
padding:28px 22px 60px}
h1{font-size:1.7rem;margin:0 0 4px}h2{font-size:1.2rem;margin:38px 0 6px}
p{margin:6px 0 12px}.lead{color:#4a525c}
.verdict{border-left:6px solid #8a6d00;background:#fbf7e8;padding:12px 16px;margin:20px 0}
.verdict.positive{border-color:#2d7a46;background:#ecf6ef}
table{border-collapse:collapse;width:100%;font-size:.92rem;font-variant-numeric:tabular-nums}
th,td{text-align:right;padding:6px 8px;border-bottom:1px solid #e3e6ea;vertical-align:top}
th:first-child,td:first-child{text-align:left}td{white-space:nowrap}
th{font-weight:600;color:#4a525c}.wide{overflow-x:auto}
svg{width:100%;height:auto;display:block;margin-top:8px}
svg text{font:11px system-ui,sans-serif;fill:#4a525c}
.grid{stroke:#e3e6ea}.zero{stroke:#7a828c}
.legend{font-size:.88rem}.legend span{margin-right:18px;white-space:nowrap}
.legend i{display:inline-block;width:18px;margin-right:6px;vertical-align:middle}
tr.figure td{border-bottom:0;padding-bottom:0}
tr.words td{color:#4a525c;font-size:.86rem;white-space:normal;padding-top:0}
@media(max-width:600px){body{padding:18px 14px 40px}table{font-size:.84rem}th,td{padding:5px 4px}
td.range{white-space:normal}svg text{font-size:21px}svg polyline{stroke-width:3}
svg .between{display:none}}
.nothing{color:#4a525c;font-style:italic}
"""
