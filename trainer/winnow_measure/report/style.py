"""The report's style sheet: light and dark by what the reader's system says, print included.

Colours are those of Okabe and Ito (2008), which people with any colour vision tell apart, made
lighter on a dark page. No meaning rests on a colour alone: shapes, fills and words say the same.
"""

from __future__ import annotations

__all__ = ["STYLE"]

STYLE = """
:root { color-scheme: light dark;
  --page: #ffffff; --ink: #1b1f24; --soft: #59636e; --line: #d0d7de; --panel: #f6f8fa;
  --selected: #b35900; --front: #0072b2; --other: #59636e; --missed: #a3306b; --good: #007a57;
}
@media (prefers-color-scheme: dark) { :root {
  --page: #14181d; --ink: #e6edf3; --soft: #9aa5b1; --line: #3a434d; --panel: #1d232a;
  --selected: #f0a030; --front: #56b4e9; --other: #9aa5b1; --missed: #e08ab8; --good: #3ecf9f;
} }
* { box-sizing: border-box; }
body { margin: 0 auto; max-width: 72rem; padding: 1.5rem; background: var(--page);
  color: var(--ink); font: 16px/1.5 system-ui, sans-serif; }
h1 { font-size: 1.7rem; line-height: 1.2; margin: 0 0 .5rem; }
h2 { font-size: 1.25rem; margin: 2.2rem 0 .6rem; border-bottom: 1px solid var(--line); }
h3 { font-size: 1.05rem; margin: 1.4rem 0 .3rem; }
p, li { max-width: 48rem; overflow-wrap: anywhere; }
dl.facts { display: grid; grid-template-columns: max-content 1fr; gap: .1rem 1rem; margin: .5rem 0; }
dl.facts dt { color: var(--soft); } dl.facts dd { margin: 0; overflow-wrap: anywhere; }
.reason { font-size: 1.1rem; border-left: .3rem solid var(--selected); padding: .2rem 0 .2rem 1rem; }
.reason.kept { border-color: var(--missed); }
.tiles { display: flex; flex-wrap: wrap; gap: .8rem; padding: 0; list-style: none; }
.tiles li { background: var(--panel); border: 1px solid var(--line); border-radius: .4rem;
  padding: .6rem 1rem; min-width: 9rem; }
.tiles b { display: block; font-size: 1.5rem; line-height: 1.3; }
.tiles span { color: var(--soft); font-size: .85rem; }
.wide { overflow-x: auto; }
table { border-collapse: collapse; font-size: .9rem; margin: .5rem 0; }
caption { text-align: left; color: var(--soft); padding: .2rem 0; }
th, td { text-align: left; vertical-align: top; padding: .3rem .7rem; border-bottom: 1px solid var(--line); }
thead th { color: var(--soft); font-weight: 600; white-space: nowrap; }
.wide tbody th { white-space: nowrap; position: sticky; left: 0; background: var(--page); }
td.figure { text-align: right; font-variant-numeric: tabular-nums; white-space: nowrap; }
td small { display: block; color: var(--soft); }
td.words { min-width: 14rem; overflow-wrap: anywhere; }
tbody tr.selected th, tr.selected td { background: var(--panel); }
tbody tr.selected th { box-shadow: inset .25rem 0 var(--selected); }
.pair { display: flex; flex-wrap: wrap; gap: 0 2rem; align-items: flex-start; }
.pair > div { flex: 1 1 16rem; min-width: 0; overflow-x: auto; }
.pair > div + div { flex: 2 1 24rem; }
.pair td.words { min-width: 5rem; }
.met { color: var(--good); } .missed { color: var(--missed); }
code { font: .85em/1.4 ui-monospace, monospace; overflow-wrap: anywhere; }
figure { margin: 1rem 0; } figcaption { color: var(--soft); font-size: .9rem; max-width: 48rem; }
svg { width: 100%; max-width: 54rem; height: auto; display: block; }
svg text { fill: var(--ink); font: 13px system-ui, sans-serif; }
svg .axis text, svg .note { fill: var(--soft); }
svg .grid { stroke: var(--line); stroke-width: 1; }
svg .stroke { fill: none; stroke: var(--front); stroke-width: 1.5; stroke-dasharray: 5 4; }
svg .whisker { stroke: var(--soft); stroke-width: 1.2; }
svg .tick { stroke: var(--ink); stroke-width: 2.5; }
svg .halo { fill: none; stroke: var(--selected); stroke-width: 2; }
svg .mark { stroke-width: 2; fill-opacity: .75; }
svg .mark.selected, svg .bar.selected { fill: var(--selected); stroke: var(--selected); }
svg .mark.front, svg .bar.front { fill: var(--front); stroke: var(--front); }
svg .mark.other { fill: none; stroke: var(--front); }
svg .mark.missed { fill: none; stroke: var(--missed); }
svg .bar.other { fill: var(--front); fill-opacity: .35; stroke: var(--front); }
svg .bar.missed { fill: var(--missed); fill-opacity: .25; stroke: var(--missed); stroke-dasharray: 4 3; }
@media print { body { max-width: none; } .wide { overflow: visible; } h2 { break-after: avoid; } }
"""
